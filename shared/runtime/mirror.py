"""What is kept beside a view's documents, generation by generation, such as an index of their words.

A fold writes its documents, hands them over with the number of their writing, and saves its offsets after
both. So a batch that comes again is handed over again, and a mirror that was away misses nothing.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel

V = TypeVar("V", bound=BaseModel)


class Kept(NamedTuple, Generic[V]):
    """A document as it is stored. `rev` rises with every write of it; `view` None: it is gone."""

    key: str
    rev: int
    view: V | None


class Mirror(Protocol[V]):
    """All of it raises Unavailable where its engine is away, which is waited for."""

    async def prepare(self, generation: str) -> None:
        """Makes ready for documents, and takes those that the generation holds where they were lost here."""

    async def take(self, generation: str, documents: Sequence[Kept[V]]) -> None:
        """Holds these or newer ones when it returns; they come in no order and more than once."""

    async def serve(self, generation: str) -> None:
        """Readers are shown this generation from now on, with everything that was taken."""

    async def sweep(self, known: Callable[[], Awaitable[Collection[str]]]) -> None:
        """Drops every generation that `known` does not name. It is asked after looking at what there is."""
