"""From the view of items to the index: opens what is sealed, and lets go what is gone.

Everything that is written here is read from the stored view at that moment, so whatever comes twice, late or
from another consumer ends in the same.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import structlog
from pymongo import UpdateOne
from pymongo.asynchronous.database import AsyncDatabase

from services.search.entries import Entry, gone, personal, shown
from services.search.index import IndexLost, OpenSearchIndex, origin_of
from services.search.projections import Kind, SearchItem, key_of
from shared.kernel.errors import Unavailable
from shared.runtime.codec import CODEC
from shared.runtime.folding import content
from shared.runtime.keys import KeyRing, Missing
from shared.runtime.mirror import Kept

log = structlog.get_logger(__name__)

#: Documents read at once where a generation is indexed from its beginning.
PORTION = 500
#: Between two tries of one item, in seconds, at least and at most.
AGAIN, AGAIN_AT_MOST = 1.0, 300.0
_SAID_BY_SOMEBODY = (Kind.POST.value, Kind.COMMENT.value, Kind.PERSON.value)


class Indexing:
    """The mirror of the view of items."""

    def __init__(
        self, database: AsyncDatabase[dict[str, Any]], keys: KeyRing, index: OpenSearchIndex
    ) -> None:
        self._database = database
        self._keys = keys
        self._index = index
        #: What could not be indexed yet: a key that is on its way, an entry that the engine refused.
        self._late = database.get_collection("late_items", codec_options=CODEC)
        #: Erased in this process; their keys may still be in memory for a moment.
        self._erased: set[str] = set()

    async def prepare(self, generation: str) -> None:
        """An index that was lost, or belongs to another database, is filled from the view."""
        origin = await origin_of(self._database, generation)
        if await self._index.ready(generation, origin):
            return
        cursor = self._database.get_collection(generation, codec_options=CODEC).find({}, batch_size=PORTION)
        portion: list[Kept[SearchItem]] = []
        async for stored in cursor:
            portion.append(_kept(stored))
            if len(portion) == PORTION:
                await self._write(generation, portion)
                portion = []
        await self._write(generation, portion)
        await self._index.filled(generation, origin)

    async def take(self, generation: str, documents: Sequence[Kept[SearchItem]]) -> None:
        """Indexes what is given, and the comments of posts that are gone."""
        try:
            await self._write(generation, documents)
        except IndexLost:
            await self.restore(generation)

    async def serve(self, generation: str) -> None:
        await self._index.serve(generation)

    async def restore(self, generation: str) -> None:
        """Sees to it that the generation's index is there: somebody may have deleted it."""
        if not await self._index.ready(generation, await origin_of(self._database, generation)):
            log.error("the index is lost and made anew", generation=generation)
            await self.prepare(generation)
            if self._index.serving == generation:
                await self._index.serve(generation)

    async def sweep(self, known: Callable[[], Awaitable[Collection[str]]]) -> None:
        await self._index.sweep(known)
        await self._late.delete_many({"generation": {"$nin": list(await known())}})

    async def again(self) -> int:
        """Tries what could not be indexed; answers how much of that is left."""
        due: dict[str, list[str]] = {}
        async for late in self._late.find({"due": {"$lte": datetime.now(UTC)}}).limit(PORTION):
            due.setdefault(late["generation"], []).append(late["key"])
        for generation, keys in due.items():
            stored = self._database.get_collection(generation, codec_options=CODEC)
            found = [_kept(document) async for document in stored.find({"_id": {"$in": keys}})]
            still = await self._write(generation, found)
            done = [f"{generation} {key}" for key in keys if key not in still]
            await self._late.delete_many({"_id": {"$in": done}})
        return await self._late.count_documents({})

    async def purge(self, generations: Collection[str], member_id: str) -> None:
        """Takes out everything that a member said, and their name. May be repeated."""
        self._erased.add(member_id)
        for generation in generations:
            where = {"author_id": member_id, "kind": {"$in": list(_SAID_BY_SOMEBODY)}, "_live": True}
            stored = self._database.get_collection(generation, codec_options=CODEC)
            entries = [
                gone(document["_id"], document["_rev"], by_another=True)
                async for document in stored.find(where, {"_rev": 1})
            ]
            try:
                await self._index.write(generation, entries)
            except IndexLost as error:
                raise Unavailable("view-being-built", "This is being prepared.") from error
            await self._index.expunge(generation)

    async def _write(self, generation: str, documents: Sequence[Kept[SearchItem]]) -> set[str]:
        """Answers the keys of what must be tried again."""
        if not documents:
            return set()
        entries, unopened = await self._entries(generation, documents)
        refused = await self._index.write(generation, entries)
        for key, reason in refused.items():
            log.error("the engine refuses an entry", key=key, reason=reason)
        late = {*unopened, *refused}
        await self._note(generation, {key: refused.get(key, "its key is on its way") for key in late})
        return late

    async def _entries(
        self, generation: str, documents: Sequence[Kept[SearchItem]]
    ) -> tuple[list[Entry], list[str]]:
        """The entries, and the keys of what cannot be opened yet."""
        orphans = await self._orphans(generation, documents)
        entries, live = await self._comments_of_gone(generation, documents), list[_Live]()
        for key, rev, view in documents:
            if view is None or view.hidden or key in orphans:
                entries.append(gone(key, rev, by_another=key in orphans))
            else:
                live.append(_Live(key, rev, view))
        unopened = []
        for (key, rev, view), opened in zip(live, await self._opened(live), strict=True):
            readable = [text for text in opened if isinstance(text, str)]
            if Missing.UNKNOWN in opened:
                unopened.append(key)
            elif len(readable) < len(opened):
                entries.append(gone(key, rev, by_another=True))
            else:
                entries.append(shown(key, rev, view, readable))
        return entries, unopened

    async def _opened(self, live: Sequence["_Live"]) -> list[list[str | Missing]]:
        """The sealed texts of each item."""
        values = [personal(item) for _, _, item in live]
        flat = [value for some in values for value in some]
        opened = iter(await self._keys.open_all(flat))
        texts: list[list[str | Missing]] = []
        for (_, _, item), some in zip(live, values, strict=True):
            mine = [next(opened) for _ in some]
            texts.append([Missing.ERASED for _ in mine] if item.author_id in self._erased else mine)
        return texts

    async def _orphans(self, generation: str, documents: Sequence[Kept[SearchItem]]) -> set[str]:
        """Comments whose post is gone. The post is looked up after the comment was stored, and the other way
        round when a post goes: one of the two sees the other."""
        posts: dict[str, list[str]] = {}
        for kept in documents:
            if kept.view is not None and kept.view.kind is Kind.COMMENT and kept.view.post_id is not None:
                posts.setdefault(key_of(Kind.POST, kept.view.post_id), []).append(kept.key)
        if not posts:
            return set()
        return {comment for post in await self._gone(generation, posts) for comment in posts[post]}

    async def _gone(self, generation: str, posts: Collection[str]) -> list[str]:
        """Those of these posts that are gone. One that is parked is not: it may come when it is mended."""
        where = {"_id": {"$in": list(posts)}, "_live": {"$ne": True}, "_parked": {"$exists": False}}
        stored = self._database.get_collection(generation, codec_options=CODEC)
        return [post["_id"] async for post in stored.find(where, {"_id": 1})]

    async def _comments_of_gone(self, generation: str, documents: Sequence[Kept[SearchItem]]) -> list[Entry]:
        prefix = key_of(Kind.POST, "")
        without = [kept.key for kept in documents if kept.view is None and kept.key.startswith(prefix)]
        posts = [key.removeprefix(prefix) for key in await self._gone(generation, without)] if without else []
        if not posts:
            return []
        stored = self._database.get_collection(generation, codec_options=CODEC)
        where = {"kind": Kind.COMMENT.value, "post_id": {"$in": posts}, "_live": True}
        return [gone(d["_id"], d["_rev"], by_another=True) async for d in stored.find(where, {"_rev": 1})]

    async def _note(self, generation: str, late: Mapping[str, str]) -> None:
        """Written down to be tried again, ever more rarely."""
        if not late:
            return
        known = {
            document["_id"]: document["pause"]
            async for document in self._late.find({"_id": {"$in": [f"{generation} {key}" for key in late]}})
        }
        notes = []
        for key, reason in late.items():
            name = f"{generation} {key}"
            pause = min(2 * known.get(name, AGAIN / 2), AGAIN_AT_MOST)
            due = datetime.now(UTC) + timedelta(seconds=pause)
            note = {"generation": generation, "key": key, "reason": reason, "pause": pause, "due": due}
            notes.append(UpdateOne({"_id": name}, {"$set": note}, upsert=True))
        await self._late.bulk_write(notes, ordered=False)


class _Live(NamedTuple):
    """A document whose item may be found."""

    key: str
    rev: int
    item: SearchItem


def _kept(stored: Mapping[str, Any]) -> Kept[SearchItem]:
    live = stored.get("_live", False)
    view = SearchItem.model_validate(content(stored)) if live else None
    return Kept(stored["_id"], stored["_rev"], view)
