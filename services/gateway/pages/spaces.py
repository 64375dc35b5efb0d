"""The wiki's spaces, and one space with its tree."""

import asyncio
from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.responses import Response

from services.gateway import places
from services.gateway.pages.answers import ItemList, Place, Space, authors
from services.gateway.pages.parts import changed, recent_of, space_of, spaces_of, tree_of
from services.gateway.pages.visit import Member, Visit
from services.gateway.view_models import SpaceCard, SpaceRef, SpacesView, SpaceView
from shared.kernel.errors import NotFound

RECENT = 8
#: Recent changes that are looked through for when a space changed last.
LOOKED_THROUGH = 50
#: Spaces whose pages are counted; each takes a question of its own.
COUNTED = 24

routes = APIRouter(include_in_schema=False)


@routes.get(places.WIKI)
async def spaces(visit: Member) -> Response:
    found, recent = await asyncio.gather(spaces_of(visit), recent_of(visit, LOOKED_THROUGH))
    latest = {item.space_id: item.occurred_at for item in reversed(recent)}
    others = sorted(found.others, key=lambda space: space.id not in latest)
    counted = [*found.near, *others][:COUNTED]
    counts = await asyncio.gather(*(_count(visit, space) for space in counted))
    sizes = {space.id: count for space, count in zip(counted, counts, strict=True)}

    def cards(spaces: Sequence[Space]) -> list[SpaceCard]:
        """Those that are known to be empty stand last."""
        shown = [
            SpaceCard(SpaceRef(each.id, each.name), sizes.get(each.id), latest.get(each.id), each.purpose)
            for each in spaces
        ]
        return sorted(shown, key=lambda card: card.pages == 0)

    return visit.show(SpacesView(cards(found.near), cards(others)), place="wiki")


async def _count(visit: Visit, space: Space) -> int | None:
    """How many pages the reader may see there."""
    answer = await visit.ask_if_there(ItemList, "wiki", "/wiki/pages", {"space": space.id, "limit": 1})
    return answer.total if answer else None


@routes.get(places.WIKI + "/spaces/{space_id}")
async def space(space_id: str, visit: Member) -> Response:
    found, nodes, recent = await asyncio.gather(
        space_of(visit, space_id), tree_of(visit, space_id), recent_of(visit, RECENT, space_id)
    )
    here = SpaceRef(found.id, found.name)
    names = await visit.named(authors(recent))
    view = SpaceView(
        space=here,
        pages=sum((node.page_id is not None) + node.size for node in nodes),
        tree=nodes,
        recent=changed(recent, {here.id: here}, names),
        may_write=found.may.get("write", False),
        purpose=found.purpose,
    )
    return visit.show(view, place="wiki")


@routes.get(places.WIKI + "/at")
async def at(visit: Member, space: str = "", path: str = "") -> Response:
    """Where a link to a path leads: to the page, or to where it can be begun."""
    try:
        answer = await visit.ask("wiki", "GET", "/wiki/at", query={"space": space, "path": path})
    except NotFound:
        found = await space_of(visit, space)
        if not found.may.get("write", False):
            raise
        return visit.go(places.new_page(found.id, path))
    return visit.go(places.page(answer.read(Place).id))
