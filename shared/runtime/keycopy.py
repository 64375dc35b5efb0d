"""Following `identity.keys`: how every service gets its copy of members' keys, and learns that one is erased.

Each process reads the whole topic from its beginning at every start: about one record per member, as it is
compacted. So a service that was restored from an old backup knows every erasure before it opens anything.
"""

import asyncio
import base64
import contextlib
import json
from collections.abc import Sequence
from datetime import datetime

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord
from pymongo.errors import PyMongoError

from shared.kernel.errors import Unavailable
from shared.runtime.ending import ended
from shared.runtime.keys import KeyRecord, KeyRing
from shared.runtime.topics import COMPACTED, Topics

log = structlog.get_logger(__name__)

TOPIC = "identity.keys"
#: One partition: the topic is small, and its order is the order of what happened to each key.
PARTITIONS = 1
#: Records taken in at once.
LARGEST_BATCH = 1_000
#: How often the topic's identity is looked at, in seconds: one that was made anew is read from its beginning.
LOOK_EVERY = 10.0
_BACK_OFF = 1.0


def encode(record: KeyRecord) -> bytes:
    """A record's value; its key is the member's id."""
    if record.erased_at is not None:
        return json.dumps({"version": record.version, "erased_at": record.erased_at.isoformat()}).encode()
    wrapped = base64.b64encode(record.wrapped or b"").decode()
    return json.dumps({"version": record.version, "wrapped": wrapped, "master": record.master}).encode()


def decode(key: bytes, value: bytes) -> KeyRecord:
    """Raises ValueError or KeyError where it is no record of a key."""
    said = json.loads(value)
    if "erased_at" in said:
        return KeyRecord(key.decode(), said["version"], erased_at=datetime.fromisoformat(said["erased_at"]))
    wrapped = base64.b64decode(said["wrapped"], validate=True)
    return KeyRecord(key.decode(), int(said["version"]), wrapped, said["master"])


class KeyCopy:
    """Keeps a key ring filled."""

    def __init__(self, ring: KeyRing, topics: Topics, bootstrap: str) -> None:
        self._ring = ring
        self._topics = topics
        self._bootstrap = bootstrap
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises WrongMasterKey where the keys here were wrapped by another master key."""
        await self._ring.check()
        self._following = asyncio.create_task(self._run())

    async def stop(self) -> None:
        following, self._following = self._following, None
        if following is not None:
            await ended(following)

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except Exception as error:
                # Also what nobody expected: without keys nothing opens, and nobody would say why.
                expected = isinstance(error, KafkaError | PyMongoError | Unavailable | OSError)
                log.warning(
                    "keys are followed again from the beginning",
                    error=repr(error),
                    exc_info=not expected,
                )
                await asyncio.sleep(_BACK_OFF)

    async def _follow(self) -> None:
        topic = (await self._topics.ensure([TOPIC], COMPACTED, PARTITIONS))[TOPIC]
        partition = TopicPartition(self._topics.full_name(TOPIC), 0)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            end = (await consumer.end_offsets([partition]))[partition]
            looked = asyncio.get_running_loop().time()
            while True:
                found = await consumer.getmany(timeout_ms=200, max_records=LARGEST_BATCH)
                await self._take([record for records in found.values() for record in records])
                if not self._ring.caught_up.is_set() and await consumer.position(partition) >= end:
                    self._ring.caught_up.set()
                now = asyncio.get_running_loop().time()
                if now - looked > LOOK_EVERY:
                    looked = now
                    if (await self._topics.describe([TOPIC])).get(TOPIC) != topic:
                        raise Unavailable("topic-recreated", "The topic of keys was made anew.")
        finally:
            with contextlib.suppress(KafkaError, OSError):
                await consumer.stop()

    async def _take(self, records: Sequence[ConsumerRecord]) -> None:
        decoded = []
        for record in records:
            try:
                decoded.append(decode(record.key, record.value))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                # Nothing waits behind it: each record stands for itself, and only identity writes here.
                log.error("this is no record of a key", offset=record.offset, error=repr(error))
        if decoded:
            await self._ring.absorb(decoded)
