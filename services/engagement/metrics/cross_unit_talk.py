"""Who talks with whom across units, countries and languages?"""

from collections.abc import Iterator

from services.engagement.metrics.definition import Asking, Counts, Definition, Measure, Row, Values, Window
from services.engagement.metrics.people import UNKNOWN
from services.engagement.projections.facts import Fact, Kind

_ACROSS = ("units", "countries", "languages")


def _rows(window: Window) -> Iterator[Row]:
    """A tie counts once a period, where it was made first."""
    for member_id, at in window.members().items():
        yield Row(member_id, at, {})
    for member_id, facts in window.acts.items():
        seen: set[str] = set()
        for fact in facts:
            for other in _others(window, fact):
                if other != member_id and other not in seen:
                    seen.add(other)
                    yield Row(member_id, fact.at, _tie(window, member_id, other, fact.at))


def _others(window: Window, fact: Fact) -> tuple[str, ...]:
    """Whom the act speaks to: the author of what it answers, and those whom it mentions."""
    if fact.kind == Kind.COMMENT and (item := window.items.get(fact.ref)) is not None:
        return (item.author_id, *fact.others)
    return fact.others


def _counts(window: Window) -> Asking:
    return lambda member_id, fact: any(other != member_id for other in _others(window, fact))


def _tie(window: Window, one: str, other: str, at: int) -> dict[str, int]:
    """Across or within; where somebody's place is not known it is neither."""
    mine, theirs = window.people.at(one, at), window.people.at(other, at)
    found = {"ties": 1}
    pairs = ((mine.unit, theirs.unit), (mine.country, theirs.country), (mine.language, theirs.language))
    for name, (here, there) in zip(_ACROSS, pairs, strict=True):
        if UNKNOWN not in (here, there):
            found[f"across_{name}" if here != there else f"within_{name}"] = 1
    return found


def _derive(counts: Counts) -> Values:
    return {f"ei_{name}": _index(counts, name) for name in _ACROSS}


def _index(counts: Counts, name: str) -> float | None:
    across, within = counts.get(f"across_{name}", 0), counts.get(f"within_{name}", 0)
    return round((across - within) / (across + within), 4) if across + within else None


cross_unit_talk = Definition(
    name="cross-unit-talk",
    version=1,
    title="Talk across units, countries and languages",
    words=(
        "A tie is a member who answered another's post or comment, or mentioned them, at least once "
        "within the "
        "period. It is external where the two were in different units (their own, not those above), "
        "countries or "
        "languages at that moment, internal where they were in the same, and neither where it is not known "
        "of one of them. -1: all talk stays within; 1: all talk goes across. Of a group: the ties that its "
        "members made."
    ),
    formula="E-I index = (external ties - internal ties) / (external ties + internal ties)",
    source="Krackhardt and Stern, Informal Networks and Organizational Crises (1988)",
    kinds=frozenset({Kind.POST, Kind.ANNOUNCEMENT, Kind.COMMENT}),
    measures=(
        Measure("ties", "Ties"),
        *(Measure(f"across_{name}", f"Ties across {name}") for name in _ACROSS),
        *(Measure(f"within_{name}", f"Ties within {name}") for name in _ACROSS),
    ),
    derived=tuple(Measure(f"ei_{name}", f"E-I index of {name}", "index") for name in _ACROSS),
    derive=_derive,
    rows=_rows,
    counts=_counts,
    asks_items=frozenset({Kind.COMMENT}),
)
