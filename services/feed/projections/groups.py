"""Groups as the feed needs them: whose posts have which audience, and who keeps order there."""

from collections.abc import Collection

from pydantic import BaseModel

from contracts.groups import GroupStarted
from contracts.owners import owners_projection
from shared.kernel.audience import Classification
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Projection


class GroupView(BaseModel):
    """What is said in the group has its audience, and who has that may see that there is such a group."""

    group_id: str
    audience: list[str]
    classification: str = Classification.OPEN.value


def _keys(event: Event) -> Collection[str]:
    return (event.group_id,) if isinstance(event, GroupStarted) else ()


def _evolve(view: GroupView | None, event: Event, recorded: Recorded, key: str) -> GroupView | None:
    if isinstance(event, GroupStarted):
        return GroupView(group_id=event.group_id, audience=list(event.audience))
    return view


groups: Projection[GroupView] = Projection("feed.groups", 1, GroupView, (GroupStarted,), _keys, _evolve)
owners = owners_projection("feed")
