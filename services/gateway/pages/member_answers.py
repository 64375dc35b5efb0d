"""What identity answers about members and units, as far as pages show it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel

from services.gateway.clients import part
from services.gateway.pages.people import Known
from services.gateway.pages.visit import Visit
from services.gateway.view_models import PersonCard, UnitRef
from shared.kernel.errors import Refused

#: Units in one answer, and all that are known by name on one page.
UNITS_AT_ONCE = 100
MOST_UNITS = 1_000
#: Ids of units: what is typed into an address or a form may be anything.
UNIT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")
#: Units whose names one page asks for.
MOST_UNITS_NAMED = 100


class MemberItem(Known):
    """A member as their colleagues see them. `version` is for If-Match."""

    email: str | None
    country: str | None
    language: str
    time_zone: str
    registered_at: datetime
    version: int
    units: list[str]
    title: str
    manager_id: str | None
    office: str | None
    phone: str | None
    about: str | None
    ask_me_about: list[str]
    languages: list[str]

    def card(self, units: Mapping[str, UnitRef]) -> PersonCard:
        return PersonCard(
            person=self.person,
            title=self.title,
            unit=units.get(self.units[-1]) if self.units else None,
            office=self.office or "",
            country=self.country or "",
            ask_me_about=self.ask_me_about,
            languages=self.spoken,
            language=self.language,
            time_zone=self.time_zone,
            guest=self.kind == "guest",
        )

    @property
    def spoken(self) -> list[str]:
        """The language that they read in comes first."""
        return [tag for tag in dict.fromkeys([self.language, *self.languages]) if tag]


class _MemberList(BaseModel):
    items: list[MemberItem]


class DirectoryPage(BaseModel):
    items: list[MemberItem]
    next: str | None = None


class _Unit(BaseModel):
    id: str
    name: str
    path: list[str] = []


class _UnitList(BaseModel):
    items: list[_Unit]
    next: str | None = None


async def member_of(visit: Visit, member_id: str) -> MemberItem:
    """Raises NotFound."""
    return (await visit.ask("identity", "GET", f"/members/{part(member_id)}")).read(MemberItem)


async def members_of(visit: Visit, member_ids: Iterable[str]) -> Sequence[MemberItem]:
    """In this order, those whom the reader may see, asked for once; nobody while identity is away."""
    wanted = ",".join(dict.fromkeys(member_ids))
    if not wanted:
        return ()
    found = await visit.ask_if_there(_MemberList, "identity", "/members/cards", {"ids": wanted})
    return found.items if found else ()


async def units_of(visit: Visit) -> dict[str, UnitRef]:
    """By id, each after the one that it is a part of; none where they cannot be asked for."""
    found: list[_Unit] = []
    cursor: str | None = ""
    try:
        while cursor is not None and len(found) < MOST_UNITS:
            query: dict[str, str | int] = {"limit": UNITS_AT_ONCE, **({"cursor": cursor} if cursor else {})}
            listed = (await visit.ask("identity", "GET", "/units", query=query)).read(_UnitList)
            found += listed.items
            cursor = listed.next
    except Refused:
        return {}
    return {unit.id: UnitRef(unit.id, unit.name) for unit in sorted(found, key=_in_order(found))}


async def names_of_units(visit: Visit, unit_ids: Sequence[str]) -> dict[str, str]:
    """By id, of those that the reader may know; none while identity is away."""
    query: dict[str, str | int] = {"ids": ",".join(unit_ids), "limit": UNITS_AT_ONCE}
    found = await visit.ask_if_there(_UnitList, "identity", "/units", query)
    return {unit.id: unit.name for unit in found.items} if found else {}


def _in_order(units: Sequence[_Unit]) -> "_Order":
    return _Order({unit.id: unit.name.casefold() for unit in units})


class _Order:
    """By the names on the way from the top."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def __call__(self, unit: _Unit) -> list[str]:
        return [self._names.get(step, step) for step in unit.path]
