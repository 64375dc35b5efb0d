"""The wiki on real engines: the service as it runs, and members whose tokens come as identity sends them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from contracts.identity import Kind, MemberRegistered, Role
from services.wiki.assembly import assemble
from shared.kernel.audience import Classification
from shared.kernel.errors import Unauthenticated
from shared.kernel.events import Event, Occasion
from shared.kernel.personal import Personal, Sealed
from shared.runtime.auth import Actor
from shared.runtime.codec import PARTITIONS
from shared.runtime.ids import new_id
from shared.runtime.relay import Lane, Relay
from shared.runtime.service import Service, mongo_client
from shared.runtime.settings import Settings
from shared.runtime.store import EventStore
from shared.runtime.topics import Topics
from shared.tests.eventually import eventually
from shared.tests.rooms import drop_all, serving, settings_for

MEMBERS: Mapping[str, tuple[Kind, tuple[Role, ...], Classification]] = {
    "ann": (Kind.STAFF, (), Classification.CONFIDENTIAL),
    "bob": (Kind.STAFF, (), Classification.INTERNAL),
    "edi": (Kind.STAFF, (Role.EDITOR,), Classification.CONFIDENTIAL),
    "oda": (Kind.STAFF, (Role.OPERATOR,), Classification.CONFIDENTIAL),
    "gil": (Kind.GUEST, (), Classification.OPEN),
}


class Doorkeeper:
    """Knows the members by name."""

    async def verify(self, token: str) -> Actor:
        if token not in MEMBERS:
            raise Unauthenticated("token-invalid", "This sign-in is not valid. Sign in again.")
        return Actor(token, frozenset(role.value for role in MEMBERS[token][1]), "s1")


class Sealer:
    """Seals names so that nobody opens them: the wiki never wants to."""

    async def seal(self, event: Event, event_id: str) -> Event:
        sealed = {
            name: Personal(sealed=Sealed(getattr(event, subject), event_id, name, b"x" * 40))
            for name, subject in event.personal.items()
            if getattr(event, name) is not None
        }
        return event.model_copy(update=sealed)


@dataclass(frozen=True, slots=True)
class House:
    """The running service and a way to ask it as anybody."""

    service: Service
    client: httpx.AsyncClient

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


@pytest.fixture(scope="package")
def wiki_settings(
    mongo_uri: str, kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    home: Path = tmp_path_factory.mktemp("wiki")
    with pytest.MonkeyPatch.context() as monkeypatch:
        settings = settings_for(mongo_uri, kafka_bootstrap, home, monkeypatch)
        yield settings
        drop_all(settings)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(wiki_settings: Settings) -> AsyncIterator[House]:
    """Up, with its members known."""
    service = assemble(wiki_settings, Doorkeeper())
    async with identity(wiki_settings), serving(service):
        transport = httpx.ASGITransport(service.http)
        async with httpx.AsyncClient(transport=transport, base_url="http://wiki", timeout=60) as client:
            house = House(service, client)

            async def known() -> bool:
                asked = await asyncio.gather(*(house.ask(who, "GET", "/wiki/spaces") for who in MEMBERS))
                return all(answer.status_code == 200 for answer in asked)

            await eventually(known)
            yield house


@contextlib.asynccontextmanager
async def identity(settings: Settings) -> AsyncIterator[None]:
    """Sends the members' registrations, once per namespace, as identity does."""
    async with contextlib.AsyncExitStack() as stack:
        client = mongo_client(settings)
        stack.push_async_callback(client.close)
        database = client[settings.named("identity")]
        topics = Topics(settings.kafka, settings.namespace)
        stack.push_async_callback(topics.close)
        await topics.ensure(["identity.events", "identity.private"])
        store = EventStore("identity", database, Sealer())
        await store.prepare()
        if not await store.load("member-ann"):
            for member_id in MEMBERS:
                await store.append(
                    f"member-{member_id}", 1, [_registered(member_id)], Occasion(None, new_id())
                )
        relay = Relay(
            "identity",
            database,
            topics,
            settings.kafka,
            ("identity.events", "identity.private"),
            Lane(0, tuple(range(PARTITIONS))),
        )
        running = asyncio.create_task(relay.run())
        try:
            yield
        finally:
            await relay.stop()
            await asyncio.wait([running], timeout=20)
            await store.queue.close()


def _registered(member_id: str) -> MemberRegistered:
    kind, roles, clearance = MEMBERS[member_id]
    return MemberRegistered(
        member_id=member_id,
        kind=kind,
        name=Personal(plain=member_id),
        language="en",
        time_zone="Europe/Stockholm",
        roles=roles,
        clearance=clearance,
        signs_in=True,
    )
