"""How a view is kept: a batch of events is folded in memory and written per document by compare-and-set.

`_seen` holds the last offset per topic id and partition and makes redelivery a no-op; `_rev` makes a write
that raced another consumer miss, reload and fold again. A document that is gone leaves a tombstone, so that
it cannot rise again.
"""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

import bson
import structlog
from bson.raw_bson import RawBSONDocument
from pydantic import BaseModel
from pymongo import ASCENDING
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ExecutionTimeout, OperationFailure

from shared.kernel.errors import Unavailable
from shared.kernel.projection import META, Projection
from shared.runtime import telemetry
from shared.runtime.away import PASSING
from shared.runtime.codec import CODEC, incoming
from shared.runtime.gathering import Delivered, Gathered, Gathering, Item
from shared.runtime.generations import Registry
from shared.runtime.held import Document, Held
from shared.runtime.ids import new_id
from shared.runtime.mirror import Kept, Mirror
from shared.runtime.parking import Parked, Parking
from shared.runtime.points import passing
from shared.runtime.sole import Sole

log = structlog.get_logger(__name__)
V = TypeVar("V", bound=BaseModel)
T = TypeVar("T")

#: MongoDB's limit is 16 MB; a document that comes near it parks its key instead of failing a whole batch.
LARGEST_VIEW = 15_000_000
#: Documents in one write, and their bytes together: a command to MongoDB holds 16 MB, as a document does.
LARGEST_PORTION = 1_000
LARGEST_PORTION_BYTES = 15_000_000
_DUPLICATE = 11000
_MAJORITY = {"w": "majority", "j": True}


class _Folded(NamedTuple, Generic[V]):
    """What a document becomes: as it is written, and as it is read."""

    encoded: RawBSONDocument
    document: Document[V]


@dataclass(slots=True)
class _Round(Generic[V]):
    """What became of the documents of one batch."""

    #: As they are stored, or were when they were looked at: for the mirror.
    kept: dict[str, Kept[V]] = field(default_factory=dict)
    #: Written by another consumer meanwhile, or there already: to be folded again.
    missed: list[str] = field(default_factory=list)
    #: Taken for new without having been asked for.
    guessed: set[str] = field(default_factory=set)
    #: Written, by this consumer or by another one.
    unsure: set[str] = field(default_factory=set)


class Fold(Generic[V]):
    """Writes one generation of one projection."""

    def __init__(
        self,
        projection: Projection[V],
        generation: str,
        database: AsyncDatabase[dict[str, Any]],
        registry: Registry,
        mirror: Mirror[V] | None = None,
        sole: Sole[V] | None = None,
        *,
        notes: bool = False,
    ) -> None:
        """`sole` is told of every document that is in the database as it was written or met here. `notes`:
        the offsets are noted, for whoever flushes the registry, and not saved with each batch."""
        self.projection = projection
        self.generation = generation
        self._database = database
        self._registry = registry
        self._mirror = mirror
        self._sole = sole
        self._notes = notes
        self._documents = database.get_collection(generation, codec_options=CODEC)
        self.parking = Parking(database, projection.name, generation)
        self._gathering = Gathering(projection, generation, self.parking)
        self._held: Held[V] = Held()

    async def prepare(self) -> None:
        """Makes the collection's indexes and reads what is parked and mended."""
        for index in self.projection.indexes:
            await self._documents.create_index(list(index.fields), partialFilterExpression={"_live": True})
        await self._documents.create_index(
            [("_parked.first", ASCENDING)], partialFilterExpression={"_parked.first": {"$exists": True}}
        )
        await self.parking.load()
        if self._mirror is not None:
            await self._mirror.prepare(self.generation)

    async def apply(self, batch: Sequence[Delivered]) -> None:
        """Folds the batch and saves its offsets. Waits out an engine that is away; everything else parks."""
        await self.write(await self.read(batch))

    async def read(self, batch: Sequence[Delivered]) -> Gathered:
        """The batch, read and gathered by document; also while the one before it is still being written."""
        return await self._patiently(lambda: self._gathering.gather(batch))

    async def write(self, gathered: Gathered) -> None:
        """Folds and writes what was read, and saves its offsets."""
        try:
            await self._patiently(lambda: self._write_all(gathered))
        finally:
            gathered.parts.end()

    async def _patiently(self, do: Callable[[], Awaitable[T]]) -> T:
        pause = 0.05
        while True:
            try:
                return await do()
            except (*PASSING, Unavailable, OperationFailure) as error:
                self._held.clear()
                if not _passes(error):
                    raise
                log.warning("view waits for its engines", view=self.generation, error=repr(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)

    async def _write_all(self, gathered: Gathered) -> None:
        started, by_key = time.monotonic(), gathered.by_key
        passing("view.read")
        kept: dict[str, Kept[V]] = {}
        unsure: set[str] = set()
        todo, guessed = by_key, set[str]()
        while todo:
            done = await self._fold(todo, guessed)
            kept.update(done.kept)
            unsure |= done.unsure
            guessed |= done.guessed
            todo = {key: by_key[key] for key in done.missed}
        passing("view.written")
        await self._hand_over([kept[key] for key in by_key if key in kept and key not in unsure])
        await self._hand_over(await self._stored(unsure))
        if self._notes:
            self._registry.note(self.generation, gathered.ends, gathered.newest)
        elif gathered.ends:
            await self._registry.save(self.generation, gathered.ends, gathered.newest)
        telemetry.VIEW_FOLDED.labels(self.projection.name).inc(gathered.records)
        telemetry.VIEW_BATCH_SECONDS.labels(self.projection.name).observe(time.monotonic() - started)

    async def _fold(self, todo: Mapping[str, list[Item]], guessed: Collection[str]) -> _Round[V]:
        """Folds and writes; documents that were `guessed` to be new once are asked for."""
        keys, writing, done = list(todo), list[asyncio.Task[None]](), _Round[V]()
        documents = self._held.of(keys)
        done.guessed = {k for k in keys if k not in documents and k not in guessed and _begins(k, todo[k])}
        asked = [key for key in keys if key not in documents and key not in done.guessed]
        if asked:
            documents |= await self._load(asked)
            self._look_for_another(todo, documents, guessed)
        try:
            for first in range(0, len(keys), LARGEST_PORTION):
                inserts: dict[str, _Folded[V]] = {}
                updates: dict[str, tuple[int, _Folded[V]]] = {}
                for key in keys[first : first + LARGEST_PORTION]:
                    document: Document[V] = documents.get(key) or Document()
                    folded = await self._fold_one(key, document, todo[key])
                    if folded is None:
                        self._is_stored(done, Kept(key, document.rev, document.view))
                    elif document.rev == 0:
                        inserts[key] = folded
                    else:
                        updates[key] = (document.rev, folded)
                writing.append(asyncio.create_task(self._write(inserts, updates, todo, done)))
                # The store takes this portion while the next one is folded.
                await asyncio.sleep(0)
        finally:
            if writing:
                await asyncio.wait(writing)
        for written in writing:
            written.result()
        if misses := len(set(done.missed) - done.guessed):
            telemetry.VIEW_MISSES.labels(self.projection.name).inc(misses)
        return done

    def _look_for_another(
        self,
        todo: Mapping[str, list[Item]],
        documents: Mapping[str, Document[V]],
        guessed: Collection[str],
    ) -> None:
        """A document that was guessed to be new and holds what is only now folded here: somebody else folds
        what is ours."""
        for key in guessed:
            if self._sole is not None and key in documents and key in todo:
                seen = documents[key].seen
                if any(seen.get(i.delivered.where, -1) >= i.delivered.offset for i in todo[key]):
                    self._sole.met_another()

    def _is_stored(self, done: _Round[V], kept: Kept[V]) -> None:
        done.kept[kept.key] = kept
        if self._sole is not None:
            self._sole.changed(kept.key, kept.view)

    async def _hand_over(self, kept: Sequence[Kept[V]]) -> None:
        """Shows the mirror what is stored; what another consumer stores afterwards, that one shows it."""
        if self._mirror is not None and kept:
            await self._mirror.take(self.generation, kept)

    async def _stored(self, keys: Collection[str]) -> list[Kept[V]]:
        if not keys or self._mirror is None:
            return []
        return [Kept(key, document.rev, document.view) for key, document in (await self._load(keys)).items()]

    async def _write(
        self,
        inserts: Mapping[str, _Folded[V]],
        updates: Mapping[str, tuple[int, _Folded[V]]],
        todo: Mapping[str, list[Item]],
        done: _Round[V],
    ) -> None:
        missed = await self._insert({key: folded.encoded for key, folded in inserts.items()})
        another = bool(set(missed) - done.guessed)
        for key in inserts.keys() - set(missed):
            self._wrote(done, key, inserts[key])
        encoded = {key: (rev, folded.encoded) for key, (rev, folded) in updates.items()}
        for portion in _portions(list(encoded), {key: document for key, (_, document) in encoded.items()}):
            if await self._update({key: encoded[key] for key in portion}):
                for key in portion:
                    self._wrote(done, key, updates[key][1])
                continue
            behind = await self._behind(portion, todo)
            self._held.forget(portion)
            another = another or bool(behind)
            missed.extend(behind)
            done.unsure.update(set(portion) - set(behind))
        done.missed.extend(missed)
        if self._sole is not None and another:
            self._sole.met_another()

    def _wrote(self, done: _Round[V], key: str, folded: _Folded[V]) -> None:
        self._held.put(key, folded.document, len(folded.encoded.raw))
        self._is_stored(done, Kept(key, folded.document.rev, folded.document.view))

    async def _load(self, keys: Iterable[str]) -> dict[str, Document[V]]:
        found = {}
        for stored in await self._documents.find({"_id": {"$in": list(keys)}}).to_list():
            live = stored.get("_live", False)
            view = self.projection.view.model_validate(content(stored)) if live else None
            found[stored["_id"]] = Document(view, stored["_rev"], stored["_seen"], stored.get("_parked"))
        return found

    async def _fold_one(self, key: str, document: Document[V], items: Sequence[Item]) -> _Folded[V] | None:
        """The document after `items`; None where it has seen them all."""
        fresh = [i for i in items if i.delivered.offset > document.seen.get(i.delivered.where, -1)]
        if not fresh:
            return None
        if document.parked is None:
            try:
                told = ((item.event, item.recorded) for item in fresh)
                view = self.projection.folded(document.view, told, key)
                return self._folded(key, Document(view, document.rev + 1, _seen(document.seen, fresh), None))
            except Exception as error:
                log.warning("a fold fails", view=self.generation, key=key, error=repr(error))
        return await self._fold_and_park(key, document, fresh)

    async def _fold_and_park(self, key: str, document: Document[V], fresh: Sequence[Item]) -> _Folded[V]:
        """One event at a time: what comes before the failing one is folded, it and what comes behind are
        parked in order."""
        view, parked, trace = document.view, document.parked, ""
        for item in fresh:
            if parked is None:
                try:
                    folded = self.projection.evolve(view, item.event, item.recorded, key)
                    self._encode(key, folded, document.rev + 1, document.seen, None)
                    view = folded
                    continue
                except Exception as error:
                    trace = traceback.format_exc()
                    parked = {
                        "first": item.recorded.id,
                        "episode": new_id(),
                        "count": 0,
                        "error": repr(error)[:500],
                    }
            await self.parking.park(key, parked, item.delivered, item.recorded, trace)
            parked, trace = {**parked, "count": parked["count"] + 1}, ""
        return self._folded(key, Document(view, document.rev + 1, _seen(document.seen, fresh), parked))

    def _folded(self, key: str, document: Document[V]) -> _Folded[V]:
        encoded = self._encode(key, document.view, document.rev, document.seen, document.parked)
        return _Folded(encoded, document)

    def _encode(
        self, key: str, view: V | None, rev: int, seen: Mapping[str, int], parked: Mapping[str, Any] | None
    ) -> RawBSONDocument:
        stored: dict[str, Any] = {"_id": key, "_rev": rev, "_seen": seen}
        if view is not None:
            stored.update(view.model_dump())
            stored["_live"] = True
        if parked is not None:
            stored["_parked"] = parked
        encoded = bson.encode(stored)
        if len(encoded) > LARGEST_VIEW:
            raise ValueError(f"the document would have {len(encoded)} bytes, more than {LARGEST_VIEW}")
        return RawBSONDocument(encoded)

    async def _insert(self, inserts: Mapping[str, RawBSONDocument]) -> list[str]:
        missed = []
        keys = list(inserts)
        for portion in _portions(keys, inserts):
            command = {
                "insert": self.generation,
                "documents": [inserts[key] for key in portion],
                "ordered": False,
                "writeConcern": _MAJORITY,
            }
            answer = await self._database.command(command)
            for error in answer.get("writeErrors", ()):
                if error["code"] != _DUPLICATE:
                    raise OperationFailure(error.get("errmsg", "insert failed"), error["code"])
                missed.append(portion[error["index"]])
            _check_concern(answer)
        return missed

    async def _update(self, updates: Mapping[str, tuple[int, RawBSONDocument]]) -> bool:
        """True where each was at its `rev` and is written."""
        command = {
            "update": self.generation,
            "updates": [
                {"q": {"_id": key, "_rev": rev}, "u": document} for key, (rev, document) in updates.items()
            ],
            "ordered": False,
            "writeConcern": _MAJORITY,
        }
        answer = await self._database.command(command)
        if answer.get("writeErrors"):
            first = answer["writeErrors"][0]
            raise OperationFailure(first.get("errmsg", "update failed"), first["code"])
        _check_concern(answer)
        return bool(answer["n"] == len(updates))

    async def _behind(self, keys: Sequence[str], todo: Mapping[str, list[Item]]) -> list[str]:
        """Which documents do not hold what was just written: another consumer was faster."""
        stored = {
            d["_id"]: d["_seen"]
            async for d in self._documents.find({"_id": {"$in": list(keys)}}, {"_seen": 1})
        }
        return [
            key
            for key in keys
            if any(stored.get(key, {}).get(i.delivered.where, -1) < i.delivered.offset for i in todo[key])
        ]

    async def replay_parked(self, key: str) -> bool:
        """Folds a parked key's events, with their mends; False where one still fails, and nothing is
        changed then."""
        while True:
            document = (await self._load([key])).get(key)
            if document is None or document.parked is None:
                # A replay is no consumer's work: what it wrote is looked up for whoever follows the writing.
                if self._sole is not None:
                    self._sole.met_another()
                await self._hand_over(await self._stored([key]))
                return True
            parked = await self.parking.of_key(key, document.parked["episode"], document.parked["count"])
            view = self._refold(key, document.view, parked)
            if isinstance(view, _Failed):
                await self.parking.still_fails(key, view.event_id, view.error)
                return False
            encoded = self._encode(key, view, document.rev + 1, document.seen, None)
            over = await self.parking.episodes(key)
            self._held.forget((key,))
            await self._update({key: (document.rev, encoded)})
            done = await self._documents.find_one({"_id": key}, {"_parked": 1})
            mark = done.get("_parked") if done is not None else None
            if mark is None or mark["episode"] != document.parked["episode"]:
                await self.parking.forget(key, over)

    def _refold(self, key: str, view: V | None, parked: Sequence[Parked]) -> "V | _Failed | None":
        for entry in parked:
            try:
                recorded = incoming(entry.headers, entry.value)
                mend = self.parking.mends.get(recorded.id)
                if mend is not None and mend.skip:
                    continue
                if mend is not None:
                    recorded = recorded._replace(data=mend.data, schema_version=mend.schema_version)
                view = self.projection.evolve(view, recorded.event(), recorded, key)
                self._encode(key, view, 1, {}, None)
            except Exception as error:
                return _Failed(entry.event_id, repr(error))
        return view


def _passes(error: Exception) -> bool:
    """Whether waiting helps."""
    if isinstance(error, (*PASSING, Unavailable)):
        return True
    return isinstance(error, OperationFailure) and error.has_error_label("RetryableWriteError")


def _begins(key: str, items: Sequence[Item]) -> bool:
    """Whether a document is rather new than not: the first event of the stream that has its name."""
    first = items[0].recorded
    return first.version == 1 and first.stream.partition("-")[2] == key


def _seen(before: Mapping[str, int], items: Sequence[Item]) -> dict[str, int]:
    seen = dict(before)
    for item in items:
        seen[item.delivered.where] = max(item.delivered.offset, seen.get(item.delivered.where, -1))
    return seen


class _Failed(NamedTuple):
    event_id: str
    error: str


def content(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored view document without what is the runtime's own."""
    return {name: value for name, value in stored.items() if name not in META and name != "_id"}


def _portions(keys: Sequence[str], documents: Mapping[str, RawBSONDocument]) -> Iterable[list[str]]:
    portion: list[str] = []
    size = 0
    for key in keys:
        length = len(documents[key].raw)
        if portion and size + length > LARGEST_PORTION_BYTES:
            yield portion
            portion, size = [], 0
        portion.append(key)
        size += length
    if portion:
        yield portion


def _check_concern(answer: Mapping[str, Any]) -> None:
    if "writeConcernError" in answer:
        raise ExecutionTimeout(f"not acknowledged by the majority: {answer['writeConcernError']}")
