"""What may happen to a space: it is opened, renamed, shown to others and handed over.

The space of a group has the group's id, and is the group's: called as the group is, seen by whom the group
is seen by, and nobody's beside. What was done to one before that held is passed over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from contracts.groups import group_token
from contracts.wiki import SpaceAudienceChanged, SpaceOpened, SpaceOwnerChanged, SpaceRenamed
from services.wiki.domain.writing import (
    checked_language,
    checked_member,
    checked_name,
    checked_purpose,
)
from shared.kernel.audience import Classification, audience, classification
from shared.kernel.decider import Decider
from shared.kernel.errors import Conflict, NotFound, Refused
from shared.kernel.events import Event


@dataclass(frozen=True, slots=True)
class OpenSpace:
    space_id: str
    name: str
    purpose: str
    audience: tuple[str, ...]
    classification: str
    language: str
    owner_id: str


@dataclass(frozen=True, slots=True)
class RenameSpace:
    space_id: str
    name: str
    purpose: str


@dataclass(frozen=True, slots=True)
class ChangeSpaceAudience:
    space_id: str
    audience: tuple[str, ...]
    classification: str


@dataclass(frozen=True, slots=True)
class ChangeSpaceOwner:
    space_id: str
    owner_id: str


@dataclass(frozen=True, slots=True)
class FollowGroup:
    """The group is called so since that version of its stream."""

    space_id: str
    name: str
    purpose: str
    group_version: int


SpaceCommand = OpenSpace | RenameSpace | FollowGroup | ChangeSpaceAudience | ChangeSpaceOwner


@dataclass(frozen=True, slots=True)
class Space:
    open: bool = False
    name: str = ""
    purpose: str = ""
    audience: tuple[str, ...] = ()
    classification: Classification = Classification.OPEN
    language: str = ""
    owner_id: str = ""
    of_group: bool = False
    group_version: int = 0


def belongs_to_group(opened: SpaceOpened) -> bool:
    """Whether a group has this space: only a group's has its id and its audience."""
    return group_token(opened.space_id) in opened.audience


def check_apart(space: Space) -> None:
    """Raises Refused for the space of a group, about which nobody decides but by the group."""
    if space.of_group:
        raise Refused(
            "space-of-group",
            "This space belongs to a group, whose name, members and owners it has. "
            "An owner of the group changes them there.",
        )


def stream(command: SpaceCommand) -> str:
    return f"space-{command.space_id}"


def decide(command: SpaceCommand, space: Space) -> Sequence[Event]:
    """What follows from the command. Nothing follows from one that changes nothing."""
    if isinstance(command, OpenSpace):
        return _open(command, space)
    if not space.open:
        raise NotFound("no-such-space", "There is no such space.")
    if isinstance(command, FollowGroup):
        return _follow(command, space)
    check_apart(space)
    match command:
        case RenameSpace():
            name, purpose = checked_name(command.name), checked_purpose(command.purpose)
            if (name, purpose) == (space.name, space.purpose):
                return []
            return [SpaceRenamed(space_id=command.space_id, name=name, purpose=purpose)]
        case ChangeSpaceAudience():
            return _change_audience(command, space)
        case ChangeSpaceOwner():
            owner_id = checked_member(command.owner_id, "owner_id")
            if owner_id == space.owner_id:
                return []
            return [
                SpaceOwnerChanged(space_id=command.space_id, owner_id=owner_id, owner_before=space.owner_id)
            ]


def _open(command: OpenSpace, space: Space) -> Sequence[Event]:
    if space.open:
        raise Conflict("space-exists", "This space is open already.")
    return [
        SpaceOpened(
            space_id=command.space_id,
            name=checked_name(command.name),
            purpose=checked_purpose(command.purpose),
            audience=audience(command.audience),
            classification=classification(command.classification),
            language=checked_language(command.language),
            owner_id=checked_member(command.owner_id, "owner_id"),
        )
    ]


def _follow(command: FollowGroup, space: Space) -> Sequence[Event]:
    """What is told again, or late, changes nothing."""
    name, purpose = checked_name(command.name), checked_purpose(command.purpose)
    known = command.group_version <= space.group_version or (name, purpose) == (space.name, space.purpose)
    if known or not space.of_group:
        return []
    return [
        SpaceRenamed(
            space_id=command.space_id, name=name, purpose=purpose, group_version=command.group_version
        )
    ]


def _change_audience(command: ChangeSpaceAudience, space: Space) -> Sequence[Event]:
    clauses, level = audience(command.audience), classification(command.classification)
    if (clauses, level) == (space.audience, space.classification):
        return []
    return [
        SpaceAudienceChanged(
            space_id=command.space_id,
            audience=clauses,
            classification=level,
            audience_before=space.audience,
            classification_before=space.classification,
        )
    ]


def evolve(space: Space, event: Event) -> Space:
    match event:
        case SpaceOpened():
            return Space(
                open=True,
                name=event.name,
                purpose=event.purpose,
                audience=event.audience,
                classification=event.classification,
                language=event.language,
                owner_id=event.owner_id,
                of_group=belongs_to_group(event),
            )
        case SpaceRenamed(name=name, purpose=purpose, group_version=version):
            return replace(space, name=name, purpose=purpose, group_version=version or space.group_version)
        case SpaceAudienceChanged(audience=clauses, classification=level) if not space.of_group:
            return replace(space, audience=clauses, classification=level)
        case SpaceOwnerChanged(owner_id=owner_id) if not space.of_group:
            return replace(space, owner_id=owner_id)
    return space


spaces: Decider[SpaceCommand, Space] = Decider(stream, Space(), decide, evolve)
