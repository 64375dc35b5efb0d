"""A view that this process alone follows: nothing changes there but by its own hand, so what it wrote may be
read from memory.

Whoever folds every partition of a view writes every one of its documents. That ends when partitions go to
another process, and is not believed while that could have happened unnoticed: a process that stood still for
long, or is cut off from its engines, is told late that its group went on without it.

That is another question than `awake` answers, which goes on ticking whoever is away.
"""

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Generic, Protocol, TypeVar

from cachetools import LRUCache
from pydantic import BaseModel

V = TypeVar("V", bound=BaseModel)
V_contra = TypeVar("V_contra", bound=BaseModel, contravariant=True)

#: Seconds after partitions came here: what a predecessor has under way may still be written.
SETTLING = 10.0
#: Seconds since a service last looked after the view, for which Kafka and MongoDB must have answered; less
#: than a consumer group waits for one of its members.
STALLED = 4.0

Load = Callable[[Collection[str]], Awaitable[Mapping[str, V]]]


class Witness(Protocol[V_contra]):
    """Something that follows what is written to the documents of a view, as it is written."""

    def changed(self, key: str, view: V_contra | None) -> None:
        """The document is stored like this now; None: it is gone."""

    def forget(self) -> None:
        """What was seen may not be all there is."""


class Sole(Generic[V]):
    """Whether one view is this process's alone, and who witnesses its writing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._from = float("inf")
        self._heard = clock()
        self.witnesses: list[Witness[V]] = []

    @property
    def trusted(self) -> bool:
        """Whether memory says the same as the database."""
        now = self._clock()
        return now >= self._from and now - self._heard <= STALLED

    def assigned(self, *, every_partition: bool) -> None:
        """Partitions came; with them, or without some, what others write counts too."""
        self._forget()
        self._from = self._clock() + SETTLING if every_partition else float("inf")

    def lost(self) -> None:
        """Partitions went, or the view is another generation now."""
        self._forget()
        self._from = float("inf")

    def met_another(self) -> None:
        """A document was not as it was left: somebody else writes too."""
        self._forget()
        self._from = max(self._from, self._clock() + SETTLING)

    def alive(self) -> None:
        """Called every second, once both engines have answered. After a silence nothing is believed until
        the group had time to tell."""
        now = self._clock()
        if now - self._heard > STALLED:
            self._forget()
            self._from = max(self._from, now + SETTLING)
        self._heard = now

    def changed(self, key: str, view: V | None) -> None:
        for witness in self.witnesses:
            witness.changed(key, view)

    def _forget(self) -> None:
        for witness in self.witnesses:
            witness.forget()


class Memory(Generic[V]):
    """The documents that were asked for last, also those that are not there, as long as memory can be
    trusted."""

    def __init__(self, sole: Sole[V], most: int) -> None:
        """`most`: documents."""
        self._sole = sole
        self._held: LRUCache[str, V | None] = LRUCache(most)
        self._epoch = 0
        self._loads = 0
        self._during: set[str] = set()
        sole.witnesses.append(self)

    async def get_many(self, keys: Collection[str], load: Load[V]) -> dict[str, V]:
        """The live documents among `keys`; what is not held is asked of `load`."""
        if not self._sole.trusted:
            return dict(await load(keys))
        found: dict[str, V] = {}
        missing = []
        for key in keys:
            if key not in self._held:
                missing.append(key)
                continue
            view = self._held[key]
            if view is not None:
                found[key] = view
        if missing:
            found.update(await self._loaded(missing, load))
        return found

    async def _loaded(self, keys: Collection[str], load: Load[V]) -> Mapping[str, V]:
        """What was written while it was being loaded is newer, and stays."""
        epoch = self._epoch
        self._loads += 1
        try:
            found = await load(keys)
            if epoch == self._epoch and self._sole.trusted:
                for key in keys:
                    if key not in self._during:
                        self._held[key] = found.get(key)
        finally:
            self._loads -= 1
            if not self._loads:
                self._during.clear()
        return found

    def changed(self, key: str, view: V | None) -> None:
        if self._loads:
            self._during.add(key)
        if key in self._held:
            self._held[key] = view

    def forget(self) -> None:
        self._held.clear()
        self._epoch += 1
