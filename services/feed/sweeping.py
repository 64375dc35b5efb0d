"""Which uploads no post shows any more, or ever did: their bytes are deleted once they are old enough."""

import asyncio
from collections.abc import Collection, Sequence

from services.feed.domain.pictures import picture_of, pictures
from services.feed.domain.posts import posts
from services.feed.projections import PostView
from shared.kernel.errors import NotFound, Unavailable
from shared.runtime.files import Files
from shared.runtime.logging import get_logger
from shared.runtime.store import EventStore
from shared.runtime.views import Views

#: Seconds between two sweeps.
EVERY = 6 * 3_600

log = get_logger(__name__)


class Sweeper:
    def __init__(self, files: Files, store: EventStore, views: Views[PostView]) -> None:
        self._files = files
        self._store = store
        self._views = views
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
            try:
                swept = await self._files.sweep(self.shown)
                log.info("uploads are swept", swept=swept)
            except Unavailable as error:
                log.warning("uploads are swept later", error=repr(error)[:300])

    async def shown(self, file_ids: Sequence[str]) -> Collection[str]:
        """Those of the files that a post shows. The view knows most; of others the store has the last word,
        since a view may be behind."""
        found = await self._views.find(
            {"files": {"$in": list(file_ids)}},
            sort=[("_id", 1)],
            limit=len(file_ids),
            fields=["post_id", "files"],
        )
        kept = {file for view in found for file in view.files}
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
        if upload.post_id is None:
            return False
        post, _ = await self._store.state(posts, f"post-{upload.post_id}")
        return post.there
