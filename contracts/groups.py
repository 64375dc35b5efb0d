"""What groups tell the rest of the house: groups, who belongs to them, and the token that this gives.

Nobody's membership is part of the group's own stream: a group of fifty thousand must not be one hot stream.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar

from shared.kernel.audience import STAFF, TokenChange
from shared.kernel.events import Event

TOPIC = "groups.events"


class Openness(StrEnum):
    """An open group is read by all staff, who may join it; a closed one by its members, who are invited."""

    OPEN = "open"
    CLOSED = "closed"


class Standing(StrEnum):
    """What a member is in a group."""

    MEMBER = "member"
    OWNER = "owner"


def group_token(group_id: str) -> str:
    return f"group:{group_id}"


def group_audience(group_id: str, openness: Openness) -> tuple[str, ...]:
    """Who may read what is said in the group."""
    return (group_token(group_id),) if openness is Openness.CLOSED else (group_token(group_id), STAFF)


class GroupStarted(Event):
    """Somebody started a group. What is said there has its `audience`."""

    topic: ClassVar[str | None] = TOPIC

    group_id: str
    name: str
    purpose: str
    openness: Openness
    audience: tuple[str, ...]
    language: str
    started_by: str


class GroupDescribed(Event):
    """The group has another name, purpose or language."""

    topic: ClassVar[str | None] = TOPIC

    group_id: str
    name: str
    purpose: str
    language: str


class MemberJoinedGroup(Event):
    """A member belongs to the group from now on: who started it, who joined, who accepted an invitation."""

    topic: ClassVar[str | None] = TOPIC

    group_id: str
    member_id: str
    standing: Standing
    invited_by: str | None = None

    def token_changes(self) -> Sequence[TokenChange]:
        return [TokenChange(self.member_id, grant=frozenset({group_token(self.group_id)}))]


class MemberLeftGroup(Event):
    """A member belongs to the group no more: they left, or an owner removed them."""

    topic: ClassVar[str | None] = TOPIC

    group_id: str
    member_id: str
    removed_by: str | None = None

    def token_changes(self) -> Sequence[TokenChange]:
        return [TokenChange(self.member_id, revoke=frozenset({group_token(self.group_id)}))]


class StandingChanged(Event):
    """A member became an owner of the group, or is one no more."""

    topic: ClassVar[str | None] = TOPIC

    group_id: str
    member_id: str
    old: Standing
    new: Standing


class MemberInvitedToGroup(Event):
    """An owner asked somebody to join; guests come in by this way only."""

    topic: ClassVar[str | None] = TOPIC

    group_id: str
    member_id: str
    invited_by: str


class InvitationEnded(Event):
    """The invitation was declined by the member, or taken back by an owner."""

    topic: ClassVar[str | None] = TOPIC

    group_id: str
    member_id: str
    ended_by: str


#: What the fold of members' tokens reads from groups.
CHANGES_TOKENS: tuple[type[Event], ...] = (MemberJoinedGroup, MemberLeftGroup)
