"""Replay and decode from the store; rebuilds from Kafka: new documents, shared ones, own existing ones."""

import asyncio
import time
from typing import Any

from benchmarks.harness import OCCASION, OWN, SHARED, TEXT, BenchNoted, Run
from shared.kernel.projection import Projection
from shared.runtime.codec import PARTITIONS
from shared.runtime.generations import Registry
from shared.runtime.ids import new_id
from shared.runtime.rebuild import Builder
from shared.runtime.relay import Lane, Relay
from shared.runtime.store import EventStore
from shared.runtime.topics import Topic, Topics

EVENTS = 80_000
#: Things in the second half repeat those of the first, so that a view of its own documents rewrites them.
THINGS = 20_000


async def run(run: Run) -> None:
    namespace = f"b{new_id()[-8:]}_"
    async with run.database() as database, Topics(run.addresses.kafka_bootstrap, namespace) as topics:
        await _fill(run, database, topics)
        await _replay(run, database)
        found = await topics.ensure(["bench.events"])
        await _rebuild(run, database, topics, found, SHARED, "documents shared by all events", 16_000)
        await _rebuild(run, database, topics, found, NEW, "each event its own new document", 16_000)
        await _rebuild(run, database, topics, found, OWN, "each event rewrites its own document", 6_000)


def _new_key(event: Any) -> set[str]:
    return {f"{event.thing_id}-{event.n}"}


NEW = Projection("bench.new", 1, OWN.view, OWN.events, _new_key, OWN.evolve)


async def _fill(run: Run, database: Any, topics: Topics) -> None:
    """Through the store and the relay, as in life."""
    lane = Lane(0, tuple(range(PARTITIONS)))
    relay = Relay("bench", database, topics, run.addresses.kafka_bootstrap, ["bench.events"], lane)
    store = EventStore("bench", database, on_append=relay.appended)
    await store.prepare()

    async def caller(first: int) -> None:
        for n in range(first, EVENTS, 256):
            event = BenchNoted(thing_id=f"t{n % THINGS}", text=TEXT, n=n)
            await store.append(f"thing-{n}", 1, [event], OCCASION)

    await asyncio.gather(*(caller(first) for first in range(256)))
    started = time.perf_counter()
    relaying = asyncio.create_task(relay.run())
    await relay.drained()
    run.note("relay", "alone, a backlog", EVENTS / (time.perf_counter() - started), "commits/s")
    await relay.stop()
    await relaying


async def _replay(run: Run, database: Any) -> None:
    store = EventStore("bench", database)
    best = 0.0
    for _ in range(3):
        started, number = time.perf_counter(), 0
        async for batch in store.replay():
            for recorded in batch:
                recorded.event()
            number += len(batch)
        best = max(best, number / (time.perf_counter() - started))
    run.note("replay", "and decode, best of three", best, "events/s", goal=100_000)
    started = time.perf_counter()
    read = 0
    async for raw in database.commits.find_raw_batches({}, batch_size=2_000).sort("_id", 1):
        read += len(raw)
    rate = EVENTS / (time.perf_counter() - started)
    run.note("replay", "the engine's own limit: raw bytes", rate, "events/s", note=f"{read / 1e6:.0f} MB")


async def _rebuild(
    run: Run,
    database: Any,
    topics: Topics,
    found: dict[str, Topic],
    projection: Projection[Any],
    name: str,
    goal: float,
) -> None:
    registry = Registry(database)
    await registry.first(projection.name, 1, found)
    rates = []
    for _ in range(2):
        generation = await registry.begin(projection.name, 1, found)
        builder = Builder(projection, generation, database, topics, run.addresses.kafka_bootstrap)
        started = time.perf_counter()
        if not await builder.run():
            raise RuntimeError(f"{projection.name} was not built")
        rates.append(EVENTS / (time.perf_counter() - started))
        await registry.drop_retired(projection.name, 1)
    run.note("rebuild", name, max(rates), "events/s", goal=goal)
