"""Documents that a fold wrote last, kept in hand: the next event of theirs needs no question.

Nothing here has to be true. A write names the `_rev` that it was folded from, so a document that somebody
else has changed meanwhile misses, is asked for and is folded again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from cachetools import LRUCache
from pydantic import BaseModel

V = TypeVar("V", bound=BaseModel)

#: Of one view together, as they are stored; and the largest that is kept at all.
MOST_BYTES = 256_000
LARGEST = 32_000


@dataclass(slots=True)
class Document(Generic[V]):
    """A view document in hand. `rev` 0: it does not exist yet."""

    view: V | None = None
    rev: int = 0
    seen: Mapping[str, int] = field(default_factory=dict)
    parked: Mapping[str, Any] | None = None


class Held(Generic[V]):
    """Those of one view; the ones that were used longest ago go first."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._documents: LRUCache[str, tuple[Document[V], int]] = LRUCache(most, getsizeof=_size)

    def of(self, keys: Iterable[str]) -> dict[str, Document[V]]:
        return {key: held[0] for key in keys if (held := self._documents.get(key)) is not None}

    def put(self, key: str, document: Document[V], size: int) -> None:
        """As it is stored now, with `size` bytes."""
        if size > LARGEST:
            self.forget((key,))
        else:
            self._documents[key] = document, size

    def forget(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._documents.pop(key, None)

    def clear(self) -> None:
        self._documents.clear()


def _size(held: tuple[Document[Any], int]) -> int:
    return held[1]
