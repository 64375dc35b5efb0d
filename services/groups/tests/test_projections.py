"""What groups show, folded from events, and the laws of folding."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from contracts.groups import (
    GroupDescribed,
    GroupStarted,
    InvitationEnded,
    MemberInvitedToGroup,
    MemberJoinedGroup,
    MemberLeftGroup,
    Openness,
    Standing,
    StandingChanged,
)
from contracts.identity import Kind, MemberDeactivated, MemberErased, MemberReactivated, MemberRegistered
from services.groups import projections
from services.groups.projections import InvitationView, MembershipView, PersonView
from shared.kernel.audience import Classification
from shared.kernel.events import Event, Recorded
from shared.kernel.personal import Personal
from shared.kernel.projection import Projection
from shared.kernel.testing import NOON, recorded

ALL: tuple[Projection[Any], ...] = (
    projections.groups,
    projections.memberships,
    projections.invitations,
    projections.people,
)


def fold(projection: Projection[Any], events: Sequence[Recorded]) -> dict[str, BaseModel]:
    views: dict[str, BaseModel] = {}
    for each in events:
        event = each.event()
        if type(event) not in projection.events:
            continue
        for key in projection.keys(event):
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


started = GroupStarted(
    group_id="g1",
    name="Friday FUN",
    purpose="Cakes",
    openness=Openness.OPEN,
    audience=("group:g1", "staff"),
    language="en",
    started_by="ann",
)
described = GroupDescribed(group_id="g1", name="Fika", purpose="", language="sv")


def joined(member_id: str, standing: Standing = Standing.MEMBER, by: str | None = None) -> MemberJoinedGroup:
    return MemberJoinedGroup(group_id="g1", member_id=member_id, standing=standing, invited_by=by)


def left(member_id: str) -> MemberLeftGroup:
    return MemberLeftGroup(group_id="g1", member_id=member_id)


def invited(member_id: str) -> MemberInvitedToGroup:
    return MemberInvitedToGroup(group_id="g1", member_id=member_id, invited_by="ann")


GROUP = history("group-g1", started, described)
ANN = history("membership-g1-ann", joined("ann", Standing.OWNER))
BOB = history("membership-g1-bob", invited("bob"), joined("bob", by="ann"), left("bob"), joined("bob"))
CAT = history("membership-g1-cat", joined("cat"), left("cat"))


def test_a_group_shows_its_latest_name_and_how_many_are_in_it() -> None:
    (view,) = fold(projections.groups, [*GROUP, *ANN, *BOB, *CAT]).values()
    assert view.model_dump() == {
        "group_id": "g1",
        "name": "Fika",
        "sorted_by": "fika",
        "purpose": "",
        "openness": Openness.OPEN,
        "audience": ["group:g1", "staff"],
        "classification": "open",
        "language": "sv",
        "started_by": "ann",
        "started_at": datetime(2026, 3, 2, 12, 0, tzinfo=UTC),
        "version": 2,
        "members": 2,
    }


def test_a_group_that_is_counted_in_before_it_is_known_is_seen_by_nobody() -> None:
    (view,) = fold(projections.groups, ANN).values()
    assert view.model_dump(include={"audience", "members"}) == {"audience": [], "members": 1}


@given(st.data())
def test_whatever_comes_first_the_group_is_the_same(data: st.DataObject) -> None:
    streams = [list(stream) for stream in (GROUP, ANN, BOB, CAT)]
    order: list[Recorded] = []
    while any(streams):
        chosen = data.draw(st.sampled_from([stream for stream in streams if stream]))
        order.append(chosen.pop(0))
    for projection in ALL:
        assert fold(projection, order) == fold(projection, [*GROUP, *ANN, *BOB, *CAT])


def test_a_membership_says_since_when_and_by_whose_invitation() -> None:
    promoted = StandingChanged(group_id="g1", member_id="bob", old=Standing.MEMBER, new=Standing.OWNER)
    events = history("membership-g1-bob", invited("bob"), joined("bob", by="ann"), promoted)
    assert fold(projections.memberships, events) == {
        "g1:bob": MembershipView(
            group_id="g1",
            member_id="bob",
            standing=Standing.OWNER,
            rank=0,
            invited_by="ann",
            joined_at=NOON + timedelta(hours=1),
            version=3,
        )
    }


def test_who_left_is_no_member() -> None:
    assert fold(projections.memberships, CAT) == {}


def test_an_invitation_stands_until_it_is_answered_or_taken_back() -> None:
    standing = history("membership-g1-bob", invited("bob"))
    assert fold(projections.invitations, standing) == {
        "g1:bob": InvitationView(group_id="g1", member_id="bob", invited_by="ann", invited_at=NOON, version=1)
    }
    ended = InvitationEnded(group_id="g1", member_id="bob", ended_by="bob")
    for answer in (ended, joined("bob")):
        assert fold(projections.invitations, history("membership-g1-bob", invited("bob"), answer)) == {}


def registered(**how: Any) -> MemberRegistered:
    said: dict[str, Any] = {
        "member_id": "bob",
        "kind": Kind.STAFF,
        "name": Personal(plain="Bob"),
        "language": "en",
        "time_zone": "UTC",
        "clearance": Classification.OPEN,
        "signs_in": True,
    }
    return MemberRegistered(**(said | how))


def there(*events: Event) -> bool:
    view = fold(projections.people, history("member-bob", *events))["bob"]
    assert isinstance(view, PersonView)
    return view.there


def test_who_may_be_asked_in() -> None:
    gone, back = MemberDeactivated(member_id="bob"), MemberReactivated(member_id="bob")
    erased = MemberErased(member_id="bob")
    assert there(registered()) and there(registered(kind=Kind.GUEST)) and there(registered(), gone, back)
    assert not there(registered(signs_in=False))
    assert not there(registered(), gone)
    assert not there(registered(), erased)
