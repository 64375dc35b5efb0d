"""The company is the same for the same seed, happens in its time, and its truths are true of its commands."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from infra.demo.calendar import BY_CODE, activity
from infra.demo.company import SIZE, Company, company
from infra.demo.organisation import ISLAND, UNREAD
from infra.demo.phrases import THEMES, phrases
from infra.demo.shapes import FIRST_DAY, LANGUAGES, ROOMS, SignIn

UNTIL = datetime(2026, 6, 1, tzinfo=UTC)
SIGN_INS = tuple(
    SignIn(name, f"{number:032x}", f"{name.title()} Demo", country, language, kind, roles)
    for number, (name, country, language, kind, roles) in enumerate(
        (
            ("alva", "SE", "sv", "staff", ("admin", "operator")),
            ("eskil", "SE", "en", "staff", ("editor",)),
            ("gemma", "GB", "en", "guest", ()),
            ("leena", "FI", "fi", "staff", ("leader",)),
        ),
        1,
    )
)


@cache
def made(seed: int = 7, size: int = 200) -> Company:
    return company(seed, UNTIL, SIGN_INS, size)


def feed(*ops: str) -> list[dict[str, Any]]:
    return [command for command in made().commands["feed"] if command["op"] in ops]


def test_the_same_seed_gives_the_same_commands_byte_for_byte() -> None:
    again = company(7, UNTIL + timedelta(hours=5), list(reversed(SIGN_INS)), 200)
    assert list(again.lines()) == list(made().lines())
    assert json.dumps(again.manifest) == json.dumps(made().manifest)


def test_another_seed_gives_another_company_with_other_ids() -> None:
    other = made(8)
    assert list(other.lines()) != list(made().lines())
    ids = [{c["post_id"] for c in one.commands["feed"] if c["op"] == "post"} for one in (made(), other)]
    assert not ids[0] & ids[1]


def test_everything_happens_after_the_first_day_and_before_the_end_and_in_order() -> None:
    for room in ROOMS:
        times = [command["at"] for command in made().commands[room]]
        assert times == sorted(times)
        assert times[0] >= "2025-03-03T07:00:00Z" and times[-1] < "2026-06-01T00:00:00Z"
        assert [command["line"] for command in made().commands[room]] == list(range(1, len(times) + 1))


def test_the_whole_company_has_the_size_that_it_should() -> None:
    counts = company(7, UNTIL, SIGN_INS, SIZE).manifest["counts"]
    assert counts["members"] == SIZE
    assert 15_000 <= counts["commands"] <= 25_000
    registered = [c for c in made().commands["identity"] if c["op"] == "register"]
    assert len({c["country"] for c in registered}) == 12
    assert {c["language"] for c in registered} == set(LANGUAGES)
    assert all(c["synthetic"] for c in registered)
    assert len({c["name"] for c in registered}) == len(registered)


def test_nobody_says_anything_before_they_came_or_where_they_are_not() -> None:
    joined = {c["member_id"]: c["at"] for c in made().commands["identity"] if c["op"] == "register"}
    inside = {
        (c["group_id"], c["by"]): c["at"]
        for c in made().commands["groups"]
        if c["op"] in ("start", "join", "accept")
    }
    posts = {command["post_id"]: command for command in feed("post")}
    for command in feed("post", "comment", "react", "acknowledge"):
        assert command["at"] > joined.get(command["by"], "2025-03-03T07:00:00Z")
        group_id = posts[command["post_id"]].get("group_id")
        if group_id is not None:
            assert inside[group_id, command["by"]] < command["at"]
        assert posts[command["post_id"]]["at"] <= command["at"]


def test_nobody_reacts_or_confirms_twice() -> None:
    reactions = Counter((c["by"], c.get("comment_id") or c["post_id"]) for c in feed("react"))
    confirmed = Counter((c["by"], c["post_id"]) for c in feed("acknowledge"))
    assert max(reactions.values()) == max(confirmed.values()) == 1


def test_those_who_prefer_one_language_hardly_read_english() -> None:
    unread = made().manifest["unread"]
    assert unread["language"] == UNREAD and unread["members"] > 10
    assert unread["read_english"] / unread["members"] < 0.3
    assert unread["others_read_english"] / unread["others"] > 0.7


def test_the_island_talks_with_itself_alone() -> None:
    island = made().manifest["island"]
    assert (island["unit"], island["external"], island["ei"]) == (ISLAND, 0, -1.0)
    assert island["internal"] > 20
    others = {unit: tie["ei"] for unit, tie in made().manifest["ei_index"].items() if unit != ISLAND}
    assert min(others.values()) > -0.9


def test_some_who_were_silent_begin_after_the_leaders_film() -> None:
    film = made().manifest["film"]
    planted = set(film["drawn_in"])
    assert len(planted) == 10 and film["first_time_after"] >= len(planted) + 0
    assert film["first_time_before"] < film["first_time_after"] / 2
    first: dict[str, str] = {}
    for command in feed("post", "comment"):
        first.setdefault(command["by"], command["at"])
    end = datetime.fromisoformat(film["published_at"]) + timedelta(days=film["window_days"])
    for member_id in planted:
        assert film["published_at"] < first[member_id] < f"{end:%Y-%m-%dT%H:%M:%SZ}"


def test_the_truths_are_those_of_the_commands() -> None:
    truths, counts = made().manifest, made().manifest["counts"]
    assert counts["posts"] + counts["announcements"] == len(feed("post"))
    assert (counts["comments"], counts["reactions"]) == (len(feed("comment")), len(feed("react")))
    assert sum(month["posts"] for month in truths["months"]) == len(feed("post"))
    march = {
        c["by"]
        for room, ops in (("feed", ("post", "comment")), ("wiki", ("start", "revise")))
        for c in made().commands[room]  # type: ignore[index]
        if c["op"] in ops and c["at"].startswith("2026-03")
    }
    found = next(month for month in truths["months"] if month["month"] == "2026-03")
    assert found["contributors"] == len(march)
    for announced in truths["announcements"]:
        confirmed = [c for c in feed("acknowledge") if c["post_id"] == announced["post_id"]]
        assert announced["acknowledged"] == len(confirmed) <= announced["people"]
        assert sum(part["people"] for part in announced["languages"].values()) == announced["people"]
    active = {c["by"] for room in ("feed", "wiki") for c in made().commands[room] if c["op"] != "acknowledge"}
    assert (
        truths["passive"]["people"] + len(active & _staff()) == truths["passive"]["staff"] == counts["staff"]
    )
    assert truths["mails"]["deliveries_avoided"] == sum(one["people"] for one in truths["announcements"])


def _staff() -> set[str]:
    registered = [c for c in made().commands["identity"] if c["op"] == "register" and c["kind"] == "staff"]
    return {c["member_id"] for c in registered} | {one.member_id for one in SIGN_INS if one.kind == "staff"}


def test_the_year_has_its_rhythm() -> None:
    days = Counter(datetime.fromisoformat(c["at"]).weekday() for c in feed("post"))
    assert max(days[5], days[6]) < min(days[day] for day in range(5)) / 3
    months = Counter(c["at"][:7] for c in feed("post"))
    assert months["2025-07"] + months["2025-08"] < months["2025-10"] + months["2025-11"]
    sweden = BY_CODE["SE"]
    midsummer, ordinary, christmas = (datetime(2025, *d).date() for d in ((7, 9), (9, 10), (12, 25)))
    assert activity(sweden, christmas) < activity(sweden, midsummer) < activity(sweden, ordinary)


def test_the_list_gives_way_to_announcements() -> None:
    """Mails went by mail: here stands the last of them, and none is counted as one that was not sent."""
    mails = made().manifest["mails"]
    group_id = made().manifest["stops"]["list"]
    here = [c["at"] for c in feed("post") if c.get("group_id") == group_id]
    announced = [c["at"] for c in feed("post") if c.get("kind") == "announcement"]
    assert [at[:10] for at in here] == [mails["replaced_on"]] and here < announced[:1]
    assert 30 < mails["mails_before"] < 60, "twice a week for four months and more"


def test_every_language_says_everything() -> None:
    english = phrases("en").said
    for language in LANGUAGES:
        said = phrases(language).said
        assert said.keys() == english.keys()
        assert set(said["posts"]) == set(said["topics"]) == set(THEMES)
        for kind, texts in english.items():
            assert len(said[kind]) == len(texts), (language, kind)


@pytest.mark.parametrize(
    ("until", "size", "sign_ins"),
    [
        (FIRST_DAY + timedelta(days=60), 200, SIGN_INS),
        (UNTIL, 10, SIGN_INS),
        (UNTIL, 100_000, SIGN_INS),
        (UNTIL, 200, SIGN_INS[1:]),
    ],
)
def test_what_makes_no_company_is_said(until: datetime, size: int, sign_ins: tuple[SignIn, ...]) -> None:
    with pytest.raises(ValueError, match=r"\."):
        company(7, until, sign_ins, size)


def test_nobody_reports_to_somebody_who_comes_later() -> None:
    for seed in (1, 7):
        whole = company(seed, UNTIL, SIGN_INS, SIZE).commands["identity"]
        there = {one.member_id: "" for one in SIGN_INS}
        there |= {c["member_id"]: c["at"] for c in whole if c["op"] == "register"}
        placed = [c for c in whole if c["op"] == "place" and c["manager_id"]]
        assert len(placed) > SIZE / 2
        assert [c["line"] for c in placed if there[c["manager_id"]] >= c["at"]] == []
