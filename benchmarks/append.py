"""Appending prepared commits: beside one insert per commit, and beside pyeventsourcing on SQLite."""

import asyncio
import itertools
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from bson.raw_bson import RawBSONDocument
from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteAggregateRecorder, SQLiteDatastore
from pymongo.write_concern import WriteConcern

from benchmarks.harness import OCCASION, TEXT, BenchNoted, Run, Timed, callers, percentiles
from shared.runtime.codec import PARTITIONS, encode_commit
from shared.runtime.ids import new_id
from shared.runtime.relay import Lane, Relay
from shared.runtime.store import EventStore
from shared.runtime.topics import Topics

SIZES = ((1, 1_000), (16, 24_000), (64, 40_000), (256, 60_000))


async def run(run: Run) -> None:
    async with run.database() as database:
        store = EventStore("bench", database)
        await store.prepare()
        await _append(store, 16, 4_000)
        for number, total in SIZES:
            timed = await _append(store, number, total)
            _note(run, "append, relay off", number, timed, goals=number == 16)
    await _insert_one(run)
    await _insert_many(run)
    await _sqlite(run)
    await _with_relay(run)


def _note(run: Run, group: str, number: int, timed: Timed, *, goals: bool = False) -> None:
    run.note(group, f"{number} callers", timed.rate, "commits/s", goal=6_000 if goals else None)
    run.note(group, f"{number} callers p50", timed.p50, "ms")
    run.note(group, f"{number} callers p99", timed.p99, "ms", goal=10 if goals else None, at_least=False)
    run.note(group, f"{number} callers, this process", timed.cpu_us, "CPU µs a commit")


async def _append(store: EventStore, number: int, total: int) -> Timed:
    async def call(caller: int, n: int) -> None:
        event = BenchNoted(thing_id=f"{caller}-{n}", text=TEXT, n=n)
        await store.append(f"thing-{new_id()}", 1, [event], OCCASION)

    return await callers(number, total, call)


async def _insert_one(run: Run) -> None:
    """The engine's own limit with one write per commit: the same bytes, the same durability."""
    async with run.database() as database:
        plain = database.get_collection("plain", write_concern=WriteConcern("majority", j=True))
        await plain.insert_one({"_id": "first"})

        async def call(caller: int, n: int) -> None:
            document: dict[str, Any] = {"_id": f"thing-{new_id()}:0000000001", "data": TEXT + "y" * 300}
            await plain.insert_one(document)

        timed = await callers(16, 6_000, call)
        run.note("one insert per commit", "16 callers", timed.rate, "commits/s")
        run.note("one insert per commit", "16 callers p99", timed.p99, "ms")


async def _insert_many(run: Run) -> None:
    """The engine's own limit with sixteen commits in each write, one write after the other."""
    async with run.database() as database:
        store = EventStore("bench", database)
        await store.prepare()
        writes: list[float] = []
        prepared = [[_prepared() for _ in range(16)] for _ in range(1_000)]
        started = time.perf_counter()
        for documents in prepared:
            began = time.perf_counter()
            await database.command(
                {"insert": "commits", "documents": documents, "writeConcern": {"w": "majority", "j": True}}
            )
            writes.append((time.perf_counter() - began) * 1e3)
        rate = 16 * len(writes) / (time.perf_counter() - started)
        run.note("sixteen commits a write, encoded before", "1 writer", rate, "commits/s")
        run.note("sixteen commits a write, encoded before", "1 writer p99", percentiles(writes)[1], "ms")


def _prepared() -> RawBSONDocument:
    event, commit_id = BenchNoted(thing_id="1", text=TEXT, n=1), new_id()
    now = datetime.now(UTC)
    return encode_commit(
        f"thing-{commit_id}", 1, [(commit_id, event)], OCCASION, commit_id=commit_id, recorded_at=now
    ).document


async def _sqlite(run: Run) -> None:
    """pyeventsourcing's SQLite recorder, its durable default, in a thread pool of 16."""
    with tempfile.TemporaryDirectory(dir=run.home) as folder:
        await asyncio.to_thread(os.sync)
        datastore = SQLiteDatastore(str(Path(folder) / "events.db"))
        recorder = SQLiteAggregateRecorder(datastore)
        recorder.create_table()
        loop, numbers = asyncio.get_running_loop(), itertools.count()
        state = BenchNoted(thing_id="1", text=TEXT, n=1).model_dump_json().encode()
        with ThreadPoolExecutor(1) as pool:

            async def call(caller: int, n: int) -> None:
                event = StoredEvent(UUID(int=next(numbers)), 1, "BenchNoted", state)
                await loop.run_in_executor(pool, recorder.insert_events, [event])

            timed = await callers(16, 4_000, call)
        datastore.close()
        run.note("pyeventsourcing on SQLite", "16 callers", timed.rate, "commits/s")
        run.note("pyeventsourcing on SQLite", "16 callers p99", timed.p99, "ms")


async def _with_relay(run: Run) -> None:
    """The same appends while the relay carries them to Kafka on the same two cores."""
    namespace = f"b{new_id()[-8:]}_"
    async with run.database() as database, Topics(run.addresses.kafka_bootstrap, namespace) as topics:
        lane = Lane(0, tuple(range(PARTITIONS)))
        relay = Relay("bench", database, topics, run.addresses.kafka_bootstrap, ["bench.events"], lane)
        store = EventStore("bench", database, on_append=relay.appended)
        await store.prepare()
        relaying = asyncio.create_task(relay.run())
        await _append(store, 16, 500)
        for number, total in ((16, 16_000), (64, 24_000)):
            timed = await _append(store, number, total)
            _note(run, "append, relay on", number, timed)
        started, left = asyncio.get_running_loop().time(), await _unsent(database)
        await relay.drained()
        took = asyncio.get_running_loop().time() - started
        run.note("relay", "commits still to send when the appends ended", left, "commits")
        run.note("relay", "drained in", took, "s")
        await relay.stop()
        await relaying


async def _unsent(database: Any) -> int:
    count: int = await database.commits.count_documents({"unsent": True})
    return count
