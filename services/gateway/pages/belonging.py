"""Which groups is somebody in? For the navigation, remembered for a few seconds."""

import asyncio
import time
from collections.abc import Callable, Sequence

from cachetools import TTLCache
from pydantic import BaseModel

from services.gateway.clients import Away, Clients
from services.gateway.sessions import Session
from services.gateway.view_models import GroupRef
from shared.kernel.errors import Refused

#: Groups in the navigation.
SHOWN = 8
MOST = 10_000
#: What others changed shows after so long at most; what the member does themselves shows at once.
FRESH_SECONDS = 10.0
#: Every page waits for it, so it does not wait long.
PATIENCE_SECONDS = 1.0


class _Group(BaseModel):
    id: str
    name: str
    language: str = ""


class _Listed(BaseModel):
    items: list[_Group]


class Belonging:
    """Groups by member. None of them where the service is away: the navigation does without."""

    def __init__(self, clients: Clients, clock: Callable[[], float] = time.monotonic) -> None:
        self._clients = clients
        self._known: TTLCache[str, Sequence[GroupRef]] = TTLCache(MOST, FRESH_SECONDS, clock)

    async def of(self, session: Session, after: str | None) -> Sequence[GroupRef]:
        member_id = session.held.member_id
        known = self._known.get(member_id)
        if known is not None:
            return known
        groups = await self._ask(session, after)
        self._known[member_id] = groups
        return groups

    def forget(self, member_id: str) -> None:
        self._known.pop(member_id, None)

    async def _ask(self, session: Session, after: str | None) -> Sequence[GroupRef]:
        query: dict[str, str | int] = {"mine": "true", "limit": SHOWN}
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = await self._clients.ask(
                    "groups", "GET", "/groups", token=session.held.token, after=after, query=query
                )
            listed = answer.read(_Listed)
        except (Away, Refused, TimeoutError):
            return ()
        return [GroupRef(group.id, group.name, group.language) for group in listed.items]
