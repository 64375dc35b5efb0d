"""What was published for whom? Each to those who were in its audience at that moment.

Texts of one audience are counted once for all whom it has, and of the audiences a member's are found by their
tokens: else a month would be all texts times all members.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from services.engagement.metrics.people import Addressees, People, State
from services.engagement.projections.items import ItemView
from shared.kernel.audience import EVERYONE, STAFF


@dataclass(slots=True)
class _Shelf:
    """The languages of what was published for one audience, in the order of time."""

    to: Addressees
    times: list[int] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    _found: dict[tuple[int, int], Counter[str]] = field(default_factory=dict)

    def within(self, start: int, end: int) -> Counter[str]:
        if (start, end) not in self._found:
            within = slice(bisect_left(self.times, start), bisect_left(self.times, end))
            self._found[start, end] = Counter(self.languages[within])
        return self._found[start, end]


#: By the first token of each of its clauses.
_Shelves = Mapping[str, list[_Shelf]]


class Published:
    """What was published within a period. Asked about a member it answers numbers by language."""

    def __init__(self, items: Iterable[ItemView], start: int, end: int) -> None:
        self._start, self._end = start, end
        every = sorted(items, key=lambda item: item.at)
        #: What all staff may read is one audience for staff, whoever else may.
        self._shelves = {True: _shelved(every, staff=True), False: _shelved(every, staff=False)}

    def to(self, member_id: str, people: People) -> Mapping[str, int]:
        """While they were who they were then."""
        found: Counter[str] = Counter()
        for start, end, state in people.spans(member_id, self._start, self._end):
            for shelf in self._of(member_id, state):
                if shelf.to.include(member_id, state):
                    found.update(shelf.within(start, end))
        return found

    def _of(self, member_id: str, state: State) -> Iterator[_Shelf]:
        """Those that may be theirs, each once."""
        shelves = self._shelves[state.staff]
        near = (shelves.get(token, ()) for token in (*state.tokens, f"member:{member_id}"))
        yield from {id(shelf): shelf for found in near for shelf in found}.values()


def _shelved(items: Iterable[ItemView], *, staff: bool) -> _Shelves:
    """`items` in the order of time."""
    shelves: dict[tuple[tuple[str, ...], str], _Shelf] = {}
    for item in items:
        to_all = staff and not {STAFF, EVERYONE}.isdisjoint(item.audience)
        audience = (STAFF,) if to_all else item.audience
        shelf = shelves.get((audience, item.classification))
        if shelf is None:
            shelf = _Shelf(Addressees.of(audience, item.classification))
            shelves[audience, item.classification] = shelf
        shelf.times.append(item.at)
        shelf.languages.append(item.language)
    found: dict[str, list[_Shelf]] = {}
    for shelf in shelves.values():
        for token in {clause[0] for clause in shelf.to.clauses}:
            found.setdefault(token, []).append(shelf)
    return found
