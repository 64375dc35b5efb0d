"""Histories from elsewhere, through the same commands as everybody's.

In the order of each page and each path, with the original authors and times, and each line once however
often it is sent.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Response

from services.wiki import commands
from services.wiki.api.access import Wiki, asker
from services.wiki.api.answers import ImportResult, LineResult
from services.wiki.api.requests import Import, ImportedChange
from services.wiki.domain.pages import RevisePage, StartPage, pages
from services.wiki.domain.permissions import demand
from services.wiki.domain.spaces import spaces
from shared.kernel.audience import Reader
from shared.kernel.errors import NotFound, Refused, Unavailable
from shared.kernel.events import Occasion
from shared.runtime.http import COMMIT_HEADER, Caller, Doing
from shared.runtime.store import Committed, Idempotency

#: Changes of one batch that are under way at once.
AT_ONCE = 32
#: How far the clock of where a history comes from may be ahead of ours.
CLOCKS_APART = timedelta(minutes=5)


def router(wiki: Wiki) -> APIRouter:
    api = APIRouter()

    @api.post("/import/changes")
    async def import_changes(caller: Caller, batch: Import, doing: Doing, response: Response) -> ImportResult:
        """Takes up to 200 changes. What was taken earlier is not done again: a broken run is sent again."""
        reader = await wiki.readers.of(caller)
        demand("wiki:import", asker(caller, reader))
        space, _ = await wiki.store.state(spaces, f"space-{batch.space_id}")
        if not space.open:
            raise NotFound("no-such-space", "There is no such space.", field="space_id")
        await wiki.check_visibility(
            reader, batch.owner_id, batch.audience, batch.classification, kept=space.audience
        )
        run = _Run(wiki, batch, reader, doing)
        results = await run.all()
        if run.last is not None:
            response.headers[COMMIT_HEADER] = str(run.last)
        return ImportResult(results=results, commit=str(run.last) if run.last else None)

    return api


class _Run:
    """One batch: changes of the same page or the same path wait for each other, others do not."""

    def __init__(self, wiki: Wiki, batch: Import, reader: Reader, doing: Occasion) -> None:
        self._wiki = wiki
        self._reader = reader
        self._batch = batch
        self._doing = doing
        self._free = asyncio.Semaphore(AT_ONCE)
        self.last: Committed | None = None

    async def all(self) -> list[LineResult]:
        keys = {change.line: self._key(change) for change in self._batch.changes}
        done = await self._wiki.store.repeated(keys.values())
        before: dict[str, asyncio.Task[LineResult]] = {}
        tasks = []
        async with asyncio.TaskGroup() as group:
            for change in self._batch.changes:
                if keys[change.line] in done:
                    answer = LineResult(line=change.line, outcome="already")
                    tasks.append(group.create_task(_at_once(answer)))
                    continue
                mine = needs(change)
                waits_for = {before[need] for need in mine if need in before}
                task = group.create_task(self._one(change, keys[change.line], waits_for))
                before |= dict.fromkeys(mine, task)
                tasks.append(task)
        return [task.result() for task in tasks]

    def _key(self, change: ImportedChange) -> Idempotency:
        """Bound to the source and the line, not to whoever runs the import."""
        batch = self._batch
        asked = f"{batch.space_id}\n{change.model_dump_json()}"
        source = f"import:{batch.space_id}:{batch.source}"
        return Idempotency(source, str(change.line), hashlib.sha256(asked.encode()).hexdigest())

    async def _one(
        self, change: ImportedChange, key: Idempotency, waits_for: set[asyncio.Task[LineResult]]
    ) -> LineResult:
        if waits_for:
            await asyncio.wait(waits_for)
        async with self._free:
            try:
                _check_past(change)
                self.last = await self._do(change, key)
            except Unavailable:
                raise
            except Refused as refused:
                return LineResult(line=change.line, outcome="refused", code=refused.code, detail=str(refused))
        return LineResult(line=change.line, outcome="done")

    async def _do(self, change: ImportedChange, key: Idempotency) -> Committed:
        occasion = Occasion(
            by=change.by,
            correlation_id=self._doing.correlation_id,
            occurred_at=change.at,
            causation_id=self._doing.causation_id,
            imported=True,
        )
        store, reader, page_id = self._wiki.store, self._reader, change.page_id
        doing: dict[str, Callable[[], Awaitable[Committed]]] = {
            "start": lambda: commands.start(store, self._new(change), reader, occasion, key),
            "revise": lambda: store.handle(
                pages, RevisePage(page_id, change.body or "", ""), occasion, idempotency=key
            ),
            "move": lambda: commands.move(
                store, page_id, change.path, "", change.body, reader, occasion, key=key
            ),
            "delete": lambda: commands.deletion(store, page_id, "", occasion, key=key),
        }
        return await doing[change.op]()

    def _new(self, change: ImportedChange) -> StartPage:
        batch = self._batch
        return StartPage(
            page_id=change.page_id,
            space_id=batch.space_id,
            path=change.path,
            body=change.body or "",
            note="",
            language=batch.language,
            owner_id=batch.owner_id,
            audience=tuple(batch.audience),
            classification=batch.classification,
        )


def _check_past(change: ImportedChange) -> None:
    """A change dated ahead would stand first among the latest until its day has come."""
    if change.at > datetime.now(UTC) + CLOCKS_APART:
        raise Refused("line-time-future", "The line's time is in the future.", field="at")


def needs(change: ImportedChange) -> list[str]:
    """What the change must not overtake another one at."""
    places = [change.path] if change.from_path is None else [change.path, change.from_path]
    return [f"page {change.page_id}", *(f"path {place}" for place in places)]


async def _at_once(answer: LineResult) -> LineResult:
    return answer
