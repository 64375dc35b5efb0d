"""Following topics: a view's live generation, or a reaction. The only place where the house subscribes.

FastStream carries the consumer; what it hands over are raw batches, which are read, folded and acknowledged
here, after everything is written.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, KafkaError
from aiokafka.structs import ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage, KafkaMessage

from shared.runtime.topics import Topic, Topics

log = structlog.get_logger(__name__)

#: Records in one batch.
LARGEST_BATCH = 1_000
#: How long a consumer may be silent before the group goes on without it, in milliseconds.
SESSION_TIMEOUT_MS = 6_000

#: How long a consumer, and the broker for it, wait for something before they look around, in milliseconds.
#: What comes ends the waiting. Partitions that another consumer leaves behind are read after it at most. Half
#: of it makes everything at rest cost a tenth more.
QUIET_MS = 2_000
#: Seconds between two acknowledgements under a steady stream. What was handled since the last one comes again
#: after a kill, and changes nothing then.
ACKNOWLEDGED_EVERY = 1.0
#: Seconds between two looks at what has come while a batch is gathered. The client asks for no more of a
#: partition before what it holds of it is taken: one look at the end would find the first few records only.
TAKEN_EVERY = 0.05
#: Seconds for which a consumer that holds something unread asks for nothing else; longer than a batch takes.
#: The client asks for the partitions of which it holds nothing, in one question a broker, and for the others
#: after its answer, which comes after QUIET_MS where those are quiet: after its own tenth of a second, a busy
#: partition would stand still for that long whenever a batch is handled.
UNREAD_FOR = 60.0

Handle = Callable[[Sequence[ConsumerRecord]], Awaitable[None]]


class TopicReplaced(Exception):
    """A topic was deleted and made again: offsets mean something else now, so the view must be rebuilt."""


class TopicIds:
    """The ids of topics as the broker knows them, asked again every second and whenever offsets run back.

    One for all views of a service, so that the broker is asked once.
    """

    def __init__(self, topics: Topics, names: Sequence[str]) -> None:
        self._topics = topics
        self._names = sorted(names)
        self._checked = 0.0
        self._asking = asyncio.Lock()
        self.found: dict[str, Topic] = {}

    async def current(self, *, at_once: bool = False) -> dict[str, Topic]:
        """By name without namespace, at most a second old; `at_once`: as of now."""
        asked = time.monotonic()
        if at_once or asked - self._checked > 1.0:
            async with self._asking:
                if self._checked < (asked if at_once else asked - 1.0):
                    began = time.monotonic()
                    self.found = await self._topics.describe(self._names)
                    self._checked = began
        return self.found


class Follower:
    """One consumer group on some topics, from the earliest record on, read committed."""

    def __init__(
        self,
        broker: KafkaBroker,
        group: str,
        topics: Sequence[str],
        handle: Handle,
        *,
        batch: int = LARGEST_BATCH,
        gathers: float = 0.0,
        watched_by: "Watch | None" = None,
    ) -> None:
        """`gathers`: so many seconds are given, from the first record on, to what follows it, and all of it
        is handled together."""
        self.group = group
        self._gathers = gathers
        self._broker = broker
        self._handle = handle
        self._subscriber: Any = broker.subscriber(
            *topics,
            batch=True,
            group_id=group,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            isolation_level="read_committed",
            max_records=batch,
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=SESSION_TIMEOUT_MS // 3,
            max_poll_interval_ms=600_000,
            max_partition_fetch_bytes=4_194_304,
            fetch_max_wait_ms=QUIET_MS,
            consumer_timeout_ms=QUIET_MS,
            parser=self._parse,
            decoder=_undecoded,
            persistent=False,
            listener=_Assignments(watched_by) if watched_by is not None else None,
        )
        self._subscriber(self._take)
        self._most = batch
        self._handled: dict[TopicPartition, int] = {}
        self._acknowledged = time.monotonic()
        self._stopping = False
        # FastStream's own waits for a batch and then sleeps as long again, whatever comes meanwhile: what is
        # written after a quiet moment would be seen a fifth of a second late.
        setattr(self._subscriber, "get_msg", self._next)  # noqa: B010 - its type says that methods stay
        #: Whether records have been taken from the consumer that are not handled yet.
        self.holding = False
        self.failure: BaseException | None = None
        self.failed = asyncio.Event()

    async def start(self) -> None:
        """The broker must be connected; a start that fails leaves nothing behind."""
        try:
            await self._subscriber.start()
        except BaseException:
            await self._subscriber.stop()
            raise
        # not among the options of the client
        setattr(self._subscriber.consumer._fetcher, "_prefetch_backoff", UNREAD_FOR)  # noqa: B010 - has no types

    async def stop(self) -> None:
        """Finishes the batch under way and leaves the group."""
        self._stopping = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._acknowledge(), 2.0)
        await self._subscriber.stop()

    async def _next(self, consumer: AIOKafkaConsumer) -> tuple[ConsumerRecord, ...]:
        """What is there, as soon as anything is, or a while later."""
        await self._acknowledge()
        found = await consumer.getmany(timeout_ms=QUIET_MS, max_records=self._most)
        batch = [record for records in found.values() for record in records]
        self.holding = bool(batch)
        ends = time.monotonic() + self._gathers
        while batch and not self._stopping and len(batch) < self._most and time.monotonic() < ends:
            await asyncio.sleep(min(self._gathers, TAKEN_EVERY))
            batch += await self._more(consumer, batch)
        return tuple(batch)

    async def _more(
        self, consumer: AIOKafkaConsumer, batch: Sequence[ConsumerRecord]
    ) -> list[ConsumerRecord]:
        """What has come behind the batch meanwhile. An error must not take what is in hand along: what is
        wrong still is told by the next question. And partitions that were given out anew meanwhile begin
        where they were acknowledged last, maybe with what is in hand."""
        try:
            found = await consumer.getmany(timeout_ms=0, max_records=self._most - len(batch))
        except KafkaError as error:
            log.warning("nothing more is gathered", group=self.group, error=repr(error))
            return []
        last: dict[tuple[str, int], int] = {}
        for record in batch:
            last[record.topic, record.partition] = record.offset
        more = (record for records in found.values() for record in records)
        return [each for each in more if each.offset > last.get((each.topic, each.partition), -1)]

    async def _parse(self, records: tuple[ConsumerRecord, ...]) -> KafkaMessage:
        """Nothing is read here: a record that cannot be read must reach the fold, which parks it."""
        return KafkaAckableMessage(
            body=b"",
            headers={},
            batch_headers=[],
            raw_message=records,
            message_id=f"{records[0].offset}-{records[-1].offset}",
            correlation_id=None,
            consumer=self._subscriber.consumer,
        )

    async def _take(self, message: KafkaMessage) -> None:
        if self.failure is not None:
            await asyncio.sleep(1)
            return
        records = message.raw_message
        assert isinstance(records, tuple), "a batch subscriber hands over batches"
        try:
            await self._handle(records)
            for record in records:
                self._handled[TopicPartition(record.topic, record.partition)] = record.offset + 1
            await self._acknowledge()
        except Exception as error:
            # Not acknowledged: whoever follows next gets the batch again. The owner decides what a failure
            # means.
            log.warning("follower stops", group=self.group, error=repr(error))
            self.failure = error
            self.failed.set()
        finally:
            self.holding = False

    async def _acknowledge(self) -> None:
        """Tells the broker what was handled, when it is time: each request costs both about as much as
        handling a record does. What fails is told with the next."""
        consumer, now = self._subscriber.consumer, time.monotonic()
        due = self._stopping or now - self._acknowledged >= ACKNOWLEDGED_EVERY
        if consumer is None or not self._handled or not due:
            return
        self._acknowledged = now
        mine = consumer.assignment()
        handled = {tp: offset for tp, offset in self._handled.items() if tp in mine}
        self._handled = {}
        if not handled:
            return
        try:
            await consumer.commit(handled)
        except CommitFailedError:
            log.info("partitions went before they were acknowledged", group=self.group)
        except KafkaError as error:
            log.warning("not acknowledged", group=self.group, error=repr(error))
            self._handled = {**handled, **self._handled}


class Watch(Protocol):
    """Told of the partitions that a follower has, before records of them come."""

    def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """All that it has now; they may have been another consumer's."""

    def revoked(self) -> None:
        """It has none until it is told again."""


class _Assignments(ConsumerRebalanceListener):  # type: ignore[misc]
    """Tells whoever watches."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        self._watch.revoked()

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self._watch.assigned(assigned)


async def _undecoded(message: KafkaMessage) -> KafkaMessage:
    return message


def make_broker(bootstrap: str) -> KafkaBroker:
    """A broker for followers; FastStream's own logging stays out of ours."""
    return KafkaBroker(
        bootstrap, logger=None, graceful_timeout=10.0, allow_auto_create_topics=False, apply_types=False
    )


class OffsetsRanBack(Exception):
    """A partition delivered an offset that was passed before."""


class Ascending:
    """Watches that a partition's offsets only rise; where they do not, the log under them was replaced or
    rewound."""

    def __init__(self) -> None:
        self._next: dict[tuple[str, int], int] = {}

    def runs_back(self, records: Sequence[ConsumerRecord]) -> bool:
        back = False
        for record in records:
            where = (record.topic, record.partition)
            back = back or record.offset < self._next.get(where, 0)
            self._next[where] = record.offset + 1
        return back


def same_topics(found: Mapping[str, Topic], bound: Mapping[str, str]) -> bool:
    """Whether the topics are still those that a generation was bound to (names with '/' for '.')."""
    return {name.replace(".", "/"): topic.id for name, topic in found.items()} == dict(bound)
