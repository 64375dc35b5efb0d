"""The wiki over HTTP: requests become commands, views become answers, trimmed to what the reader may see."""

from fastapi import APIRouter

from services.wiki.api import changes, history, imports, pages, spaces
from services.wiki.api.access import Wiki

__all__ = ["Wiki", "router"]


def router(wiki: Wiki) -> APIRouter:
    api = APIRouter(prefix="/wiki")
    for part in (spaces, pages, history, changes, imports):
        api.include_router(part.router(wiki), tags=["wiki"])
    return api
