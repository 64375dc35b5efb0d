"""The rules for groups, their owners and memberships, and who may do what."""

from dataclasses import replace

import pytest

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
from services.groups.domain.groups import DescribeGroup, StartGroup, groups
from services.groups.domain.memberships import (
    AcceptInvitation,
    BeginAsOwner,
    ChangeStanding,
    EndInvitation,
    InviteMember,
    JoinGroup,
    LeaveGroup,
    Membership,
    membership_stream,
    memberships,
)
from services.groups.domain.owners import (
    NameOwner,
    OwnerNamed,
    OwnerReleased,
    ReleaseOwner,
    SucceedOwner,
    owners,
)
from services.groups.domain.permissions import RULES, Asker, Place, demand, may, sees
from shared.kernel.errors import Conflict, Forbidden, NotFound, Refused
from shared.kernel.testing import Specification

group = Specification(groups)
owning = Specification(owners)
membership = Specification(memberships)

START = StartGroup("g1", " Friday  fun ", "Cakes\r\nand jokes", Openness.OPEN, "en", "ann")
started = GroupStarted(
    group_id="g1",
    name="Friday fun",
    purpose="Cakes\nand jokes",
    openness=Openness.OPEN,
    audience=("group:g1", "staff"),
    language="en",
    started_by="ann",
)
joined = MemberJoinedGroup(group_id="g1", member_id="bob", standing=Standing.MEMBER)
owner_joined = MemberJoinedGroup(group_id="g1", member_id="bob", standing=Standing.OWNER)
invited = MemberInvitedToGroup(group_id="g1", member_id="bob", invited_by="ann")
left = MemberLeftGroup(group_id="g1", member_id="bob")
named = OwnerNamed(group_id="g1", member_id="ann")


def test_an_open_group_is_read_by_all_staff() -> None:
    group.given().when(START).then(started)


def test_a_closed_group_is_read_by_its_members_alone() -> None:
    closed = started.model_copy(update={"openness": Openness.CLOSED, "audience": ("group:g1",)})
    group.given().when(replace(START, openness=Openness.CLOSED)).then(closed)


def test_a_group_is_started_once() -> None:
    group.given(started).when(START).refused(Conflict, "group-exists")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": " "}, "name-missing"),
        ({"name": "Fri\u200bday"}, "text-invisible-character"),
        ({"name": "nuf \u202eyadirF"}, "text-invisible-character"),
        ({"name": "x" * 101}, "text-too-long"),
        ({"purpose": "x" * 1_001}, "text-too-long"),
        ({"purpose": "a \u202e b"}, "text-turned-around"),
        ({"language": "Swedish"}, "language-unknown"),
        ({"language": "zz"}, "language-unknown"),
    ],
)
def test_a_group_that_breaks_a_rule_is_neither_started_nor_described(
    change: dict[str, str], code: str
) -> None:
    group.given().when(replace(START, **change)).refused(Refused, code)  # type: ignore[arg-type]
    described = DescribeGroup("g1", **({"name": "A", "purpose": "", "language": "en"} | change))
    group.given(started).when(described).refused(Refused, code)


def test_a_group_gets_another_name_and_purpose() -> None:
    described = GroupDescribed(group_id="g1", name="Fika", purpose="", language="sv")
    group.given(started).when(DescribeGroup("g1", "Fika", "", "sv")).then(described)


def test_a_description_that_changes_nothing_is_no_event() -> None:
    group.given(started).when(DescribeGroup("g1", "Friday fun", "Cakes\nand jokes", "en")).then()


def test_a_group_in_a_language_that_nobody_assigned_can_be_described() -> None:
    before = started.model_copy(update={"language": "zz"})
    described = GroupDescribed(group_id="g1", name="Fika", purpose="", language="zz")
    group.given(before).when(DescribeGroup("g1", "Fika", "", "zz")).then(described)


def test_what_is_no_group_cannot_be_described() -> None:
    group.given().when(DescribeGroup("g1", "Fika", "", "sv")).refused(NotFound, "no-such-group")


def test_the_last_owner_is_not_released() -> None:
    owning.given(named).when(ReleaseOwner("g1", "ann")).refused(Conflict, "last-owner")
    owning.given(named).when(ReleaseOwner("g1", "ann", leaves=True)).refused(Conflict, "last-owner-leaves")


def test_one_of_two_owners_is_released_and_then_the_other_is_the_last() -> None:
    second = OwnerNamed(group_id="g1", member_id="bob")
    released = OwnerReleased(group_id="g1", member_id="ann")
    owning.given(named, second).when(ReleaseOwner("g1", "ann")).then(released)
    owning.given(named, second, released).when(ReleaseOwner("g1", "bob")).refused(Conflict, "last-owner")


def test_an_heir_follows_an_owner_who_left_and_nobody_leaves_a_group_without() -> None:
    heir = OwnerNamed(group_id="g1", member_id="bob")
    released = OwnerReleased(group_id="g1", member_id="ann")
    owning.given(named).when(SucceedOwner("g1", "ann", "bob")).then(heir, released)
    owning.given(named, heir).when(SucceedOwner("g1", "ann", "bob")).then(released)
    owning.given(named, heir).when(SucceedOwner("g1", "ann")).then(released)
    owning.given(named).when(SucceedOwner("g1", "ann")).refused(Conflict, "last-owner")
    owning.given(named).when(SucceedOwner("g1", "bob", "cat")).then()


def test_naming_an_owner_twice_or_releasing_who_is_none_changes_nothing() -> None:
    owning.given(named).when(NameOwner("g1", "ann")).then()
    owning.given(named).when(ReleaseOwner("g1", "bob")).then()


def test_who_starts_a_group_is_in_it_as_its_owner() -> None:
    membership.given().when(BeginAsOwner("g1", "bob")).then(owner_joined)


def test_a_member_who_is_found_to_answer_for_a_group_owns_it() -> None:
    up = StandingChanged(group_id="g1", member_id="bob", old=Standing.MEMBER, new=Standing.OWNER)
    membership.given(joined).when(BeginAsOwner("g1", "bob")).then(up)


def test_staff_join_an_open_group() -> None:
    membership.given().when(JoinGroup("g1", "bob", Openness.OPEN, guest=False)).then(joined)


def test_a_guest_joins_by_invitation_only() -> None:
    joins = JoinGroup("g1", "bob", Openness.OPEN, guest=True)
    membership.given().when(joins).refused(Forbidden, "guest-not-invited")
    membership.given(invited).when(joins).then(joined.model_copy(update={"invited_by": "ann"}))


def test_a_closed_group_is_joined_by_invitation_only() -> None:
    joins = JoinGroup("g1", "bob", Openness.CLOSED, guest=False)
    membership.given().when(joins).refused(Forbidden, "group-closed")
    membership.given(joined, left).when(joins).refused(Forbidden, "group-closed")
    membership.given(invited).when(joins).then(joined.model_copy(update={"invited_by": "ann"}))


def test_joining_again_changes_nothing() -> None:
    membership.given(joined).when(JoinGroup("g1", "bob", Openness.OPEN, guest=False)).then()
    membership.given(joined).when(AcceptInvitation("g1", "bob")).then()
    membership.given(owner_joined).when(BeginAsOwner("g1", "bob")).then()


def test_an_invitation_is_sent_once_and_accepted_once() -> None:
    membership.given().when(InviteMember("g1", "bob", True, "ann")).then(invited)
    membership.given(invited).when(InviteMember("g1", "bob", True, "carl")).then()
    membership.given(invited).when(AcceptInvitation("g1", "bob")).then(
        joined.model_copy(update={"invited_by": "ann"})
    )


def test_who_is_in_already_is_not_invited() -> None:
    invites = InviteMember("g1", "bob", True, "ann")
    membership.given(joined).when(invites).refused(Conflict, "in-group-already")
    membership.given(joined, left).when(invites).then(invited)


def test_nobody_is_invited_who_is_unknown_or_gone() -> None:
    membership.given().when(InviteMember("g1", "bob", False, "ann")).refused(Refused, "nobody-to-invite")


@pytest.mark.parametrize("ended_by", ["bob", "ann"])
def test_an_invitation_is_declined_or_taken_back_and_holds_no_more(ended_by: str) -> None:
    ended = InvitationEnded(group_id="g1", member_id="bob", ended_by=ended_by)
    membership.given(invited).when(EndInvitation("g1", "bob", ended_by)).then(ended)
    accepts = AcceptInvitation("g1", "bob")
    membership.given(invited, ended).when(accepts).refused(NotFound, "no-such-invitation")


@pytest.mark.parametrize("command", [AcceptInvitation("g1", "bob"), EndInvitation("g1", "bob", "bob")])
def test_an_invitation_that_there_is_not_is_neither_accepted_nor_ended(
    command: AcceptInvitation | EndInvitation,
) -> None:
    membership.given().when(command).refused(NotFound, "no-such-invitation")


def test_a_member_leaves_or_is_removed() -> None:
    membership.given(joined).when(LeaveGroup("g1", "bob")).then(left)
    removed = left.model_copy(update={"removed_by": "ann"})
    membership.given(joined).when(LeaveGroup("g1", "bob", "ann")).then(removed)
    membership.given(joined, left).when(LeaveGroup("g1", "bob")).refused(NotFound, "not-in-group")


def test_a_member_becomes_an_owner_and_a_member_again() -> None:
    up = StandingChanged(group_id="g1", member_id="bob", old=Standing.MEMBER, new=Standing.OWNER)
    down = StandingChanged(group_id="g1", member_id="bob", old=Standing.OWNER, new=Standing.MEMBER)
    membership.given(joined).when(ChangeStanding("g1", "bob", Standing.OWNER, guest=False)).then(up)
    membership.given(joined, up).when(ChangeStanding("g1", "bob", Standing.MEMBER, guest=False)).then(down)
    membership.given(joined, up).when(ChangeStanding("g1", "bob", Standing.OWNER, guest=False)).then()


def test_a_guest_owns_nothing_and_who_is_not_in_has_no_standing() -> None:
    owner = ChangeStanding("g1", "bob", Standing.OWNER, guest=True)
    membership.given(joined).when(owner).refused(Refused, "guest-owns-nothing")
    membership.given(invited).when(owner).refused(NotFound, "not-in-group")


def test_who_is_gone_is_made_no_owner_but_may_cease_to_be_one() -> None:
    up = StandingChanged(group_id="g1", member_id="bob", old=Standing.MEMBER, new=Standing.OWNER)
    down = StandingChanged(group_id="g1", member_id="bob", old=Standing.OWNER, new=Standing.MEMBER)
    owner = ChangeStanding("g1", "bob", Standing.OWNER, guest=False, gone=True)
    membership.given(joined).when(owner).refused(Refused, "owner-is-gone")
    member = ChangeStanding("g1", "bob", Standing.MEMBER, guest=False, gone=True)
    membership.given(joined, up).when(member).then(down)


def test_no_two_memberships_share_a_stream() -> None:
    assert membership_stream("g1", "a-b") != membership_stream("g1a", "b")


STAFF = Asker("ann", frozenset(), staff=True)
GUEST = Asker("gil", frozenset(), staff=False)
ADMIN = Asker("ada", frozenset({"admin"}), staff=True)
OUT, ASKED = Membership(), Membership(invited_by="eve")
IN, OWNER = Membership(Standing.MEMBER), Membership(Standing.OWNER)
OPEN, CLOSED = Openness.OPEN, Openness.CLOSED

#: Permission, then who has it where, then who has not.
CASES: dict[str, tuple[list[tuple[Asker, Place | None]], list[tuple[Asker, Place | None]]]] = {
    "groups:start": ([(STAFF, None), (ADMIN, None)], [(GUEST, None)]),
    "groups:join": (
        [(STAFF, Place(OPEN, OUT)), (STAFF, Place(CLOSED, ASKED)), (GUEST, Place(OPEN, ASKED))],
        [(STAFF, Place(CLOSED, OUT)), (GUEST, Place(OPEN, OUT)), (STAFF, Place(OPEN, IN)), (STAFF, None)],
    ),
    "groups:leave": (
        [(STAFF, Place(OPEN, IN)), (GUEST, Place(CLOSED, IN)), (STAFF, Place(OPEN, OWNER))],
        [(STAFF, Place(OPEN, OUT)), (STAFF, Place(CLOSED, ASKED)), (STAFF, None)],
    ),
    **{
        permission: (
            [(STAFF, Place(CLOSED, OWNER)), (ADMIN, Place(OPEN, OUT)), (ADMIN, Place(CLOSED, IN))],
            [
                (STAFF, Place(OPEN, IN)),
                (STAFF, Place(OPEN, OUT)),
                (ADMIN, Place(CLOSED, OUT)),
                (ADMIN, Place(CLOSED, ASKED)),
                (GUEST, Place(OPEN, IN)),
                (GUEST, Place(OPEN, OWNER)),
                (STAFF, None),
            ],
        )
        for permission in ("groups:describe", "groups:invite", "groups:remove", "groups:standing")
    },
    "groups:appoint": (
        [(ADMIN, None), (ADMIN, Place(CLOSED, OUT))],
        [(STAFF, Place(OPEN, OWNER)), (GUEST, None)],
    ),
    "groups:import": (
        [(Asker("opal", frozenset({"operator"}), staff=True), None), (ADMIN, None)],
        [(STAFF, None), (STAFF, Place(OPEN, OWNER)), (GUEST, None)],
    ),
}


def test_every_permission_has_its_cases() -> None:
    assert CASES.keys() == RULES.keys()


@pytest.mark.parametrize("permission", RULES)
def test_who_has_a_permission_and_who_has_not(permission: str) -> None:
    granted, refused = CASES[permission]
    for asker, place in granted:
        assert may(permission, asker, place), (asker, place)
        demand(permission, asker, place)
    for asker, place in refused:
        assert not may(permission, asker, place), (asker, place)
        with pytest.raises(Forbidden) as refusal:
            demand(permission, asker, place)
        assert refusal.value.code == permission.replace("groups:", "may-not-")


def test_who_sees_a_group() -> None:
    assert sees(STAFF, Place(OPEN, OUT)) and sees(GUEST, Place(CLOSED, IN))
    assert not sees(GUEST, Place(OPEN, ASKED)) and not sees(STAFF, Place(CLOSED, ASKED))
    assert not sees(ADMIN, Place(CLOSED, OUT))
