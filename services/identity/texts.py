"""Opening what views keep sealed, many at once, for an answer."""

from collections.abc import Sequence

from shared.kernel.personal import Personal
from shared.runtime.keys import KeyRing, Missing


async def opened(ring: KeyRing, values: Sequence[Personal | None]) -> list[str | Missing | None]:
    """In order; None where there is no value at all."""
    texts = iter(await ring.open_all([value for value in values if value is not None]))
    return [None if value is None else next(texts) for value in values]


async def texts(ring: KeyRing, values: Sequence[Personal | None]) -> list[str | None]:
    """In order; None also for what cannot be read."""
    return [None if isinstance(text, Missing) else text for text in await opened(ring, values)]
