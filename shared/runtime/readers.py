"""Who asks, as this service knows them: the member's tokens from its own copy of the shared token view; and
who else there is, for whoever says who may see a thing."""

import asyncio
import contextlib
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from cachetools import LRUCache, TTLCache

from shared.kernel.audience import (
    MEMBER,
    MOST_CONJUNCTIONS,
    MOST_CONJUNCTIONS_OF_ONE,
    NAMED,
    Conjunction,
    MemberTokens,
    Reader,
    held,
)
from shared.kernel.errors import Unauthenticated, Unavailable
from shared.runtime.asked import ASKED
from shared.runtime.auth import Actor
from shared.runtime.freshness import Freshness
from shared.runtime.viewing import Viewing

#: Tokens older than this, in seconds, are not believed: somebody may have been removed meanwhile.
OLDEST_TOKENS = 30.0
#: Seconds for which it is believed which conjunctions there are.
LOOKED_FOR = 1.0
#: Seconds for which a conjunction counts that somebody may use from now on and that no view knows yet.
EXPECTED_FOR = 60.0
#: Conjunctions that are read: processes that admit some at the same moment do not know of each other's.
_MOST_READ = 2 * MOST_CONJUNCTIONS
#: What requests should be after, of which it is remembered that somebody looked.
MOST_ASKED = 1_000


class Readers:
    """Turns the actor of a request into a reader that queries can be trimmed for."""

    def __init__(
        self,
        viewing: Viewing[MemberTokens] | None,
        freshness: Freshness,
        conjunctions: Viewing[Conjunction] | None = None,
    ) -> None:
        self._viewing = viewing
        self._freshness = freshness
        self._conjunctions = conjunctions
        self._joined: dict[str, str | None] = {}
        self._expected: TTLCache[str, str | None] = TTLCache(MOST_CONJUNCTIONS, EXPECTED_FOR)
        self._looked = float("-inf")
        self._asked: LRUCache[str, None] = LRUCache(MOST_ASKED)

    async def certain(self, patience: float) -> None:
        """Waits, at most `patience` seconds, until the token view has passed an end of the log in this
        process: before that nobody knows how old it is."""
        if self._viewing is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._viewing.lag.told.wait(), patience)

    def _behind(self) -> bool:
        return self._viewing is not None and self._viewing.lag.age() > OLDEST_TOKENS

    async def of(self, actor: Actor) -> Reader:
        """As of what the request should be after: whoever just joined reads, whoever was just removed does
        not.

        Raises Unavailable while the token view is too far behind, Unauthenticated for a member who is gone.
        """
        viewing = self._tokens()
        if self._behind():
            raise Unavailable(
                "tokens-behind", "It is not certain what you may see right now. Try again in a moment."
            )
        await self._freshness.reached(viewing)
        known = await viewing.views.get(actor.member_id)
        if known is None:
            raise Unavailable(
                "member-not-here-yet",
                "You are so new here that this is not ready yet. Try again in a moment.",
            )
        if known.gone:
            raise Unauthenticated("member-gone", "This account is closed.")
        return self._reader(known, await self.conjunctions())

    async def conjunctions(self) -> Collection[str]:
        """Those that things here are addressed with."""
        return await self._registered()

    async def admits(self, joined: Collection[str], member_id: str) -> bool:
        """Whether the member may address something with these conjunctions: those in use, and as many new
        ones as leave room for others. What is admitted counts at once: a burst gets no further than one after
        the other."""
        new = await self._room_for(joined, member_id)
        if new is None:
            return False
        self._expected.update(dict.fromkeys(new, member_id))
        return True

    async def would_admit(self, joined: Collection[str], member_id: str) -> bool:
        """The same of who only asks: who chooses one after the other has used none of them."""
        return await self._room_for(joined, member_id) is not None

    async def _room_for(self, joined: Collection[str], member_id: str) -> Sequence[str] | None:
        """Those of the conjunctions that are new here; None where there is no room for them."""
        registered = await self._registered()
        known = {**self._expected, **registered}
        new = [clause for clause in joined if clause not in known]
        mine = sum(by == member_id for by in known.values())
        if new and (len(known) + len(new) > MOST_CONJUNCTIONS or mine + len(new) > MOST_CONJUNCTIONS_OF_ONE):
            return None
        return new

    async def _registered(self) -> Mapping[str, str | None]:
        """The conjunctions in use, each with who used it first. Who was addressed by a new one sees it
        `LOOKED_FOR` seconds later at most, and whoever asks for what they should be after, at once."""
        viewing, now = self._conjunctions, time.monotonic()
        if viewing is not None and (self._is_asked_anew() or now - self._looked > LOOKED_FOR):
            found = await viewing.views.find({}, sort=[("_id", 1)], limit=_MOST_READ)
            self._joined, self._looked = {each.clause: each.by for each in found}, now
        return self._joined

    def _is_asked_anew(self) -> bool:
        """Whether this is the first request that should be after what it names."""
        asked = ASKED.get()
        if asked is None or asked.after in self._asked:
            return False
        self._asked[asked.after] = None
        return True

    async def known(self, member_id: str) -> Reader | None:
        """What another member may see; None for who is not there, or not any more."""
        found = await self._tokens().views.get(member_id)
        return None if found is None or found.gone else self._reader(found, await self.conjunctions())

    async def anybody(self, tokens: Collection[str]) -> bool:
        """Whether somebody holds all of these tokens, as far as they may be written to by name; only for a
        service that is assembled with `addresses=True`. Who asks must be in the groups among them."""
        views = self._tokens().views
        if not views.projection.indexes:
            raise RuntimeError(f"{views.projection.name} is kept without an index by name")
        members = [token.removeprefix(MEMBER) for token in tokens if token.startswith(MEMBER)]
        named = [token for token in tokens if token.startswith(NAMED)]
        where: dict[str, Any] = {"gone": False}
        if members:
            where["_id"] = {"$in": members} if len(set(members)) == 1 else {"$in": []}
        if named:
            where["named"] = {"$all": named}
        return bool(await views.find(where, sort=[("_id", 1)], limit=1, fields=["member_id"]))

    def _tokens(self) -> Viewing[MemberTokens]:
        if self._viewing is None:
            raise Unavailable("no-token-view", "This service does not know who may see what.")
        return self._viewing

    def _reader(self, known: MemberTokens, joined: Iterable[str]) -> Reader:
        return Reader(known.member_id, held(known.tokens, joined), known.clearance)
