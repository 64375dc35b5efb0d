"""What a metric is: words, a formula with its source, the events that it counts, and rows made of facts.

A metric gives rows: a member, a moment, and what is counted of them there. Everything that is told is a sum
of rows, so a figure of a group is the sum of those who were in it at their rows' moments; shares and indices
are worked out from sums, last. Each row has one place, which is why differences of figures tell no more
than the figures.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from services.engagement.metrics.people import People
from services.engagement.metrics.periods import Every, Period
from services.engagement.metrics.privacy import Path
from services.engagement.projections.facts import Fact, Kind
from services.engagement.projections.items import ItemView

Counts = Mapping[str, int]
#: Sums; None for what is not told of these people.
Told = Mapping[str, int | None]
Values = dict[str, int | float | None]
Acts = Mapping[str, Sequence[Fact]]
#: Whether somebody's act is one that a figure is made of.
Asking = Callable[[str, Fact], bool]
Withheld = Callable[[Path, Counts, bool], frozenset[str]]


class By(StrEnum):
    """What a figure can be told by. A unit counts all units within it."""

    UNIT = "unit"
    COUNTRY = "country"
    LANGUAGE = "language"


class Privacy(StrEnum):
    """What a figure is made of: acts in the open only, or also what members opened, under their consent."""

    OPEN = "open"
    READING = "reading"


class Row(NamedTuple):
    """`about`: whether the figure is about this person, who is one of the five then that a group needs."""

    member_id: str
    at: int
    counts: Counts
    about: bool = True


@dataclass(frozen=True, slots=True)
class Measure:
    """One column of the answer. `unit`: people, acts, share (0 to 1), index (-1 to 1), hours."""

    name: str
    title: str
    unit: str = "acts"


@dataclass(frozen=True, slots=True)
class Window:
    """What one period's rows are made of. `end` is the period's, or the moment that was asked for, if that
    is earlier. Facts are sorted by event time; `before` are those of the period before, `after` those that
    follow, as far as the metric asked. `whole`: groups may be told of."""

    period: Period
    end: int
    people: People
    acts: Acts
    before: Acts = field(default_factory=dict)
    after: Acts = field(default_factory=dict)
    items: Mapping[str, ItemView] = field(default_factory=dict)
    whole: bool = True

    @property
    def start(self) -> int:
        return self.period.start

    def members(self) -> dict[str, int]:
        """Everybody who was a member in the period, and the moment that says where they are counted: the end
        of the first day on which they were."""
        return self.people.present(self.start, self.end)


def _each(window: Window) -> Asking:
    return lambda member_id, fact: True


def of_members(window: Window) -> Asking:
    """Of others it is not known whether they could have been there."""
    members = window.members()
    return lambda member_id, fact: member_id in members


def nothing(path: Path, counts: Counts, whole: bool) -> frozenset[str]:
    """No measure is withheld."""
    return frozenset()


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of a metric. `measures` are counted, `derived` worked out from them."""

    name: str
    version: int
    title: str
    words: str
    formula: str
    source: str
    kinds: frozenset[Kind]
    measures: tuple[Measure, ...]
    rows: Callable[[Window], Iterable[Row]]
    every: Every = Every.MONTH
    derived: tuple[Measure, ...] = ()
    derive: Callable[[Counts], Values] | None = None
    privacy: Privacy = Privacy.OPEN
    looks_back: bool = False
    looks_ahead: timedelta = timedelta()
    #: Acts of which it asks who published what they were done to, and to whom.
    asks_items: frozenset[Kind] = frozenset()
    #: Which of the measures are not told of a group with these sums: those about fewer than five of it, in a
    #: whole period or in one that is cut.
    withheld: Withheld = nothing
    #: Which acts of these kinds the figure is made of: what is listed behind it.
    counts: Callable[[Window], Asking] = _each
    #: Whether it has everybody in one place a period, with all that they did (`placed`), or each act where it
    #: was done.
    once: bool = False
    #: Whether it answers where no version is asked for; one that does not is proposed beside it, or earlier.
    in_force: bool = True
    #: What is other than in the version before, and which measure says how many that concerns.
    changed: str = ""
    explains: str | None = None

    @property
    def columns(self) -> tuple[Measure, ...]:
        return (*self.measures, *self.derived)

    def values(self, counts: Told) -> Values:
        """The answer's columns, from sums."""
        found: Values = {measure.name: counts.get(measure.name, 0) for measure in self.measures}
        if self.derive is not None:
            found |= self.derive({name: count for name, count in counts.items() if count is not None})
        return found


def share(part: int, whole: int) -> float | None:
    """To four places; None where there is nobody to be a part of."""
    return round(part / whole, 4) if whole else None


READING = frozenset({Kind.OPENED, Kind.READ})
#: Posts, comments, and what is put into, moved in or taken out of the wiki.
CONTRIBUTIONS = frozenset(
    {
        Kind.POST,
        Kind.ANNOUNCEMENT,
        Kind.COMMENT,
        Kind.PAGE_STARTED,
        Kind.PAGE_REVISED,
        Kind.PAGE_MOVED,
        Kind.PAGE_DELETED,
        Kind.PAGE_RESTORED,
    }
)
EVERYTHING = frozenset(Kind)


def placed(window: Window, kinds: frozenset[Kind]) -> dict[str, tuple[int, list[Fact]]]:
    """Everybody whom a figure of people is about, with the moment that says where they are counted (for
    members the end of their first day in the period, for others their first act) and their acts of these
    kinds."""
    found: dict[str, tuple[int, list[Fact]]] = {
        member_id: (moment, []) for member_id, moment in window.members().items()
    }
    for member_id, facts in window.acts.items():
        counted = [fact for fact in facts if fact.kind in kinds]
        if counted:
            at, _ = found.get(member_id, (counted[0].at, []))
            found[member_id] = (at, counted)
    return found
