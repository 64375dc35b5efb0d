"""Building a generation: from the earliest record to the end, in large batches, then the swap.

A process of its own (`builders.py`), begun by the service; it goes on where a predecessor stopped, since
documents and offsets are the same as those of a live view. Bare aiokafka: FastStream's batches stop at 12,000
to 20,000 a second.
"""

import asyncio
import contextlib
import importlib
import os
import signal
import time
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord
from pydantic import BaseModel
from pymongo.asynchronous.database import AsyncDatabase

from shared.kernel.errors import Undecodable
from shared.kernel.projection import Projection
from shared.runtime.builders import PATIENCE
from shared.runtime.codec import incoming
from shared.runtime.folding import Fold
from shared.runtime.gathering import Gathered, delivered
from shared.runtime.generations import Generation, Registry, offset_key
from shared.runtime.mirror import Mirror
from shared.runtime.points import passing
from shared.runtime.subscribe import same_topics
from shared.runtime.topics import Topic, Topics

log = structlog.get_logger(__name__)

#: Records folded at a time, and what their bytes may come to: the more, the rarer is one document written
#: again and again.
BATCH = 20_000
BATCH_BYTES = 48_000_000
#: Records of one partition that are worth being asked for by themselves, and how long they are waited for,
#: in milliseconds.
_FEW, _FETCHED_WITHIN = 50, 200
_REPORT_EVERY = 0.5
#: A topic that was made anew is full again when nothing came for this long, in seconds, or when it holds what
#: was recorded after the build began: relays send in the order of recording.
REST = 3.0


class _Read(NamedTuple):
    """Records and what they are for the view."""

    batch: list[ConsumerRecord]
    gathered: Gathered


class Builder:
    """Builds one generation and swaps it in."""

    def __init__(
        self,
        projection: Projection[Any],
        generation: Generation,
        database: AsyncDatabase[dict[str, Any]],
        topics: Topics,
        bootstrap: str,
        mirror: Mirror[Any] | None = None,
    ) -> None:
        self.generation = generation
        self._projection: Projection[BaseModel] = projection
        self._registry = Registry(database)
        self._mirror = mirror
        self._fold = Fold(self._projection, generation.name, database, self._registry, mirror)
        self._topics = topics
        self._bootstrap = bootstrap
        self._holder = f"{os.getpid()}@{os.uname().nodename}"
        self._stopping = False
        self._read = 0
        self._reported = 0.0
        self._filling: set[str] = set()
        self._ends: dict[TopicPartition, int] = {}
        self._rests_since = 0.0
        self._looked: Mapping[TopicPartition, int] = {}
        self._left: dict[TopicPartition, int] = {}

    def stop(self) -> None:
        self._stopping = True

    async def run(self) -> bool:
        """Builds until the swap; False where another builder has the lease, it was stopped, or the topics
        are not those begun with."""
        if not await self._registry.lease(self.generation, self._holder):
            return False
        found = await self._topics.describe(self._projection.topics)
        if not same_topics(found, self.generation.topics):
            await self._registry.give_up(self.generation)
            return False
        await self._fold.prepare()
        self._filling = await self._made_anew(found)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=self._topics.full_name(self.generation.name),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=2_000_000,
            fetch_max_bytes=32_000_000,
        )
        await consumer.start()
        try:
            built = await self._build(consumer, found)
        finally:
            await consumer.stop()
        if not built:
            # Where the build was given up, what was written since then is left.
            await self._registry.sweep(self.generation.view, self._mirror)
        return built

    async def _build(self, consumer: AIOKafkaConsumer, found: Mapping[str, Topic]) -> bool:
        keys = {
            TopicPartition(self._topics.full_name(topic.name), partition): offset_key(topic.id, partition)
            for topic in found.values()
            for partition in range(topic.partitions)
        }
        ids = {self._topics.full_name(topic.name): topic.id for topic in found.values()}
        saved = await self._registry.offsets(self.generation.name)
        consumer.assign(list(keys))
        for tp, key in keys.items():
            consumer.seek(tp, saved.get(key, 0))
        started, already = time.monotonic(), sum(saved.values())
        self._read = already
        await self._report(consumer, keys, already, started)
        ahead: asyncio.Task[_Read] | None = None
        try:
            while not self._stopping:
                batch, gathered = await (ahead or self._next(consumer, ids))
                # The store takes this batch while the next one is read.
                more = sum(self._left.values()) >= BATCH
                ahead = asyncio.create_task(self._next(consumer, ids)) if more else None
                if batch:
                    await self._fold.write(gathered)
                    self._note_filled(batch)
                    self._read += len(batch)
                    passing("rebuild.batch")
                await self._report(consumer, keys, already, started)
                if ahead is None and len(batch) < BATCH and await self._finished(consumer, keys):
                    return True
        finally:
            if ahead is not None:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)
        return False

    async def _next(self, consumer: AIOKafkaConsumer, ids: Mapping[str, str]) -> "_Read":
        batch = await self._batch(consumer)
        return _Read(batch, await self._fold.read(delivered(batch, ids)))

    async def _batch(self, consumer: AIOKafkaConsumer) -> list[ConsumerRecord]:
        """Of every partition in proportion to what it holds still: what happened at one time is folded
        together, and the documents of that time are written once and not once for each partition."""
        left = {tp: number for tp, number in self._left.items() if number >= _FEW}
        if not left:
            # What is left may be control records, which are never handed over.
            records = await consumer.getmany(timeout_ms=100, max_records=BATCH)
            return [record for part in records.values() for record in part]
        batch, size, whole = list[ConsumerRecord](), 0, sum(left.values())
        for tp, number in left.items():
            most = max(_FEW, BATCH * number // whole)
            while most > 0 and size < BATCH_BYTES:
                found = (await consumer.getmany(tp, timeout_ms=_FETCHED_WITHIN, max_records=most)).get(tp, [])
                if not found:
                    break
                batch += found
                size += sum(len(record.value or b"") for record in found)
                most -= len(found)
                self._left[tp] -= len(found)
        return batch

    async def _finished(self, consumer: AIOKafkaConsumer, keys: Mapping[TopicPartition, str]) -> bool:
        """At the end: hands the offsets to the group that will follow, and swaps where the active
        generation is covered. The end is that of the last look: while events go on coming, the answer to a
        new one would come with the next event, and be behind again."""
        ends = self._looked
        positions = {tp: await consumer.position(tp) for tp in keys}
        if any(positions[tp] < ends[tp] for tp in keys) or not self._filled(ends):
            return False
        if not same_topics(await self._topics.describe(self._projection.topics), self.generation.topics):
            await self._registry.give_up(self.generation)
            self._stopping = True
            return False
        await self._registry.save(
            self.generation.name, {keys[tp]: offset for tp, offset in positions.items()}
        )
        await consumer.commit(dict(positions))
        passing("rebuild.before-swap")
        return await self._registry.swap(self.generation)

    async def _made_anew(self, found: Mapping[str, Topic]) -> set[str]:
        """Topics that a serving generation knows under another id and has read from: their relay fills them
        again, and until then their end is not the end."""
        filling = set()
        for serving in await self._registry.serving(self.generation.view):
            saved = await self._registry.offsets(serving.name)
            read = {key.rpartition("/")[0] for key, offset in saved.items() if offset}
            for topic in found.values():
                before = serving.topics.get(topic.name.replace(".", "/"))
                if before in read and before != topic.id:
                    filling.add(self._topics.full_name(topic.name))
        return filling

    def _note_filled(self, batch: Sequence[ConsumerRecord]) -> None:
        began = self.generation.started_at
        if not self._filling or began is None:
            return
        for record in batch:
            with contextlib.suppress(Undecodable):
                if incoming(dict(record.headers), record.value).recorded_at >= began.replace(tzinfo=UTC):
                    self._filling.discard(record.topic)

    def _filled(self, ends: Mapping[TopicPartition, int]) -> bool:
        """Whether no topic is being filled again."""
        if ends != self._ends:
            self._ends, self._rests_since = dict(ends), time.monotonic()
        empty = {tp.topic for tp, end in ends.items() if end == 0} - {
            tp.topic for tp, end in ends.items() if end
        }
        rests = time.monotonic() - self._rests_since > REST
        return not self._filling or (rests and not self._filling & empty)

    async def _report(
        self, consumer: AIOKafkaConsumer, keys: Mapping[TopicPartition, str], already: int, started: float
    ) -> None:
        now = time.monotonic()
        if now - self._reported < _REPORT_EVERY:
            return
        self._reported = now
        if not await self._registry.lease(self.generation, self._holder):
            log.warning("the build was given up", generation=self.generation.name)
            self._stopping = True
            return
        ends = await consumer.end_offsets(list(keys))
        self._looked = ends
        self._left = {tp: ends[tp] - await consumer.position(tp) for tp in keys}
        total = sum(ends.values())
        rate = (self._read - already) / max(now - started, 0.001)
        await self._registry.report(self.generation, read=self._read, total=max(total, self._read), rate=rate)


async def build(module: str, view: str, number: int) -> None:
    """Builds generation `number` of `view` for the service that `module` assembles."""
    service = importlib.import_module(module).service
    async with service.engines() as (database, topics):
        projection = service.projection(view)
        registry = Registry(database)
        now = await registry.of(view, projection.version)
        if now.building is None or now.building.number != number:
            return
        mirror = service.viewings[view].mirror
        if mirror is not None:
            # It may open personal texts; what is written to views stays sealed.
            await service.follow_keys()
        builder = Builder(projection, now.building, database, topics, service.settings.kafka, mirror)
        stops_when_told(builder)
        try:
            await builder.run()
        except Exception as error:
            await registry.failed(now.building, repr(error)[:500])
            raise


def stops_when_told(builder: Builder, patience: float = PATIENCE - 1.0) -> None:
    """After the batch under way, or `patience` seconds later: where an engine is away a batch has no end, and
    a builder may be killed anywhere."""
    loop = asyncio.get_running_loop()

    def told() -> None:
        builder.stop()
        loop.call_later(patience, os._exit, 1)

    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, told)
