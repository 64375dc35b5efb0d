"""What is known of adoption, folded from events, and the laws of folding."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from contracts.engagement import ConsentChanged
from contracts.identity import MemberErased
from services.engagement import projections
from services.engagement.domain.signals import ItemKind, Signal, SignalKind, SignalsGiven, signals_stream
from services.engagement.projections import ActivityView, ConsentView, OpenedView, UnitView
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Projection
from shared.kernel.testing import NOON, recorded

ALL: tuple[Projection[Any], ...] = (projections.consents, projections.opened)


def fold(projection: Projection[Any], events: Sequence[Recorded]) -> dict[str, BaseModel]:
    views: dict[str, BaseModel] = {}
    for each in events:
        event = each.event()
        if type(event) not in projection.events:
            continue
        for key in projection.touched(event, each):
            view = projection.evolve(views.get(key), event, each, key)
            if view is None:
                views.pop(key, None)
            else:
                views[key] = view
    return views


def history(stream: str, *events: Event) -> list[Recorded]:
    return [
        recorded(event, stream=stream, position=at + 1, at=NOON + timedelta(hours=at))
        for at, event in enumerate(events)
    ]


def opened(days: int, *signals: SignalKind, item: str = "p1") -> list[Recorded]:
    """What ann did with a post on the day that is `days` after the first."""
    at = NOON + timedelta(days=days)
    items = tuple(Signal(kind=ItemKind.POST, item_id=item, signal=signal, at=at) for signal in signals)
    event = SignalsGiven(member_id="ann", day=at.date(), items=items)
    return history(signals_stream("ann", at.date()), event)


CONSENT = history(
    "consent-ann",
    ConsentChanged(member_id="ann", counted=True),
    ConsentChanged(member_id="ann", counted=False),
    ConsentChanged(member_id="ann", counted=True),
)
ERASED = history("member-ann", MemberErased(member_id="ann"))
MONDAY = opened(0, SignalKind.VIEW)
TUESDAY = opened(1, SignalKind.VIEW, SignalKind.READ)
OTHER = opened(2, SignalKind.VIEW, item="p2")


def test_a_consent_is_the_latest_decision() -> None:
    assert fold(projections.consents, CONSENT[:2]) == {
        "ann": ConsentView(member_id="ann", counted=False, decided_at=NOON + timedelta(hours=1), version=2)
    }


def test_who_is_erased_is_counted_no_more() -> None:
    for order in ([*CONSENT, *ERASED], [*ERASED, *CONSENT]):
        (view,) = fold(projections.consents, order).values()
        assert view.model_dump(include={"counted", "erased"}) == {"counted": False, "erased": True}


def test_what_a_member_opened_says_when_and_on_how_many_days() -> None:
    views = fold(projections.opened, [*MONDAY, *TUESDAY, *OTHER])
    assert views.keys() == {"ann:post:p1", "ann:post:p2"}
    assert views["ann:post:p1"] == OpenedView(
        member_id="ann",
        kind=ItemKind.POST,
        item_id="p1",
        first_at=NOON,
        last_at=NOON + timedelta(days=1),
        days_opened=2,
        days_read=1,
    )


@given(st.data())
def test_whatever_comes_first_the_views_are_the_same(data: st.DataObject) -> None:
    streams = [list(stream) for stream in (CONSENT, ERASED, MONDAY, TUESDAY, OTHER)]
    whole = [each for stream in streams for each in stream]
    order: list[Recorded] = []
    while any(streams):
        order.append(data.draw(st.sampled_from([stream for stream in streams if stream])).pop(0))
    for projection in ALL:
        assert fold(projection, order) == fold(projection, whole)


@given(st.lists(st.integers(0, 5), max_size=30), st.lists(st.integers(0, 3), max_size=30))
def test_many_acts_at_once_give_what_they_give_one_after_the_other(days: list[int], cuts: list[int]) -> None:
    """Late, doubled and out of order."""
    told = [(each.event(), each) for day in days for each in opened(day, SignalKind.VIEW, SignalKind.READ)]
    told += [(each.event(), each) for each in CONSENT]
    for key in {key for event, each in told for key in projections.activity.touched(event, each)}:
        mine = [each for each in told if key in projections.activity.touched(*each)]
        one: ActivityView | None = None
        for each in mine:
            one = projections.activity.evolve(one, *each, key)
        many: ActivityView | None = None
        for cut in cuts:
            many = projections.activity.folded(many, mine[:cut], key) if cut and mine else many
            mine = mine[cut:]
        many = projections.activity.folded(many, mine, key) if mine else many
        assert many == one


def test_a_unit_is_called_as_it_was_known_to_be() -> None:
    """Renamed on the third second, which was recorded on the ninth."""
    unit = UnitView(unit_id="lund", names=[(1, 1, 1, "Lund"), (3, 2, 9, "Lund and Malmö")])
    assert [unit.called(until) for until in (1, 2, 3, 4)] == [None, "Lund", "Lund", "Lund and Malmö"]
    assert (unit.called(4, 9), unit.called(4, 10)) == ("Lund", "Lund and Malmö")
