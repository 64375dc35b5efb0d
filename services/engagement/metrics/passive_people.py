"""Who is passive, and since when; who is new; what they like; who could invite them; who came back?

By the ladder's own rungs, of single members: what the passive share is to a company, this is to its coaches.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from contracts.identity import Role
from services.engagement.metrics.ladder import passive
from services.engagement.metrics.people import UNKNOWN, Person, State
from services.engagement.metrics.periods import DAY_SECONDS, Every, Period, day_of, holding
from services.engagement.projections.facts import Fact, Kind
from services.engagement.projections.items import ItemView

#: Whole months without taking part after which somebody is called passive; who came later: all their time.
SILENT_MONTHS = 3
#: Whole months that are looked back for the beginning of it.
LOOKED_BACK = 12
#: For so long somebody is new.
NEW_DAYS = 30
#: Colleagues that are named, and kinds of things.
MOST_INVITERS, MOST_LIKED = 3, 3
#: Weeks after an offer in which taking part is called coming back.
RETURN_WEEKS = 12


class Liked(NamedTuple):
    """How many different things of a kind, in a language (empty: not known), somebody opened."""

    kind: str
    language: str
    things: int


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """`joined`: since when they are a member. `silent_since`: None where they take part; `longer`: for more
    months than are looked at. `facts` are what they did within the last months."""

    member_id: str
    state: State
    joined: int
    new: bool
    silent_since: int | None
    longer: bool
    facts: Sequence[Fact]

    @property
    def order(self) -> tuple[int, int, str]:
        """Who is new first, the newest of them; then who has been silent the longest."""
        return (0, -self.joined, self.member_id) if self.new else (1, self.silent_since or 0, self.member_id)


def looked_at(now: int) -> list[Period]:
    """The month that is not over, then whole months, backwards."""
    periods = [holding(day_of(now), Every.MONTH)]
    for _ in range(LOOKED_BACK):
        periods.append(periods[-1].before)
    return periods


def joined(person: Person) -> int:
    """When they became a member."""
    return next(at for at, state in zip(person.moments, person.states, strict=True) if state.present)


@dataclass(slots=True)
class Survey:
    """Goes back month by month: `look` at each of `looked_at`, in that order, with the acts of `asked`."""

    people: Mapping[str, Person]
    now: int
    _joined: dict[str, int] = field(init=False)
    _new: frozenset[str] = field(init=False)
    _left: set[str] = field(init=False)
    _since: dict[str, int] = field(default_factory=dict)
    _whole: Counter[str] = field(default_factory=Counter)
    _facts: dict[str, list[Fact]] = field(default_factory=dict)
    _looks: int = 0

    def __post_init__(self) -> None:
        self._joined = {member_id: joined(person) for member_id, person in self.people.items()}
        since = self.now - NEW_DAYS * DAY_SECONDS
        self._new = frozenset(member_id for member_id, at in self._joined.items() if at >= since)
        self._left = set(self.people)

    @property
    def asked(self) -> set[str]:
        """Whose acts of the next month matter."""
        return self._left | self._new if self._looks < SILENT_MONTHS else set(self._left)

    def look(self, period: Period, acts: Mapping[str, Sequence[Fact]]) -> None:
        asked, recent = self.asked, self._looks <= SILENT_MONTHS
        self._looks += 1
        for member_id in asked:
            mine = acts.get(member_id, ())
            if recent and mine:
                self._facts[member_id] = [*mine, *self._facts.get(member_id, ())]
            if member_id in self._left:
                self._silent(member_id, period, mine)

    def _silent(self, member_id: str, period: Period, mine: Sequence[Fact]) -> None:
        """In this month, too; else how far back it goes is known."""
        there = self.people[member_id].placed_in(period.start, min(period.end, self.now + 1))
        if there is None or not passive(mine):
            self._left.discard(member_id)
            return
        self._since[member_id] = max(period.start, self._joined[member_id])
        self._whole[member_id] += period.end <= self.now

    def found(self) -> list[LeftBehind]:
        """In the order in which they are listed."""
        every = (self._of(member_id) for member_id in self._new | set(self._since))
        return sorted((each for each in every if each is not None), key=lambda each: each.order)

    def _of(self, member_id: str) -> LeftBehind | None:
        since, whole, began = self._since.get(member_id), self._whole[member_id], self._joined[member_id]
        new, always = member_id in self._new, whole > 0 and since == began
        if not new and not always and whole < SILENT_MONTHS:
            return None
        return LeftBehind(
            member_id=member_id,
            state=self.people[member_id].at(self.now),
            joined=began,
            new=new,
            silent_since=since,
            longer=whole >= LOOKED_BACK and member_id in self._left and since != began,
            facts=self._facts.get(member_id, []),
        )


def likes(facts: Iterable[Fact], items: Mapping[str, ItemView]) -> list[Liked]:
    """Of what was opened or read, by kind and language; the most first."""
    opened = {fact.ref for fact in facts if fact.kind in (Kind.OPENED, Kind.READ)}
    counts: Counter[tuple[str, str]] = Counter()
    for ref in opened:
        kind, _, item_id = ref.partition(":")
        item = items.get(item_id)
        counts[kind, item.language if item is not None else ""] += 1
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return [Liked(kind, language, things) for (kind, language), things in ordered[:MOST_LIKED]]


def could_invite(who: LeftBehind, active: Mapping[str, State]) -> list[str]:
    """Colleagues of the same unit among those who take part, ambassadors first; not yet cut to the few who
    are named."""
    unit = who.state.unit
    found = [
        (Role.AMBASSADOR.value not in state.roles, member_id)
        for member_id, state in active.items()
        if state.unit == unit and unit != UNKNOWN and state.staff and member_id != who.member_id
    ]
    return [member_id for _, member_id in sorted(found)]


def came_back(facts: Iterable[Fact], offered: int) -> Fact | None:
    """The first act of taking part after an offer, if it came soon enough."""
    until = offered + RETURN_WEEKS * 7 * DAY_SECONDS
    return next((fact for fact in facts if offered < fact.at < until and not passive((fact,))), None)
