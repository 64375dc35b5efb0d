"""Who was where, and what, at any moment: joined by event time, never by arrival.

Made of the steps that were known on a day. A member of whom nothing is known (yet) has no place: what they
did counts for the company and for the group `unknown`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.engagement.metrics.periods import DAY_SECONDS
from services.engagement.projections.people import Step
from shared.kernel.audience import EVERYONE, STAFF, Classification

#: Who has no unit, country or language that is known.
UNKNOWN = "unknown"


class State(NamedTuple):
    """What somebody was from a moment on. `present`: a member who can sign in. `country` is where they are
    counted; `countries` are those whose token is theirs: identity leaves them that of their registration."""

    present: bool = False
    staff: bool = False
    country: str = UNKNOWN
    units: tuple[str, ...] = (UNKNOWN,)
    language: str = UNKNOWN
    reads: tuple[str, ...] = ()
    roles: frozenset[str] = frozenset()
    clearance: str = Classification.OPEN.value
    groups: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    office: str = ""

    @property
    def unit(self) -> str:
        """Their own, at the end of the way."""
        return self.units[-1]

    @property
    def tokens(self) -> Iterator[str]:
        """All that they hold, but for that of their own."""
        yield EVERYONE
        if self.staff:
            yield STAFF
        yield f"language:{self.language}"
        yield f"office:{self.office}"
        of_many = (
            ("unit", self.units),
            ("country", self.countries),
            ("role", self.roles),
            ("group", self.groups),
        )
        for kind, values in of_many:
            yield from (f"{kind}:{value}" for value in values)

    def holds(self, token: str) -> bool:
        """Whether an audience's token is theirs. Those of single members are not looked at."""
        kind, _, value = token.partition(":")
        match kind:
            case "everyone" | "staff":
                return token == EVERYONE or self.staff
            case "unit":
                return value in self.units
            case "country":
                return value in self.countries
            case "language":
                return value == self.language
            case "office":
                return value == self.office
            case "role":
                return value in self.roles
            case "group":
                return value in self.groups
        return False


NOBODY = State()


@dataclass(slots=True)
class Person:
    """A member's states, each from its moment on."""

    member_id: str
    moments: list[int] = field(default_factory=list)
    states: list[State] = field(default_factory=list)

    def at(self, moment: int) -> State:
        place = bisect_right(self.moments, moment)
        return self.states[place - 1] if place else NOBODY

    def placed_in(self, start: int, end: int) -> int | None:
        """The end of the first day of [start, end) on which they were a member; None where there was none.

        Not the last: whoever knows that somebody moved would learn what they did from the figures of two
        groups as of the days before and after."""
        for moment, until, state in zip(self.moments, [*self.moments[1:], end], self.states, strict=True):
            if state.present and until > start and moment < end:
                return min(end, (max(moment, start) // DAY_SECONDS + 1) * DAY_SECONDS) - 1
        return None


def person_of(member_id: str, steps: Iterable[Step], known: int | None) -> Person:
    """From what was recorded before `known`. The country of the place goes before that of the "
    "registration."""
    person = Person(member_id)
    state, registered, home, gone = NOBODY, False, UNKNOWN, False
    place_of = ""
    for at, _, _, recorded, what, values in steps:
        if known is not None and recorded >= known:
            continue
        match what:
            case "registered":
                kind, country, language, clearance, signs_in, *roles = values
                registered, home = signs_in != "", country or UNKNOWN
                state = state._replace(
                    staff=kind == STAFF,
                    country=home if state.country == UNKNOWN else state.country,
                    language=language if state.language == UNKNOWN else state.language,
                    clearance=clearance,
                    roles=frozenset(roles),
                    countries=state.countries | ({country} - {""}),
                )
            case "placed":
                country, office, *units = values
                state = state._replace(
                    country=country or home,
                    units=tuple(units) or (UNKNOWN,),
                    countries=(state.countries - {place_of}) | ({country} - {""}),
                    office=office,
                )
                place_of = country
            case "roles":
                state = state._replace(roles=frozenset(values))
            case "language":
                state = state._replace(language=values[0])
            case "reads":
                state = state._replace(reads=tuple(values))
            case "cleared":
                state = state._replace(clearance=values[0])
            case "joined":
                state = state._replace(groups=state.groups | {values[0]})
            case "left":
                state = state._replace(groups=state.groups - {values[0]})
            case "back":
                gone = False
            case "gone":
                gone = True
        state = state._replace(present=registered and not gone)
        if person.moments and person.moments[-1] == at:
            person.states[-1] = state
        else:
            person.moments.append(at)
            person.states.append(state)
    return person


class Addressees(NamedTuple):
    """To whom something speaks: whose tokens are those of a clause, and who are trusted with it."""

    clauses: Sequence[Sequence[str]]
    rank: int

    @classmethod
    def of(cls, audience: Sequence[str], classification: str) -> "Addressees":
        return cls([clause.split("&") for clause in audience], Classification(classification).rank)

    def include(self, member_id: str, state: State) -> bool:
        if not state.present or Classification(state.clearance).rank < self.rank:
            return False
        mine = f"member:{member_id}"
        return any(all(token == mine or state.holds(token) for token in clause) for clause in self.clauses)


class People:
    """Everybody, as known on a day."""

    def __init__(self, members: Iterable[tuple[str, Sequence[Step]]], known: int | None = None) -> None:
        """`members`: each with all their steps, in the order of event time."""
        made = (person_of(member_id, steps, known) for member_id, steps in members)
        self._people = {person.member_id: person for person in made if person.moments}
        self._in_groups: dict[str, list[Person]] = {}
        for person in self._people.values():
            for group in {group for state in person.states for group in state.groups}:
                self._in_groups.setdefault(group, []).append(person)

    def __iter__(self) -> Iterator[Person]:
        return iter(self._people.values())

    def __len__(self) -> int:
        return len(self._people)

    def at(self, member_id: str, moment: int) -> State:
        person = self._people.get(member_id)
        return NOBODY if person is None else person.at(moment)

    def present(self, start: int, end: int) -> dict[str, int]:
        """Everybody who was a member in [start, end), with the moment that says where they are counted."""
        found = ((person.member_id, person.placed_in(start, end)) for person in self)
        return {member_id: moment for member_id, moment in found if moment is not None}

    def spans(self, member_id: str, start: int, end: int) -> Iterator[tuple[int, int, State]]:
        """What somebody was from when to when within [start, end)."""
        person = self._people.get(member_id)
        if person is None:
            return
        inside = slice(bisect_right(person.moments, start), bisect_left(person.moments, end))
        starts = [start, *person.moments[inside]]
        yield from zip(starts, [*starts[1:], end], (person.at(at) for at in starts), strict=True)

    def addressed(self, audience: Sequence[str], classification: str, moment: int) -> list[str]:
        """The members to whom something spoke at that moment."""
        to = Addressees.of(audience, classification)
        candidates = self._candidates(to.clauses)
        return [each.member_id for each in candidates if to.include(each.member_id, each.at(moment))]

    def _candidates(self, clauses: Sequence[Sequence[str]]) -> Collection[Person]:
        """For groups alone those who ever were in them need to be looked at."""
        if all(any(token.startswith(("group:", "member:")) for token in clause) for clause in clauses):
            found: dict[str, Person] = {}
            for token in (token for clause in clauses for token in clause):
                kind, _, value = token.partition(":")
                if kind == "group":
                    found |= {person.member_id: person for person in self._in_groups.get(value, ())}
                elif kind == "member" and value in self._people:
                    found[value] = self._people[value]
            return found.values()
        return self._people.values()
