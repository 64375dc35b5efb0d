"""The owner's side of members' keys, for identity alone: makes them, destroys them, and publishes both.

Every change raises a key's version and leaves a due date. The relay sends what is due in fenced transactions:
a predecessor that merely slept cannot put a destroyed key behind its erasure, where compaction would keep it.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from pymongo import ASCENDING, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from shared.kernel.errors import Unavailable
from shared.kernel.personal import KEY_BYTES
from shared.runtime.ending import ended
from shared.runtime.keycopy import PARTITIONS, TOPIC, encode
from shared.runtime.keys import KeyRecord, KeyRing, MasterKey
from shared.runtime.topics import COMPACTED, Topics

log = structlog.get_logger(__name__)

#: Keys sent in one transaction.
LARGEST_BATCH = 1_000
#: An erasure is sent a second time after this: only an append makes the broker close the segment that holds
#: the destroyed key (`segment.ms`), and only closed segments are compacted.
CLOSES_SEGMENT_AFTER = timedelta(milliseconds=int(COMPACTED["segment.ms"])) + timedelta(minutes=1)
SWEEP_EVERY = 1.0
TRANSACTION_TIMEOUT_MS = 15_000
_BACK_OFF = (0.05, 0.25, 1.0, 2.0)
_DUPLICATE = 11000


@dataclass(frozen=True, slots=True)
class Erasure:
    """That a member was erased. The list is kept outside every backup and applied after a restore."""

    member_id: str
    erased_at: datetime


class KeyVault:
    """Makes and destroys the keys of a key ring."""

    def __init__(self, ring: KeyRing, *, closes_segment_after: timedelta = CLOSES_SEGMENT_AFTER) -> None:
        self.ring = ring
        self._keys = ring.collection
        self._closes_segment_after = closes_segment_after
        self._changed = asyncio.Event()

    async def prepare(self) -> None:
        """Makes the indexes, and goes on with a rotation of the master key. Raises WrongMasterKey."""
        await self.ring.check()
        for field in ("due_at", "unannounced"):
            await self._keys.create_index(
                [(field, ASCENDING)], name=field, partialFilterExpression={field: {"$exists": True}}
            )
        if rewrapped := await self.rewrap():
            log.info("members' keys are wrapped by the new master key", keys=rewrapped)

    async def rewrap(self, at_once: int = LARGEST_BATCH) -> int:
        """Wraps by today's master key what the one before wrapped, and has it sent; answers how many keys.

        Key by key, each only as it was read: killed anywhere, the next call does what is left.
        """
        master, done = self.ring.master, 0
        while True:
            old = {"master": {"$exists": True, "$ne": master.fingerprint}}
            documents = await self._keys.find(old).limit(at_once).to_list()
            if not documents:
                self._changed.set()
                return done
            changes = [_rewrapped(document, master) for document in documents]
            done += (await self._keys.bulk_write(changes, ordered=False)).modified_count

    async def ensure(self, member_ids: Collection[str]) -> None:
        """Every one of these members has a key, or had one and is erased: such a key never comes back."""
        now = datetime.now(UTC)
        made = [
            {
                "_id": member_id,
                "version": 1,
                "wrapped": self.ring.master.wrap(member_id, secrets.token_bytes(KEY_BYTES)),
                "master": self.ring.master.fingerprint,
                "due_at": now,
            }
            for member_id in member_ids
        ]
        if not made:
            return
        try:
            await self._keys.insert_many(made, ordered=False)
        except BulkWriteError as error:
            if any(e["code"] != _DUPLICATE for e in error.details["writeErrors"]):
                raise
        self._changed.set()

    async def erase(self, member_id: str, at: datetime | None = None) -> None:
        """Destroys the member's key, for ever. `announced` follows once `MemberErased` is recorded."""
        while not await self.is_erased(member_id):
            await self._erase(member_id, at)
        self.ring.forget([member_id])
        self._changed.set()

    async def _erase(self, member_id: str, at: datetime | None) -> None:
        now = datetime.now(UTC)
        # A duplicate: a key was made for the member, or somebody else erased them, since the look.
        with contextlib.suppress(DuplicateKeyError):
            await self._keys.update_one(
                {"_id": member_id, "erased_at": {"$exists": False}},
                {
                    "$set": {"erased_at": at or now, "due_at": now, "unannounced": True},
                    "$inc": {"version": 1},
                    "$unset": {"wrapped": "", "master": ""},
                },
                upsert=True,
            )

    async def is_erased(self, member_id: str) -> bool:
        return await self._keys.find_one({"_id": member_id, "erased_at": {"$exists": True}}) is not None

    async def unannounced(self) -> list[Erasure]:
        """Erasures without their `MemberErased`: a kill came between, or a restore applied them."""
        found = self._keys.find({"unannounced": True}).sort("_id", ASCENDING)
        return [Erasure(document["_id"], document["erased_at"]) async for document in found]

    async def announced(self, member_id: str) -> None:
        await self._keys.update_one({"_id": member_id}, {"$unset": {"unannounced": ""}})

    async def erasures(self, past: str = "", limit: int = 0) -> list[Erasure]:
        """All there ever were, by id, for the operator to keep beside the backups. No limit is 0."""
        where = {"_id": {"$gt": past}, "erased_at": {"$exists": True}}
        found = self._keys.find(where).sort("_id", ASCENDING).limit(limit)
        return [Erasure(document["_id"], document["erased_at"]) async for document in found]

    async def taken_in(self, member_id: str, erased_at: datetime) -> None:
        """The topic tells of an erasure that the store may have forgotten, being restored."""
        await self.erase(member_id, erased_at)

    async def due(self, limit: int = LARGEST_BATCH) -> list[dict[str, Any]]:
        """What is to be sent now, as it is now."""
        found = (
            self._keys.find({"due_at": {"$lte": datetime.now(UTC)}}).sort("due_at", ASCENDING).limit(limit)
        )
        return await found.to_list()

    async def sent(self, documents: Iterable[dict[str, Any]]) -> None:
        """Takes note; what changed meanwhile stays due."""
        for document in documents:
            where = {"_id": document["_id"], "version": document["version"], "due_at": document["due_at"]}
            if "erased_at" in document and not document.get("sent"):
                again = datetime.now(UTC) + self._closes_segment_after
                await self._keys.update_one(where, {"$set": {"due_at": again, "sent": True}})
            else:
                await self._keys.update_one(where, {"$unset": {"due_at": ""}})

    async def send_all_again(self) -> None:
        """Everything is due: the topic was made anew."""
        await self._keys.update_many({}, {"$set": {"due_at": datetime.now(UTC)}, "$unset": {"sent": ""}})
        self._changed.set()

    async def wait_for_change(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)
        self._changed.clear()


def _rewrapped(document: Mapping[str, Any], master: MasterKey) -> UpdateOne:
    """A newer version of the same key. Who was erased meanwhile stays so."""
    wrapped = master.wrap(document["_id"], master.unwrap(document["_id"], document["wrapped"]))
    return UpdateOne(
        {"_id": document["_id"], "version": document["version"], "master": document["master"]},
        {
            "$set": {"wrapped": wrapped, "master": master.fingerprint, "due_at": datetime.now(UTC)},
            "$inc": {"version": 1},
        },
    )


async def reapply_erasures(vault: KeyVault, erasures: Iterable[Erasure]) -> int:
    """After a restore: destroys again the keys that the backup brought back. Answers how many."""
    brought_back = [erasure for erasure in erasures if not await vault.is_erased(erasure.member_id)]
    for erasure in brought_back:
        await vault.erase(erasure.member_id, erasure.erased_at)
    return len(brought_back)


class KeyRelay:
    """Sends what is due. A version sent twice is harmless, so an unknown outcome is sent again."""

    def __init__(self, vault: KeyVault, topics: Topics, bootstrap: str) -> None:
        self._vault = vault
        self._topics = topics
        self._bootstrap = bootstrap
        self._topic_id = ""
        self._producer: AIOKafkaProducer | None = None
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Does nothing where it was started before."""
        if self._running is None:
            self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            await ended(running)

    async def open(self) -> None:
        """Fences a predecessor: from now on nothing that it holds can reach the topic."""
        topic = (await self._topics.ensure([TOPIC], COMPACTED, PARTITIONS))[TOPIC]
        await self._remember_topic(topic.id)
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            transactional_id=self._topics.full_name("identity.keys.relay"),
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            request_timeout_ms=10_000,
        )
        await self._producer.start()

    async def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                await producer.stop()
            except Exception as error:
                log.info("a producer that failed before cannot end well", error=repr(error))

    async def send(self, documents: Sequence[dict[str, Any]]) -> None:
        """One transaction. Raises KafkaError, also where a successor has fenced this one."""
        if self._producer is None:
            raise RuntimeError("the relay is not open")
        name = self._topics.full_name(TOPIC)
        async with self._producer.transaction():
            for document in documents:
                record = KeyRecord.of(document)
                await self._producer.send(name, encode(record), record.member_id.encode(), partition=0)
        await self._vault.sent(documents)

    async def sweep(self) -> int:
        """Sends what is due now; answers how much that was."""
        documents = await self._vault.due()
        if documents:
            await self.send(documents)
        return len(documents)

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                await self.open()
                while True:
                    if await self.sweep() == 0:
                        failures = 0
                        await self._check_topic()
                        await self._vault.wait_for_change(SWEEP_EVERY)
            except Exception as error:
                # Also what nobody expected, as the assertions of a client whose broker is just starting:
                # keys must not stay behind because their relay has ended.
                failures += 1
                expected = isinstance(error, KafkaError | PyMongoError | Unavailable | OSError)
                log.warning(
                    "relay of keys begins again",
                    error=repr(error),
                    failures=failures,
                    exc_info=not expected,
                )
                await asyncio.sleep(_BACK_OFF[min(failures, len(_BACK_OFF)) - 1])
            finally:
                await self.close()

    async def _check_topic(self) -> None:
        found = (await self._topics.describe([TOPIC])).get(TOPIC)
        if found is None or found.id != self._topic_id:
            raise Unavailable("topic-recreated", "The topic of keys was made anew.")

    async def _remember_topic(self, topic_id: str) -> None:
        """A topic that was made anew holds nothing: every key is sent again."""
        marks = self._vault.ring.collection.database.get_collection("key_relay")
        mark = await marks.find_one({"_id": TOPIC})
        if mark is not None and mark["topic_id"] != topic_id:
            await self._vault.send_all_again()
        await marks.update_one({"_id": TOPIC}, {"$set": {"topic_id": topic_id}}, upsert=True)
        self._topic_id = topic_id
