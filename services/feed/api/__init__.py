"""The feed over HTTP: requests become commands, views become answers, trimmed to what the reader may see."""

from fastapi import APIRouter

from services.feed.api import comments, home, imports, pictures, posts, reach, reactions, report
from services.feed.api.access import Feed

__all__ = ["Feed", "router"]


def router(feed: Feed) -> APIRouter:
    api = APIRouter()
    for part in (imports, home, posts, comments, reactions, report, reach, pictures):
        api.include_router(part.router(feed), tags=["feed"])
    return api
