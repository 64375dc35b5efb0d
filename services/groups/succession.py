"""Who answers for a group when those who did have left the organisation: who of its staff is in it longest.

Goes by what is, not by what was just heard: which owners have left, as the views know it. So it does not
matter what arrives first, a look that came too early is made good by the next, and groups that were left long
ago get their owner as well. Where nobody can follow, the one who left stays named until an administrator
finds somebody.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence

from services.groups import commands
from services.groups.projections import MembershipView, PersonView, membership_key
from shared.kernel.errors import Refused
from shared.kernel.events import Occasion
from shared.runtime.ids import new_id
from shared.runtime.logging import get_logger
from shared.runtime.looking import tried
from shared.runtime.mirror import Kept
from shared.runtime.store import EventStore
from shared.runtime.views import Views

#: Seconds from one look to the next: soon after somebody is heard to have left, since other views may be
#: behind that, then twice as many each time, and so many at most.
FIRST = 1.0
EVERY = 60.0
#: People, or memberships, that are read at once.
PORTION = 500
#: As the index has them that begins with the rank.
IN_TURN = [("member_id", 1), ("_id", 1)]
#: Members of a group who are looked at, those who are in it longest first.
MOST_MEMBERS = 5_000

log = get_logger(__name__)


class Succession:
    """Beside the view of people (`shared.runtime.mirror`), of which it keeps nothing: it is woken by it."""

    def __init__(
        self, store: EventStore, people: Views[PersonView], memberships: Views[MembershipView]
    ) -> None:
        self._store = store
        self._people = people
        self._memberships = memberships
        self._somebody_left = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def prepare(self, generation: str) -> None:
        """Nothing is kept here."""

    async def take(self, generation: str, documents: Sequence[Kept[PersonView]]) -> None:
        if any(kept.view is not None and kept.view.left for kept in documents):
            self._somebody_left.set()

    async def serve(self, generation: str) -> None:
        """Nothing is kept here."""

    async def sweep(self, known: Callable[[], Awaitable[Collection[str]]]) -> None:
        """Nothing is kept here."""

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        pause = FIRST
        while True:
            self._somebody_left.clear()
            await tried("owners who left", self.settle())
            try:
                await asyncio.wait_for(self._somebody_left.wait(), pause)
                pause = FIRST
            except TimeoutError:
                pause = min(2 * pause, EVERY)

    async def settle(self) -> None:
        """Relieves every owner who has left, where somebody else answers for the group or can."""
        async for owned in self._left_behind():
            try:
                await self._relieve(owned)
            except Refused as refused:
                if refused.momentary:
                    raise
                # Somebody was faster; the next look knows more.
                log.info("owner not relieved", group=owned.group_id, code=refused.code)

    async def ownerless(self) -> list[str]:
        """The groups for which nobody answers who is there."""
        found = dict.fromkeys([owned.group_id async for owned in self._left_behind()])
        return [group_id for group_id in found if not await self.present(await self._named(group_id))]

    async def present(self, member_ids: Collection[str]) -> list[str]:
        """Those of them who can answer for a group."""
        known = await self._people.get_many(member_ids)
        return sorted(member_id for member_id, person in known.items() if person.may_own)

    async def _left_behind(self) -> AsyncIterator[MembershipView]:
        """What those own who have left."""
        after: list[str] | None = None
        while True:
            gone = await self._people.find(
                {"left": True}, sort=[("_id", 1)], limit=PORTION, after=after, fields=["member_id"]
            )
            if not gone:
                return
            ids = [person.member_id for person in gone]
            async for owned in self._owned_by(ids):
                yield owned
            after = [ids[-1]]

    async def _owned_by(self, member_ids: Collection[str]) -> AsyncIterator[MembershipView]:
        after: list[str] | None = None
        while True:
            found = await self._memberships.find(
                {"member_id": {"$in": member_ids}, "rank": 0}, sort=IN_TURN, limit=PORTION, after=after
            )
            for owned in found:
                yield owned
            if len(found) < PORTION:
                return
            after = [owned.member_id, membership_key(owned.group_id, owned.member_id)]

    async def _relieve(self, owned: MembershipView) -> None:
        async def heir(others: Collection[str]) -> str | None:
            there = await self.present(others)
            return there[0] if there else await self._longest(owned.group_id)

        group_id, member_id = owned.group_id, owned.member_id
        if not await self.present(await self._named(group_id)) and await self._longest(group_id) is None:
            return
        await commands.succeed(self._store, group_id, member_id, heir, Occasion(None, new_id()))
        log.info("owner who left is relieved", group=group_id)

    async def _named(self, group_id: str) -> list[str]:
        """Its owners, as far as this service knows."""
        found = await self._memberships.find(
            {"group_id": group_id, "rank": 0},
            sort=[("rank", 1), ("joined_at", 1), ("_id", 1)],
            limit=PORTION,
        )
        return [owner.member_id for owner in found]

    async def _longest(self, group_id: str) -> str | None:
        """Of the members who are no owners and can be, who is in the group longest."""
        members = await self._memberships.find(
            {"group_id": group_id, "rank": 1},
            sort=[("rank", 1), ("joined_at", 1), ("_id", 1)],
            limit=MOST_MEMBERS,
        )
        can = set(await self.present([member.member_id for member in members]))
        return next((member.member_id for member in members if member.member_id in can), None)
