"""What members open and read: one stream per member and day, in which a thing is opened once and read once.

That somebody opened a thing on a day is what figures need; how often is noise, and would let a stream grow.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from shared.kernel.decider import Decider
from shared.kernel.events import Event

#: Signals of one member that are kept of one day.
MOST_A_DAY = 500
#: How late a signal may come: devices are offline, and a day's figures must close some time.
LATEST = timedelta(days=7)


class ItemKind(StrEnum):
    """What can be opened."""

    POST = "post"
    COMMENT = "comment"
    GROUP = "group"
    SPACE = "space"
    PAGE = "page"


class SignalKind(StrEnum):
    """Opened, or stayed with long enough to have read it, as the reader's device judges."""

    VIEW = "view"
    READ = "read"


class Signal(BaseModel):
    """`at` is the reader's clock, in whole seconds, never later than when it was told."""

    model_config = ConfigDict(frozen=True)

    kind: ItemKind
    item_id: str
    signal: SignalKind
    at: datetime


class SignalsGiven(Event):
    """A member who lets it be counted opened or read these things on that day (UTC), for the first time."""

    topic: ClassVar[str | None] = "engagement.private"

    member_id: str
    day: date
    items: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class GiveSignals:
    """Of one day."""

    member_id: str
    day: date
    items: tuple[Signal, ...]


Mark = tuple[ItemKind, str, SignalKind]


def by_day(items: Iterable[Signal], now: datetime) -> dict[date, tuple[Signal, ...]]:
    """In the order of their days. A clock that runs ahead is set back to `now`; what comes too late is left
    out."""
    days: dict[date, list[Signal]] = {}
    for item in items:
        if item.at >= now - LATEST:
            at = min(item.at, now).astimezone(UTC).replace(microsecond=0)
            days.setdefault(at.date(), []).append(item.model_copy(update={"at": at}))
    return {day: tuple(sorted(days[day], key=lambda item: item.at)) for day in sorted(days)}


def signals_stream(member_id: str, day: date) -> str:
    return f"signals-{member_id}-{day:%Y%m%d}"


def decide(command: GiveSignals, known: frozenset[Mark]) -> Sequence[Event]:
    """Only what is new that day, until the day is full."""
    new: dict[Mark, Signal] = {}
    for item in command.items:
        if _mark(item) not in known:
            new.setdefault(_mark(item), item)
    kept = tuple(new.values())[: max(0, MOST_A_DAY - len(known))]
    return [SignalsGiven(member_id=command.member_id, day=command.day, items=kept)] if kept else []


def evolve(known: frozenset[Mark], event: Event) -> frozenset[Mark]:
    match event:
        case SignalsGiven(items=items):
            return known | {_mark(item) for item in items}
    return known


def _mark(item: Signal) -> Mark:
    return item.kind, item.item_id, item.signal


signals: Decider[GiveSignals, frozenset[Mark]] = Decider(
    lambda c: signals_stream(c.member_id, c.day), frozenset(), decide, evolve
)
