"""What may happen to a group itself: it is started and described anew. Who belongs to it is told elsewhere.

Two groups may have one name: to refuse a name would tell that a group exists which the asker may not see. Who
starts one is told which groups of that name they can see.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from contracts.groups import GroupDescribed, GroupStarted, Openness, group_audience
from shared.kernel import text
from shared.kernel.decider import Decider
from shared.kernel.errors import Conflict, NotFound
from shared.kernel.events import Event

LONGEST_NAME = 100
LONGEST_PURPOSE = 1_000


@dataclass(frozen=True, slots=True)
class StartGroup:
    group_id: str
    name: str
    purpose: str
    openness: Openness
    language: str
    started_by: str


@dataclass(frozen=True, slots=True)
class DescribeGroup:
    group_id: str
    name: str
    purpose: str
    language: str


GroupCommand = StartGroup | DescribeGroup


@dataclass(frozen=True, slots=True)
class Group:
    """Its openness is for ever: who may read what was said there must not change behind its authors."""

    openness: Openness | None = None
    name: str = ""
    purpose: str = ""
    language: str = ""


def no_such_group() -> NotFound:
    return NotFound("no-such-group", "There is no such group.")


def group_stream(group_id: str) -> str:
    return f"group-{group_id}"


def decide(command: GroupCommand, group: Group) -> Sequence[Event]:
    """What follows from the command. Nothing follows from a description that changes nothing."""
    name = text.name(command.name, "name", LONGEST_NAME)
    purpose = text.prose(command.purpose, "purpose", LONGEST_PURPOSE)
    language = text.language(command.language, stored=(group.language,))
    match command:
        case StartGroup(group_id=group_id, openness=openness):
            if group.openness is not None:
                raise Conflict("group-exists", "This group exists already.")
            return [
                GroupStarted(
                    group_id=group_id,
                    name=name,
                    purpose=purpose,
                    openness=openness,
                    audience=group_audience(group_id, openness),
                    language=language,
                    started_by=command.started_by,
                )
            ]
        case DescribeGroup(group_id=group_id):
            if group.openness is None:
                raise no_such_group()
            if (name, purpose, language) == (group.name, group.purpose, group.language):
                return []
            return [GroupDescribed(group_id=group_id, name=name, purpose=purpose, language=language)]


def evolve(group: Group, event: Event) -> Group:
    match event:
        case GroupStarted():
            return Group(event.openness, event.name, event.purpose, event.language)
        case GroupDescribed():
            return replace(group, name=event.name, purpose=event.purpose, language=event.language)
    return group


groups: Decider[GroupCommand, Group] = Decider(lambda c: group_stream(c.group_id), Group(), decide, evolve)
