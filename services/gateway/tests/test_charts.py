"""Numbers keep their proportions as lines and columns."""

import re
from collections.abc import Sequence
from itertools import pairwise

import pytest

from services.gateway.pages import charts
from services.gateway.view_models.adoption import Plot


def test_a_line_goes_from_its_least_at_the_foot_to_its_most_at_the_top() -> None:
    drawn = charts.spark([1, 2, 3])
    assert drawn.line == "M0.0 32.0L48.0 17.0L96.0 2.0"
    assert (drawn.x, drawn.y) == (96.0, 2.0)
    assert drawn.area.endswith("V34H0.0z")


def test_a_month_without_a_value_is_passed_over_and_one_value_is_no_line() -> None:
    assert charts.spark([1, None, 3]).line == "M0.0 32.0L96.0 2.0"
    assert charts.spark([None, 4, None]).line == "" and charts.spark([]).line == ""
    assert "nan" not in charts.spark([2, 2]).line


def _plot(
    values: Sequence[float | None], labels: Sequence[str] = (), most: float | None = None
) -> Plot | None:
    named = labels or ["x"] * len(values)
    return charts.columns(
        [charts.Bar(value, label, 2026) for value, label in zip(values, named, strict=True)], most
    )


def _heights(values: list[float | None], **how: float) -> list[float]:
    plot = _plot(values, **how)  # type: ignore[arg-type]
    assert plot is not None
    found = [re.search(r"v(-?[0-9.]+)h", column.path) for column in plot.columns]
    return [float(each[1]) if each else 0.0 for each in found]


def test_columns_are_as_tall_as_their_values_and_none_stands_where_nothing_is_known() -> None:
    assert _heights([30, 15, None, 0]) == [-240.0, -120.0, 0.0, 0.0]
    assert _heights([0.5, -0.5], most=1.0) == [-60.0, 60.0]


def test_the_lines_to_read_by_are_round_and_the_highest_is_above_all() -> None:
    plot = _plot([431_000, 12])
    assert plot is not None and [round(value) for _, value in plot.grid] == [0, 200_000, 400_000, 600_000]
    index = _plot([-0.78], most=1.0)
    assert index is not None and [round(value, 2) for _, value in index.grid] == [-1, -0.33, 0.33, 1]


@pytest.mark.parametrize(
    ("most", "lines"),
    [(1, [0, 1, 2, 3]), (2, [0, 1, 2, 3]), (4, [0, 2, 4, 6]), (7, [0, 5, 10, 15]), (70, [0, 25, 50, 75])],
)
def test_of_people_there_is_no_half(most: int, lines: list[float]) -> None:
    plot = charts.columns([charts.Bar(most, "a", 2026)], whole=True)
    assert plot is not None and [value for _, value in plot.grid] == lines


def test_nothing_known_is_no_plot() -> None:
    assert _plot([None, None]) is None
    assert _plot([0, 0]) is None


def test_labels_are_kept_and_every_third_shows_on_a_narrow_page() -> None:
    plot = _plot([1, 2, 3, 4], ["Jan", "Feb", "Mar", "Apr"])
    assert plot is not None and [column.label for column in plot.columns if not column.minor] == [
        "Jan",
        "Apr",
    ]


def _months(number: int, first: int = 0) -> list[charts.Bar]:
    """From the month `first` of 2016, counted from nought."""
    return [charts.Bar(1.0, str((first + at) % 12 + 1), 2016 + (first + at) // 12) for at in range(number)]


def test_of_ten_years_a_dozen_months_are_named_and_each_year_once() -> None:
    plot = charts.columns(_months(120))
    assert plot is not None
    assert 10 <= sum(bool(column.label) for column in plot.columns) <= 13
    assert plot.columns[-1].label and not plot.columns[-1].minor, "the last is the one that is told"
    assert [year for _, year in plot.years] == [str(year) for year in range(2016, 2026)]
    places = [x for x, _ in plot.years]
    assert all(b - a >= 58 for a, b in pairwise(places)), "they do not meet in the largest letters"


def test_a_year_stands_under_its_first_column_and_what_is_cut_gives_way() -> None:
    whole = charts.columns(_months(12))
    assert whole is not None and whole.years == [(whole.columns[0].x, "2016")]
    cut = charts.columns(_months(13, first=11))
    assert cut is not None and cut.years == [(cut.columns[1].x, "2017")]
    both = charts.columns(_months(13, first=9))
    assert both is not None and [year for _, year in both.years] == ["2016", "2017"]


def _read(plot: Plot, *, narrow: bool) -> list[tuple[str, str | None]]:
    """Each label that shows, with the year that stands nearest to it, beneath, as far as that is wide."""
    found = []
    for column in plot.columns:
        if column.label and not (narrow and column.minor):
            near = [(abs(x - column.x), year) for x, year in plot.years if abs(x - column.x) < 58]
            found.append((column.label, min(near)[1] if near else None))
    return found


@pytest.mark.parametrize("number", [2, 3, 7, 12, 13, 14, 20, 24, 37, 60, 95, 118, 120, 122, 160])
def test_no_year_stands_beneath_a_month_of_another(number: int) -> None:
    """Of thirteen or fewer that is asked of a narrow page: a wide one names the month above each year."""
    for first in range(12):
        bars = [bar._replace(label=f"{bar.year}-{bar.label}") for bar in _months(number, first)]
        plot = charts.columns(bars)
        assert plot is not None
        places = [x for x, _ in plot.years]
        assert all(b - a >= 58 for a, b in pairwise(places)), "years do not meet"
        assert {column.x for column in plot.columns if column.label}.issuperset(places)
        for narrow in (True, False)[: 1 + (number > 13)]:
            shown = _read(plot, narrow=narrow)
            assert [label for label, year in shown if year not in (None, label[:4])] == [], first
            assert shown[-1][0] == bars[-1].label


def test_a_column_whose_time_is_not_over_is_told_apart() -> None:
    plot = charts.columns([charts.Bar(1.0, "a", 2026), charts.Bar(2.0, "b", 2026, over=False)])
    assert plot is not None and [column.over for column in plot.columns] == [True, False]
    assert not plot.all_over
    empty = charts.columns([charts.Bar(1.0, "a", 2026), charts.Bar(None, "b", 2026, over=False)])
    assert empty is not None and empty.all_over, "what is not drawn needs no word"
