"""Who asks, as this service knows them: the member's tokens from its own copy of the shared token view."""

import asyncio
import contextlib
from collections.abc import Iterable

from shared.kernel.audience import MemberTokens, Reader, held
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
        if self._viewing is None:
            raise Unavailable("no-token-view", "This service does not know who may see what.")
        if self._behind():
            raise Unavailable(
                "tokens-behind", "It is not certain what you may see right now. Try again in a moment."
            )
        await self._freshness.reached(self._viewing)
        known = await self._viewing.views.get(actor.member_id)
        if known is None:
            raise Unavailable(
                "member-not-here-yet",
                "You are so new here that this is not ready yet. Try again in a moment.",
            )
        if known.gone:
            raise Unauthenticated("member-gone", "This account is closed.")
        return Reader(actor.member_id, held(known.tokens, self._conjunctions), known.clearance)
