"""Choosing somebody by name: for an invitation, for an owner."""

from pydantic import BaseModel

from services.gateway.clients import Away
from services.gateway.pages.visit import Visit
from services.gateway.view_models import Candidate

#: People shown to choose from.
FOUND = 12


class _Hit(BaseModel):
    id: str


class _Hits(BaseModel):
    items: list[_Hit]


async def people_called(visit: Visit, q: str, *, guests: bool = True) -> list[Candidate] | None:
    """Colleagues, and guests too if they are meant, by name; None while search is away."""
    query: dict[str, str | int] = {"q": q, "kind": "person", "limit": FOUND}
    try:
        hits = (await visit.ask("search", "GET", "/search", query=query)).read(_Hits).items
    except Away:
        return None
    names = await visit.named(hit.id for hit in hits)
    return [Candidate(names.of(hit.id)) for hit in hits if guests or not names.is_guest(hit.id)]
