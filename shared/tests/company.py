"""A room among members, as tests of APIs need it: identity's events as it sends them, asking as anybody."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from contracts.identity import Kind, MemberRegistered, Role
from shared.kernel.audience import Classification
from shared.kernel.errors import Unauthenticated
from shared.kernel.events import Event, Occasion
from shared.kernel.personal import Personal, Sealed
from shared.runtime.auth import Actor
from shared.runtime.ids import new_id
from shared.runtime.service import Service, mongo_client
from shared.runtime.settings import Settings
from shared.runtime.store import EventStore
from shared.runtime.topics import Topics
from shared.tests.eventually import eventually
from shared.tests.others import telling
from shared.tests.rooms import serving

Company = Mapping[str, tuple[Kind, tuple[Role, ...]]]


class Doorkeeper:
    """Knows the members by name."""

    def __init__(self, members: Company) -> None:
        self._members = members

    async def verify(self, token: str) -> Actor:
        if token not in self._members:
            raise Unauthenticated("token-invalid", "This sign-in is not valid. Sign in again.")
        return Actor(token, frozenset(role.value for role in self._members[token][1]), "s1")


class Sealer:
    """Seals names so that nobody opens them, for rooms that never want to."""

    async def seal(self, event: Event, event_id: str) -> Event:
        sealed = {
            name: Personal(sealed=Sealed(getattr(event, subject), event_id, name, b"x" * 40))
            for name, subject in event.personal.items()
            if getattr(event, name) is not None
        }
        return event.model_copy(update=sealed)


@dataclass(frozen=True, slots=True)
class House:
    """The running service, and a way to ask it as anybody."""

    service: Service
    client: httpx.AsyncClient
    identity: EventStore

    async def ask(self, who: str, method: str, path: str, **how: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {who}", **how.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **how)

    async def get(
        self, who: str, path: str, after: httpx.Response | None = None, **how: Any
    ) -> httpx.Response:
        """Waits for the write that `after` answered."""
        headers = {"Fikarum-After": after.headers["Fikarum-Commit"]} if after is not None else {}
        answer = await self.ask(who, "GET", path, headers=headers, **how)
        assert "Fikarum-Behind" not in answer.headers
        return answer


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem, which is the one that was expected."""
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return problem


@contextlib.asynccontextmanager
async def among(members: Company, service: Service, path: str, store: EventStore) -> AsyncIterator[House]:
    """The room up, when all of its members are answered at `path`."""
    async with serving(service):
        transport = httpx.ASGITransport(service.http)
        async with httpx.AsyncClient(transport=transport, base_url="http://room", timeout=60) as client:
            house = House(service, client, store)

            async def known() -> bool:
                asked = await asyncio.gather(*(house.ask(who, "GET", path) for who in members))
                return all(answer.status_code == 200 for answer in asked)

            await eventually(known)
            yield house


@contextlib.asynccontextmanager
async def identity(
    settings: Settings, members: Company, clearances: Mapping[str, Classification] | None = None
) -> AsyncIterator[EventStore]:
    """Sends the members' registrations, once per namespace, and whatever else is appended to its store.
    `clearances` of those who have another one than their kind."""
    async with contextlib.AsyncExitStack() as stack:
        client = mongo_client(settings)
        stack.push_async_callback(client.close)
        database = client[settings.named("identity")]
        topics = Topics(settings.kafka, settings.namespace)
        stack.push_async_callback(topics.close)
        store = await telling(stack, settings, topics, database, "identity", Sealer())
        for member_id, (kind, roles) in members.items():
            if not await store.load(f"member-{member_id}"):
                event = registered(member_id, kind, roles, (clearances or {}).get(member_id))
                await store.append(f"member-{member_id}", 1, [event], Occasion(None, new_id()))
        yield store


def registered(
    member_id: str,
    kind: Kind,
    roles: tuple[Role, ...] = (),
    clearance: Classification | None = None,
    *,
    signs_in: bool = True,
) -> MemberRegistered:
    """Guests are cleared for what is open, staff for what is confidential, unless it is said."""
    usual = Classification.OPEN if kind is Kind.GUEST else Classification.CONFIDENTIAL
    return MemberRegistered(
        member_id=member_id,
        kind=kind,
        name=Personal(plain=member_id),
        language="en",
        time_zone="Europe/Stockholm",
        roles=roles,
        clearance=clearance or usual,
        signs_in=signs_in,
    )
