"""Reading views: the active generation, trimmed in the query to what the reader may see, and as fresh as
was asked for."""

import heapq
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from shared.kernel.audience import Reader, chunks, visible
from shared.kernel.errors import Unavailable
from shared.kernel.projection import Projection
from shared.runtime.away import reading
from shared.runtime.codec import CODEC
from shared.runtime.folding import content
from shared.runtime.generations import Generation
from shared.runtime.sole import Memory

V = TypeVar("V", bound=BaseModel)

Sort = Sequence[tuple[str, int]]


class Views(Generic[V]):
    """The documents of one projection. Which generation is read changes while the service runs."""

    def __init__(self, projection: Projection[V], database: AsyncDatabase[dict[str, Any]]) -> None:
        self.projection = projection
        self._database = database
        self._collection: AsyncCollection[dict[str, Any]] | None = None
        self.generation: Generation | None = None
        #: Awaited before every reading: until the view holds what the request under way should be after.
        self.fresh: Callable[[], Awaitable[None]] = _as_it_is
        #: Single documents are read from here first, where the service says so.
        self.memory: Memory[V] | None = None

    def serve(self, generation: Generation) -> None:
        """From now on `generation` is read."""
        self.generation = generation
        self._collection = self._database.get_collection(generation.name, codec_options=CODEC)

    @property
    def collection(self) -> AsyncCollection[dict[str, Any]]:
        """Raises Unavailable while no generation of this fold version serves."""
        if self._collection is None:
            raise Unavailable("view-being-built", "This is being prepared. Try again in a moment.")
        return self._collection

    async def get(self, key: str, reader: Reader | None = None) -> V | None:
        """The live document, or None where there is none or, with a reader, none for them."""
        return (await self.get_many([key], reader)).get(key)

    async def get_many(self, keys: Collection[str], reader: Reader | None = None) -> dict[str, V]:
        """The live documents among `keys`, by key."""
        await self.fresh()
        if self.memory is not None and reader is None:
            return await self.memory.get_many(keys, self._stored)
        return await self._stored(keys, reader)

    async def _stored(self, keys: Collection[str], reader: Reader | None = None) -> dict[str, V]:
        found: dict[str, V] = {}
        for condition in _conditions(reader):
            left = [key for key in keys if key not in found]
            if not left:
                break
            where = {"_id": {"$in": left}, "_live": True, **condition}
            with reading():
                stored = await self.collection.find(where).to_list()
            found.update({document["_id"]: self._view(document) for document in stored})
        return found

    async def find(
        self,
        where: Mapping[str, Any],
        *,
        sort: Sort,
        limit: int,
        reader: Reader | None = None,
        after: Sequence[Any] | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[V]:
        """At most `limit` live documents in the order of `sort`, which ends in `_id` or another unique field.

        `after`: the sort values of the last one seen. `fields`: only these are read, for views whose other
        fields have defaults. With a reader the tokens are asked for in portions, each of which the index
        can merge, and the answers are merged here.
        """
        await self.fresh()
        past = [_past(sort, after)] if after is not None else []
        sorting = [name for name, _ in sort]
        projected = dict.fromkeys((*fields, *sorting, "_live"), 1) if fields is not None else None
        answers = []
        for condition in _conditions(reader):
            parts = [dict(where), {"_live": True}, condition, *past]
            cursor = self.collection.find({"$and": [part for part in parts if part]}, projected)
            with reading():
                answers.append(await cursor.sort(list(sort)).limit(limit).to_list())
        return [self._view(document) for document in _merged(answers, sort, limit)]

    async def count(self, where: Mapping[str, Any], *, reader: Reader | None = None) -> int:
        """How many live documents there are; counts only what the reader may see, each once."""
        await self.fresh()
        conditions = _conditions(reader)
        with reading():
            if len(conditions) == 1:
                return await self.collection.count_documents(
                    {"$and": [dict(where), {"_live": True}, conditions[0]]}
                )
            keys: set[Any] = set()
            for condition in conditions:
                found = self.collection.find({"$and": [dict(where), {"_live": True}, condition]}, {"_id": 1})
                keys.update([document["_id"] async for document in found])
            return len(keys)

    async def is_parked(self, key: str) -> bool:
        """Whether an event of this document could not be folded, so that it is behind whatever the offsets
        say."""
        with reading():
            where = {"_id": key, "_parked.first": {"$exists": True}}
            return await self.collection.find_one(where, {"_id": 1}) is not None

    def _view(self, document: Mapping[str, Any]) -> V:
        return self.projection.view.model_validate(content(document))


async def _as_it_is() -> None:
    """Of a view that nobody asks for anybody."""


def _conditions(reader: Reader | None) -> list[dict[str, Any]]:
    return [{}] if reader is None else [visible(reader, tokens) for tokens in chunks(reader)]


def _past(sort: Sort, after: Sequence[Any]) -> dict[str, Any]:
    """Behind `after` in the order of `sort` (keyset paging): greater in the first field that differs."""
    cases = []
    for at, (name, direction) in enumerate(sort):
        equal: dict[str, Any] = {field: after[n] for n, (field, _) in enumerate(sort[:at])}
        cases += [{"$and": [equal, behind]} for behind in _behind(name, direction, after[at])]
    return {"$or": cases}


def _behind(name: str, direction: int, value: Any) -> list[dict[str, Any]]:
    """MongoDB sorts what is absent before everything else, but compares it with nothing."""
    if value is None:
        return [{name: {"$ne": None}}] if direction > 0 else []
    if direction > 0:
        return [{name: {"$gt": value}}]
    return [{name: {"$lt": value}}, {name: None}]


class _Ordered:
    """A document that compares by the sort order."""

    __slots__ = ("document", "sort")

    def __init__(self, document: Mapping[str, Any], sort: Sort) -> None:
        self.document = document
        self.sort = sort

    def __lt__(self, other: "_Ordered") -> bool:
        for name, direction in self.sort:
            mine, theirs = self.document.get(name), other.document.get(name)
            if mine != theirs:
                if mine is None or theirs is None:
                    return (mine is None) == (direction > 0)
                return bool(mine < theirs) if direction > 0 else bool(theirs < mine)
        return False


def _merged(
    answers: Sequence[Sequence[Mapping[str, Any]]], sort: Sort, limit: int
) -> list[Mapping[str, Any]]:
    if len(answers) == 1:
        return list(answers[0])
    found: dict[Any, Mapping[str, Any]] = {}
    for ordered in heapq.merge(*([_Ordered(document, sort) for document in answer] for answer in answers)):
        found.setdefault(ordered.document["_id"], ordered.document)
        if len(found) == limit:
            break
    return list(found.values())
