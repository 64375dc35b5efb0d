"""What groups show: the groups, who is in them, who is asked in, and whom one may ask.

A group's document is fed by its own stream and, for the count, by every membership's; so it may be counted in
before it is known, and is seen by nobody until then. Groups carry an audience and are trimmed in the query.
Memberships and invitations do not: they are read after their group, or by the member whom they are about.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

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
from shared.kernel.audience import Classification
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Index, Projection
from shared.kernel.text import comparable

#: Guests are cleared for what is open, and a group may have guests: its audience alone says who sees it.
LEVEL = Classification.OPEN.value


class GroupView(BaseModel):
    """A group as it is now. `version` is its own stream's, for `If-Match`; `sorted_by` is its name folded."""

    group_id: str
    name: str = ""
    sorted_by: str = ""
    purpose: str = ""
    openness: Openness = Openness.CLOSED
    audience: list[str] = Field(default_factory=list)
    classification: str = LEVEL
    language: str = ""
    started_by: str = ""
    started_at: datetime | None = None
    version: int = 0
    members: int = 0


class MembershipView(BaseModel):
    """A member who is in a group. `rank` puts owners first; `version` is the membership's stream's."""

    group_id: str
    member_id: str
    standing: Standing
    rank: int
    invited_by: str | None
    joined_at: datetime
    version: int


class InvitationView(BaseModel):
    """Somebody who is asked in and has not answered."""

    group_id: str
    member_id: str
    invited_by: str
    invited_at: datetime
    version: int


class PersonView(BaseModel):
    """Whether somebody may be asked in, and as what."""

    member_id: str
    kind: Kind | None = None
    signs_in: bool = False
    deactivated: bool = False
    erased: bool = False
    #: Deactivated or erased, as queries ask for it.
    left: bool = False

    @property
    def there(self) -> bool:
        return self.kind is not None and self.signs_in and not self.left

    @property
    def may_own(self) -> bool:
        return self.there and self.kind is Kind.STAFF


def membership_key(group_id: str, member_id: str) -> str:
    return f"{group_id}:{member_id}"


_OF_MEMBERSHIPS: tuple[type[Event], ...] = (MemberJoinedGroup, MemberLeftGroup, StandingChanged)
_OF_INVITATIONS: tuple[type[Event], ...] = (MemberInvitedToGroup, InvitationEnded, MemberJoinedGroup)
_OF_GROUPS: tuple[type[Event], ...] = (GroupStarted, GroupDescribed, MemberJoinedGroup, MemberLeftGroup)
_OF_PEOPLE: tuple[type[Event], ...] = (MemberRegistered, MemberDeactivated, MemberReactivated, MemberErased)


def _group_keys(event: Event) -> Collection[str]:
    match event:
        case (
            GroupStarted(group_id=group_id)
            | GroupDescribed(group_id=group_id)
            | MemberJoinedGroup(group_id=group_id)
            | MemberLeftGroup(group_id=group_id)
        ):
            return (group_id,)
    return ()


def _evolve_group(view: GroupView | None, event: Event, recorded: Recorded, key: str) -> GroupView | None:
    now = view or GroupView(group_id=key)
    change: dict[str, Any] = {}
    match event:
        case GroupStarted() | GroupDescribed():
            change = {
                "name": event.name,
                "sorted_by": comparable(event.name),
                "purpose": event.purpose,
                "language": event.language,
                "version": recorded.version,
            }
        case MemberJoinedGroup():
            change = {"members": now.members + 1}
        case MemberLeftGroup():
            change = {"members": now.members - 1}
    if isinstance(event, GroupStarted):
        change |= {
            "openness": event.openness,
            "audience": list(event.audience),
            "started_by": event.started_by,
            "started_at": recorded.occurred_at,
        }
    return now.model_copy(update=change)


def _membership_keys(event: Event) -> Collection[str]:
    match event:
        case (
            MemberJoinedGroup(group_id=group_id, member_id=member_id)
            | MemberLeftGroup(group_id=group_id, member_id=member_id)
            | StandingChanged(group_id=group_id, member_id=member_id)
        ):
            return (membership_key(group_id, member_id),)
    return ()


def _evolve_membership(
    view: MembershipView | None, event: Event, recorded: Recorded, key: str
) -> MembershipView | None:
    match event:
        case MemberJoinedGroup():
            return MembershipView(
                group_id=event.group_id,
                member_id=event.member_id,
                standing=event.standing,
                rank=_rank(event.standing),
                invited_by=event.invited_by,
                joined_at=recorded.occurred_at,
                version=recorded.version,
            )
        case StandingChanged(new=new) if view is not None:
            change = {"standing": new, "rank": _rank(new), "version": recorded.version}
            return view.model_copy(update=change)
        case MemberLeftGroup():
            return None
    return view


def _rank(standing: Standing) -> int:
    return 0 if standing is Standing.OWNER else 1


def _invitation_keys(event: Event) -> Collection[str]:
    match event:
        case (
            MemberInvitedToGroup(group_id=group_id, member_id=member_id)
            | InvitationEnded(group_id=group_id, member_id=member_id)
            | MemberJoinedGroup(group_id=group_id, member_id=member_id)
        ):
            return (membership_key(group_id, member_id),)
    return ()


def _evolve_invitation(
    view: InvitationView | None, event: Event, recorded: Recorded, key: str
) -> InvitationView | None:
    if not isinstance(event, MemberInvitedToGroup):
        return None
    return InvitationView(
        group_id=event.group_id,
        member_id=event.member_id,
        invited_by=event.invited_by,
        invited_at=recorded.occurred_at,
        version=recorded.version,
    )


def _person_keys(event: Event) -> Collection[str]:
    match event:
        case (
            MemberRegistered(member_id=member_id)
            | MemberDeactivated(member_id=member_id)
            | MemberReactivated(member_id=member_id)
            | MemberErased(member_id=member_id)
        ):
            return (member_id,)
    return ()


def _evolve_person(view: PersonView | None, event: Event, recorded: Recorded, key: str) -> PersonView | None:
    now = view or PersonView(member_id=key)
    match event:
        case MemberRegistered(kind=kind, signs_in=signs_in):
            now = now.model_copy(update={"kind": kind, "signs_in": signs_in})
        case MemberDeactivated() | MemberReactivated():
            now = now.model_copy(update={"deactivated": isinstance(event, MemberDeactivated)})
        case MemberErased():
            now = now.model_copy(update={"erased": True})
    return now.model_copy(update={"left": now.deactivated or now.erased})


groups: Projection[GroupView] = Projection(
    "groups.groups",
    1,
    GroupView,
    _OF_GROUPS,
    _group_keys,
    _evolve_group,
    (Index((("audience", 1), ("sorted_by", 1), ("_id", 1))),),
)
memberships: Projection[MembershipView] = Projection(
    "groups.memberships",
    1,
    MembershipView,
    _OF_MEMBERSHIPS,
    _membership_keys,
    _evolve_membership,
    (
        Index((("group_id", 1), ("rank", 1), ("joined_at", 1), ("_id", 1))),
        Index((("member_id", 1), ("group_id", 1))),
        # Owners who left the organisation are looked for again and again, among all who ever left it.
        Index((("rank", 1), ("member_id", 1), ("_id", 1))),
    ),
)
invitations: Projection[InvitationView] = Projection(
    "groups.invitations",
    1,
    InvitationView,
    _OF_INVITATIONS,
    _invitation_keys,
    _evolve_invitation,
    (
        Index((("member_id", 1), ("invited_at", -1), ("_id", -1))),
        Index((("group_id", 1), ("invited_at", -1), ("_id", -1))),
    ),
)
people: Projection[PersonView] = Projection(
    "groups.people",
    2,
    PersonView,
    _OF_PEOPLE,
    _person_keys,
    _evolve_person,
    (Index((("left", 1), ("_id", 1))),),
)
