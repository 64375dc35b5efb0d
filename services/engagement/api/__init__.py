"""Engagement over HTTP: consent and reading, figures, and coaching."""

from fastapi import APIRouter

from services.engagement.api import coaching, metrics, reading
from services.engagement.api.access import Engagement

__all__ = ["Engagement", "router"]


def router(room: Engagement) -> APIRouter:
    api = APIRouter(tags=["engagement"])
    api.include_router(reading.router(room))
    api.include_router(metrics.router(room))
    api.include_router(coaching.router(room))
    return api
