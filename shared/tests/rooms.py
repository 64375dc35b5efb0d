"""The parts of the service of the proofs, one by one, for a proof that needs only some of them."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import pytest
from kafka.admin import KafkaAdminClient
from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.database import AsyncDatabase

from shared.kernel.events import Occasion
from shared.runtime.codec import PARTITIONS
from shared.runtime.ids import new_id
from shared.runtime.relay import Lane, Relay
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.runtime.store import Committed, EventStore
from shared.runtime.topics import Topics
from shared.tests.eventually import eventually
from shared.tests.walls import HANDS, PRIVATE, PUBLIC, SERVICE, Command, Mark

Document = dict[str, Any]


def settings_for(mongo_uri: str, kafka: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings under a fresh name, which the processes that a proof starts find in their environment."""
    fresh = {
        "NAMESPACE": f"p{uuid.uuid4().hex[:10]}_",
        "MONGO_URI": mongo_uri,
        "KAFKA": kafka,
        "HOME": str(home),
        "LOG_LEVEL": "warning",
    }
    for name, value in fresh.items():
        monkeypatch.setenv(f"FIKARUM_{name}", value)
    return Settings.from_env()


def drop_all(settings: Settings) -> None:
    """Databases and topics of the proof."""
    with MongoClient[Document](settings.mongo_uri) as client:
        for name in client.list_database_names():
            if name.startswith(settings.namespace):
                client.drop_database(name)
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka)
    try:
        mine = [name for name in admin.list_topics() if name.startswith(settings.namespace)]
        if mine:
            admin.delete_topics(mine)
    finally:
        admin.close()


def by_ann() -> Occasion:
    """Ann does something, now."""
    return Occasion("ann", new_id())


class Room:
    """Store, topics and relay of one proof, over a client of its own."""

    def __init__(self, settings: Settings, mongo_uri: str | None = None) -> None:
        self.settings = settings
        #: Failpoints are set for this name alone: other proofs share the engine.
        self.appname = f"proof-{uuid.uuid4().hex[:8]}"
        self.client: AsyncMongoClient[Document] = AsyncMongoClient(
            mongo_uri or settings.mongo_uri,
            appname=self.appname,
            tz_aware=True,
            serverSelectionTimeoutMS=2_000,
            retryWrites=True,
        )
        self.database: AsyncDatabase[Document] = self.client[settings.named(SERVICE)]
        self.topics = Topics(settings.kafka, settings.namespace)
        self.store = EventStore(SERVICE, self.database)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.store.queue.close()
        await self.topics.close()
        await self.client.close()

    async def do(self, command: Command, **how: Any) -> Committed:
        return await self.store.handle(HANDS, command, by_ann(), **how)

    async def mark(self, hand: str, times: int = 1, **values: Any) -> None:
        """`times` commits of one mark each."""
        for _ in range(times):
            await self.do(Mark(hand, **values))

    async def numbers(self, hand: str) -> list[int]:
        """The numbers of the hand's marks, as stored."""
        return [recorded.event().model_dump()["number"] for recorded in await self.store.load(f"hand-{hand}")]

    def relay(self) -> Relay:
        lane = Lane(0, tuple(range(PARTITIONS)))
        return Relay(SERVICE, self.database, self.topics, self.settings.kafka, (PUBLIC, PRIVATE), lane)

    @contextlib.asynccontextmanager
    async def relaying(self) -> AsyncIterator[Relay]:
        """A relay at work; stopped in the end as a service stops it."""
        relay = self.relay()
        task = asyncio.create_task(relay.run())
        try:
            yield relay
        finally:
            await relay.stop()
            await asyncio.wait([task], timeout=20)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def all_sent(self) -> None:
        """Waits until every commit is marked as sent."""

        async def look() -> None:
            left = await self.database["commits"].count_documents({"unsent": True})
            assert not left, f"{left} commits are not sent"

        await eventually(look)

    async def drain(self) -> None:
        """A relay runs until everything is sent."""
        async with self.relaying():
            await self.all_sent()


@contextlib.asynccontextmanager
async def serving(service: Service) -> AsyncIterator[Service]:
    """The service as its HTTP server runs it, up."""
    async with service.http.router.lifespan_context(service.http):

        async def up() -> bool:
            return service.up.is_set()

        await eventually(up)
        yield service
