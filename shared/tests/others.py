"""The other rooms, as tests of one room need them: the owner of members' keys, and stores whose events real
relays send."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from shared.runtime.codec import PARTITIONS
from shared.runtime.keys import KeyRing, MasterKey
from shared.runtime.relay import Lane, Relay
from shared.runtime.service import mongo_client
from shared.runtime.settings import Settings
from shared.runtime.store import EventStore, Sealer
from shared.runtime.topics import Topics
from shared.runtime.vault import KeyRelay, KeyVault


@dataclass(frozen=True, slots=True)
class Others:
    settings: Settings
    topics: Topics
    ring: KeyRing
    vault: KeyVault
    client: AsyncMongoClient[dict[str, Any]]
    stack: contextlib.AsyncExitStack

    def database(self, room: str) -> AsyncDatabase[dict[str, Any]]:
        return self.client[self.settings.named(room)]

    async def store(self, room: str) -> EventStore:
        """The room's, as `telling` makes it; sealed with members' keys."""
        return await telling(self.stack, self.settings, self.topics, self.database(room), room, self.ring)


async def telling(
    stack: contextlib.AsyncExitStack,
    settings: Settings,
    topics: Topics,
    database: AsyncDatabase[dict[str, Any]],
    room: str,
    sealer: Sealer,
) -> EventStore:
    """The store of a room, and a relay that sends what is appended there until the stack ends."""
    names = (f"{room}.events", f"{room}.private")
    await topics.ensure(names)
    lane = Lane(0, tuple(range(PARTITIONS)))
    relay = Relay(room, database, topics, settings.kafka, names, lane)
    store = EventStore(room, database, sealer, on_append=relay.appended)
    await store.prepare()
    running = asyncio.create_task(relay.run())

    async def end() -> None:
        await relay.stop()
        await asyncio.wait([running], timeout=20)
        await store.queue.close()

    stack.push_async_callback(end)
    return store


@contextlib.asynccontextmanager
async def others(settings: Settings) -> AsyncIterator[Others]:
    """The owner of the keys is there, and tells of them."""
    master = MasterKey.create(settings.master_key_path)
    async with contextlib.AsyncExitStack() as stack:
        client = mongo_client(settings)
        stack.push_async_callback(client.close)
        topics = Topics(settings.kafka, settings.namespace)
        stack.push_async_callback(topics.close)
        ring = KeyRing(client[settings.named("identity")], master)
        ring.caught_up.set()
        vault = KeyVault(ring)
        await vault.prepare()
        keys = KeyRelay(vault, topics, settings.kafka)
        await keys.start()
        stack.push_async_callback(keys.stop)
        yield Others(settings, topics, ring, vault, client, stack)
