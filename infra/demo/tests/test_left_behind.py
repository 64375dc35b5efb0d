"""The board's page names the island and who hardly reads English, and nobody where nothing was planted."""

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest

from infra.demo.company import SIZE, company
from infra.demo.organisation import BY_ID, ISLAND, UNREAD, path_of
from infra.demo.shapes import LANGUAGES
from infra.demo.tests.test_company import SIGN_INS
from services.gateway.pages.figure_answers import SeriesSaid
from services.gateway.pages.left_behind import languages_behind, units_behind

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


def readable_by_language(
    commands: dict[Any, list[dict[str, Any]]],
) -> list[tuple[str, dict[str, Counter[str]]]]:
    """Month by month, by the language that members prefer: how many there are, what was published for them,
    and how much of it stands in a language that they prefer or say they read. Everybody is where they were
    placed last; moves within a month make no difference that counts here."""
    there = {one["member_id"]: one for one in commands["identity"] if one["op"] == "register"}
    unit = {one["member_id"]: one["unit_id"] for one in commands["identity"] if one["op"] == "place"}
    profiles = {one["by"]: one["languages"] for one in commands["identity"] if one["op"] == "profile"}
    reads = {who: {one["language"], *profiles.get(who, ())} for who, one in there.items()}
    is_open = {
        one["group_id"]: one["openness"] == "open" for one in commands["groups"] if one["op"] == "start"
    }
    inside: dict[str, dict[str, str]] = {}
    for one in commands["groups"]:
        if one["op"] in ("start", "join", "accept"):
            inside.setdefault(one["group_id"], {})[one.get("member_id") or one["by"]] = one["at"]

    def has(text: dict[str, Any], who: str) -> bool:
        staff, group = there[who].get("kind", "staff") == "staff", text.get("group_id")
        if there[who]["at"] > text["at"]:
            return False
        if group is not None:
            at: str = text["at"]
            return (is_open[group] and staff) or inside[group].get(who, "later") <= at
        units = {f"unit:{each}" for each in path_of(unit[who])} if who in unit else set()
        held = {"staff", f"country:{there[who]['country']}", *units} if staff else units
        audience: list[str] = text.get("audience", ["staff"])
        return not held.isdisjoint(audience)

    texts = [one for one in commands["feed"] if one["op"] == "post"]
    texts += [{**one, "audience": ["staff"]} for one in commands["wiki"] if one["op"] == "start"]
    found: dict[str, dict[str, Counter[str]]] = {}
    for text in texts:
        languages = found.setdefault(text["at"][:7], {code: Counter() for code in LANGUAGES})
        for who in there:
            if has(text, who):
                can = text["language"] in reads[who]
                languages[there[who]["language"]].update({"to_read": 1, "readable": int(can)})
    for month, languages in found.items():
        for one in there.values():
            languages[one["language"]]["members"] += one["at"][:7] <= month
    return sorted(found.items())


def told(months: list[tuple[str, dict[str, Counter[str]]]], by: str = "unit") -> SeriesSaid:
    """As the service of figures answers, of large groups."""
    metric = {"name": "any", "version": 1, "in_force": True, "title": "", "words": ""}
    periods = [
        {
            "period": month,
            "first": date.fromisoformat(f"{month}-01"),
            "last": date.fromisoformat(f"{month}-28"),
            "complete": True,
            "tells_groups": True,
            "people": SIZE,
            # nobody has two languages, so all are the sum; units hold others
            "values": dict(sum(groups.values(), Counter())) if by == "language" else {},
            "groups": [
                {"group": f"{by}:{name}", "hidden": False, "people": 20, "values": dict(values)}
                for name, values in groups.items()
            ],
        }
        for month, groups in months
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


@pytest.mark.parametrize(("seed", "size"), [(7, SIZE), (9, SIZE), (7, 1000)])
def test_nobody_is_left_behind_for_their_language_but_those_who_hardly_read_english(
    seed: int, size: int
) -> None:
    months = readable_by_language(company(seed, UNTIL, SIGN_INS, size).commands)
    assert len(months) == 21
    named = {
        months[last - 1][0]: {each.code for each in languages_behind(told(months[:last], "language"))}
        for last in range(1, 22)
    }
    assert {month: codes - {UNREAD} for month, codes in named.items() if codes - {UNREAD}} == {}
    assert [month for month in named if month >= "2025-06" and UNREAD not in named[month]] == []
