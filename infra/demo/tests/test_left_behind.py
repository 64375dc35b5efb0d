"""The board's page names the island, and nobody where nothing was planted."""

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest

from infra.demo.company import SIZE, company
from infra.demo.organisation import BY_ID, ISLAND, path_of
from infra.demo.tests.test_company import SIGN_INS
from services.gateway.pages.figure_answers import SeriesSaid
from services.gateway.pages.left_behind import units_behind

#: Twenty-one whole months.
UNTIL = datetime(2026, 12, 1, tzinfo=UTC)


def talk_by_unit(commands: dict[Any, list[dict[str, Any]]]) -> list[tuple[str, dict[str, Counter[str]]]]:
    """Month by month the ties within and across, of each unit with those within it. A comment ties
    whoever wrote it to whom it answers, once a month."""
    unit_of = {one["member_id"]: one["unit_id"] for one in commands["identity"] if one["op"] == "place"}
    author = {one["post_id"]: one["by"] for one in commands["feed"] if one["op"] == "post"}
    author |= {one["comment_id"]: one["by"] for one in commands["feed"] if one["op"] == "comment"}
    ties: dict[str, set[tuple[str, str]]] = {}
    for one in commands["feed"]:
        if one["op"] == "comment":
            other = author[one.get("parent_id") or one["post_id"]]
            ties.setdefault(one["at"][:7], set()).add((one["by"], other))
    found: list[tuple[str, dict[str, Counter[str]]]] = []
    for month, pairs in sorted(ties.items()):
        units: dict[str, Counter[str]] = {unit: Counter() for unit in BY_ID}
        for by, to in pairs:
            if by != to and by in unit_of and to in unit_of:
                way = "within_units" if unit_of[by] == unit_of[to] else "across_units"
                for unit in path_of(unit_of[by]):
                    units[unit][way] += 1
        found.append((month, units))
    return found


def told(months: list[tuple[str, dict[str, Counter[str]]]]) -> SeriesSaid:
    """As the service of figures answers, of large units."""
    metric = {"name": "cross-unit-talk", "version": 1, "in_force": True, "title": "", "words": ""}
    periods = [
        {
            "period": month,
            "first": date.fromisoformat(f"{month}-01"),
            "last": date.fromisoformat(f"{month}-28"),
            "complete": True,
            "tells_groups": True,
            "people": SIZE,
            "values": {},
            "groups": [
                {"group": f"unit:{unit}", "hidden": False, "people": 20, "values": dict(ties)}
                for unit, ties in units.items()
            ],
        }
        for month, units in months
    ]
    names = [
        {"group": f"unit:{unit}", "name": unit, "path": path_of(unit)[::-1], "may_list": False}
        for unit in BY_ID
    ]
    return SeriesSaid.model_validate(
        {
            "metric": {**metric, "formula": "", "source": "", "measures": []},
            "every": "month",
            "complete_up_to": {"recorded_at": None, "behind": False},
            "may_list": False,
            "groups": names,
            "periods": periods,
        }
    )


@pytest.mark.parametrize(("seed", "size"), [(7, SIZE), (9, SIZE), (7, 1000)])
def test_nobody_but_the_island_is_ever_left_behind(seed: int, size: int) -> None:
    months = talk_by_unit(company(seed, UNTIL, SIGN_INS, size).commands)
    assert len(months) == 21
    named = {
        months[last - 1][0]: {each.code for each in units_behind(told(months[:last]))}
        for last in range(1, 22)
    }
    assert {month: units - {ISLAND} for month, units in named.items() if units - {ISLAND}} == {}
    assert [month for month in named if month >= "2026-04" and ISLAND not in named[month]] == []
