"""Facts and their two times: in whatever order events come, doubled, late, from the future, of strangers."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import bson
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.identity import Kind
from services.engagement import projections
from services.engagement.metrics import DEFINITIONS
from services.engagement.metrics.definition import By
from services.engagement.tests.history import FACTS, History, at, fold, told
from shared.kernel.events import Recorded


def company() -> History:
    """Ten in a unit who move, talk and leave; told in the order in which it happened."""
    history = History()
    history.founded("north", "North")
    history.staff(6, "north")
    history.staff(6, "south", prefix="s", country="FI", language="fi")
    post = history.announce("m0", at("2026-03-02"))
    for n in range(1, 5):
        history.comment(f"m{n}", post, at(f"2026-03-0{n}"))
        history.acknowledge(f"s{n}", post, at(f"2026-03-1{n}"))
        history.read(f"s{n}", post, at(f"2026-03-1{n}"))
    history.placed("m3", "south", when=at("2026-03-20"))
    history.post("m3", at("2026-03-25"), mentions=("s1",))
    history.left("s5", at("2026-03-26"))
    history.page("s4", at("2026-03-27"), known=at("2026-05-01"))
    return history


WHOLE = company()


def streams() -> list[list[Recorded]]:
    found: dict[str, list[Recorded]] = {}
    for each in WHOLE.events:
        found.setdefault(each.stream, []).append(each)
    return list(found.values())


def content(events: Sequence[Recorded]) -> list[dict[str, object]]:
    return [{key: view.model_dump() for key, view in fold(p, events).items()} for p in FACTS]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_comes_first_the_facts_are_the_same(data: st.DataObject) -> None:
    left = streams()
    order: list[Recorded] = []
    while left:
        chosen = data.draw(st.sampled_from(left))
        order.append(chosen.pop(0))
        left = [stream for stream in left if stream]
    assert content(order) == content(WHOLE.events)


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_an_event_that_is_there_twice_counts_once(data: st.DataObject) -> None:
    """Redelivery is kept off by offsets; this is for an event that is in the log twice."""
    doubled = [each for each in WHOLE.events for _ in range(data.draw(st.integers(1, 2)))]
    for definition in DEFINITIONS:
        how: dict[str, Any] = {"by": By.UNIT, "version": definition.version}
        once = told(WHOLE.events, definition.name, "2026-03", **how)
        assert told(doubled, definition.name, "2026-03", **how).sums == once.sums


def test_facts_come_back_from_the_store_as_they_were() -> None:
    kept = 0
    for view in fold(projections.activity, WHOLE.events).values():
        stored = bson.decode(bson.encode(view.model_dump()))
        assert projections.ActivityView.model_validate(stored) == view
        kept += len(view.facts)
    assert kept > 10


def test_a_late_event_counts_when_it_happened_and_not_before_it_was_known() -> None:
    march = WHOLE.figure("monthly-contributors", "2026-03").company
    assert march["contributors"] == 6
    april = WHOLE.figure("monthly-contributors", "2026-03", known_on=date(2026, 4, 30)).company
    assert april["contributors"] == 5
    assert WHOLE.figure("monthly-contributors", "2026-05").company["contributors"] == 0


def test_as_of_a_day_counts_what_happened_until_its_end() -> None:
    history = History()
    history.staff(5)
    history.post("m0", at("2026-03-10T23:59:59"))
    history.post("m1", at("2026-03-11T00:00:00"))
    found = [
        history.figure("monthly-contributors", "2026-03", as_of=date(2026, 3, day)).company["contributors"]
        for day in (9, 10, 11)
    ]
    assert found == [0, 1, 2]


def test_months_are_those_of_utc_and_weeks_those_of_iso() -> None:
    history = History()
    history.staff(5)
    history.post("m0", at("2026-03-31T23:59:59"))
    history.post("m1", at("2026-04-01T00:00:00"))
    history.post("m2", at("2027-01-03T12:00:00"))
    counts = {
        name: history.figure("posts-and-comments", name).company["posts"]
        for name in ("2026-03", "2026-04", "2026-W14", "2026-W53", "2027-W01", "2026-03-31")
    }
    assert counts == {
        "2026-03": 1,
        "2026-04": 1,
        "2026-W14": 2,
        "2026-W53": 1,
        "2027-W01": 0,
        "2026-03-31": 1,
    }


def test_an_event_from_the_future_counts_when_it_was_recorded() -> None:
    history = History()
    history.staff(5)
    history.post("m0", at("2031-07-01"), known=at("2026-03-02"))
    assert history.figure("posts-and-comments", "2026-03").company["posts"] == 1
    assert history.figure("posts-and-comments", "2031-07", as_of=date(2031, 12, 31)).company["posts"] == 0


def test_somebody_never_seen_counts_for_the_company_until_they_are_known() -> None:
    history = History()
    history.staff(5, "north")
    history.post("stranger", at("2026-03-02"))
    before = history.figure("posts-and-comments", "2026-03", by=By.UNIT)
    assert before.company["posts"] == 1 and before.groups == {"north": None, "unknown": None}
    history.member("stranger", "north", when=at("2026-03-01"))
    after = history.figure("posts-and-comments", "2026-03", by=By.UNIT)
    assert after.of("posts") == {"north": 1}, "their place is joined by event time, however late it comes"


def test_who_moves_counts_where_they_began_the_period_and_their_acts_where_they_did_them() -> None:
    history = History()
    history.staff(6, "north")
    history.staff(6, "south", prefix="s")
    history.post("m0", at("2026-03-10"))
    history.placed("m0", "south", when=at("2026-03-15"))
    told_ = history.figure("monthly-contributors", "2026-03", by=By.UNIT)
    assert told_.of("contributors") == {"north": 1, "south": 0}
    assert told_.of("members") == {"north": 6, "south": 6}, "each once: where they began the month"
    history.post("m0", at("2026-03-20"))
    moved = history.figure("monthly-contributors", "2026-03", by=By.UNIT)
    assert moved.of("contributors") == {"north": 1, "south": 0}
    posts = history.figure("posts-and-comments", "2026-03", by=By.UNIT)
    assert posts.of("posts") == {"north": 1, "south": 1}
    quiet = history.figure("monthly-contributors", "2026-04", by=By.UNIT)
    assert quiet.of("members") == {"north": 5, "south": 7}


def test_figures_of_the_days_before_and_after_a_move_tell_nothing_of_who_moved() -> None:
    """Else a group would lose one contributor from one day to the next, and all know whom."""
    history = History()
    history.staff(6, "north")
    history.staff(6, "south", prefix="s")
    history.post("m0", at("2026-03-10"))
    history.post("m1", at("2026-03-11"))
    history.placed("m0", "south", when=at("2026-03-15"))
    history.post("m0", at("2026-03-16"))
    for metric in ("monthly-contributors", "monthly-active-members", "passive-share", "ladder"):
        days = [
            history.figure(metric, "2026-03", by=By.UNIT, as_of=date(2026, 3, day)).groups
            for day in (14, 15, 16, 30)
        ]
        assert all(each == {"north": None, "south": None} for each in days), metric
        month = history.figure(metric, "2026-03", by=By.UNIT).groups
        assert {unit: told and told["members"] for unit, told in month.items()} == {"north": 6, "south": 6}


def test_a_move_that_is_told_late_changes_the_past_from_then_on_but_not_what_was_known() -> None:
    history = History()
    history.staff(7, "north")
    history.staff(5, "south", prefix="s")
    history.post("m0", at("2026-03-10"))
    history.placed("m0", "south", when=at("2026-02-25"), known=at("2026-06-01"))
    now = history.figure("monthly-contributors", "2026-03", by=By.UNIT)
    then = history.figure("monthly-contributors", "2026-03", by=By.UNIT, known_on=date(2026, 5, 31))
    assert now.of("contributors") == {"north": 0, "south": 1}
    assert then.of("contributors") == {"north": 1, "south": 0}


def test_units_that_are_split_or_merged_count_those_who_were_in_them_then() -> None:
    history = History()
    for name in ("old", "left", "right"):
        history.founded(name, name)
    everybody = history.staff(12, "old")
    for who in everybody:
        history.post(who, at("2026-03-10"))
    for n, who in enumerate(everybody):
        history.placed(who, "left" if n < 6 else "right", when=at("2026-04-01"))
        history.post(who, at("2026-04-10"))
        history.placed(who, "right", when=at("2026-05-01"))
        history.post(who, at("2026-05-10"))
    months = ("2026-03", "2026-04", "2026-05")
    found = [history.figure("monthly-contributors", month, by=By.UNIT).of("contributors") for month in months]
    assert found == [{"old": 12}, {"left": 6, "right": 6}, {"right": 12}]


def test_who_left_or_has_not_come_yet_is_no_member_and_guests_are() -> None:
    history = History()
    history.staff(5)
    history.member("gil", kind=Kind.GUEST)
    history.member("late", when=at("2026-05-01"))
    history.member("import", signs_in=False)
    history.left("m0", at("2026-03-15"))
    found = [
        history.figure("monthly-contributors", month).company["members"]
        for month in ("2025-12", "2026-03", "2026-04", "2026-05")
    ]
    assert found == [0, 6, 5, 6]


def test_a_renamed_unit_keeps_its_past_name_for_past_days() -> None:
    history = History()
    history.founded("north", "North")
    history.renamed("north", "Far north", at("2026-05-01"))
    (view,) = fold(FACTS[3], history.events).values()
    names = view.model_dump()["names"]
    assert [name for *_, name in names] == ["North", "Far north"]
    assert names[1][0] - names[0][0] > timedelta(days=100).total_seconds()


def test_what_was_opened_counts_for_who_is_active_and_never_as_a_contribution() -> None:
    history = History()
    history.staff(5)
    history.read("m0", "p1", at("2026-03-02"))
    assert history.figure("monthly-active-members", "2026-03").company["active"] == 1
    assert history.figure("monthly-contributors", "2026-03").company["contributors"] == 0
