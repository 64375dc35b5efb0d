"""What search looks after while it runs: items that could not be indexed yet, texts of the erased, and the
index itself."""

import asyncio
from datetime import datetime

import structlog

from services.search.index import IndexLost
from services.search.indexing import Indexing
from services.search.projections import items
from shared.kernel.errors import Unavailable
from shared.runtime.ending import ended
from shared.runtime.generations import Offsets
from shared.runtime.looking import tried
from shared.runtime.purges import Purges
from shared.runtime.service import Service

log = structlog.get_logger(__name__)

#: Seconds between two looks.
EVERY = 1.0


class Upkeep:
    """Runs beside the service."""

    def __init__(self, service: Service, indexing: Indexing) -> None:
        self._registry = service.registry
        self._views = service.views(items)
        self._indexing = indexing
        self._purges = Purges(service.database, self._purge, service.ends)
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            await ended(running)

    async def erased(self, member_id: str, erased_at: datetime) -> None:
        """Written down first, so that an engine that is away only delays it."""
        try:
            await self._purges.begin(member_id, erased_at)
        except Unavailable as error:
            log.warning("a purge waits", member_id=member_id, error=repr(error))

    async def _run(self) -> None:
        while True:
            for step in (self._restore, self._indexing.again, self._repeat):
                await tried(step.__name__, step(), passing=(IndexLost,))
            await asyncio.sleep(EVERY)

    async def _restore(self) -> None:
        serving = self._views.generation
        if serving is not None:
            await self._indexing.restore(serving.name)

    async def _repeat(self) -> None:
        await self._purges.repeat(self._passed)

    async def _generations(self) -> list[str]:
        """Those that hold plain text or are about to."""
        building = (await self._registry.of(items.name, items.version)).building
        serving = [generation.name for generation in await self._registry.serving(items.name)]
        return [*serving, building.name] if building is not None else serving

    async def _purge(self, member_id: str) -> None:
        await self._indexing.purge(await self._generations(), member_id)

    async def _passed(self) -> Offsets:
        """How far all of them are."""
        offsets = [await self._registry.offsets(name) for name in await self._generations()]
        where = {key for some in offsets for key in some}
        return {key: min(some.get(key, 0) for some in offsets) for key in where}
