"""What are these members called? Asked of identity once for a whole page, and remembered briefly."""

import time
from collections.abc import Callable, Iterable, Sequence

from cachetools import LRUCache, TTLCache
from pydantic import BaseModel

from services.gateway.clients import Away, Clients
from services.gateway.pages.group_names import GroupNames
from services.gateway.sessions import Session
from services.gateway.view_models import Person

MOST = 10_000
#: A name that changed, or that of somebody who was erased, is shown for so long at most.
FRESH_SECONDS = 10.0
#: The kind of members who may know everybody's name.
STAFF = "staff"
#: The state of members who have left.
DEACTIVATED = "deactivated"
#: Members that identity names in one answer.
AT_ONCE = 100


class Known(BaseModel):
    """What identity says for display. `pending`: the name is on its way there. `synthetic`: made up."""

    member_id: str
    name: str = ""
    kind: str = ""
    state: str = ""
    erased: bool = False
    pending: bool = False
    synthetic: bool = False

    @property
    def person(self) -> Person:
        if self.erased:
            return Person.erased(self.member_id)
        name = "" if self.pending else self.name
        return Person.named(self.member_id, name, synthetic=self.synthetic, gone=self.state == DEACTIVATED)


class _Listed(BaseModel):
    items: list[Known]


class People:
    """Members by id, for as long as they are fresh.

    What is remembered is for staff, who may know everybody's name. For anybody else identity is asked anew:
    it decides whom they may know.
    """

    def __init__(self, clients: Clients, clock: Callable[[], float] = time.monotonic) -> None:
        self.groups = GroupNames(clients, clock)
        self._clients = clients
        self._known: TTLCache[str, Known] = TTLCache(MOST, FRESH_SECONDS, clock)
        #: What kind of member each who asked was last: while identity is away, staff are no guests.
        self._kinds: LRUCache[str, str] = LRUCache(MOST)

    async def known(self, session: Session, member_ids: Iterable[str]) -> dict[str, Known]:
        """One without a name where identity is away, or knows nobody by that id."""
        wanted, mine = sorted(set(member_ids)), session.held.member_id
        found = self._fresh([*wanted, mine])
        if mine not in found or found[mine].kind != STAFF:
            found = {}
        missing = [member_id for member_id in dict.fromkeys([mine, *wanted]) if member_id not in found]
        for at in range(0, len(missing), AT_ONCE):
            found |= await self._ask(session, missing[at : at + AT_ONCE])
        if mine in found:
            self._kinds[mine] = found[mine].kind
        return {member_id: found.get(member_id) or self._unnamed(member_id) for member_id in wanted}

    def remembered(self, member_id: str) -> Known:
        """Without asking anybody."""
        return self._known.get(member_id) or self._unnamed(member_id)

    def _unnamed(self, member_id: str) -> Known:
        return Known(member_id=member_id, kind=self._kinds.get(member_id, ""))

    def _fresh(self, member_ids: Iterable[str]) -> dict[str, Known]:
        return {
            member_id: known for member_id in member_ids if (known := self._known.get(member_id)) is not None
        }

    async def _ask(self, session: Session, member_ids: Sequence[str]) -> dict[str, Known]:
        query = {"ids": ",".join(member_ids)}
        try:
            answer = await self._clients.ask(
                "identity", "GET", "/members", token=session.held.token, query=query
            )
        except Away:
            return {}
        found = {member.member_id: member for member in answer.read(_Listed).items}
        for member_id, member in found.items():
            if not member.pending:
                self._known[member_id] = member
        return found
