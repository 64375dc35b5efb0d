"""What could not be folded: parked per view key, in order, with error and trace, until somebody mends and
replays it.

The mark is `_parked` of the view document, changed under `_rev`; the events lie in the collection `parked`.
What cannot even be read parks its stream for that view. A mend is kept by event id and applied by every
later generation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pymongo import ASCENDING
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.write_concern import WriteConcern

from shared.kernel.errors import NotFound
from shared.kernel.events import Recorded

if TYPE_CHECKING:
    from shared.runtime.gathering import Delivered


@dataclass(frozen=True, slots=True)
class Mend:
    """What stands in for an event's data from now on, or that it is left out."""

    event_id: str
    skip: bool
    data: str = ""
    schema_version: int = 1


@dataclass(frozen=True, slots=True)
class Parked:
    """A parked record. `key` is None where the stream is parked because the event cannot be read."""

    id: str
    view: str
    generation: str
    key: str | None
    stream: str
    event_id: str
    event_type: str
    order: int
    error: str
    trace: str
    at: datetime
    headers: Mapping[str, bytes]
    value: bytes

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Parked":
        return cls(
            stored["_id"],
            stored["view"],
            stored["generation"],
            stored.get("key"),
            stored["stream"],
            stored["event_id"],
            stored["event_type"],
            stored["order"],
            stored["error"],
            stored["trace"],
            stored["at"],
            stored["headers"],
            stored["value"],
        )


_PLACE = {"stream": 1, "where": 1, "order": 1}


class Parking:
    """The parked events and the mends of one generation."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]], view: str, generation: str) -> None:
        durable = WriteConcern("majority", j=True)
        self._parked = database.get_collection("parked", write_concern=durable)
        self._mends = database.get_collection("mends", write_concern=durable)
        self._view = view
        self._generation = generation
        #: Parked streams: the first parked offset, by topic id and partition.
        self.streams: dict[str, dict[str, int]] = {}
        self.mends: dict[str, Mend] = {}

    async def load(self) -> None:
        """Reads the parked streams and the mends; again after somebody mended something."""
        await self._parked.create_index([("generation", ASCENDING), ("key", ASCENDING), ("order", ASCENDING)])
        streams: dict[str, dict[str, int]] = {}
        async for stored in self._parked.find({"generation": self._generation, "key": None}, _PLACE):
            first, where = streams.setdefault(stored["stream"], {}), stored["where"]
            first[where] = min(stored["order"], first.get(where, stored["order"]))
        self.streams = streams
        self.mends = {}
        async for stored in self._mends.find({}):
            self.mends[stored["_id"]] = Mend(
                stored["_id"], stored["skip"], stored.get("data", ""), stored.get("schema_version", 1)
            )

    async def park(
        self, key: str, mark: Mapping[str, Any], delivered: "Delivered", recorded: Recorded, trace: str
    ) -> None:
        """Keeps a record behind its key's earlier ones. Written before the mark: one that no mark covers
        counts for nothing."""
        place = (key, mark["episode"], mark["count"])
        await self._keep(place, delivered, recorded.stream, recorded.id, recorded.type, mark["error"], trace)

    async def park_stream(self, stream: str, delivered: "Delivered", error: str, trace: str) -> None:
        """Keeps a record that cannot be read, or comes behind one, for its whole stream; mending ends in a
        rebuild."""
        headers = dict(delivered.record.headers)
        name = headers.get("ce_type", b"?").decode(errors="replace")
        event_id = headers.get("ce_id", b"?").decode(errors="replace")
        await self._keep((None, "", delivered.offset), delivered, stream, event_id, name, error, trace)
        self.streams.setdefault(stream, {}).setdefault(delivered.where, delivered.offset)

    def holds(self, stream: str, delivered: "Delivered") -> bool:
        """Whether this record comes behind one of its stream that cannot be read. What came before it and is
        delivered again does not."""
        first = self.streams.get(stream)
        return first is not None and delivered.offset >= first.get(delivered.where, 0)

    async def _keep(
        self,
        where: tuple[str | None, str, int],
        delivered: "Delivered",
        stream: str,
        event_id: str,
        name: str,
        error: str,
        trace: str,
    ) -> None:
        key, episode, order = where
        place = f"{self._generation} {key or ''} {delivered.where} {delivered.offset}"
        stored = {
            "view": self._view,
            "generation": self._generation,
            "key": key,
            "episode": episode,
            "order": order,
            "stream": stream,
            "where": delivered.where,
            "event_id": event_id,
            "event_type": name,
            "headers": dict(delivered.record.headers),
            "value": delivered.record.value or b"",
            "error": error,
            "trace": trace,
            "at": datetime.now(UTC),
        }
        await self._parked.replace_one({"_id": place}, stored, upsert=True)

    async def of_key(self, key: str, episode: str, count: int) -> list[Parked]:
        """The records of a key that its mark covers, in order."""
        where = {"generation": self._generation, "key": key, "episode": episode, "order": {"$lt": count}}
        cursor = self._parked.find(where)
        return [Parked.of(stored) async for stored in cursor.sort("order", ASCENDING)]

    async def still_fails(self, key: str, event_id: str, error: str) -> None:
        """Keeps the newest reason."""
        where = {"generation": self._generation, "key": key, "event_id": event_id}
        await self._parked.update_one(where, {"$set": {"error": error}})

    async def episodes(self, key: str) -> list[str]:
        """The episodes that the key has records of, be they of a mark or not."""
        found: list[str] = await self._parked.distinct(
            "episode", {"generation": self._generation, "key": key}
        )
        return found

    async def forget(self, key: str, episodes: Sequence[str]) -> None:
        """After a replay: the records of episodes that are over. The key may be parked again meanwhile."""
        where = {"generation": self._generation, "key": key, "episode": {"$in": list(episodes)}}
        await self._parked.delete_many(where)


class Mending:
    """What operators do: look at what is parked in a service, and mend it by event id."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        self._parked = database["parked"]
        self._mends = database.get_collection("mends", write_concern=WriteConcern("majority", j=True))

    async def parked(self, generations: Sequence[str], limit: int = 100) -> list[Parked]:
        """What is parked in these generations, oldest first."""
        cursor = (
            self._parked.find({"generation": {"$in": list(generations)}}).sort("at", ASCENDING).limit(limit)
        )
        return [Parked.of(stored) async for stored in cursor]

    async def counts(self, generations: Sequence[str]) -> dict[str, int]:
        """How much is parked in each of these generations now."""
        told: list[dict[str, Any]] = [
            {"$match": {"generation": {"$in": list(generations)}}},
            {"$group": {"_id": "$generation", "parked": {"$sum": 1}}},
        ]
        found = await (await self._parked.aggregate(told)).to_list()
        return dict.fromkeys(generations, 0) | {each["_id"]: each["parked"] for each in found}

    async def mend(
        self, event_id: str, *, data: str | None, schema_version: int = 1, by: str, reason: str
    ) -> None:
        """From now on `data` is folded instead of the event's own, or the event is left out (`data` None)."""
        if await self._parked.find_one({"event_id": event_id}, {"_id": 1}) is None:
            raise NotFound("not-parked", "No parked event has this id.")
        stored = {
            "skip": data is None,
            "data": data or "",
            "schema_version": schema_version,
            "by": by,
            "reason": reason,
            "at": datetime.now(UTC),
        }
        await self._mends.replace_one({"_id": event_id}, stored, upsert=True)
