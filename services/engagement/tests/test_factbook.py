"""When a figure may be kept, and what makes a kept one stale."""

from dataclasses import replace

from services.engagement.factbook import Ledger, Month
from services.engagement.projections.facts import Changes
from shared.runtime.generations import Reached

FEED, WIKI, IDENTITY = "feed-id/0", "wiki-id/0", "identity-id/0"


def month(times: int, **seen: int) -> Month:
    names = {"feed": FEED, "wiki": WIKI, "identity": IDENTITY}
    return Month(Changes(times, 0, 10, 20), {names[name]: offset for name, offset in seen.items()})


def reached(**offsets: int) -> dict[str, Reached]:
    names = {"feed": FEED, "wiki": WIKI, "identity": IDENTITY}
    return {names[name]: Reached(offset, None) for name, offset in offsets.items()}


LEDGER = Ledger(
    activity={"2026-03": month(5, feed=9, wiki=4)},
    people={"2026-01": month(2, identity=1)},
    reached={
        "activity": reached(feed=10, wiki=5),
        "items": reached(feed=10),
        "people": reached(identity=2),
    },
    topics={"activity": {"feed-id", "wiki-id"}, "items": {"feed-id"}, "people": {"identity-id"}},
    generations="1.1",
)


def behind(view: str, **offsets: int) -> Ledger:
    return replace(LEDGER, reached={**LEDGER.reached, view: reached(**offsets)})


def test_a_figure_is_kept_when_every_view_has_passed_what_its_label_tells_of() -> None:
    assert LEDGER.settled(["2026-03"], "2026-03")


def test_a_figure_of_a_batch_that_may_be_half_written_is_not_kept() -> None:
    assert not behind("activity", feed=9, wiki=5).settled(["2026-03"], "2026-03")
    assert not behind("activity", feed=10).settled(["2026-03"], "2026-03")
    assert not behind("items", feed=9).settled(["2026-03"], "2026-03"), "its authors may be missing"
    assert not behind("items").settled(["2026-03"], "2026-03")
    assert not behind("people", identity=1).settled(["2026-03"], "2026-03"), "so may somebody's place"


def test_other_months_do_not_hold_a_figure_up() -> None:
    late = behind("activity", feed=9, wiki=5)
    assert late.settled(["2026-02"], "2026-03")
    assert behind("people", identity=1).settled(["2026-03"], "2025-12")


def test_a_change_in_the_month_or_of_anybodys_place_before_its_end_makes_a_kept_figure_stale() -> None:
    label = LEDGER.label(["2026-03"], "2026-03")
    more = replace(LEDGER, activity={"2026-03": month(6, feed=10)})
    moved = replace(LEDGER, people={**LEDGER.people, "2026-02": month(1, identity=3)})
    rebuilt = replace(LEDGER, generations="1.2")
    assert len({label, *(each.label(["2026-03"], "2026-03") for each in (more, moved, rebuilt))}) == 4
    assert moved.label(["2026-01"], "2026-01") == LEDGER.label(["2026-01"], "2026-01")
