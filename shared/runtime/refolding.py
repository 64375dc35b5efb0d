"""A view folded afresh beside the one that serves, and the two compared document by document, while events go
on arriving.

Two documents that have seen the same offsets must be the same. Where they have seen different ones, the
serving view is waited for until it holds what the fresh one holds; then a copy of the fresh document is taken
exactly as far as the serving one has come.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import bson
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import BaseModel
from pymongo.asynchronous.database import AsyncDatabase

from shared.kernel.errors import Undecodable
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Projection, canonical
from shared.runtime.codec import CODEC, incoming
from shared.runtime.folding import Fold, content
from shared.runtime.gathering import Delivered, delivered
from shared.runtime.generations import Generation, Offsets, Registry, offset_key
from shared.runtime.ids import new_id
from shared.runtime.topics import Topics

BATCH = 4_000
#: Seconds that the serving view gets to hold what the fresh one holds.
PATIENCE = 20.0

#: What a look wrote that began so long ago was left by one that was killed.
LEFT_AFTER = timedelta(days=1)

Stored = Mapping[str, Any]


class _Later(NamedTuple):
    where: str
    offset: int
    recorded: Recorded
    event: Event


#: Told of every batch that is read, with the topics' names by those that the broker knows.
Told = Callable[[list[Delivered], dict[str, str]], None]


@dataclass(slots=True)
class Compared:
    """`differs`: by key, what is wrong with the serving document. `behind`: documents that could not be
    compared, since the serving view did not catch up with the log."""

    documents: int = 0
    behind: int = 0
    differs: dict[str, str] = field(default_factory=dict)

    def count(self, serving: Stored | None) -> None:
        if serving is not None:
            self.documents += serving.get("_live", False)


def _looks(view: str) -> str:
    return f"verify.{view}."


def scratch(projection: Projection[Any], begun: datetime) -> str:
    """The collection of one look of many; not the name of a generation, so that nobody takes it for one."""
    return _looks(projection.name) + new_id(begun)


class Refolding:
    """One view's serving generation and a fresh fold of the same topics."""

    def __init__(
        self,
        projection: Projection[Any],
        serving: Generation,
        database: AsyncDatabase[dict[str, Any]],
        topics: Topics,
        bootstrap: str,
        told: Told,
    ) -> None:
        self._projection: Projection[BaseModel] = projection
        self._serving = serving
        self._scratch = scratch(projection, datetime.now(UTC))
        self._database, self._registry = database, Registry(database)
        self._topics, self._bootstrap, self._told = topics, bootstrap, told
        self._fold = Fold(self._projection, self._scratch, database, self._registry)
        self._keys: dict[TopicPartition, str] = {}

    async def run(self) -> Compared:
        """Folds and compares everything; what it wrote is dropped at the end."""
        await self._sweep()
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            enable_auto_commit=False,
            isolation_level="read_committed",
            fetch_max_bytes=64_000_000,
        )
        await consumer.start()
        try:
            await self._fold.prepare()
            names = await self._assign(consumer)
            await self._read_to_end(consumer, names)
            return await self._compare(consumer, names)
        finally:
            await consumer.stop()
            await self._registry.drop(self._scratch)

    async def _sweep(self) -> None:
        """Drops what looks left behind that were killed."""
        looks = f"^{re.escape(_looks(self._projection.name))}"
        oldest = new_id(datetime.now(UTC) - LEFT_AFTER)
        for name in await self._database.list_collection_names(filter={"name": {"$regex": looks}}):
            if name.rpartition(".")[2] < oldest:
                await self._registry.drop(name)

    async def _assign(self, consumer: AIOKafkaConsumer) -> dict[str, str]:
        found = await self._topics.describe(self._projection.topics)
        for topic in found.values():
            for partition in range(topic.partitions):
                at = TopicPartition(self._topics.full_name(topic.name), partition)
                self._keys[at] = offset_key(topic.id, partition)
        consumer.assign(list(self._keys))
        for at in self._keys:
            consumer.seek(at, 0)
        return {self._topics.full_name(name): name for name in found}

    async def _read_to_end(
        self, consumer: AIOKafkaConsumer, names: dict[str, str], kept: list[Delivered] | None = None
    ) -> Offsets:
        """Folds what there is by now, and adds it to `kept`; answers where it got to."""
        ends = await consumer.end_offsets(list(self._keys))
        ids = {at.topic: key.rpartition("/")[0] for at, key in self._keys.items()}
        while True:
            records = await consumer.getmany(timeout_ms=100, max_records=BATCH)
            batch = delivered([record for part in records.values() for record in part], ids)
            if batch:
                self._told(batch, names)
                await self._fold.apply(batch)
                if kept is not None:
                    kept.extend(batch)
            position = {at: await consumer.position(at) for at in self._keys}
            if all(position[at] >= end for at, end in ends.items()):
                return {self._keys[at]: offset for at, offset in position.items()}

    async def _compare(self, consumer: AIOKafkaConsumer, names: dict[str, str]) -> Compared:
        compared = Compared()
        moving = [key async for key in self._differing(compared)]
        if not moving:
            return compared
        position = await self._read_to_end(consumer, names)
        if not await self._serving_reaches(position):
            compared.behind = len(moving)
            return compared
        # Here the serving documents hold all that the fresh ones hold, and what came since.
        serving = {key: await self._document(self._serving.name, key) for key in moving}
        fresh = {key: await self._document(self._scratch, key) for key in moving}
        since: list[Delivered] = []
        await self._read_to_end(consumer, names, since)
        later = self._by_key(since, set(moving))
        for key in moving:
            compared.count(serving[key])
            if said := self._judged(key, serving[key], fresh[key], later.get(key, ())):
                compared.differs[key] = said
        return compared

    def _by_key(self, since: Iterable[Delivered], keys: set[str]) -> dict[str, list[_Later]]:
        """The events among these that change one of the documents."""
        found: dict[str, list[_Later]] = {}
        names = {event.__name__ for event in self._projection.events}
        for one in since:
            try:
                recorded = incoming(dict(one.record.headers), one.record.value)
                mend = self._fold.parking.mends.get(recorded.id)
                if recorded.type not in names or (mend is not None and mend.skip):
                    continue
                if mend is not None:
                    recorded = recorded._replace(data=mend.data, schema_version=mend.schema_version)
                event = recorded.event()
            except Undecodable:
                continue
            for key in keys & set(self._projection.keys(event)):
                found.setdefault(key, []).append(_Later(one.where, one.offset, recorded, event))
        return found

    def _judged(
        self, key: str, serving: Stored | None, fresh: Stored | None, later: Iterable[_Later]
    ) -> str | None:
        """What is wrong with the serving document, seen beside a fresh one that is taken just as far."""
        before: Mapping[str, int] = fresh["_seen"] if fresh is not None else {}
        if serving is None or any(serving["_seen"].get(at, -1) < offset for at, offset in before.items()):
            return "has not seen the events that the log holds for it"
        if "_parked" in serving or (fresh is not None and "_parked" in fresh):
            return None  # told as parked
        view = self._view(fresh)
        seen = dict(before)
        for one in later:
            if before.get(one.where, -1) < one.offset <= serving["_seen"].get(one.where, -1):
                view = self._projection.evolve(view, one.event, one.recorded, key)
                seen[one.where] = max(one.offset, seen.get(one.where, -1))
        if seen != serving["_seen"]:
            return "has seen events that the log does not hold"
        return difference(serving, _as_stored(key, view))

    def _view(self, stored: Stored | None) -> BaseModel | None:
        if stored is None or not stored.get("_live"):
            return None
        return self._projection.view.model_validate(content(stored))

    async def _differing(self, compared: Compared) -> AsyncIterator[str]:
        """Both collections side by side, by key; yields what cannot be told yet."""
        serving, fresh = self._cursor(self._serving.name), self._cursor(self._scratch)
        one, other = await anext(serving, None), await anext(fresh, None)
        while one is not None or other is not None:
            if other is None or (one is not None and one["_id"] < other["_id"]):
                assert one is not None, "one of the two is there"
                yield one["_id"]
                one = await anext(serving, None)
                continue
            if one is None or other["_id"] < one["_id"]:
                yield other["_id"]
                other = await anext(fresh, None)
                continue
            if one["_seen"] != other["_seen"]:
                yield one["_id"]
            else:
                compared.count(one)
                if said := difference(one, other):
                    compared.differs[one["_id"]] = said
            one, other = await anext(serving, None), await anext(fresh, None)

    async def _serving_reaches(self, position: Offsets) -> bool:
        """Waits until the serving generation has passed what the fresh one has folded; False: not in time."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            saved = await self._registry.offsets(self._serving.name)
            if all(saved.get(key, 0) >= offset for key, offset in position.items()):
                return True
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(0.1)

    async def _document(self, collection: str, key: str) -> Stored | None:
        return await self._database.get_collection(collection, codec_options=CODEC).find_one({"_id": key})

    async def _cursor(self, collection: str) -> AsyncIterator[Stored]:
        documents = self._database.get_collection(collection, codec_options=CODEC)
        async for document in documents.find().sort("_id", 1):
            yield document


def _as_stored(key: str, view: BaseModel | None) -> Stored:
    """What the store would give back."""
    document = {"_id": key} | ({**view.model_dump(), "_live": True} if view is not None else {})
    return bson.decode(bson.encode(document), CODEC)


def difference(serving: Stored, fresh: Stored) -> str | None:
    """What differs between two documents that have seen the same events: names of fields, never values."""
    parked = " (it is parked: see fikarum parked)" if "_parked" in serving else ""
    if serving.get("_live") != fresh.get("_live"):
        return f"{'is there' if serving.get('_live') else 'is gone'}, and should not be{parked}"
    one, other = canonical(serving), canonical(fresh)
    fields = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    return f"differs in {', '.join(fields)}{parked}" if fields else None
