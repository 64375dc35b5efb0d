"""What the relay believes to be in the log: marks on commits, a checkpoint, and reading the log back.

The log is the truth. A new session of the relay compares its beliefs with it, marks what a predecessor sent
but did not mark, and gives up a log that has lost something or holds what it should not.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.write_concern import WriteConcern

from shared.kernel.errors import Unavailable
from shared.runtime.codec import COMMITS, commit_key
from shared.runtime.topics import Topic, Topics

Sent = dict[str, Any]
Ends = dict[TopicPartition, int]


class LogLost(Exception):
    """The log ends before a marked offset, or holds a commit that the store lacks, or holds commits in the
    wrong order: its offsets would be used again."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Partitions that one relay has alone."""

    number: int
    partitions: tuple[int, ...]


def sent_entry(topic: Topic, partition: int, offset: int) -> Sent:
    """Where a commit's last event of one topic lies in the log."""
    return {"topic": topic.name, "id": topic.id, "partition": partition, "offset": offset}


class Marks:
    """The marks of one relay. The checkpoint has `offsets` (everything before them is marked), `promised`
    (nothing behind them is) and `topics` (whose marks are valid)."""

    def __init__(
        self,
        name: str,
        lane: Lane,
        database: AsyncDatabase[dict[str, Any]],
        topics: Topics,
        bootstrap: str,
        names: Iterable[str],
    ) -> None:
        self._name = name
        self._lane = lane
        self._database = database
        self._commits = database.get_collection("commits", codec_options=COMMITS)
        self._checkpoints = database.get_collection(
            "relay_checkpoints", write_concern=WriteConcern("majority", j=True)
        )
        self._topics = topics
        self._bootstrap = bootstrap
        self._names = {topics.full_name(name): name for name in names}
        self._found: dict[str, Topic] = {}
        self._offsets: dict[str, Sent] = {}
        self._promised: dict[str, Sent] = {}
        self._saved = True
        self._stopping = False

    async def begin(self, found: Mapping[str, Topic]) -> None:
        """Compares with the log, whose other writers are fenced. Raises LogLost."""
        self._found = dict(found)
        saved = await self._checkpoints.find_one({"_id": self._name}) or {}
        ends = await self._high_watermarks()
        await self._forget_other_topics(saved, ends)
        self._offsets, self._promised = self._valid(saved, "offsets"), self._valid(saved, "promised")
        for tp, end in ends.items():
            marked = max(self._next(self._offsets, tp), self._next(self._promised, tp))
            if marked > end:
                raise LogLost(f"{tp.topic}/{tp.partition} ends at {end}, {marked} was marked")
        topics = [{"name": topic.name, "id": topic.id} for topic in found.values()]
        await self._checkpoints.update_one({"_id": self._name}, {"$set": {"topics": topics}}, upsert=True)
        await self._read_back(ends)
        await self.checkpoint()

    def stop(self) -> None:
        """Reading back ends early."""
        self._stopping = True

    async def promise(self, marks: Mapping[str, Sequence[Sent]]) -> None:
        """Written before the marks: a log that does not reach this far has lost some of them."""
        for entries in marks.values():
            for entry in entries:
                _advance(self._promised, entry)
        await self._save()

    async def mark(self, marks: Mapping[str, Sequence[Sent]], owed: Collection[str] = ()) -> None:
        """Marks commits as sent, in one command; those that are `owed` to another topic stay unsent."""
        if not marks:
            return
        done: dict[str, Any] = {"$unset": {"unsent": ""}}
        updates = [
            {"q": {"_id": key}, "u": {"$set": {"sent": list(entries)}, **({} if key in owed else done)}}
            for key, entries in marks.items()
        ]
        answer = await self._database.command(
            {
                "update": "commits",
                "updates": updates,
                "ordered": False,
                "writeConcern": {"w": "majority"},
            }
        )
        if answer.get("writeErrors") or answer.get("writeConcernError"):
            raise Unavailable(
                "marks-failed", "Marking commits as sent failed: {why}", params={"why": str(answer)[:300]}
            )
        for entries in marks.values():
            for entry in entries:
                _advance(self._offsets, entry)
                _advance(self._promised, entry)
        self._saved = False

    async def checkpoint(self) -> None:
        """From here on the log is read back after a kill. Called only when a whole batch is marked."""
        if not self._saved:
            await self._save()

    async def forget(self) -> None:
        """The log is made anew."""
        await self._checkpoints.delete_one({"_id": self._name})

    async def _save(self) -> None:
        values = {"offsets": list(self._offsets.values()), "promised": list(self._promised.values())}
        await self._checkpoints.update_one({"_id": self._name}, {"$set": values}, upsert=True)
        self._saved = True

    def _valid(self, saved: Mapping[str, Any], what: str) -> dict[str, Sent]:
        entries = [e for e in saved.get(what, ()) if self._is_current(e)]
        return {_place(entry): entry for entry in entries}

    def _is_current(self, entry: Sent) -> bool:
        topic = self._found.get(entry["topic"])
        return topic is not None and topic.id == entry["id"]

    def _next(self, places: Mapping[str, Sent], tp: TopicPartition) -> int:
        entry = places.get(f"{self._names[tp.topic]}/{tp.partition}")
        return int(entry["offset"]) if entry else 0

    async def _high_watermarks(self) -> Ends:
        """Nobody else writes to these partitions, so nothing comes behind them."""
        tps = [TopicPartition(name, partition) for name in self._names for partition in self._lane.partitions]
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False)
        try:
            await consumer.start()
            return dict(await consumer.end_offsets(tps))
        finally:
            await consumer.stop()

    async def _forget_other_topics(self, saved: Mapping[str, Any], ends: Ends) -> None:
        """Marks that point into a topic that was deleted and made again are void: those commits are sent
        again. What was written into the new one before that lies in front of what should come first."""
        known = {topic["name"]: topic["id"] for topic in saved.get("topics", ())}
        for topic in self._found.values():
            if known.get(topic.name) == topic.id:
                continue
            void = {"topic": topic.name, "id": {"$ne": topic.id}}
            where = {"partition": {"$in": list(self._lane.partitions)}, "sent": {"$elemMatch": void}}
            if await self._commits.find_one(where, {"_id": 1}) is None:
                continue
            if any(end for tp, end in ends.items() if self._names[tp.topic] == topic.name):
                raise LogLost(f"{topic.name} was made anew and written to before it was filled")
            await self._commits.update_many(where, {"$set": {"unsent": True}, "$pull": {"sent": void}})

    async def _read_back(self, ends: Ends) -> None:
        """Marks what a predecessor sent but did not mark, from the checkpoint to the high watermark."""
        starts = {tp: self._next(self._offsets, tp) for tp in ends}
        due = [tp for tp in ends if starts[tp] < ends[tp]]
        if not due:
            return
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=4_000_000,
        )
        try:
            await consumer.start()
            # Its helper begins now: stopped before that, it would end this task as if it had been cancelled.
            await asyncio.sleep(0)
            consumer.assign(due)
            for tp in due:
                consumer.seek(tp, starts[tp])
            while due and not self._stopping:
                found = await consumer.getmany(timeout_ms=200, max_records=5_000)
                await self._mark_found([record for records in found.values() for record in records])
                due = [tp for tp in due if await consumer.position(tp) < ends[tp]]
        finally:
            await consumer.stop()

    async def _mark_found(self, records: Sequence[ConsumerRecord]) -> None:
        marks: dict[str, dict[str, Sent]] = {}
        ids: dict[str, str] = {}
        for record in records:
            headers = dict(record.headers)
            try:
                key = commit_key(headers["ce_subject"].decode(), int(headers["ce_commitversion"]))
                ids[key] = headers["ce_commitid"].decode()
            except (KeyError, ValueError) as error:
                raise LogLost(f"{record.topic}/{record.partition}@{record.offset} is not ours") from error
            topic = self._found[self._names[record.topic]]
            marks.setdefault(key, {})[topic.name] = sent_entry(topic, record.partition, record.offset)
        fields = {"commit_id": 1, "sent": 1, "events.topic": 1}
        stored = {d["_id"]: d async for d in self._commits.find({"_id": {"$in": list(ids)}}, fields)}
        for key, commit_id in ids.items():
            if key not in stored or stored[key]["commit_id"] != commit_id:
                raise LogLost(f"the log holds commit {commit_id} of {key}, the store does not")
        merged = {key: _merged(stored[key].get("sent", ()), entries) for key, entries in marks.items()}
        owed = [key for key, entries in merged.items() if _topics(stored[key]) - set(entries)]
        await self.mark({key: list(entries.values()) for key, entries in merged.items()}, owed)


def _advance(places: dict[str, Sent], entry: Sent) -> None:
    """The next offset of the entry's partition, in its topic as it is now."""
    now = places.get(_place(entry))
    if now is None or now["id"] != entry["id"] or now["offset"] <= entry["offset"]:
        places[_place(entry)] = {**entry, "offset": entry["offset"] + 1}


def _place(entry: Sent) -> str:
    return f"{entry['topic']}/{entry['partition']}"


def _merged(earlier: Iterable[Sent], found: Mapping[str, Sent]) -> dict[str, Sent]:
    return {**{entry["topic"]: entry for entry in earlier}, **found}


def _topics(document: Mapping[str, Any]) -> set[str]:
    return {event["topic"] for event in document["events"] if "topic" in event}


__all__ = ["Lane", "LogLost", "Marks", "Sent", "sent_entry"]
