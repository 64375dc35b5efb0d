"""Who is who: the directory with its filters, and one member's profile."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from services.gateway import places
from services.gateway.clients import part
from services.gateway.pages.group_answers import GroupList
from services.gateway.pages.member_answers import DirectoryPage, MemberItem, member_of, members_of, units_of
from services.gateway.pages.search_answers import Found
from services.gateway.pages.searching import hits_of
from services.gateway.pages.talk_answers import Counted
from services.gateway.pages.visit import Member, Visit
from services.gateway.view_models import (
    Choice,
    DirectoryView,
    Hit,
    PeopleFilter,
    PersonCard,
    ProfileView,
    UnitRef,
)
from shared.kernel.audience import STAFF
from shared.kernel.errors import NotFound, Refused

AT_ONCE = 24
#: Found by name, and looked at for the other filters.
LOOKED_AT = 48
SHARED = 6
TEAM = 12
GROUPS = 12

routes = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the directory, as it stands in the address."""

    q: str = ""
    unit: str = ""
    country: str = ""
    language: str = ""

    @property
    def filters(self) -> dict[str, str]:
        given = {"unit": self.unit, "country": self.country, "language": self.language}
        return {name: value for name, value in given.items() if value}

    def link(self, **changed: str) -> str:
        asked = {"q": self.q, **self.filters, **changed}
        return places.people(**{name: value for name, value in asked.items() if value})

    def fits(self, member: MemberItem) -> bool:
        return (
            (not self.unit or self.unit in member.units)
            and (not self.country or self.country == member.country)
            and (not self.language or self.language in member.spoken)
        )


class _Hit(BaseModel):
    id: str


class _Hits(BaseModel):
    items: list[_Hit]


@routes.get(places.PEOPLE)
async def directory(
    visit: Member, q: str = "", unit: str = "", country: str = "", language: str = "", cursor: str = ""
) -> Response:
    asked = Asked(" ".join(q.split()), unit, country, language)
    units, staff, found = await asyncio.gather(
        units_of(visit), _staff(visit), _by_name(visit, asked) if asked.q else _listed(visit, asked, cursor)
    )
    view = DirectoryView(
        people=[member.card(units) for member in found.items] if found else None,
        query=asked.q,
        filters=_filters(asked, units, staff),
        kept=list(asked.filters.items()),
        more=places.people(**asked.filters, cursor=found.next) if found and found.next else None,
        total=staff.people + 1 if staff else None,
    )
    return visit.show(view, place="people")


@routes.get(places.PEOPLE + "/{member_id}")
async def profile(member_id: str, visit: Member) -> Response:
    try:
        member = await member_of(visit, member_id)
    except NotFound:
        return await _name_only(visit, member_id)
    if member.erased:
        raise NotFound("no-such-member", "There is no such member.")
    units, shared, team, theirs, names = await asyncio.gather(
        units_of(visit),
        _shared(visit, member_id),
        _team(visit, member_id),
        visit.ask_if_there(GroupList, "groups", "/groups", {"member_id": member_id, "limit": GROUPS}),
        visit.named([member.manager_id]),
    )
    view = ProfileView(
        card=member.card(units),
        units=[units[each] for each in member.units if each in units],
        about=member.about or "",
        phone=member.phone or "",
        email=member.email or "",
        manager=names.of(member.manager_id) if member.manager_id else None,
        team=[each.person for each in team],
        groups=[group.ref for group in theirs.items] if theirs else [],
        shared=shared,
        since=member.registered_at,
        mine=member_id == visit.signed_in.held.member_id,
    )
    return visit.show(view, place="people")


async def _name_only(visit: Visit, member_id: str) -> Response:
    """Guests see of others what stands beside their words: the name. Raises NotFound."""
    person = (await visit.named([part(member_id)])).of(member_id)
    if person.state != "known":
        raise NotFound("no-such-member", "There is no such member.")
    view = ProfileView(PersonCard(person), shared=await _shared(visit, member_id), name_only=True)
    return visit.show(view, place="people")


async def _listed(visit: Visit, asked: Asked, cursor: str) -> DirectoryPage | None:
    query: dict[str, str | int] = {**asked.filters, "limit": AT_ONCE, "alphabet": visit.locale.language}
    if cursor:
        query["cursor"] = cursor
    return await visit.ask_if_there(DirectoryPage, "identity", "/members/directory", query)


async def _by_name(visit: Visit, asked: Asked) -> DirectoryPage | None:
    """Who is found by name, by title or by what they may be asked about; None while search is away."""
    query: dict[str, str | int] = {"q": asked.q, "kind": "person"}
    query["limit"] = LOOKED_AT if asked.filters else AT_ONCE
    found = await visit.ask_if_there(_Hits, "search", "/search", query)
    if found is None:
        return None
    members = await members_of(visit, [hit.id for hit in found.items])
    return DirectoryPage(items=[each for each in members if asked.fits(each)])


async def _staff(visit: Visit) -> Counted | None:
    """How many colleagues there are, by country and language; None where that cannot be counted."""
    try:
        return (await visit.ask("feed", "POST", "/reach", json={"audience": [STAFF]})).read(Counted)
    except Refused:
        return None


def _filters(asked: Asked, units: Mapping[str, UnitRef], staff: Counted | None) -> list[PeopleFilter]:
    countries = _most(staff.countries) if staff else []
    languages = _most(staff.languages) if staff else []
    within = [(unit.id, unit.name) for unit in units.values()]
    offered = {
        "unit": within,
        "country": [(code, "") for code in countries],
        "language": [(tag, "") for tag in languages],
    }
    return [
        PeopleFilter(name, _choices(asked, name, values), asked.filters.get(name, ""))  # type: ignore[arg-type]
        for name, values in offered.items()
        if values or name in asked.filters
    ]


def _choices(asked: Asked, name: str, values: Sequence[tuple[str, str]]) -> list[Choice]:
    chosen = asked.filters.get(name, "")
    anything = Choice(asked.link(**{name: ""}), chosen=not chosen)
    return [
        anything,
        *(
            Choice(asked.link(**{name: code}), chosen=code == chosen, label=label, code=code)
            for code, label in values
        ),
    ]


def _most(counts: Mapping[str, int]) -> list[str]:
    return sorted((code for code in counts if code), key=lambda code: (-counts[code], code))


async def _team(visit: Visit, member_id: str) -> Sequence[MemberItem]:
    """Who reports to them."""
    query: dict[str, str | int] = {"manager": part(member_id), "limit": TEAM}
    found = await visit.ask_if_there(DirectoryPage, "identity", "/members/directory", query)
    return found.items if found else ()


async def _shared(visit: Visit, member_id: str) -> Sequence[Hit] | None:
    query: dict[str, str | int] = {"author": part(member_id), "limit": SHARED + 1}
    found = await visit.ask_if_there(Found, "search", "/search", query)
    if found is None:
        return None
    said = [item for item in found.items if item.kind != "person"][:SHARED]
    return await hits_of(visit, said)
