"""The first page of the feed, for members of many groups: looked for among the newest posts.

An index that begins with the audience answers anybody, at a cost that grows with their tokens: 3.6 to 4.8 ms
of MongoDB for 150 tokens. Whoever holds many tokens usually sees many of the newest posts; an index that
begins with the time finds a page among those in 1 to 1.3 ms (both measured, at 5,000 and 200,000 posts). It
looks at a fixed number of posts and no further, so neither way grows with the organisation.
"""

import time
from datetime import datetime
from typing import Any

from services.feed.projections import PostView
from shared.kernel.audience import Reader, visible
from shared.runtime.away import reading
from shared.runtime.folding import content
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
    def __init__(self, posts: Views[PostView]) -> None:
        self._posts = posts
        self._since: datetime | None = None
        self._looked = float("-inf")

    async def page(self, reader: Reader, limit: int) -> list[PostView] | None:
        """The newest posts that the reader may see; None where another way must be asked."""
        if len(reader.tokens) <= FEW_TOKENS:
            return None
        await self._posts.fresh()
        since = await self._beginning()
        where: dict[str, Any] = {"_live": True, **visible(reader, sorted(reader.tokens))}
        if since is not None:
            where["published_at"] = {"$gte": since}
        with reading():
            cursor = self._posts.collection.find(where).sort(NEWEST).limit(limit).hint(INDEX)
            found = await cursor.to_list()
        if len(found) < limit:
            return None
        return [PostView.model_validate(content(document)) for document in found]

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
