"""The write side of an aggregate as data: where its stream is, where it begins, what it decides and what it
remembers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Generic, TypeVar

from shared.kernel.events import Event

C = TypeVar("C")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Decider(Generic[C, S]):
    """`decide` and `evolve` are pure; time, ids and the acting member arrive in the command."""

    stream: Callable[[C], str]
    initial: S
    decide: Callable[[C, S], Sequence[Event]]
    evolve: Callable[[S, Event], S]

    def fold(self, events: Iterable[Event], state: S | None = None) -> S:
        """What is known once `events` have happened."""
        return reduce(self.evolve, events, self.initial if state is None else state)
