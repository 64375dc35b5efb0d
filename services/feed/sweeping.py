"""Which uploads no post shows any more, or ever did: their bytes are deleted once they are old enough; those
of who is erased at once.
"""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime

from services.feed.domain.pictures import picture_of, pictures
from services.feed.domain.posts import posts
from services.feed.projections import PostView
from shared.kernel.errors import NotFound
from shared.runtime.files import Files
from shared.runtime.keys import KeyRing
from shared.runtime.logging import get_logger
from shared.runtime.looking import tried
from shared.runtime.store import EventStore
from shared.runtime.views import Views

#: Seconds between two sweeps.
EVERY = 6 * 3_600

log = get_logger(__name__)


class Sweeper:
    def __init__(self, files: Files, store: EventStore, views: Views[PostView], keys: KeyRing) -> None:
        self._files = files
        self._store = store
        self._views = views
        self._keys = keys
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._files.prepare()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await tried("uploads", self._sweep())

    async def _sweep(self) -> None:
        swept = await self._files.sweep(self.shown)
        log.info("uploads are swept", swept=swept)

    async def erased(self, member_id: str, erased_at: datetime) -> None:
        """Given to `KeyRing.on_erased`, which tells it again until it went well: keys and files are in one
        database. What was still arriving then is shown by no post, and swept."""
        await self._files.delete_of(member_id)

    async def shown(self, file_ids: Sequence[str]) -> Collection[str]:
        """Those of the files that a post shows, of members who are not erased. The view knows most; of others
        the store has the last word, since a view may be behind."""
        found = await self._views.find(
            {"files": {"$in": list(file_ids)}},
            sort=[("_id", 1)],
            limit=len(file_ids),
            fields=["post_id", "author_id", "files"],
        )
        erased = await self._keys.erased([view.author_id for view in found])
        kept = {file for view in found if view.author_id not in erased for file in view.files}
        for file_id in set(file_ids) - kept:
            if await self._is_shown(file_id):
                kept.add(file_id)
        return kept

    async def _is_shown(self, file_id: str) -> bool:
        try:
            name = (await self._files.about(file_id)).name
        except NotFound:
            return False
        upload, _ = await self._store.state(pictures, f"picture-{picture_of(file_id, name)}")
        if upload.post_id is None or await self._keys.erased([upload.uploaded_by]):
            return False
        post, _ = await self._store.state(posts, f"post-{upload.post_id}")
        return post.there
