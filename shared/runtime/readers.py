"""Who asks, as this service knows them: the member's tokens from its own copy of the shared token view; and
who else there is, for whoever says who may see a thing."""

import asyncio
import contextlib
from collections.abc import Collection, Iterable
from typing import Any

from shared.kernel.audience import MEMBER, NAMED, MemberTokens, Reader, held
from shared.kernel.errors import Unauthenticated, Unavailable
from shared.runtime.auth import Actor
from shared.runtime.freshness import Freshness
from shared.runtime.viewing import Viewing

#: Tokens older than this, in seconds, are not believed: somebody may have been removed meanwhile.
OLDEST_TOKENS = 30.0


class Readers:
    """Turns the actor of a request into a reader that queries can be trimmed for."""

    def __init__(
        self,
        viewing: Viewing[MemberTokens] | None,
        freshness: Freshness,
        conjunctions: Iterable[str] = (),
    ) -> None:
        self._viewing = viewing
        self._freshness = freshness
        self._conjunctions = tuple(conjunctions)

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
        return self._reader(known)

    async def known(self, member_id: str) -> Reader | None:
        """What another member may see; None for who is not there, or not any more."""
        found = await self._tokens().views.get(member_id)
        return None if found is None or found.gone else self._reader(found)

    async def anybody(self, tokens: Collection[str]) -> bool:
        """Whether somebody holds all of these tokens, as far as anybody may write to them by name."""
        members = [token.removeprefix(MEMBER) for token in tokens if token.startswith(MEMBER)]
        named = [token for token in tokens if token.startswith(NAMED)]
        where: dict[str, Any] = {"gone": False}
        if members:
            where["_id"] = {"$in": members} if len(set(members)) == 1 else {"$in": []}
        if named:
            where["named"] = {"$all": named}
        views = self._tokens().views
        return bool(await views.find(where, sort=[("_id", 1)], limit=1, fields=["member_id"]))

    def _tokens(self) -> Viewing[MemberTokens]:
        if self._viewing is None:
            raise Unavailable("no-token-view", "This service does not know who may see what.")
        return self._viewing

    def _reader(self, known: MemberTokens) -> Reader:
        return Reader(known.member_id, held(known.tokens, self._conjunctions), known.clearance)
