"""Never of fewer than five people, whatever is subtracted from what."""

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from services.engagement.metrics.definition import By, Row
from services.engagement.metrics.people import People
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
    found = {each.path: each for each in sums(rows, People(steps), By.UNIT)}
    for path, each in found.items():
        if each.counts is None or each.people is None or len(rows) < FLOOR:
            continue
        within = [s for p, s in found.items() if p[:-1] == path and p != path and s.people is not None]
        left = each.people - sum(s.people or 0 for s in within)
        assert left == 0 or left >= FLOOR
        if left == 0:
            total = sum((s.counts or {}).get("acts", 0) for s in within)
            assert each.counts.get("acts", 0) == total
