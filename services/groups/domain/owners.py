"""Who answers for a group: never nobody. A stream of its own, so that descriptions do not collide with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from shared.kernel.decider import Decider
from shared.kernel.errors import Conflict
from shared.kernel.events import Event


class OwnerNamed(Event):
    """A member answers for the group. Stays in its stream: others hear of standings from memberships."""

    topic: ClassVar[str | None] = None

    group_id: str
    member_id: str


class OwnerReleased(Event):
    """A member answers for the group no more."""

    topic: ClassVar[str | None] = None

    group_id: str
    member_id: str


@dataclass(frozen=True, slots=True)
class NameOwner:
    group_id: str
    member_id: str


@dataclass(frozen=True, slots=True)
class ReleaseOwner:
    """`leaves`: the owner goes, rather than staying as a member."""

    group_id: str
    member_id: str
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class SucceedOwner:
    """The owner left the organisation; `heir` answers for the group instead; None: another owner does."""

    group_id: str
    member_id: str
    heir: str | None = None


OwnerCommand = NameOwner | ReleaseOwner | SucceedOwner


def decide(command: OwnerCommand, owners: frozenset[str]) -> Sequence[Event]:
    """Naming an owner again, and releasing who is none, changes nothing."""
    said = {"group_id": command.group_id, "member_id": command.member_id}
    if isinstance(command, NameOwner):
        return [] if command.member_id in owners else [OwnerNamed(**said)]
    if command.member_id not in owners:
        return []
    if isinstance(command, SucceedOwner) and command.heir is not None and command.heir not in owners:
        return [OwnerNamed(group_id=command.group_id, member_id=command.heir), OwnerReleased(**said)]
    if len(owners) == 1 and isinstance(command, ReleaseOwner) and command.leaves:
        raise Conflict(
            "last-owner-leaves",
            "A group needs an owner. Make somebody else an owner before the last one leaves.",
        )
    if len(owners) == 1:
        raise Conflict("last-owner", "A group needs an owner. Make somebody else an owner first.")
    return [OwnerReleased(**said)]


def evolve(owners: frozenset[str], event: Event) -> frozenset[str]:
    match event:
        case OwnerNamed(member_id=member_id):
            return owners | {member_id}
        case OwnerReleased(member_id=member_id):
            return owners - {member_id}
    return owners


def owners_stream(group_id: str) -> str:
    return f"owners-{group_id}"


owners: Decider[OwnerCommand, frozenset[str]] = Decider(
    lambda c: owners_stream(c.group_id), frozenset(), decide, evolve
)
