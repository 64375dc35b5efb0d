"""The relay: carries every commit from the store to Kafka once and in the order of its stream, killed or
paused anywhere.

One relay per service and lane. Each batch is one Kafka transaction, and the transactional id fences a
predecessor that merely slept. Starting, it reads the log back from its checkpoint and marks what is already
there, so that nothing is sent twice.

What this process appended is sent at once, where it cannot overtake anything (`appended.py`); a sweep finds
the rest. Marks are written behind the sending, for several batches together.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from pymongo import ASCENDING
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from shared.kernel.errors import Unavailable
from shared.runtime import telemetry
from shared.runtime.appended import LARGEST_BATCH_BYTES, Appended
from shared.runtime.awake import Awake
from shared.runtime.codec import COMMITS, Commit, Outgoing, outgoing
from shared.runtime.marks import Lane, LogLost, Marks, Sent, sent_entry
from shared.runtime.points import passing
from shared.runtime.topics import Topic, Topics

log = structlog.get_logger(__name__)

#: Commits in one transaction.
LARGEST_BATCH = 1_000
#: A sweep finds the truth at least this often, in seconds, whatever wakes it or fails to.
SWEEP_EVERY = 1.0
#: After a batch that was all there was, the sweep that finds nothing more waits so long, in seconds, for what
#: comes next.
CONFIRMED_WITHIN = 0.05
#: What was sent is marked after this many seconds, or when it is this many commits. Until then a kill leaves
#: it to be found in the log.
MARKED_WITHIN = 0.05
MOST_UNMARKED = 5_000
#: The change stream tells of this process's own appends too, maybe before the answer to them, by this many
#: seconds.
TOLD_WITHIN = 0.02
#: The relay looks this often, in seconds, whether its topics are still the same.
CHECK_TOPICS_EVERY = 3.0
#: A transaction that its producer does not end is aborted by the broker after this time, in milliseconds.
TRANSACTION_TIMEOUT_MS = 15_000
_BACK_OFF = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0)

__all__ = ["Lane", "LogLost", "Relay"]


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
        self._commits = database.get_collection("commits", codec_options=COMMITS)
        self._snapshot = self._commits.with_options(read_concern=ReadConcern("snapshot"))
        self._topics = topics
        self._bootstrap = bootstrap
        self._names = tuple(sorted(names))
        self._marks = Marks(self.name, lane, database, topics, bootstrap, self._names)
        self._found: dict[str, Topic] = {}
        self._wake = asyncio.Event()
        self._appended = Appended()
        self._sweep_at = 0.0
        self._unmarked: dict[str, list[Sent]] = {}
        self._mark_at = 0.0
        self._marking: asyncio.Task[None] | None = None
        #: When the last transaction began that was committed.
        self._proved = 0.0
        self._awake = Awake()
        self._stopping = False
        self._checked = 0.0
        self.idle = asyncio.Event()
        #: Set, and another one put in its place, when something was sent: for who waits for their commit.
        self.sent = asyncio.Event()
        #: Age of the oldest commit that is not sent, in seconds, as of the last sweep.
        self.oldest_unsent = 0.0

    def appended(self, commits: Sequence[Commit], began: float) -> None:
        """Something was appended in this process, by a write that began at `began`, on the monotonic clock;
        no commits: the store knows what."""
        mine = [commit for commit in commits if commit.partition in self.lane.partitions]
        if commits and self._appended.add(mine, began):
            self._wake.set()
        else:
            self._sweep_soon()

    def places(self, stream: str, version: int) -> Sequence[Sent] | None:
        """Where the commit that ends with this version lies in the log, where that is known here already."""
        return self._appended.places(stream, version)

    def is_due(self, stream: str, version: int) -> bool:
        """Whether the commit that ends with this version is about to be sent here."""
        return self._appended.is_due(stream, version)

    async def run(self) -> None:
        """Relays until stopped; meant to be a task."""
        beside = [asyncio.create_task(self._watch()), asyncio.create_task(self._awake.keep_ticking())]
        failures = 0
        try:
            while not self._stopping:
                started = time.monotonic()
                try:
                    await self._session()
                except LogLost as lost:
                    log.error("log lost, refilling from the store", relay=self.name, why=str(lost))
                    await self._refill()
                except Exception as error:
                    # Also what nobody expected: events must not stay behind because their relay has ended.
                    failures = 0 if time.monotonic() - started > 30 else failures + 1
                    expected = isinstance(error, KafkaError | PyMongoError | Unavailable | OSError)
                    log.warning(
                        "relay begins again",
                        relay=self.name,
                        error=repr(error),
                        failures=failures,
                        exc_info=not expected,
                    )
                    await self._pause(_BACK_OFF[min(failures, len(_BACK_OFF) - 1)])
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def drained(self) -> None:
        """Waits until a sweep found nothing that was appended before this call."""
        self.idle.clear()
        self._sweep_soon()
        await self.idle.wait()

    async def stop(self) -> None:
        """Lets the batch under way finish; `run` returns then."""
        self._stopping = True
        self._marks.stop()
        self._wake.set()

    async def _session(self) -> None:
        self._found = await self._topics.ensure(self._names)
        self._checked = time.monotonic()
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
            await self._marks.begin(self._found)
            self._appended.begin()
            self._unmarked, self._sweep_at = {}, 0.0
            while not self._stopping:
                await self._turn(producer)
            await self._mark_all()
            await self._marks.checkpoint()
        finally:
            self._appended.end()
            if self._marking is not None:
                await asyncio.gather(self._marking, return_exceptions=True)
                self._marking = None
            await _close(producer)

    async def _turn(self, producer: AIOKafkaProducer) -> None:
        """What is due first: marks are written while others are sent, sweeps go in between."""
        self._wake.clear()
        now = time.monotonic()
        if self._marking is not None and self._marking.done():
            marking, self._marking = self._marking, None
            marking.result()
        if self._unmarked and self._marking is None and now >= self._mark_at:
            self._marking = asyncio.create_task(self._mark())
            self._marking.add_done_callback(lambda _: self._wake.set())
        if now >= self._sweep_at:
            await self._mark_all()
            await self._sweep(producer)
            return
        documents, overtaking = self._appended.take()
        if overtaking:
            self._sweep_soon()
        if documents:
            await self._send(producer, documents)
        elif not overtaking:
            due = self._mark_at if self._unmarked and self._marking is None else self._sweep_at
            await self._pause(min(due, self._sweep_at) - now)

    def _sweep_soon(self) -> None:
        self._sweep_at = 0.0
        self._wake.set()

    async def _sweep(self, producer: AIOKafkaProducer) -> None:
        """Sends what a snapshot shows unsent; a commit sorts behind its predecessor in the stream, so it
        never overtakes it."""
        self._sweep_at = time.monotonic() + SWEEP_EVERY
        if time.monotonic() - self._checked > CHECK_TOPICS_EVERY:
            await self._check_topics()
        where = {"unsent": True, "partition": {"$in": list(self.lane.partitions)}}
        cursor = self._snapshot.find(where, batch_size=LARGEST_BATCH).sort(
            [("recorded_at", ASCENDING), ("_id", ASCENDING)]
        )
        documents: list[dict[str, Any]] = []
        size, all_of_them = 0, True
        async for document in cursor.limit(LARGEST_BATCH):
            size += sum(len(event["data"]) for event in document["events"])
            if documents and size > LARGEST_BATCH_BYTES:
                all_of_them = False
                break
            documents.append(document)
            self._appended.found(document["_id"])
        await cursor.close()
        if documents:
            self.idle.clear()
            await self._send(producer, documents)
            complete = all_of_them and len(documents) < LARGEST_BATCH
            self._sweep_at = time.monotonic() + CONFIRMED_WITHIN if complete else 0.0
            return
        self.oldest_unsent = 0.0
        telemetry.RELAY_UNSENT_AGE.labels(self.service).set(0)
        await self._marks.checkpoint()
        if self._sweep_at:
            # Nobody asked for another one while it looked.
            self.idle.set()

    async def _send(self, producer: AIOKafkaProducer, documents: Sequence[dict[str, Any]]) -> None:
        """One transaction. What stays in its stream is none of Kafka's, and counts as sent."""
        oldest = documents[0]["recorded_at"].replace(tzinfo=UTC)
        self.oldest_unsent = max(0.0, (datetime.now(UTC) - oldest).total_seconds())
        telemetry.RELAY_UNSENT_AGE.labels(self.service).set(self.oldest_unsent)
        with telemetry.RELAY_BATCH_SECONDS.time():
            marks = await self._sent(producer, [d for d in documents if "unsent" in d])
        if not self._unmarked:
            self._mark_at = time.monotonic() + MARKED_WITHIN
        self._unmarked.update(marks)
        if len(self._unmarked) > MOST_UNMARKED:
            await self._mark_all()
        for document in documents:
            self._appended.sent(document, marks.get(document["_id"], ()))
        self.sent.set()
        self.sent = asyncio.Event()
        telemetry.RELAY_SENT.inc(len(marks))

    async def _sent(
        self, producer: AIOKafkaProducer, documents: Sequence[Mapping[str, Any]]
    ) -> dict[str, list[Sent]]:
        if not documents:
            return {}
        began = time.monotonic()
        passing("relay.before-send")
        await producer.begin_transaction()
        try:
            pending = [(d, [await self._record(producer, d, o) for o in self._due(d)]) for d in documents]
            await producer.flush()
            marks = {document["_id"]: self._entries(document, records) for document, records in pending}
            passing("relay.sent")
        except BaseException:
            # What failed before the commit certainly did not happen: the transaction is thrown away, in
            # order again next time. A producer that is fenced or broken cannot even do that.
            with contextlib.suppress(Exception):
                await producer.abort_transaction()
            raise
        # An error here is an unknown outcome.
        await producer.commit_transaction()
        self._proved = began
        passing("relay.committed")
        return marks

    async def _mark_all(self) -> None:
        """Everything that was sent is marked then."""
        if self._marking is not None:
            marking, self._marking = self._marking, None
            await marking
        if self._unmarked:
            await self._mark()

    async def _mark(self) -> None:
        """What has been sent so far: first that the log reaches so far, then each commit. When the last
        transaction began nobody else had gone on, and nobody does while this process goes on."""
        marks, self._unmarked = self._unmarked, {}
        steps = (("relay.promised", self._marks.promise), ("relay.marked", self._marks.mark))
        for point, write in steps:
            if not self._awake.since(self._proved):
                raise Unavailable("relay-slept", "The relay was away for a while.")
            await write(marks)
            passing(point)

    def _entries(
        self, document: Mapping[str, Any], records: Sequence[tuple[str, "asyncio.Future[Any]"]]
    ) -> list[Sent]:
        """Where the commit's records lie. Raises what one of them failed with: a transaction with a hole in
        it must not be committed."""
        entries = {e["topic"]: e for e in document.get("sent", ())}
        for topic, future in records:
            metadata = future.result()
            if metadata.offset < 0:
                raise Unavailable("place-unknown", "Kafka does not say where a record lies.")
            entries[topic] = sent_entry(self._found[topic], metadata.partition, metadata.offset)
        return list(entries.values())

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
        future.add_done_callback(_retrieved)
        return record.topic, future

    async def _refill(self) -> None:
        """The log's offsets would be used again, so it is made anew under new ids and filled from the
        store."""
        with contextlib.suppress(Unavailable):
            for name in self._names:
                await self._topics.recreate(name)
            await self._marks.forget()

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
        pipeline: list[dict[str, Any]] = [
            {"$match": {"operationType": "insert"}},
            {"$project": {"documentKey": 1}},
        ]
        loop = asyncio.get_running_loop()
        while not self._stopping:
            try:
                async with await self._commits.watch(pipeline, max_await_time_ms=1_000) as stream:
                    async for change in stream:
                        loop.call_later(TOLD_WITHIN, self._look_for, change["documentKey"]["_id"])
            except PyMongoError as error:
                log.warning("change stream begins again", relay=self.name, error=repr(error))
                await asyncio.sleep(1)

    def _look_for(self, key: str) -> None:
        """Somebody else appended what is not known by now."""
        if not self._appended.knows(key):
            self._sweep_soon()


async def _close(producer: AIOKafkaProducer) -> None:
    try:
        await producer.stop()
    except Exception as error:
        log.info("a producer that failed before cannot end well", error=repr(error))
    finally:
        # which it leaves open where its sender has failed
        await producer.client.close()


def _retrieved(future: "asyncio.Future[Any]") -> None:
    """A failure is raised once for its batch; asyncio would report every other record of it, too."""
    if not future.cancelled():
        future.exception()
