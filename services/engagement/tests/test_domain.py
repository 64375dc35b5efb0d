"""The rules of consent, and which signals are kept."""

from datetime import UTC, date, datetime, timedelta, timezone

from contracts.engagement import ConsentChanged
from services.engagement.domain.consents import ChangeConsent, Consent, consents
from services.engagement.domain.signals import (
    LATEST,
    MOST_A_DAY,
    GiveSignals,
    ItemKind,
    Signal,
    SignalKind,
    SignalsGiven,
    by_day,
    signals,
    signals_stream,
)
from shared.kernel.testing import NOON, Specification

consent = Specification(consents)
day = Specification(signals)

TODAY = NOON.date()


def said(counted: bool) -> ConsentChanged:
    return ConsentChanged(member_id="ann", counted=counted)


def opened(item_id: str, signal: SignalKind = SignalKind.VIEW, at: datetime = NOON) -> Signal:
    return Signal(kind=ItemKind.POST, item_id=item_id, signal=signal, at=at)


def given(*items: Signal, on: date = TODAY) -> SignalsGiven:
    return SignalsGiven(member_id="ann", day=on, items=items)


def give(*items: Signal) -> GiveSignals:
    return GiveSignals("ann", TODAY, items)


def test_nobody_is_counted_who_has_not_said_so() -> None:
    assert consents.initial == Consent(counted=False, decided=False)


def test_a_first_no_is_a_decision_too() -> None:
    consent.given().when(ChangeConsent("ann", False)).then(said(False))


def test_a_member_says_yes_and_no_again() -> None:
    consent.given().when(ChangeConsent("ann", True)).then(said(True))
    consent.given(said(True)).when(ChangeConsent("ann", False)).then(said(False))
    assert consents.fold([said(True), said(False)]) == Consent(counted=False, decided=True)


def test_saying_the_same_again_changes_nothing() -> None:
    consent.given(said(True)).when(ChangeConsent("ann", True)).then()


def test_a_thing_is_opened_once_a_day_and_read_once_a_day() -> None:
    again = opened("p1", at=NOON + timedelta(hours=1))
    read = opened("p1", SignalKind.READ)
    day.given().when(give(opened("p1"), again, read)).then(given(opened("p1"), read))
    day.given(given(opened("p1"))).when(give(again, read)).then(given(read))
    day.given(given(opened("p1"), read)).when(give(again, read)).then()


def test_the_same_id_of_another_kind_is_another_thing() -> None:
    page = Signal(kind=ItemKind.PAGE, item_id="p1", signal=SignalKind.VIEW, at=NOON)
    day.given(given(opened("p1"))).when(give(page)).then(given(page))


def test_a_day_that_is_full_takes_no_more() -> None:
    many = [opened(f"p{n}") for n in range(MOST_A_DAY + 5)]
    day.given().when(give(*many)).then(given(*many[:MOST_A_DAY]))
    almost = given(*many[: MOST_A_DAY - 1])
    day.given(almost).when(give(*many)).then(given(many[MOST_A_DAY - 1]))
    day.given(given(*many[:MOST_A_DAY])).when(give(*many)).then()


def test_signals_are_put_to_their_days_in_their_order() -> None:
    yesterday = NOON - timedelta(days=1)
    late, early = opened("late", at=NOON), opened("early", at=NOON - timedelta(hours=2))
    found = by_day([late, opened("y", at=yesterday), early], NOON)
    assert found == {yesterday.date(): (opened("y", at=yesterday),), TODAY: (early, late)}
    assert list(found) == [yesterday.date(), TODAY]


def test_the_day_is_that_of_utc() -> None:
    local = datetime(2026, 3, 2, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    (found,) = by_day([opened("p1", at=local)], NOON)
    assert found == date(2026, 3, 1)


def test_a_clock_that_runs_ahead_is_set_back_and_what_comes_too_late_is_left_out() -> None:
    ahead = opened("ahead", at=NOON + timedelta(days=400))
    just = opened("just", at=NOON - LATEST)
    late = opened("late", at=NOON - LATEST - timedelta(seconds=1))
    found = by_day([ahead, just, late], NOON)
    assert [item.item_id for items in found.values() for item in items] == ["just", "ahead"]
    assert found[TODAY][0].at == NOON


def test_clocks_at_the_ends_of_time_do_no_harm() -> None:
    first = datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))
    last = datetime.max.replace(tzinfo=timezone(timedelta(hours=-14)))
    (found,) = by_day([opened("first", at=first), opened("last", at=last)], NOON).values()
    assert found == (opened("last", at=NOON),)


def test_seconds_are_enough() -> None:
    (found,) = by_day([opened("p1", at=NOON.replace(microsecond=7))], NOON + timedelta(hours=1)).values()
    assert found[0].at == NOON.astimezone(UTC)


def test_each_member_and_day_has_a_stream() -> None:
    assert signals_stream("ann", TODAY) == "signals-ann-20260302"
