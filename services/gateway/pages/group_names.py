"""What are these groups called? Asked once for a page, of groups whose posts the reader sees, and remembered.

Whoever may see a post of a group may know the group's name.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

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
        self._clock = clock
        self._known: OrderedDict[str, tuple[GroupRef, float]] = OrderedDict()

    async def known(self, session: Session, group_ids: Iterable[str]) -> dict[str, GroupRef]:
        """One without a name where the groups are away."""
        wanted, now = set(group_ids), self._clock()
        fresh = {i: entry[0] for i in wanted if (entry := self._known.get(i)) is not None and entry[1] > now}
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
        self._known[group_id] = (group, self._clock() + FRESH_SECONDS)
        self._known.move_to_end(group_id)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return group
