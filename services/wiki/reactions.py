"""When something happens elsewhere, then the wiki does its part."""

from contracts.groups import GroupDescribed, GroupStarted
from services.wiki.domain.spaces import FollowGroup, OpenSpace
from shared.kernel.audience import Classification
from shared.kernel.events import Event, Recorded


def keep_space_of_group(event: Event, recorded: Recorded) -> OpenSpace | FollowGroup | None:
    """When a group was started, then it has a space of its own, whose id is the group's; when it is called
    otherwise, then so is its space.

    Open as information goes, so that guests of the group can read it: its audience alone says who sees it.
    """
    match event:
        case GroupStarted():
            return OpenSpace(
                space_id=event.group_id,
                name=event.name,
                purpose=event.purpose,
                audience=event.audience,
                classification=Classification.OPEN.value,
                language=event.language,
                owner_id=event.started_by,
            )
        case GroupDescribed():
            return FollowGroup(event.group_id, event.name, event.purpose, recorded.version)
    return None
