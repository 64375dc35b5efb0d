"""Which generation of a view serves, and which is being built.

A generation is a consumer group and a collection of the same name. The registry has one document per view;
a fold version has at most one active generation, so that an old image keeps reading its own while a new one
is being built. The swap is one write, made only when the new generation covers the old one's offsets.
"""

import asyncio
import contextlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import structlog
from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.kernel.errors import Conflict
from shared.runtime.mirror import Mirror
from shared.runtime.topics import Topic

log = structlog.get_logger(__name__)

#: A builder that has not reported for this long is gone; another may go on where it stopped.
LEASE = timedelta(seconds=10)
#: Seconds that other processes may learn later of what a follower holds; and after a failure.
FLUSHED_AFTER = 0.05
NOT_FLUSHED_PAUSE = 1.0

#: Offsets by `<topic id>/<partition>`: the next one to read.
Offsets = dict[str, int]
#: By the same names: when the newest event from there was recorded (UTC, as `Recorded` has it).
Newest = Mapping[str, datetime]
_NOTHING: Newest = {}


class Reached(NamedTuple):
    """The next offset of a partition, and when the newest event that was folded from it was recorded."""

    offset: int
    recorded_at: datetime | None


def offset_key(topic_id: str, partition: int) -> str:
    """How a partition is named wherever offsets are kept: a re-created topic has another id."""
    return f"{topic_id}/{partition}"


@dataclass(frozen=True, slots=True)
class Generation:
    """One build of one view. `name` is its collection and, with the namespace, its consumer group."""

    view: str
    fold: int
    number: int
    topics: Mapping[str, str] = field(default_factory=dict)
    started_at: datetime | None = None
    read: int = 0
    total: int = 0
    rate: float = 0.0
    error: str | None = None
    leased_until: datetime | None = None

    @property
    def leased(self) -> bool:
        """Whether a builder is at work on it, in whatever process."""
        return self.leased_until is not None and self.leased_until > datetime.now(UTC)

    @property
    def name(self) -> str:
        return f"{self.view}.v{self.fold}.g{self.number}"

    @classmethod
    def of(cls, view: str, fold: int, stored: Mapping[str, Any]) -> "Generation":
        return cls(
            view,
            fold,
            stored["number"],
            stored.get("topics", {}),
            stored.get("started_at"),
            stored.get("read", 0),
            stored.get("total", 0),
            stored.get("rate", 0.0),
            stored.get("error"),
            stored["lease"]["until"].replace(tzinfo=UTC) if "lease" in stored else None,
        )


@dataclass(frozen=True, slots=True)
class Generations:
    """A view's registry document as one fold version sees it."""

    view: str
    fold: int
    active: Generation | None
    building: Generation | None
    retired: tuple[str, ...] = ()

    @classmethod
    def of(cls, view: str, fold: int, stored: Mapping[str, Any]) -> "Generations":
        active, building = stored.get("active", {}).get(str(fold)), stored.get("building", {}).get(str(fold))
        return cls(
            view,
            fold,
            Generation.of(view, fold, active) if active else None,
            Generation.of(view, fold, building) if building else None,
            tuple(stored.get("retired", ())),
        )


class Registry:
    """The registry of one service's views and the offsets that their generations have saved."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        durable = {"write_concern": WriteConcern("majority", j=True), "read_concern": ReadConcern("majority")}
        self._views = database.get_collection("generations", **durable)  # type: ignore[arg-type]
        self._offsets = database.get_collection("offsets", write_concern=WriteConcern(1))
        self._database = database
        self._moved: dict[str, asyncio.Event] = {}
        self._reached: dict[str, Offsets] = {}
        self._due: dict[str, tuple[Offsets, dict[str, datetime]]] = {}
        self._noted = asyncio.Event()

    async def of(self, view: str, fold: int) -> Generations:
        """What there is of the view for this fold version."""
        return Generations.of(view, fold, await self._views.find_one({"_id": view}) or {})

    async def of_all(self, folds: Mapping[str, int]) -> dict[str, Generations]:
        """The same of several views, by their names; `folds`: the version of each."""
        found = await self._views.find({"_id": {"$in": list(folds)}}).to_list()
        stored = {document["_id"]: document for document in found}
        return {view: Generations.of(view, fold, stored.get(view, {})) for view, fold in folds.items()}

    async def known(self, view: str) -> bool:
        """Whether any fold version of the view has been built or begun."""
        return await self._views.find_one({"_id": view}) is not None

    async def first(self, view: str, fold: int, topics: Mapping[str, Topic]) -> Generation:
        """The very first generation of a view serves at once, while it fills. Answers the one that won
        where two begin."""
        number = {"number": 1, "topics": _ids(topics), "started_at": datetime.now(UTC)}
        with contextlib.suppress(DuplicateKeyError):
            await self._views.insert_one(
                {"_id": view, "counter": 1, "active": {str(fold): number}, "building": {}}
            )
        now = await self.of(view, fold)
        if now.active is None:
            return await self.begin(view, fold, topics)
        return now.active

    async def begin(self, view: str, fold: int, topics: Mapping[str, Topic]) -> Generation:
        """A new generation to be built. Raises Conflict where one is being built already."""
        await self._views.update_one({"_id": view}, {"$setOnInsert": {"active": {}}}, upsert=True)
        counted = await self._views.find_one_and_update(
            {"_id": view}, {"$inc": {"counter": 1}}, return_document=ReturnDocument.AFTER
        )
        assert counted is not None, "the registry document was just made"
        new = {"number": counted["counter"], "topics": _ids(topics), "started_at": datetime.now(UTC)}
        done = await self._views.update_one(
            {"_id": view, f"building.{fold}": {"$exists": False}}, {"$set": {f"building.{fold}": new}}
        )
        if not done.matched_count:
            raise Conflict("rebuild-under-way", "This view is being rebuilt already.")
        return Generation.of(view, fold, new)

    async def lease(self, generation: Generation, holder: str) -> bool:
        """Takes or renews the builder's lease; False where another builder has it or the build was given
        up."""
        now = datetime.now(UTC)
        place = f"building.{generation.fold}"
        free = [
            {f"{place}.lease.until": {"$lt": now}},
            {f"{place}.lease": {"$exists": False}},
            {f"{place}.lease.by": holder},
        ]
        done = await self._views.update_one(
            {"_id": generation.view, f"{place}.number": generation.number, "$or": free},
            {"$set": {f"{place}.lease": {"by": holder, "until": now + LEASE}}},
        )
        return bool(done.matched_count)

    async def report(self, generation: Generation, *, read: int, total: int, rate: float) -> None:
        """Progress of a build: events read, events there are, events a second."""
        place = f"building.{generation.fold}"
        await self._views.update_one(
            {"_id": generation.view, f"{place}.number": generation.number},
            {
                "$set": {f"{place}.read": read, f"{place}.total": total, f"{place}.rate": rate},
                "$unset": {f"{place}.error": ""},
            },
        )

    async def failed(self, generation: Generation, error: str) -> None:
        """A build that ended without a result; it is begun again by the next start of the service, or given
        up."""
        place = f"building.{generation.fold}"
        await self._views.update_one(
            {"_id": generation.view, f"{place}.number": generation.number},
            {"$set": {f"{place}.error": error}},
        )

    async def give_up(self, generation: Generation) -> bool:
        """Drops what was being built. False where it is not being built any more: it may serve by now."""
        place = f"building.{generation.fold}"
        given_up = await self._views.update_one(
            {"_id": generation.view, f"{place}.number": generation.number}, {"$unset": {place: ""}}
        )
        if not given_up.matched_count:
            return False
        await self.drop(generation.name)
        return True

    async def swap(self, generation: Generation) -> bool:
        """Makes the built generation the active one, in one write. False where it does not cover the active
        one yet."""
        now = await self.of(generation.view, generation.fold)
        mine = await self.offsets(generation.name)
        for other in await self.serving(generation.view):
            theirs = await self.offsets(other.name)
            alive = {
                key: offset
                for key, offset in theirs.items()
                if key.rpartition("/")[0] in generation.topics.values()
            }
            if any(mine.get(key, 0) < offset for key, offset in alive.items()):
                return False
        place = str(generation.fold)
        update: dict[str, Any] = {
            "$set": {f"active.{place}": {"number": generation.number, "topics": dict(generation.topics)}},
            "$unset": {f"building.{place}": ""},
        }
        if now.active is not None:
            update["$push"] = {"retired": now.active.name}
        done = await self._views.update_one(
            {"_id": generation.view, f"building.{place}.number": generation.number}, update
        )
        return bool(done.matched_count)

    async def serving(self, view: str) -> list[Generation]:
        """The active generations of all fold versions."""
        stored = await self._views.find_one({"_id": view}) or {}
        return [Generation.of(view, int(fold), number) for fold, number in stored.get("active", {}).items()]

    async def names(self, view: str) -> set[str]:
        """Every generation of the view that serves, is being built or is not dropped yet."""
        stored = await self._views.find_one({"_id": view}) or {}
        numbered = [*stored.get("active", {}).items(), *stored.get("building", {}).items()]
        names = {Generation.of(view, int(fold), number).name for fold, number in numbered}
        return names | set(stored.get("retired", ()))

    async def drop_retired(self, view: str, fold: int) -> None:
        """Drops the collections that no image reads any more; called some time after a swap."""
        for name in (await self.of(view, fold)).retired:
            await self.drop(name)
            await self._views.update_one({"_id": view}, {"$pull": {"retired": name}})

    async def sweep(self, view: str, mirror: Mirror[Any] | None) -> None:
        """Drops generations that nobody knows, in the mirror, too: a builder goes on writing for a moment
        after it was given up, or was killed then. What is known is asked after looking at what there is."""
        numbered = {"$regex": rf"^{re.escape(view)}\.v\d+\.g\d+$"}
        there = await self._database.list_collection_names(filter={"name": numbered})
        known = await self.names(view)
        for name in there:
            if name not in known:
                await self.drop(name)
        if mirror is not None:
            await mirror.sweep(lambda: self.names(view))

    async def drop(self, generation: str) -> None:
        """Forgets a generation: its documents, parked events and offsets."""
        await self._database.drop_collection(generation)
        await self._database["parked"].delete_many({"generation": generation})
        await self._offsets.delete_many({"generation": generation})

    def note(self, generation: str, offsets: Mapping[str, int], newest: Newest = _NOTHING) -> None:
        """What the generation's documents now hold, by partition. Counts at once in this process, and for
        others once it is flushed: one write for all views of a service, not one for each batch of each."""
        self._count(generation, offsets)
        due, recorded = self._due.setdefault(generation, ({}, {}))
        for key, offset in offsets.items():
            due[key] = max(offset, due.get(key, 0))
        for key, at in newest.items():
            recorded[key] = max(at, recorded.get(key, at))
        self._noted.set()

    async def flush(self) -> None:
        """Saves what was noted. Raises PyMongoError, and keeps it for the next time then."""
        due, self._due = self._due, {}
        self._noted.clear()
        if not due:
            return
        try:
            await self._save(due)
        except BaseException:
            for generation, (offsets, newest) in due.items():
                self.note(generation, offsets, newest)
            raise

    async def keep_flushing(self) -> None:
        """For ever, soon after something is noted."""
        while True:
            await self._noted.wait()
            await asyncio.sleep(FLUSHED_AFTER)
            try:
                await self.flush()
            except PyMongoError as error:
                log.warning("offsets are not saved", error=repr(error)[:300])
                await asyncio.sleep(NOT_FLUSHED_PAUSE)

    async def save(self, generation: str, offsets: Mapping[str, int], newest: Newest = _NOTHING) -> None:
        """What the generation's documents now hold, by partition, and when the newest event in it that the
        view reads was recorded; never moves back. Wakes who waits in this process."""
        await self._save({generation: (offsets, newest)})
        self._count(generation, offsets)

    async def _save(self, all_of_them: Mapping[str, tuple[Mapping[str, int], Newest]]) -> None:
        await self._database.command(
            {
                "update": "offsets",
                "updates": [
                    {
                        "q": {"_id": f"{generation} {key}"},
                        "u": {
                            "$max": {"offset": offset, **_recorded(newest.get(key))},
                            "$set": {"generation": generation, "key": key},
                        },
                        "upsert": True,
                    }
                    for generation, (offsets, newest) in all_of_them.items()
                    for key, offset in offsets.items()
                ],
            }
        )

    def _count(self, generation: str, offsets: Mapping[str, int]) -> None:
        reached = self._reached.setdefault(generation, {})
        for key, offset in offsets.items():
            reached[key] = max(offset, reached.get(key, 0))
        event = self._moved.pop(generation, None)
        if event is not None:
            event.set()

    async def offsets(self, generation: str) -> Offsets:
        """What all processes have saved for the generation."""
        return (await self.offsets_of((generation,)))[generation]

    async def offsets_of(self, generations: Collection[str]) -> dict[str, Offsets]:
        """The same of several generations, by their names."""
        saved: dict[str, Offsets] = {generation: {} for generation in generations}
        if saved:
            for entry in await self._offsets.find({"generation": {"$in": list(saved)}}).to_list():
                saved[entry["generation"]][entry["key"]] = entry["offset"]
        return saved

    def reached_here(self, generation: str) -> Mapping[str, int]:
        """How far the generation has come by what this process folded, by topic id and partition."""
        return self._reached.get(generation, {})

    async def reached(self, generation: str) -> dict[str, Reached]:
        """How far the generation has come, by topic id and partition."""
        found = await self._offsets.find({"generation": generation}).to_list()
        return {entry["key"]: Reached(entry["offset"], _aware(entry.get("recorded_at"))) for entry in found}

    async def covers(self, generation: str, key: str, offset: int, patience: float) -> bool:
        """Waits at most `patience` seconds until the generation has saved past `offset` of the partition
        `key`."""
        deadline = asyncio.get_running_loop().time() + patience
        pause, first = 0.01, True
        while True:
            if self._reached.get(generation, {}).get(key, 0) > offset:
                return True
            moved = self._moved.setdefault(generation, asyncio.Event())
            # What this process follows, it tells of sooner than the database does.
            first, ours = False, first and generation in self._reached
            if not ours and (await self.offsets(generation)).get(key, 0) > offset:
                return True
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            try:
                await asyncio.wait_for(moved.wait(), min(pause, left))
            except TimeoutError:
                pause = min(pause * 2, 0.2)


def _recorded(at: datetime | None) -> dict[str, datetime]:
    return {} if at is None else {"recorded_at": at}


def _aware(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=UTC)


def _ids(topics: Mapping[str, Topic]) -> dict[str, str]:
    return {topic.name.replace(".", "/"): topic.id for topic in topics.values()}
