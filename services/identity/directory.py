"""The directory: who is who by name, in the reader's alphabet, with filters.

Names are sealed in events and views; a list in alphabetical order needs them in plain text. They are kept
beside the view of members, generation by generation, and leave with their member's erasure.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from pymongo import ASCENDING, ReplaceOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.collation import Collation, CollationStrength
from pymongo.errors import BulkWriteError, PyMongoError

from services.identity.domain.members import Standing
from services.identity.projections import MemberView
from services.identity.texts import opened
from shared.kernel.audience import STAFF, Reader, cleared
from shared.kernel.errors import Unavailable
from shared.runtime.codec import CODEC
from shared.runtime.folding import content
from shared.runtime.keys import KeyRing, Missing
from shared.runtime.mirror import Kept

log = structlog.get_logger(__name__)

#: Whose alphabets the directory is sorted by; readers of other languages get the first one.
ALPHABETS = ("en", "sv")
FILTERS = ("units", "country", "languages", "office", "roles", "manager_id")
_SUFFIX = ".directory"
_DUPLICATE = 11000


@dataclass(frozen=True, slots=True)
class Entry:
    """Where the next page of the directory begins."""

    name: str
    member_id: str


class Directory:
    """A mirror of the view of members (`shared.runtime.mirror`)."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]], ring: KeyRing, view: str) -> None:
        self._database = database
        self._ring = ring
        self._view = view
        self._served: str | None = None
        ring.on_erased(self.forget)

    async def prepare(self, generation: str) -> None:
        names = self._names(generation)
        try:
            for alphabet in ALPHABETS:
                await names.create_index(
                    [("name", ASCENDING), ("_id", ASCENDING)],
                    name=f"name.{alphabet}",
                    collation=_collation(alphabet),
                )
                for field in FILTERS:
                    await names.create_index(
                        [(field, ASCENDING), ("name", ASCENDING), ("_id", ASCENDING)],
                        name=f"{field}.{alphabet}",
                        collation=_collation(alphabet),
                    )
            if await names.find_one() is None:
                await self._take_all(generation)
        except PyMongoError as error:
            raise _away() from error

    async def _take_all(self, generation: str) -> None:
        views = self._database.get_collection(generation, codec_options=CODEC).find({"_live": True})
        while found := await views.to_list(1_000):
            kept = [Kept(d["_id"], d["_rev"], MemberView.model_validate(content(d))) for d in found]
            await self.take(generation, kept)

    async def take(self, generation: str, documents: Sequence[Kept[MemberView]]) -> None:
        listed = [kept for kept in documents if kept.view is not None and _is_listed(kept.view)]
        names = await opened(self._ring, [kept.view.name for kept in listed if kept.view is not None])
        by_key = {kept.key: name for kept, name in zip(listed, names, strict=True)}
        writes = [
            ReplaceOne(
                {"_id": kept.key, "rev": {"$lte": kept.rev}},
                _document(kept, by_key.get(kept.key)),
                upsert=True,
            )
            for kept in documents
        ]
        try:
            if writes:
                await self._names(generation).bulk_write(writes, ordered=False)
        except BulkWriteError as error:
            # A newer document is there already.
            if any(one["code"] != _DUPLICATE for one in error.details.get("writeErrors", ())):
                raise
        except PyMongoError as error:
            raise _away() from error

    async def serve(self, generation: str) -> None:
        self._served = generation

    async def sweep(self, known: Callable[[], Awaitable[Collection[str]]]) -> None:
        there = [
            name
            for name in await self._database.list_collection_names()
            if name.startswith(f"{self._view}.") and name.endswith(_SUFFIX)
        ]
        kept = {name + _SUFFIX for name in await known()}
        for name in there:
            if name not in kept:
                await self._database.drop_collection(name)

    async def forget(self, member_id: str, erased_at: datetime) -> None:
        """Takes the erased out of every generation."""
        gone = {"$unset": {"name": ""}, "$set": {"listed": False}}
        for name in await self._database.list_collection_names():
            if name.startswith(f"{self._view}.") and name.endswith(_SUFFIX):
                await self._database[name].update_one({"_id": member_id}, gone)

    async def find(
        self, reader: Reader, where: dict[str, str], language: str, limit: int, after: Entry | None
    ) -> list[Entry]:
        """Those that the reader may see, by name. `where` by `FILTERS`. Raises Unavailable."""
        if self._served is None:
            raise _away()
        alphabet = next((a for a in ALPHABETS if language.split("-")[0] == a), ALPHABETS[0])
        tokens = [token for token in (STAFF, f"member:{reader.member_id}") if token in reader.tokens]
        trimmed = {"audience": {"$in": tokens}, "classification": {"$in": cleared(reader.clearance)}}
        condition: dict[str, Any] = {**where, "listed": True, **trimmed}
        if after is not None:
            condition["$or"] = [
                {"name": {"$gt": after.name}},
                {"name": after.name, "_id": {"$gt": after.member_id}},
            ]
        found = self._names(self._served).find(condition, {"name": 1}, collation=_collation(alphabet))
        try:
            documents = await found.sort([("name", ASCENDING), ("_id", ASCENDING)]).limit(limit).to_list()
        except PyMongoError as error:
            raise _away() from error
        return [Entry(document["name"], document["_id"]) for document in documents]

    def _names(self, generation: str) -> AsyncCollection[dict[str, Any]]:
        return self._database[generation + _SUFFIX]


def _is_listed(view: MemberView) -> bool:
    """Who signs in and has not left; the authors of imported pages are found by their pages."""
    return view.standing is Standing.ACTIVE and view.signs_in


def _document(kept: Kept[MemberView], name: str | Missing | None) -> dict[str, Any]:
    """Who is not listed leaves the number of the writing only, so that nothing older comes back."""
    if kept.view is None or not isinstance(name, str):
        return {"_id": kept.key, "rev": kept.rev, "listed": False}
    view = kept.view
    return {
        "_id": kept.key,
        "rev": kept.rev,
        "listed": True,
        "name": name,
        "units": view.units,
        "country": view.country,
        "languages": list(dict.fromkeys([view.language, *view.languages])),
        "office": view.office,
        "roles": [role.value for role in view.roles],
        "manager_id": view.manager_id,
        "audience": view.audience,
        "classification": view.classification.value,
    }


def _collation(alphabet: str) -> Collation:
    return Collation(alphabet, strength=CollationStrength.SECONDARY)


def _away() -> Unavailable:
    return Unavailable("store-away", "The store does not answer. Try again in a moment.")
