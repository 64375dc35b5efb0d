"""A company with coaches, as tests of coaching need it: a past, members with real keys, and talk that goes
on."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from contracts.identity import Kind, Role
from services.engagement.assembly import assemble
from services.engagement.tests.history import History, appended
from shared.runtime.settings import Settings
from shared.runtime.store import EventStore
from shared.runtime.vault import KeyVault
from shared.tests.company import Company, Doorkeeper, House, Sealer, identity
from shared.tests.eventually import eventually
from shared.tests.others import others, telling
from shared.tests.rooms import serving

NOW = datetime.now(UTC).replace(microsecond=0)
LONG_AGO = NOW - timedelta(days=500)
#: Passive people of a country in which there are more than one list holds.
MANY = 53

#: Who asks, and with which roles: coaches (`cy` has no key: what they do cannot be written down), those who
#: decide, others. And who is asked about.
WHO: Company = {
    "cia": (Kind.STAFF, (Role.COACH,)),
    "cy": (Kind.STAFF, (Role.COACH,)),
    "cas": (Kind.STAFF, (Role.COACH,)),
    "guest-coach": (Kind.GUEST, (Role.COACH,)),
    "bea": (Kind.STAFF, (Role.BOARD,)),
    "alf": (Kind.STAFF, (Role.ADMIN,)),
    "lea": (Kind.STAFF, (Role.LEADER,)),
    "amy": (Kind.STAFF, (Role.AMBASSADOR,)),
    "opal": (Kind.STAFF, (Role.OPERATOR,)),
    "bo": (Kind.STAFF, ()),
    "pia": (Kind.STAFF, ()),
    "per": (Kind.STAFF, ()),
    "nils": (Kind.STAFF, ()),
    "gus": (Kind.GUEST, ()),
    "fia": (Kind.STAFF, ()),
    "dora": (Kind.STAFF, ()),
    "dan": (Kind.STAFF, ()),
    "iris": (Kind.STAFF, ()),
    "ike": (Kind.STAFF, ()),
    "nora": (Kind.STAFF, ()),
    "ulf": (Kind.STAFF, ()),
    "vera": (Kind.STAFF, ()),
}
_KEYLESS = {"cy"}
#: In which country each is; Sweden where nothing is said, nowhere known for ulf.
_COUNTRIES: Mapping[str, str | None] = {
    "fia": "FI",
    "dora": "DK",
    "dan": "DK",
    "iris": "IE",
    "ike": "IE",
    "nora": "NO",
    "vera": "EE",
    "ulf": None,
}


def past() -> History:
    """Everybody came long ago but nils. In Lund amy and bo talk; per did, half a year ago."""
    history = History()
    history.founded("sales", "Sales", when=LONG_AGO)
    history.founded("lund", "Lund", "sales", "lund", when=LONG_AGO)
    for who, (kind, roles) in WHO.items():
        when = NOW - timedelta(days=4) if who == "nils" else LONG_AGO
        country = _COUNTRIES.get(who, "SE")
        units = ("sales", "lund") if country == "SE" and kind is Kind.STAFF else ()
        history.member(who, *units, country=country, roles=roles, kind=kind, when=when)
    for at in range(MANY):
        history.member(f"many{at:02}", "mill", country="PL", when=LONG_AGO + timedelta(minutes=at))
    history.member("dutch", country="PL", when=LONG_AGO)
    history.placed("dutch", "mill", country="NL", when=NOW - timedelta(days=2))
    history.post("per", NOW - timedelta(days=200))
    for who in ("amy", "bo", "ike"):
        history.post(who, NOW - timedelta(days=1))
    return history


@dataclass(frozen=True, slots=True)
class Coached:
    """The running service, and the feed that it hears of."""

    house: House
    feed: EventStore
    vault: KeyVault

    async def ask(self, who: str, method: str, path: str, **how: Any) -> httpx.Response:
        return await self.house.ask(who, method, path, **how)

    async def told(self, history: History) -> None:
        """More of what the feed tells."""
        await appended(self.feed, history, "feed.events")


@contextlib.asynccontextmanager
async def coached(settings: Settings) -> AsyncIterator[Coached]:
    """Up, with all of it counted."""
    async with contextlib.AsyncExitStack() as stack:
        made = await stack.enter_async_context(others(settings))
        await made.vault.ensure([who for who in WHO if who not in _KEYLESS])
        members = await stack.enter_async_context(identity(settings, {}))
        await made.topics.ensure(["wiki.events", "groups.events"])
        feed = await telling(stack, settings, made.topics, made.database("feed"), "feed", Sealer())
        history = past()
        await appended(members, history, "identity.events")
        await appended(feed, history, "feed.events")
        service = assemble(settings, Doorkeeper(WHO))
        await stack.enter_async_context(serving(service))
        transport = httpx.ASGITransport(service.http)
        http = await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://e", timeout=60)
        )
        house = House(service, http, members)
        await eventually(lambda: _complete(house), within=60)
        yield Coached(house, feed, made.vault)


async def _complete(house: House) -> bool:
    told = []
    for who in WHO:
        answer = await house.ask(who, "GET", "/figures/mine")
        if answer.status_code != 200:
            return False
        told.append(answer.json()["complete_up_to"])
    feed = await house.ask("amy", "GET", "/figures/mine", params={"every": "day"})
    counted = sum(sum(each["acts"].values()) for each in feed.json()["periods"])
    return counted > 0 and all(each["recorded_at"] and not each["behind"] for each in told)
