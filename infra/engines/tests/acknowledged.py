"""Writes to each engine as fast as it acknowledges, and says afterwards which of those writes are gone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from opensearchpy import AsyncOpenSearch, OpenSearchException
from opensearchpy.helpers import async_scan
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from infra.engines import Addresses

_WRITERS = 8
_NAME = "acknowledged"
Write = Callable[[int], Awaitable[Any]]


class Target(Protocol):
    broken: tuple[type[Exception], ...]

    def writing(self, addresses: Addresses) -> Any: ...
    async def found(self, addresses: Addresses) -> set[int]: ...


async def write_until_broken(target: Target, addresses: Addresses, acknowledged: list[int]) -> None:
    """Fill `acknowledged` until the engine no longer answers."""
    numbers = count()

    async def work(write: Write) -> None:
        for number in numbers:
            await write(number)
            acknowledged.append(number)

    async with target.writing(addresses) as write:
        workers = [asyncio.create_task(work(write)) for _ in range(_WRITERS)]
        try:
            await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for worker in workers:
                worker.cancel()
            ends = await asyncio.gather(*workers, return_exceptions=True)
    strange = [end for end in ends if not isinstance(end, (*target.broken, asyncio.CancelledError))]
    assert not strange, strange


class InMongo:
    broken = (PyMongoError,)

    @asynccontextmanager
    async def writing(self, addresses: Addresses) -> AsyncIterator[Write]:
        uri = f"{addresses.mongo_uri}&w=majority&journal=true&retryWrites=false&serverSelectionTimeoutMS=1000"
        async with AsyncMongoClient[dict[str, Any]](uri) as client:
            yield lambda number: client[_NAME].writes.insert_one({"_id": number, "text": "x" * 200})

    async def found(self, addresses: Addresses) -> set[int]:
        async with AsyncMongoClient[dict[str, Any]](addresses.mongo_uri) as client:
            return {found["_id"] async for found in client[_NAME].writes.find({}, {"_id": 1})}


class InKafka:
    broken = (KafkaError,)

    @asynccontextmanager
    async def writing(self, addresses: Addresses) -> AsyncIterator[Write]:
        where = addresses.kafka_bootstrap
        admin = AIOKafkaAdminClient(bootstrap_servers=where)
        await admin.start()
        await admin.create_topics([NewTopic(_NAME, num_partitions=1, replication_factor=1)])
        await admin.close()
        producer = AIOKafkaProducer(bootstrap_servers=where, acks="all", request_timeout_ms=1_000)
        await producer.start()
        yield lambda number: producer.send_and_wait(_NAME, str(number).encode())
        # what is still unsent would be waited for
        await producer._sender.close()
        await producer.client.close()
        producer._closed = True

    async def found(self, addresses: Addresses) -> set[int]:
        partition = TopicPartition(_NAME, 0)
        consumer = AIOKafkaConsumer(bootstrap_servers=addresses.kafka_bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            consumer.assign([partition])
            (end,) = (await consumer.end_offsets([partition])).values()
            numbers: set[int] = set()
            while await consumer.position(partition) < end:
                batches = await consumer.getmany(timeout_ms=1_000)
                numbers |= {int(record.value) for records in batches.values() for record in records}
            return numbers
        finally:
            await consumer.stop()


class InOpenSearch:
    broken = (OpenSearchException,)

    @asynccontextmanager
    async def writing(self, addresses: Addresses) -> AsyncIterator[Write]:
        async with AsyncOpenSearch(addresses.opensearch_url, max_retries=0, timeout=10) as client:
            body = {"settings": {"number_of_shards": 1, "number_of_replicas": 0}}
            await client.indices.create(index=_NAME, body=body)
            yield lambda number: client.index(index=_NAME, id=str(number), body={"text": "x" * 200})

    async def found(self, addresses: Addresses) -> set[int]:
        async with AsyncOpenSearch(addresses.opensearch_url, timeout=30) as client:
            await client.indices.refresh(index=_NAME)
            return {
                int(hit["_id"]) async for hit in async_scan(client, index=_NAME, _source=False, size=1_000)
            }
