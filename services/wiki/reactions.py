"""When something happens elsewhere, then the wiki does its part."""

from contracts.groups import GroupStarted
from services.wiki.domain.spaces import OpenSpace
from shared.kernel.audience import Classification
from shared.kernel.events import Event, Recorded


def open_space_of_group(event: Event, recorded: Recorded) -> OpenSpace | None:
    """When a group was started, then it has a space of its own, whose id is the group's.

    Open as information goes, so that guests of the group can read it: its audience alone says who sees it.
    """
    if not isinstance(event, GroupStarted):
        return None
    return OpenSpace(
        space_id=event.group_id,
        name=event.name,
        purpose=event.purpose,
        audience=event.audience,
        classification=Classification.OPEN.value,
        language=event.language,
        owner_id=event.started_by,
    )
