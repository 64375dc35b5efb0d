"""The relay: carries every commit from the store to Kafka once and in the order of its stream, killed or
paused anywhere.

One relay per service and lane. Each batch is one Kafka transaction, and the transactional id fences a
predecessor that merely slept. Starting, it reads the log back from its checkpoint and marks what is already
there, so that nothing is sent twice.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord
from pymongo import ASCENDING
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.kernel.errors import Unavailable
from shared.runtime import telemetry
from shared.runtime.codec import COMMITS, Outgoing, commit_key, outgoing
from shared.runtime.points import passing
from shared.runtime.topics import Topic, Topics

log = structlog.get_logger(__name__)

#: Commits in one transaction, and their bytes together.
LARGEST_BATCH = 1_000
LARGEST_BATCH_BYTES = 8_000_000
#: A sweep finds the truth at least this often, in seconds, whatever wakes it or fails to.
SWEEP_EVERY = 1.0
#: The checkpoint is written at most this often, in seconds: it bounds how much is read back after a kill.
CHECKPOINT_EVERY = 0.5
#: An idle relay looks this often, in seconds, whether its topics are still the same.
CHECK_TOPICS_EVERY = 3.0
#: A transaction that its producer does not end is aborted by the broker after this time, in milliseconds.
TRANSACTION_TIMEOUT_MS = 15_000
_BACK_OFF = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0)


class LogLost(Exception):
    """The log ends before a marked offset, or holds a commit that the store lacks: its offsets would be
    used again."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Partitions that one relay has alone."""

    number: int
    partitions: tuple[int, ...]


Sent = dict[str, Any]


def sent_entry(topic: Topic, partition: int, offset: int) -> Sent:
    """Where a commit's last event of one topic lies in the log."""
    return {"topic": topic.name, "id": topic.id, "partition": partition, "offset": offset}


class Relay:
    """Runs until `stop`. Whatever goes wrong with Kafka is an unknown outcome: it begins again from
    read-back."""

    def __init__(
        self,
        service: str,
        database: AsyncDatabase[dict[str, Any]],
        topics: Topics,
        bootstrap: str,
        names: Iterable[str],
        lane: Lane,
    ) -> None:
        self.service = service
        self.name = f"{service}.relay.{lane.number}"
        self.lane = lane
        self._database = database
        self._commits = database.get_collection("commits", codec_options=COMMITS)
        self._snapshot = self._commits.with_options(read_concern=ReadConcern("snapshot"))
        self._checkpoints = database.get_collection(
            "relay_checkpoints", write_concern=WriteConcern("majority", j=True)
        )
        self._topics = topics
        self._bootstrap = bootstrap
        self._names = tuple(sorted(names))
        self._found: dict[str, Topic] = {}
        self._wake = asyncio.Event()
        self._stopping = False
        self._offsets: dict[str, dict[str, Any]] = {}
        self._checkpointed = 0.0
        self._checked = 0.0
        self.idle = asyncio.Event()
        #: Age of the oldest commit that is not sent, in seconds, as of the last sweep.
        self.oldest_unsent = 0.0

    def wake(self) -> None:
        """Something was appended in this process."""
        self._wake.set()

    async def run(self) -> None:
        """Relays until stopped; meant to be a task."""
        watcher = asyncio.create_task(self._watch())
        failures = 0
        try:
            while not self._stopping:
                started = time.monotonic()
                try:
                    await self._session()
                except LogLost as lost:
                    log.error("log lost, refilling from the store", relay=self.name, why=str(lost))
                    await self._refill()
                except (KafkaError, PyMongoError, Unavailable, OSError) as error:
                    failures = 0 if time.monotonic() - started > 30 else failures + 1
                    log.warning("relay begins again", relay=self.name, error=repr(error), failures=failures)
                    await self._pause(_BACK_OFF[min(failures, len(_BACK_OFF) - 1)])
        finally:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)

    async def drained(self) -> None:
        """Waits until a sweep found nothing that was appended before this call."""
        self.idle.clear()
        self._wake.set()
        await self.idle.wait()

    async def stop(self) -> None:
        """Lets the batch under way finish; `run` returns then."""
        self._stopping = True
        self._wake.set()

    async def _session(self) -> None:
        self._found = await self._topics.ensure(self._names)
        await self._forget_other_topics()
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            transactional_id=self._topics.full_name(self.name),
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            request_timeout_ms=10_000,
            max_batch_size=1_000_000,
            max_request_size=4_000_000,
            linger_ms=0,
        )
        try:
            await producer.start()
            passing("relay.fenced-predecessor")
            await self._read_back()
            while not self._stopping:
                await self._sweep(producer)
            await self._checkpoint()
        finally:
            with contextlib.suppress(KafkaError, OSError):
                await producer.stop()

    async def _sweep(self, producer: AIOKafkaProducer) -> None:
        """Sends what a snapshot shows unsent; a commit sorts behind its predecessor in the stream, so it
        never overtakes it."""
        self._wake.clear()
        where = {"unsent": True, "partition": {"$in": list(self.lane.partitions)}}
        cursor = self._snapshot.find(where, batch_size=LARGEST_BATCH).sort(
            [("recorded_at", ASCENDING), ("_id", ASCENDING)]
        )
        documents: list[dict[str, Any]] = []
        size = 0
        async for document in cursor.limit(LARGEST_BATCH):
            size += sum(len(event["data"]) for event in document["events"])
            if documents and size > LARGEST_BATCH_BYTES:
                break
            documents.append(document)
        await cursor.close()
        if documents:
            self.idle.clear()
            oldest = documents[0]["recorded_at"].replace(tzinfo=UTC)
            self.oldest_unsent = max(0.0, (datetime.now(UTC) - oldest).total_seconds())
            telemetry.RELAY_UNSENT_AGE.labels(self.service).set(self.oldest_unsent)
            with telemetry.RELAY_BATCH_SECONDS.time():
                await self._send(producer, documents)
            return
        self.oldest_unsent = 0.0
        telemetry.RELAY_UNSENT_AGE.labels(self.service).set(0)
        if self._offsets and self._checkpointed < time.monotonic() - CHECKPOINT_EVERY:
            await self._checkpoint()
        self.idle.set()
        await self._pause(SWEEP_EVERY)
        if not self._wake.is_set() and time.monotonic() - self._checked > CHECK_TOPICS_EVERY:
            await self._check_topics()

    async def _send(self, producer: AIOKafkaProducer, documents: Sequence[Mapping[str, Any]]) -> None:
        passing("relay.before-send")
        await producer.begin_transaction()
        try:
            pending = [(d, [await self._record(producer, d, o) for o in self._due(d)]) for d in documents]
            await producer.flush()
            passing("relay.sent")
        except BaseException:
            # What failed before the commit certainly did not happen: the transaction is thrown away, in
            # order again next time.
            with contextlib.suppress(KafkaError, OSError):
                await producer.abort_transaction()
            raise
        await producer.commit_transaction()
        passing("relay.committed")
        marks: dict[str, list[Sent]] = {}
        for document, records in pending:
            entries = {e["topic"]: e for e in document.get("sent", ())}
            for topic, future in records:
                metadata = future.result()
                entries[topic] = sent_entry(self._found[topic], metadata.partition, metadata.offset)
            marks[document["_id"]] = list(entries.values())
        await self._mark(marks)
        telemetry.RELAY_SENT.inc(len(marks))
        passing("relay.marked")
        if self._checkpointed < time.monotonic() - CHECKPOINT_EVERY:
            await self._checkpoint()

    def _due(self, document: Mapping[str, Any]) -> list[Outgoing]:
        """The commit's records for topics that do not hold it yet."""
        done = {e["topic"] for e in document.get("sent", ()) if e["id"] == self._found[e["topic"]].id}
        return [record for record in outgoing(document, self.service) if record.topic not in done]

    async def _record(
        self, producer: AIOKafkaProducer, document: Mapping[str, Any], record: Outgoing
    ) -> tuple[str, "asyncio.Future[Any]"]:
        name = self._topics.full_name(record.topic)
        future = await producer.send(
            name, record.value, record.key, document["partition"], headers=record.headers
        )
        return record.topic, future

    async def _mark(self, marks: Mapping[str, list[Sent]]) -> None:
        """Marks commits as sent, in one command; majority, so that a checkpoint is never ahead of its
        marks."""
        if not marks:
            return
        updates = [
            {"q": {"_id": key}, "u": {"$set": {"sent": entries}, "$unset": {"unsent": ""}}}
            for key, entries in marks.items()
        ]
        command = {
            "update": "commits",
            "updates": updates,
            "ordered": False,
            "writeConcern": {"w": "majority"},
        }
        answer = await self._database.command(command)
        if answer.get("writeErrors") or answer.get("writeConcernError"):
            raise Unavailable(
                "marks-failed", "Marking commits as sent failed: {why}", params={"why": str(answer)[:300]}
            )
        for entries in marks.values():
            for entry in entries:
                where = f"{entry['topic']}/{entry['partition']}"
                now = self._offsets.get(where)
                if now is None or now["id"] != entry["id"] or now["offset"] <= entry["offset"]:
                    self._offsets[where] = {**entry, "offset": entry["offset"] + 1}

    async def _checkpoint(self) -> None:
        """From here on the log is read back after a kill. Written only when a whole batch is marked."""
        if self._offsets:
            values = {"offsets": list(self._offsets.values())}
            await self._checkpoints.update_one({"_id": self.name}, {"$set": values}, upsert=True)
        self._checkpointed = time.monotonic()

    async def _read_back(self) -> None:
        """Marks what a predecessor sent but did not mark, from the checkpoint to the high watermark."""
        saved = await self._checkpoints.find_one({"_id": self.name}) or {"offsets": []}
        self._offsets = {
            f"{entry['topic']}/{entry['partition']}": entry
            for entry in saved["offsets"]
            if self._found[entry["topic"]].id == entry["id"]
        }
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=4_000_000,
        )
        await consumer.start()
        try:
            ends = await self._high_watermarks()
            starts = {tp: self._start(tp) for tp in ends}
            for tp, start in starts.items():
                if start > ends[tp]:
                    raise LogLost(f"{tp.topic}/{tp.partition} ends at {ends[tp]}, {start} was marked")
            due = [tp for tp in ends if starts[tp] < ends[tp]]
            consumer.assign(due)
            for tp in due:
                consumer.seek(tp, starts[tp])
            while due:
                found = await consumer.getmany(timeout_ms=200, max_records=5_000)
                await self._mark_found([record for records in found.values() for record in records])
                due = [tp for tp in due if await consumer.position(tp) < ends[tp]]
        finally:
            await consumer.stop()
        await self._checkpoint()

    async def _high_watermarks(self) -> dict[TopicPartition, int]:
        """Taken after the predecessor is fenced: nobody else writes to these partitions, so nothing comes
        behind them."""
        tps = [
            TopicPartition(self._topics.full_name(name), partition)
            for name in self._names
            for partition in self.lane.partitions
        ]
        async with AIOKafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False) as consumer:
            return dict(await consumer.end_offsets(tps))

    def _start(self, tp: TopicPartition) -> int:
        name = next(n for n in self._names if self._topics.full_name(n) == tp.topic)
        saved = self._offsets.get(f"{name}/{tp.partition}")
        return int(saved["offset"]) if saved else 0

    async def _mark_found(self, records: Sequence[ConsumerRecord]) -> None:
        if not records:
            return
        names = {self._topics.full_name(name): name for name in self._names}
        marks: dict[str, dict[str, Sent]] = {}
        ids: dict[str, str] = {}
        for record in records:
            headers = dict(record.headers)
            try:
                key = commit_key(headers["ce_subject"].decode(), int(headers["ce_commitversion"]))
                ids[key] = headers["ce_commitid"].decode()
            except (KeyError, ValueError) as error:
                raise LogLost(f"{record.topic}/{record.partition}@{record.offset} is not ours") from error
            name = names[record.topic]
            marks.setdefault(key, {})[name] = sent_entry(self._found[name], record.partition, record.offset)
        stored = {
            d["_id"]: d
            async for d in self._commits.find({"_id": {"$in": list(ids)}}, {"commit_id": 1, "sent": 1})
        }
        for key, commit_id in ids.items():
            if key not in stored or stored[key]["commit_id"] != commit_id:
                raise LogLost(f"the log holds commit {commit_id} of {key}, the store does not")
        await self._mark_merged(marks, stored)

    async def _mark_merged(
        self, marks: Mapping[str, Mapping[str, Sent]], stored: Mapping[str, Mapping[str, Any]]
    ) -> None:
        merged = {}
        for key, entries in marks.items():
            earlier = {entry["topic"]: entry for entry in stored[key].get("sent", ())}
            merged[key] = list({**earlier, **entries}.values())
        await self._mark(merged)

    async def _forget_other_topics(self) -> None:
        """Marks that point into a topic that was deleted and made again are void: those commits are sent
        again."""
        saved = await self._checkpoints.find_one({"_id": self.name})
        known = {entry["topic"]: entry["id"] for entry in saved["offsets"]} if saved else {}
        for topic in self._found.values():
            if known.get(topic.name) != topic.id:
                other = {"$elemMatch": {"topic": topic.name, "id": {"$ne": topic.id}}}
                await self._commits.update_many(
                    {"partition": {"$in": list(self.lane.partitions)}, "sent": other},
                    {
                        "$set": {"unsent": True},
                        "$pull": {"sent": {"topic": topic.name, "id": {"$ne": topic.id}}},
                    },
                )

    async def _refill(self) -> None:
        """The log's offsets would be used again, so it is made anew under new ids and filled from the
        store."""
        with contextlib.suppress(Unavailable):
            for name in self._names:
                await self._topics.recreate(name)
            await self._checkpoints.delete_one({"_id": self.name})

    async def _check_topics(self) -> None:
        self._checked = time.monotonic()
        now = await self._topics.describe(self._names)
        if {name: topic.id for name, topic in now.items()} != {n: t.id for n, t in self._found.items()}:
            raise Unavailable(
                "topic-recreated", "A topic of {relay} was made anew.", params={"relay": self.name}
            )

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    async def _watch(self) -> None:
        """The change stream tells of appends by other processes; what it misses, the sweep finds."""
        pipeline: list[dict[str, Any]] = [{"$match": {"operationType": "insert"}}, {"$project": {"_id": 1}}]
        while not self._stopping:
            try:
                async with await self._commits.watch(pipeline, max_await_time_ms=1_000) as stream:
                    async for _ in stream:
                        self._wake.set()
            except PyMongoError as error:
                log.warning("change stream begins again", relay=self.name, error=repr(error))
                await asyncio.sleep(1)
