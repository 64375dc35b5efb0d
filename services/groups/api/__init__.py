"""Groups over HTTP: requests become commands, views become answers, trimmed to what the reader may see."""

from fastapi import APIRouter

from services.groups.api import groups, imports, invitations, members
from services.groups.api.access import Groups

__all__ = ["Groups", "router"]


def router(room: Groups) -> APIRouter:
    api = APIRouter(tags=["groups"])
    for part in (imports, groups, members, invitations):
        api.include_router(part.router(room))
    return api
