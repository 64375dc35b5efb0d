"""Who may see the pages, spaces and groups that members did something with: what happened there is listed to
nobody else."""

from collections.abc import Collection

from pydantic import BaseModel

from contracts.groups import GroupStarted
from contracts.wiki import PageAudienceChanged, PageStarted, SpaceAudienceChanged, SpaceOpened
from shared.kernel.audience import Classification
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Projection


class PlaceView(BaseModel):
    """A page, a space or a group, by its id."""

    audience: tuple[str, ...]
    classification: str = Classification.OPEN.value


def _keys(event: Event) -> Collection[str]:
    match event:
        case PageStarted(page_id=place_id) | PageAudienceChanged(page_id=place_id):
            return (place_id,)
        case SpaceOpened(space_id=place_id) | SpaceAudienceChanged(space_id=place_id):
            # the space of a group has the group's id, and its own audience
            return (space_key(place_id),)
        case GroupStarted(group_id=place_id):
            return (place_id,)
    return ()


def space_key(space_id: str) -> str:
    return f"space:{space_id}"


def _evolve(view: PlaceView | None, event: Event, recorded: Recorded, key: str) -> PlaceView | None:
    match event:
        case (
            PageStarted(audience=audience, classification=level)
            | PageAudienceChanged(audience=audience, classification=level)
            | SpaceOpened(audience=audience, classification=level)
            | SpaceAudienceChanged(audience=audience, classification=level)
        ):
            return PlaceView(audience=audience, classification=level.value)
        case GroupStarted(audience=audience):
            return PlaceView(audience=audience)
    return view


places: Projection[PlaceView] = Projection(
    "engagement.places",
    1,
    PlaceView,
    (PageStarted, PageAudienceChanged, SpaceOpened, SpaceAudienceChanged, GroupStarted),
    _keys,
    _evolve,
)
