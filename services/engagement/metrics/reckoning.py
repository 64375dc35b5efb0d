"""From rows to sums: of the company, and of its groups as far as they may be told."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.engagement.metrics.definition import By, Definition, Row, Window
from services.engagement.metrics.people import People, State
from services.engagement.metrics.privacy import COMPANY, Path, everybody, told


@dataclass(frozen=True, slots=True)
class Sums:
    """Of one group in one period. `counts` is None where they may not be told; then neither is `people`."""

    path: Path
    people: int | None
    counts: dict[str, int] | None


def way(state: State, by: By) -> Path:
    """The groups that somebody is in, from the top."""
    match by:
        case By.UNIT:
            return state.units
        case By.COUNTRY:
            return (state.country,)
    return (state.language,)


def reckon(definition: Definition, window: Window, by: By | None) -> list[Sums]:
    """The company first, then its groups in the order of their paths."""
    return sums(definition.rows(window), window.people, by)


def sums(rows: Iterable[Row], people: People, by: By | None) -> list[Sums]:
    own: dict[Path, set[str]] = {COMPANY: set()}
    counts: dict[Path, dict[str, int]] = {COMPANY: {}}
    for member_id, at, counted in rows:
        leaf = COMPANY if by is None else way(people.at(member_id, at), by)
        own.setdefault(leaf, set()).add(member_id)
        for length in range(len(leaf) + 1):
            into = counts.setdefault(leaf[:length], {})
            for name, number in counted.items():
                into[name] = into.get(name, 0) + number
    members, shown = everybody(own), told(own)
    return [
        Sums(path, len(members[path]), dict(sorted(counts[path].items())))
        if path in shown
        else Sums(path, None, None)
        for path in sorted(members)
    ]
