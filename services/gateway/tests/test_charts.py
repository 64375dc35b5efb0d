"""Numbers keep their proportions as lines and columns."""

import re

from services.gateway.pages import charts


def test_a_line_goes_from_its_least_at_the_foot_to_its_most_at_the_top() -> None:
    drawn = charts.spark([1, 2, 3])
    assert drawn.line == "M0.0 32.0L48.0 17.0L96.0 2.0"
    assert (drawn.x, drawn.y) == (96.0, 2.0)
    assert drawn.area.endswith("V34H0.0z")


def test_a_month_without_a_value_is_passed_over_and_one_value_is_no_line() -> None:
    assert charts.spark([1, None, 3]).line == "M0.0 32.0L96.0 2.0"
    assert charts.spark([None, 4, None]).line == "" and charts.spark([]).line == ""
    assert "nan" not in charts.spark([2, 2]).line


def _heights(values: list[float | None], **how: float) -> list[float]:
    plot = charts.columns(values, ["x"] * len(values), **how)
    assert plot is not None
    found = [re.search(r"v(-?[0-9.]+)h", column.path) for column in plot.columns]
    return [float(each[1]) if each else 0.0 for each in found]


def test_columns_are_as_tall_as_their_values_and_none_stands_where_nothing_is_known() -> None:
    assert _heights([30, 15, None, 0]) == [-240.0, -120.0, 0.0, 0.0]
    assert _heights([0.5, -0.5], most=1.0) == [-60.0, 60.0]


def test_the_lines_to_read_by_are_round_and_the_highest_is_above_all() -> None:
    plot = charts.columns([431_000, 12], ["a", "b"])
    assert plot is not None and [round(value) for _, value in plot.grid] == [0, 200_000, 400_000, 600_000]
    index = charts.columns([-0.78], ["a"], 1.0)
    assert index is not None and [round(value, 2) for _, value in index.grid] == [-1, -0.33, 0.33, 1]


def test_nothing_known_is_no_plot() -> None:
    assert charts.columns([None, None], ["a", "b"]) is None
    assert charts.columns([0, 0], ["a", "b"]) is None


def test_labels_are_kept_and_every_third_shows_on_a_narrow_page() -> None:
    plot = charts.columns([1, 2, 3, 4], ["Jan", "Feb", "Mar", "Apr"])
    assert plot is not None and [column.label for column in plot.columns if not column.minor] == [
        "Jan",
        "Apr",
    ]
