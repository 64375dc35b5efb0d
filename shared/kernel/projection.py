"""The read side as data: which documents an event touches, and what each becomes."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from shared.kernel.events import Event, Recorded

V = TypeVar("V", bound=BaseModel)

#: Fields of a stored view document that are the runtime's own; a view's fields may not begin with an
#: underscore.
META = ("_rev", "_seen", "_live", "_parked")


@dataclass(frozen=True, slots=True)
class Index:
    """An index of the view's collection: (field, 1 or -1) pairs. Documents that are gone are left out of it.

    Never unique: a view follows events that have happened, so a rule belongs where commands are decided.
    """

    fields: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Projection(Generic[V]):
    """A fold from events to documents. `version` is raised whenever `keys`, `evolve` or `view` change their
    result.

    `evolve(view, event, recorded, key)` returns None for a document that is to be gone; `key` tells it
    which of the event's documents it is asked for, since a document that does not exist yet cannot. Laws:
    it is total over `events`, and any interleaving that keeps each stream's order gives the same documents.
    """

    name: str
    version: int
    view: type[V]
    events: tuple[type[Event], ...]
    keys: Callable[[Event], Collection[str]]
    evolve: Callable[[V | None, Event, Recorded, str], V | None]
    indexes: tuple[Index, ...] = ()
    #: Instead of `keys`, for documents that depend on when something happened or who did it.
    keys_at: Callable[[Event, Recorded], Collection[str]] | None = None
    #: Instead of `evolve` for many events of one document, where one by one costs more than it need: gives
    #: what `evolve` gives for one after the other.
    evolve_all: Callable[[V | None, Iterable[tuple[Event, Recorded]], str], V | None] | None = None

    def touched(self, event: Event, recorded: Recorded) -> Collection[str]:
        """The documents that this event changes."""
        return self.keys(event) if self.keys_at is None else self.keys_at(event, recorded)

    def folded(self, view: V | None, told: Iterable[tuple[Event, Recorded]], key: str) -> V | None:
        """The document after all of these."""
        if self.evolve_all is not None:
            return self.evolve_all(view, told, key)
        for event, recorded in told:
            view = self.evolve(view, event, recorded, key)
        return view

    @property
    def topics(self) -> tuple[str, ...]:
        """Where its events are read from, sorted."""
        return tuple(sorted({event.topic for event in self.events if event.topic is not None}))


def canonical(document: Mapping[str, Any]) -> dict[str, Any]:
    """A view document's content: what must be identical after a rebuild."""
    return {name: value for name, value in document.items() if name not in META}
