"""The first page: what colleagues say, newest first, and beside it what they wrote in the wiki."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.background import BackgroundTask

from services.gateway import places
from services.gateway.clients import Away
from services.gateway.locale import Locale
from services.gateway.pages.answers import authors
from services.gateway.pages.cards import feed_of, with_must
from services.gateway.pages.composing import composer
from services.gateway.pages.parts import changed, recent_of, spaces_named
from services.gateway.pages.talk_answers import TopicList
from services.gateway.pages.visit import Member, Visit
from services.gateway.view_models import ChangedPage, HomeView
from shared.kernel.errors import Refused
from shared.runtime.logging import get_logger

log = get_logger(__name__)

CHANGED = 6
TOPICS = 8
#: Numbers that between them are of every category of plurals that languages have.
_SAMPLES = (*range(111), 1_000_000)

routes = APIRouter(include_in_schema=False)


@routes.get(places.HOME)
async def home(visit: Member, cursor: str | None = None) -> Response:
    feed, pages, topics = await asyncio.gather(
        feed_of(visit, places.HOME, cursor=cursor), _changed(visit), _topics(visit)
    )
    view = HomeView(
        feed=feed if cursor else with_must(feed),
        composer=composer(visit),
        changed=pages,
        topics=topics,
        new=new_posts(visit.locale),
    )
    response = visit.show(view, place="home")
    if feed.seen_to is not None:
        response.background = BackgroundTask(_seen, visit, feed.seen_to)
    return response


def new_posts(here: Locale) -> dict[str, str]:
    """'3 new posts' for whatever number, with # in its place, by the category of the number."""
    found: dict[str, str] = {}
    for number in _SAMPLES:
        text = here.ngettext("%(shown)s new post", "%(shown)s new posts", number)
        found.setdefault(here.cldr.plural_form(number), text % {"shown": "#"})
    return found


async def _seen(visit: Visit, up_to: datetime) -> None:
    """What was on the screen is new no more. The page has been sent: nothing waits for this."""
    try:
        await visit.ask("feed", "PUT", "/feed/seen", json={"up_to": up_to.isoformat()})
    except Refused as refused:
        log.warning("what was seen is not kept", code=refused.code)


async def _changed(visit: Visit) -> Sequence[ChangedPage] | None:
    try:
        recent = await recent_of(visit, CHANGED)
        spaces, names = await asyncio.gather(
            spaces_named(visit, (page.space_id for page in recent)), visit.named(authors(recent))
        )
    except Away:
        return None
    return changed(recent, spaces, names)


async def _topics(visit: Visit) -> Sequence[str]:
    found = await visit.ask_if_there(TopicList, "feed", "/topics")
    return [item.topic for item in found.items[:TOPICS]] if found else []
