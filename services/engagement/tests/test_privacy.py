"""Never of fewer than five people, whatever is subtracted from what."""

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.engagement.metrics import DEFINITIONS
from services.engagement.metrics.definition import By, Definition, Row
from services.engagement.metrics.differencing import Cell, told_together
from services.engagement.metrics.people import People
from services.engagement.metrics.periods import Every
from services.engagement.metrics.privacy import COMPANY, FLOOR, Path, everybody, told
from services.engagement.metrics.reckoning import sums
from services.engagement.projections import people
from services.engagement.tests.history import History, at, fold


def members(sizes: Mapping[Path, int]) -> dict[Path, set[str]]:
    """So many people directly in each group."""
    return {path: {f"{'/'.join(path)}-{n}" for n in range(size)} for path, size in sizes.items()}


def shown(sizes: Mapping[Path, int]) -> set[str]:
    return {"/".join(path) for path in told(members(sizes)) if path}


def test_a_group_of_four_is_hidden_and_the_company_never_is() -> None:
    assert shown({("a",): 4}) == set()
    assert told(members({("a",): 1})) == {COMPANY}
    assert shown({("a",): 5}) == {"a"}


def test_what_is_left_when_all_others_are_subtracted_is_no_small_group() -> None:
    assert shown({("a",): 9, ("b",): 7, ("c",): 3}) == {"a"}, "b hides c"
    assert shown({("a",): 9, ("b",): 3, ("c",): 2}) == {"a"}, "b and c together are five"


def test_who_is_directly_in_a_unit_is_no_remainder_either() -> None:
    assert shown({("a",): 2, ("a", "x"): 6, ("a", "y"): 8}) == {"a", "a/y"}
    assert shown({("a",): 0, ("a", "x"): 6, ("a", "y"): 8}) == {"a", "a/x", "a/y"}


def test_within_what_is_hidden_nothing_is_told() -> None:
    assert shown({("a",): 2, ("b", "x"): 6, ("c",): 20}) == {"c"}


paths = st.lists(st.sampled_from("abcd"), min_size=1, max_size=3).map(tuple)


@settings(max_examples=300)
@given(st.dictionaries(paths, st.integers(0, 8), max_size=14))
def test_no_difference_of_told_figures_is_about_fewer_than_five(sizes: dict[Path, int]) -> None:
    """People whom told groups do not tell apart are one class; every sum and difference of figures is made of
    whole classes. So each class must have five people or more: brute force, knowing nothing of the rule."""
    own = members(sizes)
    in_groups = everybody(own)
    groups = sorted(told(own))
    company = in_groups[COMPANY]
    classes: dict[tuple[bool, ...], set[str]] = {}
    for person in company:
        classes.setdefault(tuple(person in in_groups[group] for group in groups), set()).add(person)
    assert all(len(found) >= FLOOR for found in classes.values()) or len(company) < FLOOR, (groups, classes)
    assert all(len(in_groups[group]) >= FLOOR for group in groups if group != COMPANY)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "b/x", "c"]), st.integers(0, 3)), max_size=40))
def test_hidden_sums_cannot_be_worked_out_from_told_ones(acts: list[tuple[str, int]]) -> None:
    """What is left of the company and of each told unit, after all told within it, is nobody's or of five."""
    history, rows = History(), []
    for n, (unit, number) in enumerate(acts):
        history.member(f"m{n}", *unit.split("/"))
        rows.append(Row(f"m{n}", int(at("2026-03-02").timestamp()), {"acts": number}))
    views = fold(people, history.events)
    steps = [(key, view.model_dump()["steps"]) for key, view in views.items()]
    found = {each.path: each for each in sums(rows, People(steps))[By.UNIT]}
    for path, each in found.items():
        if each.counts is None or each.people is None or len(rows) < FLOOR:
            continue
        within = [s for p, s in found.items() if p[:-1] == path and p != path and s.people is not None]
        left = each.people - sum(s.people or 0 for s in within)
        assert left == 0 or left >= FLOOR
        if left == 0:
            total = sum((s.counts or {}).get("acts") or 0 for s in within)
            assert each.counts.get("acts", 0) == total


@pytest.mark.parametrize("metric", [each for each in DEFINITIONS if each.in_force], ids=lambda d: d.name)
def test_of_groups_only_whole_periods_of_the_metrics_own_length_are_told(metric: Definition) -> None:
    """Which groups are told may be other ones on each day: a month less its days, or a month up to a day less
    the one up to the day before, would tell of a group that is hidden, or of the one person who moved."""
    history = History()
    history.staff(9, "north")
    history.staff(8, "south", prefix="s")
    post = history.announce("m0", at("2026-03-04"), audience=("staff",))
    history.acknowledge("s1", post, at("2026-03-05"))
    whole, others = {Every.MONTH: "2026-03", Every.WEEK: "2026-W10"}[metric.every], ("2026-03-04", "2026-W10")
    for period in {whole, "2026-03", *others}:
        told = history.figure(metric.name, period, by=By.UNIT).groups
        assert set(told) == {"north", "south"}, "also those of which nothing is told are named"
        if period != whole:
            assert set(told.values()) == {None}
    assert any(history.figure(metric.name, whole, by=By.UNIT).groups.values()) is (
        metric.name != "leaders-participation"
    )
    cut = history.figure(metric.name, whole, by=By.UNIT, as_of=date(2026, 3, 7))
    assert set(cut.groups.values()) == {None} and cut.company


def test_of_groups_nothing_is_told_while_what_follows_a_period_still_counts() -> None:
    """Reach up to one day less that up to the day before would be who opened it on that day."""
    history = History()
    history.staff(9, "north")
    history.staff(8, "south", prefix="s")
    post = history.announce("m0", at("2026-03-04"), audience=("staff",))
    history.acknowledge("s1", post, at("2026-03-05"))
    for as_of, whole in ((date(2026, 4, 29), False), (date(2026, 4, 30), True)):
        reach = history.figure("announcement-reach", "2026-03", by=By.UNIT, as_of=as_of)
        assert any(reach.groups.values()) is whole and reach.company


def test_what_one_person_opened_is_no_figure() -> None:
    """An announcement to few would tell by the company's own figure who of them opened it."""
    history = History()
    history.staff(12, "north")
    for name in ("m1", "m2", "m3", "m4"):
        history.joined(name, "few", at("2026-02-01"))
    post = history.announce("m0", at("2026-03-04"), audience=("group:few",))
    history.read("m1", post, at("2026-03-05"))
    told = history.figure("announcement-reach", "2026-03").company
    assert (told["announcements"], told["asked"], told["reached"]) == (0, 0, 0)
    history.joined("m5", "few", at("2026-02-02"))
    told = history.figure("announcement-reach", "2026-03").company
    assert (told["announcements"], told["asked"], told["reached"]) == (1, 5, 1)


def test_who_wrote_an_announcement_is_not_one_of_the_five_whom_it_was_for() -> None:
    history = History()
    history.staff(9, "north")
    history.staff(5, "south", prefix="s")
    history.announce("s0", at("2026-03-04"), audience=("staff",))
    told = history.figure("announcement-reach", "2026-03", by=By.UNIT).groups
    assert told["south"] is None, "four were asked there"


@pytest.mark.parametrize("metric", ["announcement-reach", "mails-replaced"])
def test_an_author_who_is_alone_where_they_are_hides_nobody_else(metric: str) -> None:
    """To two countries, from a third, in which only the author is: they are no group that is left over."""
    history = History()
    history.staff(6, "north", country="SE", prefix="a")
    history.staff(7, "north", "coast", country="SE", prefix="b")
    history.staff(8, "south", country="FI", language="fi", prefix="c")
    history.member("author", "head", "board", country="NO", language="nb")
    history.staff(2, "head", "desk", country="NO", language="nb", prefix="d")
    for day in ("2026-03-04", "2026-03-05"):
        history.announce("author", at(day), audience=("country:SE", "country:FI"))
    by_unit, by_country, by_language = (history.figure(metric, "2026-03", by=by) for by in By)
    assert {name for name, told in by_country.groups.items() if told} == {"SE", "FI"}
    assert {name for name, told in by_unit.groups.items() if told} == {"north", "coast", "south"}
    assert {name for name, told in by_language.groups.items() if told} == {"sv", "fi"}
    assert set(by_unit.groups) == {"north", "coast", "south", "head", "board", "desk"}
    assert by_country.company["announcements"] == 2, "what they wrote counts for the company"
    hidden = [each for told in (by_unit, by_country, by_language) for each in told.sums if not each.counts]
    assert {each.people for each in hidden} == {None}


def test_what_an_author_wrote_who_is_not_asked_counts_for_all_who_are_told_above_them() -> None:
    history = History()
    history.staff(6, "north", "coast", prefix="a")
    history.member("author", "north", "hill")
    history.announce("author", at("2026-03-04"), audience=("unit:coast",))
    told = history.figure("announcement-reach", "2026-03", by=By.UNIT)
    assert told.of("announcements") == {"north": 1, "coast": 0}
    assert told.groups["hill"] is None


def told_of(people: Mapping[tuple[str, str, str], int], floor: int = FLOOR) -> list[set[str]]:
    """Units, countries and languages that are told, of so many people in each combination."""
    cells = {
        tuple(tuple(part.split("/")) for part in where): {f"{where}-{n}" for n in range(number)}
        for where, number in people.items()
    }
    return [{"/".join(path) for path in groups if path} for groups in told_together(cells, floor)]


def test_a_language_less_two_countries_is_no_single_person() -> None:
    whole = {("s", "GB", "en"): 80, ("s", "IE", "en"): 20, ("s", "PL", "pl"): 49}
    assert told_of(whole) == [{"s"}, {"GB", "IE", "PL"}, {"en", "pl"}], "nobody is left"
    _, countries, languages = told_of({**whole, ("s", "PL", "en"): 1})
    assert languages == {"en", "pl"}
    assert countries == {"GB"}, "Ireland and Poland are told as one: who speaks English in which is not"
    assert told_of({**whole, ("s", "PL", "en"): 5})[1] == {"GB", "IE", "PL"}


def test_a_country_less_its_units_is_no_single_person() -> None:
    people = {("n/a", "SE", "sv"): 9, ("n/b", "SE", "sv"): 8, ("n/c", "NO", "nb"): 7, ("o", "NO", "nb"): 30}
    assert told_of(people)[0] == {"n", "n/a", "n/b", "n/c", "o"}
    units, countries, _ = told_of({**people, ("n/a", "NO", "nb"): 1})
    assert units == {"n", "n/a", "o"}, "b and c are told as one: they join both countries"
    assert countries == {"SE", "NO"}


def test_who_was_in_several_places_is_one_person() -> None:
    here, there = (("a",), ("SE",), ("sv",)), (("a",), ("SE",), ("fi",))
    cells: dict[Cell, set[str]] = {here: {f"p{n}" for n in range(20)}, there: {f"p{n}" for n in range(4)}}
    assert told_together(cells)[2] == {COMPANY}


def _rank(rows: Sequence[Sequence[int]]) -> int:
    left, rank = [[Fraction(value) for value in row] for row in rows], 0
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((place for place in range(rank, len(left)) if left[place][column]), None)
        if pivot is None:
            continue
        left[rank], left[pivot] = left[pivot], left[rank]
        for place in range(rank + 1, len(left)):
            factor = left[place][column] / left[rank][column]
            if factor:
                left[place] = [a - factor * b for a, b in zip(left[place], left[rank], strict=True)]
        rank += 1
    return rank


cells = st.tuples(
    st.sampled_from([("a",), ("a", "x"), ("a", "y"), ("b",)]),
    st.sampled_from([("SE",), ("FI",), ("PL",)]),
    st.sampled_from([("sv",), ("fi",), ("pl",)]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(cells, min_size=1, max_size=2), max_size=13), st.integers(2, 4))
def test_no_sum_of_figures_of_any_dimensions_is_about_fewer(places: list[list[Cell]], floor: int) -> None:
    """By brute force, knowing nothing of the rule: a sum of figures about few people only is one that becomes
    nothing when they are taken away; then fewer sums can be told apart without them than with them."""
    found: dict[Cell, set[str]] = {}
    for number, mine in enumerate(places):
        for cell in mine:
            found.setdefault(cell, set()).add(f"p{number}")
    groups = [(number, path) for number, each in enumerate(told_together(found, floor)) for path in each]
    rows = {
        f"p{number}": [[int(cell[of][: len(path)] == path) for of, path in groups] for cell in mine]
        for number, mine in enumerate(places)
    }
    whole = _rank([row for each in rows.values() for row in each])
    if len(places) < floor:
        return
    for number in range(1, floor):
        for away in combinations(rows, number):
            left = [row for person, each in rows.items() if person not in away for row in each]
            assert _rank(left) == whole, (groups, away)
