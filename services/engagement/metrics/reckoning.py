"""From rows to sums: of the company, and of its groups as far as they may be told."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from services.engagement.metrics.definition import By, Counts, Definition, Row, Window, Withheld, nothing
from services.engagement.metrics.differencing import Cell, directly_in, told_together
from services.engagement.metrics.people import People, State
from services.engagement.metrics.privacy import COMPANY, Path, everybody


@dataclass(frozen=True, slots=True)
class Sums:
    """Of one group in one period. `counts` is None where they may not be told; then neither is `people`."""

    path: Path
    people: int | None
    counts: dict[str, int | None] | None


def way(state: State, by: By) -> Path:
    """The groups that somebody is in, from the top."""
    match by:
        case By.UNIT:
            return state.units
        case By.COUNTRY:
            return (state.country,)
    return (state.language,)


def reckon(definition: Definition, window: Window) -> dict[By | None, list[Sums]]:
    """By nothing and by everything: the company first, then its groups in the order of their paths. Groups of
    which nothing is told are those that have members, whoever of them the metric is about."""
    found = sums(definition.rows(window), window.people, definition.withheld, whole=window.whole)
    states = [window.people.at(member_id, at) for member_id, at in window.members().items()]
    for by in By:
        there = {way(state, by) for state in states}
        paths = {path[:length] for path in there for length in range(1, len(path) + 1)}
        hidden = paths - {each.path for each in found[by]}
        found[by] = sorted(
            [*found[by], *(Sums(path, None, None) for path in hidden)], key=lambda each: each.path
        )
    return found


def sums(
    rows: Iterable[Row],
    people: People,
    withheld: Withheld = nothing,
    *,
    whole: bool = True,
) -> dict[By | None, list[Sums]]:
    """What is told by one dimension depends on what is told by the others. Not `whole`: the company alone.
    Where the figure is about nobody there is nobody to be told by subtracting."""
    cells: dict[Cell, set[str]] = {}
    counts: dict[Cell, dict[str, int]] = {}
    # there are many rows and few states, which live as long as `people`
    cell_of: dict[int, Cell] = {}
    for member_id, at, counted, about in rows:
        state = people.at(member_id, at)
        if (cell := cell_of.get(id(state))) is None:
            cell = cell_of[id(state)] = tuple(way(state, by) for by in By)
            cells.setdefault(cell, set())
            counts.setdefault(cell, {})
        if about:
            cells[cell].add(member_id)
        into = counts[cell]
        for name, number in counted.items():
            into[name] = into.get(name, 0) + number
    peopled = {cell: found for cell, found in cells.items() if found}
    shown = (told_together(peopled) if whole else []) or [frozenset([COMPANY])] * len(By)
    found: dict[By | None, list[Sums]] = {
        by: _sums(cells, counts, number, shown[number], lambda path, of: withheld(path, of, whole))
        for number, by in enumerate(By)
    }
    return {None: found[By.UNIT][:1], **found}


def _sums(
    cells: Mapping[Cell, set[str]],
    counts: Mapping[Cell, Mapping[str, int]],
    number: int,
    shown: Collection[Path],
    withheld: Callable[[Path, Counts], frozenset[str]],
) -> list[Sums]:
    """Of the company and all groups of one dimension."""
    people = everybody(directly_in(cells, number))
    summed: dict[Path, dict[str, int]] = {COMPANY: {}}
    for cell, counted in counts.items():
        leaf = cell[number]
        for length in range(len(leaf) + 1):
            into = summed.setdefault(leaf[:length], {})
            for name, count in counted.items():
                into[name] = into.get(name, 0) + count
    return [
        Sums(path, len(people[path]), _kept(summed[path], withheld(path, summed[path])))
        if path in shown
        else Sums(path, None, None)
        for path in sorted(people)
    ]


def _kept(counts: Mapping[str, int], withheld: frozenset[str]) -> dict[str, int | None]:
    """None stands for what is not told; what is nobody's is left out, and is none."""
    kept: dict[str, int | None] = {name: count for name, count in counts.items() if name not in withheld}
    return dict(sorted((kept | dict.fromkeys(withheld)).items()))
