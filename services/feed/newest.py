"""The first page of the feed: looked for among the newest posts.

They are held in memory while this process alone follows the posts: then a page costs no query. Elsewhere they
are asked of the database, for members of many groups: an index that begins with the audience answers anybody,
at a cost that grows with their tokens (3.6 to 4.8 ms of MongoDB for 150 tokens); one that begins with the
time finds a page among the newest in 1 to 1.3 ms (both measured, at 5,000 and 200,000 posts).

A fixed number of posts is looked at and no further, so neither way grows with the organisation; whoever sees
too few of them is answered by the other index.
"""

import asyncio
import time
from bisect import bisect_left, insort
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.feed.projections import PostView
from shared.kernel.audience import Reader, cleared, visible
from shared.runtime.away import reading
from shared.runtime.folding import content
from shared.runtime.sole import Sole
from shared.runtime.views import Views

#: Posts that are looked at, and seconds for which their beginning is remembered.
LOOKED_AT = 400
REMEMBERED = 5.0
#: Whoever holds fewer tokens is answered as fast by the other index.
FEW_TOKENS = 20

NEWEST = [("published_at", -1), ("_id", -1)]
#: The same as in the view's projection.
INDEX = [("published_at", -1), ("_id", -1), ("audience", 1), ("classification", 1)]


class Newest:
    def __init__(self, posts: Views[PostView], sole: Sole[PostView]) -> None:
        self._posts = posts
        self._sole = sole
        self._window = Window()
        self._loading = asyncio.Lock()
        self._since: datetime | None = None
        self._looked = float("-inf")
        sole.witnesses.append(self._window)

    async def page(self, reader: Reader, limit: int) -> list[PostView] | None:
        """The newest posts that the reader may see; None where another way must be asked."""
        if await self._filled():
            return self._window.page(reader, limit)
        return await self._asked(reader, limit)

    async def held(self, reader: Reader, limit: int) -> list[PostView] | None:
        """The same from memory alone, where they are there."""
        return self._window.page(reader, limit) if await self._filled() else None

    async def _filled(self) -> bool:
        await self._posts.fresh()
        if self._sole.trusted and not self._window.filled:
            await self._fill()
        return self._sole.trusted and self._window.filled

    async def _fill(self) -> None:
        async with self._loading:
            if self._window.filled:
                return
            self._window.begin()
            with reading():
                cursor = self._posts.collection.find({"_live": True}).sort(NEWEST).limit(LOOKED_AT)
                found = await cursor.hint(INDEX).to_list()
            self._window.fill([_view(document) for document in found], whole=len(found) < LOOKED_AT)

    async def _asked(self, reader: Reader, limit: int) -> list[PostView] | None:
        if len(reader.tokens) <= FEW_TOKENS:
            return None
        since = await self._beginning()
        where: dict[str, Any] = {"_live": True, **visible(reader, sorted(reader.tokens))}
        if since is not None:
            where["published_at"] = {"$gte": since}
        with reading():
            cursor = self._posts.collection.find(where).sort(NEWEST).limit(limit).hint(INDEX)
            found = await cursor.to_list()
        if len(found) < limit:
            return None
        return [_view(document) for document in found]

    async def _beginning(self) -> datetime | None:
        """When the oldest of the newest posts was published; None where there are not so many."""
        now = time.monotonic()
        if now - self._looked > REMEMBERED:
            with reading():
                cursor = self._posts.collection.find({"_live": True}, {"published_at": 1, "_id": 0})
                found = await cursor.sort(NEWEST).skip(LOOKED_AT).limit(1).hint(INDEX).to_list()
            self._since = found[0]["published_at"] if found else None
            self._looked = now
        return self._since


Place = tuple[datetime, str]


class Window:
    """The newest posts, in the order of time, as they are written."""

    def __init__(self) -> None:
        self.filled = False
        self._posts: dict[Place, PostView] = {}
        self._order: list[Place] = []
        self._places: dict[str, Place] = {}
        #: Nothing older is in the database.
        self._whole = False
        self._meanwhile: dict[str, PostView | None] | None = None

    def begin(self) -> None:
        """The newest are being asked for; what is written from now on is newer than what they say."""
        self._clear()
        self._meanwhile = {}

    def fill(self, posts: list[PostView], *, whole: bool) -> None:
        """`whole`: there are no others. Does nothing where all was forgotten meanwhile."""
        if self._meanwhile is None:
            return
        meanwhile, self._meanwhile = self._meanwhile, None
        self._whole = whole
        for post in posts:
            self._put(post)
        self.filled = True
        for key, view in meanwhile.items():
            self.changed(key, view)

    def changed(self, key: str, view: PostView | None) -> None:
        if self._meanwhile is not None:
            self._meanwhile[key] = view
        if not self.filled:
            return
        known = self._places.pop(key, None)
        if known is not None:
            del self._order[bisect_left(self._order, known)]
            del self._posts[known]
        if view is not None and (self._whole or not self._order or _place(view) > self._order[0]):
            self._put(view)
        if len(self._order) > 2 * LOOKED_AT:
            self._trim()
        elif not self._whole and len(self._order) < LOOKED_AT // 2:
            # Many were deleted: what is older must be asked for.
            self._clear()

    def forget(self) -> None:
        self._clear()
        self._meanwhile = None

    def page(self, reader: Reader, limit: int) -> list[PostView] | None:
        """By the same rule as `visible`. None where the reader may see older ones that are not here."""
        levels, found = set(cleared(reader.clearance)), list[PostView]()
        for place in reversed(self._order):
            post = self._posts[place]
            if post.classification in levels and not reader.tokens.isdisjoint(post.audience):
                found.append(post)
                if len(found) == limit:
                    return found
        return found if self._whole else None

    def _put(self, post: PostView) -> None:
        """A deleted post, or one whose own event is still to come, has no audience: nobody finds it."""
        if not post.audience:
            return
        place = _place(post)
        insort(self._order, place)
        self._posts[place] = post
        self._places[post.post_id] = place

    def _trim(self) -> None:
        gone, self._order = self._order[:-LOOKED_AT], self._order[-LOOKED_AT:]
        for place in gone:
            del self._places[self._posts.pop(place).post_id]
        self._whole = False

    def _clear(self) -> None:
        self.filled, self._whole = False, False
        self._posts, self._order, self._places = {}, [], {}


def _place(post: PostView) -> Place:
    return post.published_at, post.post_id


def _view(document: Mapping[str, Any]) -> PostView:
    return PostView.model_validate(content(document))
