"""What are these groups called? Asked once for a page, of groups whose posts the reader sees, and remembered.

Whoever may see a post of a group may know the group's name.
"""

import asyncio
import time
from collections.abc import Callable, Iterable

from cachetools import TTLCache
from pydantic import BaseModel

from services.gateway.clients import Clients, part
from services.gateway.sessions import Session
from services.gateway.view_models import GroupRef
from shared.kernel.errors import Refused

MOST = 10_000
#: A group that was renamed shows its old name for so long at most.
FRESH_SECONDS = 60.0


class _Named(BaseModel):
    id: str
    name: str
    language: str = ""


class GroupNames:
    """Groups by id, for as long as they are fresh."""

    def __init__(self, clients: Clients, clock: Callable[[], float] = time.monotonic) -> None:
        self._clients = clients
        self._known: TTLCache[str, GroupRef] = TTLCache(MOST, FRESH_SECONDS, clock)

    async def known(self, session: Session, group_ids: Iterable[str]) -> dict[str, GroupRef]:
        """One without a name where the groups are away."""
        wanted = set(group_ids)
        fresh = {i: group for i in wanted if (group := self._known.get(i)) is not None}
        missing = sorted(wanted - set(fresh))
        found = await asyncio.gather(*(self._ask(session, group_id) for group_id in missing))
        return fresh | dict(zip(missing, found, strict=True))

    async def _ask(self, session: Session, group_id: str) -> GroupRef:
        try:
            answer = await self._clients.ask(
                "groups", "GET", f"/groups/{part(group_id)}", token=session.held.token
            )
            named = answer.read(_Named)
        except Refused:
            return GroupRef(group_id, "")
        group = GroupRef(named.id, named.name, named.language)
        self._known[group_id] = group
        return group
