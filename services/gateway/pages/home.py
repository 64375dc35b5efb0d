"""The first page: what colleagues have written lately."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import Response

from services.gateway import places
from services.gateway.clients import Away
from services.gateway.pages.answers import authors
from services.gateway.pages.parts import changed, recent_of, spaces_of
from services.gateway.pages.visit import Member
from services.gateway.view_models import HomeView, Notice, SpaceCard, SpaceRef

SHOWN = 12
SPACES_SHOWN = 12

routes = APIRouter(include_in_schema=False)


@routes.get(places.HOME)
async def home(visit: Member) -> Response:
    try:
        recent, found = await asyncio.gather(recent_of(visit, SHOWN), spaces_of(visit))
    except Away:
        text = visit.locale.gettext("The wiki does not answer right now. Try again in a minute.")
        return visit.show(HomeView([], []), place="home", notices=[Notice(text, "warn")])
    names = await visit.named(authors(recent))
    spaces = {space.id: SpaceRef(space.id, space.name) for space in found}
    cards = [SpaceCard(spaces[space.id], None, purpose=space.purpose) for space in found[:SPACES_SHOWN]]
    return visit.show(HomeView(changed(recent, spaces, names), cards), place="home")
