"""What may be asked of figures, without any: which days a question means, and how it is refused."""

from datetime import date
from typing import Any

import pytest

from services.engagement.api import asking
from services.engagement.factbook import Ledger, Month
from services.engagement.metrics import in_force
from services.engagement.metrics.periods import Every, midnight, today
from services.engagement.projections.facts import Changes
from shared.kernel.errors import Refused

BEGAN = date(2025, 1, 10)


def ledger(began: date | None = BEGAN, recorded: date | None = None) -> Ledger:
    """Of a company where the first thing happened that day, and was `recorded` then or later; None: nothing
    ever did."""
    months = {}
    if began is not None:
        at, known = midnight(began), midnight(recorded or began)
        months["2025-01"] = Month(Changes(1, at, known, known), {})
    return Ledger(months, {}, {}, {}, "")


def question(**asked: str) -> asking.Question:
    return of(ledger(), **asked)


def of(book: Ledger, *, every: str = "month", **asked: str) -> asking.Question:
    days: dict[str, Any] = {"first": None, "last": None, "as_of": None, "known_on": None, "by": None}
    given = {{"from": "first", "to": "last"}.get(name, name): value for name, value in asked.items()}
    return asking.question(book, in_force("ladder"), every=every, **days | given)


def refusal(**asked: str) -> Refused:
    with pytest.raises(Refused) as refused:
        question(**asked)
    return refused.value


@pytest.mark.parametrize(
    ("every", "asked", "told"),
    [
        ("month", ("2025-03-10", "2025-05-10"), (date(2025, 3, 1), date(2025, 5, 31))),
        ("month", ("2025-03", "2025-05"), (date(2025, 3, 1), date(2025, 5, 31))),
        ("month", ("2025-03-31", "2025-03-31"), (date(2025, 3, 1), date(2025, 3, 31))),
        ("week", ("2025-03-12", "2025-03-18"), (date(2025, 3, 10), date(2025, 3, 23))),
        ("day", ("2025-03-12", "2025-03-18"), (date(2025, 3, 12), date(2025, 3, 18))),
        ("day", ("2025-03", "2025-03"), (date(2025, 3, 1), date(2025, 3, 31))),
    ],
)
def test_both_ends_are_those_of_the_periods_that_the_days_are_in(
    every: str, asked: tuple[str, str], told: tuple[date, date]
) -> None:
    """Neither is cut: a half month beside whole ones would look like a fall."""
    found = question(every=every, **{"from": asked[0], "to": asked[1]})
    assert (found.first, found.last) == told
    periods = list(found.periods)
    assert (periods[0].first, periods[-1].after) == (told[0], date.fromordinal(told[1].toordinal() + 1))


def test_only_as_of_cuts_the_last_period_and_the_answer_says_so() -> None:
    assert question(**{"to": "2025-05-10", "as_of": "2025-05-20"}).last == date(2025, 5, 20)
    assert question(**{"to": "2025-05-10", "as_of": "2025-06-20"}).last == date(2025, 5, 31)
    assert question(as_of="2025-05-20").last == date(2025, 5, 20)


def test_the_first_period_is_told_though_its_last_day_that_is_asked_for_is_before_the_beginning() -> None:
    found = question(**{"to": "2025-01-05"})
    assert (found.first, found.last) == (date(2025, 1, 1), date(2025, 1, 31))
    assert refusal(**{"to": "2024-12-31"}).field == "to"
    for before in ("2025-01-09", "1999-01-01"):
        assert refusal(as_of=before).field == "as_of"
    assert refusal(**{"to": "2025-03", "as_of": "2025-01-09"}).field == "as_of"


@pytest.mark.parametrize("asked", [{}, {"to": "2025-08"}])
def test_a_first_day_after_as_of_is_refused_for_what_it_is(asked: dict[str, str]) -> None:
    refused = refusal(**{"from": "2025-06-11", "as_of": "2025-06-10"}, **asked)
    assert (refused.code, refused.field, refused.params) == ("after-as-of", "from", {"as_of": "2025-06-10"})
    # A page says it beside a field of another name.
    assert "2025-06-10" in str(refused) and "as_of" not in str(refused)


def test_what_was_known_on_a_day_reaches_that_day() -> None:
    """What comes after it had not happened: it is not told as nothing, and a period under way is not over."""
    for days in ({}, {"as_of": "2025-08-10"}, {"to": "2025-08-10"}, {"to": "9999-12-31"}):
        found = question(known_on="2025-05-20", **days)
        assert (found.last, found.asked.as_of) == (date(2025, 5, 20), date(2025, 5, 20)), days
        *_, last = found.periods
        assert last.name == "2025-05" and found.asked.until < last.end
    assert question(**{"known_on": "2025-05-20", "as_of": "2025-03-10"}).last == date(2025, 3, 10)
    assert question(**{"known_on": "2025-05-20", "to": "2025-03-10"}).last == date(2025, 3, 31)
    refused = refusal(**{"known_on": "2025-05-20", "from": "2025-05-21"})
    assert (refused.code, refused.field, refused.params) == (
        "after-known-on",
        "from",
        {"known_on": "2025-05-20"},
    )
    assert refusal(**{"known_on": "2025-05-20", "as_of": "2025-04", "from": "2025-05"}).code == "after-as-of"


def test_before_the_first_recording_nothing_was_known_however_long_ago_it_happened() -> None:
    """As of a handbook that was brought in with its years."""
    book = ledger(recorded=date(2025, 4, 2))
    for early in ("2025-04-01", "2025-03", "2025-01-10", "0001-01-01"):
        with pytest.raises(Refused) as refused:
            of(book, known_on=early)
        found = refused.value
        assert (found.code, found.field) == ("before-the-beginning", "known_on"), early
        assert found.params == {"first": "2025-04-02"}
    known = of(book, known_on="2025-04-02")
    assert (known.first, known.last) == (date(2025, 1, 1), date(2025, 4, 2))


def test_a_first_day_after_the_last_is_refused_even_within_one_period() -> None:
    refused = refusal(**{"from": "2025-06-20", "to": "2025-06-10"})
    assert (refused.code, refused.field) == ("from-after-to", "from")


def test_the_ends_of_the_calendar_mean_all_that_there_is() -> None:
    found = question(**{"from": "0001-01-01", "to": "9999-12-31"})
    assert (found.first, found.last) == (date(2025, 1, 1), today())
    assert question(**{"from": "0001-01", "to": "9999-12"}).first == date(2025, 1, 1)
    for asked, code in (
        ({"as_of": "0001-01-01"}, "before-the-beginning"),
        ({"known_on": "0001-01"}, "before-the-beginning"),
        ({"to": "0001-01-01"}, "before-the-beginning"),
        ({"as_of": "9999-12-31"}, "in-the-future"),
        ({"from": "9999-12"}, "in-the-future"),
        ({"from": "0000-01-01"}, "no-such-day"),
    ):
        assert refusal(**asked).code == code, asked
    assert of(ledger(None), **{"from": "0001-01-01", "to": "9999-12-31"}).first is None


def test_a_period_at_the_beginning_of_the_calendar_is_one_like_others() -> None:
    for name in ("0001-01", "0001-W01", "0001-01-01"):
        assert asking.period_of(name).before.first.year == 1, name


def test_the_days_of_a_members_own_figures_are_those_of_whole_periods_too() -> None:
    assert mine("2025-03-10", "2025-05-10") == (date(2025, 3, 1), date(2025, 5, 31))
    assert mine("2025-03-12", None, Every.WEEK) == (date(2025, 3, 10), today())
    with pytest.raises(Refused) as refused:
        mine("2025-06", "2025-05")
    assert refused.value.code == "from-after-to"


def test_the_ends_of_the_calendar_mean_all_that_there_is_of_a_member() -> None:
    """As of everybody: their own beginning is theirs."""
    assert mine("0001-01-01", "9999-12-31") == (date(2025, 1, 1), today())
    assert mine("2025-01-05", "2025-01-05") == (date(2025, 1, 1), date(2025, 1, 31))
    for before in ("0001-01-01", "2016-01", "2024-12-31"):
        with pytest.raises(Refused) as refused:
            mine(None, before)
        found = refused.value
        assert (found.code, found.field) == ("before-the-beginning", "to"), before
        assert found.params == {"first": BEGAN.isoformat()}
    assert mine("0001-01-01", "9999-12-31", begins=None) == (None, today()), "nothing is known of them yet"


def mine(
    first: str | None, last: str | None, every: Every = Every.MONTH, begins: date | None = BEGAN
) -> tuple[date | None, date]:
    return asking.span(first, last, every, begins)
