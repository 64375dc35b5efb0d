"""One member in one group: invited, in, owner, gone. Each has a stream, so that no group is a hot one."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.groups import (
    InvitationEnded,
    MemberInvitedToGroup,
    MemberJoinedGroup,
    MemberLeftGroup,
    Openness,
    Standing,
    StandingChanged,
)
from shared.kernel.decider import Decider
from shared.kernel.errors import Conflict, Forbidden, NotFound, Refused
from shared.kernel.events import Event


@dataclass(frozen=True, slots=True)
class BeginAsOwner:
    """Of who starts the group, or is found to answer for it, in it already or not."""

    group_id: str
    member_id: str


@dataclass(frozen=True, slots=True)
class JoinGroup:
    group_id: str
    member_id: str
    openness: Openness
    guest: bool


@dataclass(frozen=True, slots=True)
class InviteMember:
    """`there` is False for somebody whom nobody knows, or who is gone."""

    group_id: str
    member_id: str
    there: bool
    invited_by: str


@dataclass(frozen=True, slots=True)
class AcceptInvitation:
    group_id: str
    member_id: str


@dataclass(frozen=True, slots=True)
class EndInvitation:
    """Declined by the member, or taken back by an owner."""

    group_id: str
    member_id: str
    ended_by: str


@dataclass(frozen=True, slots=True)
class LeaveGroup:
    group_id: str
    member_id: str
    removed_by: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeStanding:
    group_id: str
    member_id: str
    new: Standing
    guest: bool
    #: Somebody who cannot sign in any more.
    gone: bool = False


MembershipCommand = (
    BeginAsOwner | JoinGroup | InviteMember | AcceptInvitation | EndInvitation | LeaveGroup | ChangeStanding
)


@dataclass(frozen=True, slots=True)
class Membership:
    standing: Standing | None = None
    invited_by: str | None = None

    @property
    def invited(self) -> bool:
        """Asked in, and neither in nor out yet."""
        return self.invited_by is not None


def membership_stream(group_id: str, member_id: str) -> str:
    """A group's id has no hyphen, so that no two memberships share a stream."""
    return f"membership-{group_id}-{member_id}"


def decide(command: MembershipCommand, now: Membership) -> Sequence[Event]:
    """What follows from the command. Asking for what is so already changes nothing."""
    match command:
        case BeginAsOwner() | JoinGroup() | AcceptInvitation():
            return _join(command, now)
        case InviteMember():
            return _invite(command, now)
        case EndInvitation(group_id=group_id, member_id=member_id, ended_by=ended_by):
            if not now.invited:
                raise no_such_invitation()
            return [InvitationEnded(group_id=group_id, member_id=member_id, ended_by=ended_by)]
        case LeaveGroup(group_id=group_id, member_id=member_id, removed_by=removed_by):
            if now.standing is None:
                raise not_in_group()
            return [MemberLeftGroup(group_id=group_id, member_id=member_id, removed_by=removed_by)]
        case ChangeStanding():
            return _change_standing(command, now)


def _join(command: BeginAsOwner | JoinGroup | AcceptInvitation, now: Membership) -> Sequence[Event]:
    if isinstance(command, BeginAsOwner) and now.standing is Standing.MEMBER:
        owns = ChangeStanding(command.group_id, command.member_id, Standing.OWNER, guest=False)
        return _change_standing(owns, now)
    if now.standing is not None:
        return []
    if isinstance(command, AcceptInvitation) and not now.invited:
        raise no_such_invitation()
    if isinstance(command, JoinGroup) and not now.invited:
        if command.guest:
            raise Forbidden("guest-not-invited", "Guests join by invitation. Ask an owner of the group.")
        if command.openness is Openness.CLOSED:
            raise Forbidden("group-closed", "This group is closed. Ask one of its owners to invite you.")
    standing = Standing.OWNER if isinstance(command, BeginAsOwner) else Standing.MEMBER
    return [
        MemberJoinedGroup(
            group_id=command.group_id,
            member_id=command.member_id,
            standing=standing,
            invited_by=now.invited_by,
        )
    ]


def _invite(command: InviteMember, now: Membership) -> Sequence[Event]:
    if not command.there:
        raise Refused(
            "nobody-to-invite",
            "There is no such member, or they are gone. Choose somebody from the directory.",
            field="member_id",
        )
    if now.standing is not None:
        raise Conflict("in-group-already", "They are in this group already.", field="member_id")
    if now.invited:
        return []
    return [
        MemberInvitedToGroup(
            group_id=command.group_id, member_id=command.member_id, invited_by=command.invited_by
        )
    ]


def _change_standing(command: ChangeStanding, now: Membership) -> Sequence[Event]:
    if now.standing is None:
        raise not_in_group()
    if now.standing is command.new:
        return []
    if command.new is Standing.OWNER and command.guest:
        raise Refused(
            "guest-owns-nothing", "A guest cannot own a group. Choose a colleague.", field="standing"
        )
    if command.new is Standing.OWNER and command.gone:
        raise Refused(
            "owner-is-gone", "They have left. Make somebody an owner who is still here.", field="standing"
        )
    return [
        StandingChanged(
            group_id=command.group_id, member_id=command.member_id, old=now.standing, new=command.new
        )
    ]


def not_in_group() -> NotFound:
    return NotFound("not-in-group", "There is no such member in this group.")


def no_such_invitation() -> NotFound:
    return NotFound("no-such-invitation", "There is no such invitation. It may have been taken back.")


def evolve(now: Membership, event: Event) -> Membership:
    match event:
        case MemberInvitedToGroup(invited_by=invited_by):
            return Membership(invited_by=invited_by)
        case InvitationEnded() | MemberLeftGroup():
            return Membership()
        case MemberJoinedGroup(standing=standing):
            return Membership(standing)
        case StandingChanged(new=new):
            return Membership(new)
    return now


memberships: Decider[MembershipCommand, Membership] = Decider(
    lambda c: membership_stream(c.group_id, c.member_id), Membership(), decide, evolve
)
