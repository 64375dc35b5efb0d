"""Commands whose rule spans streams: a page and the paths that it takes and frees, in one transaction.

`reader` is who acts: a path is taken for them by what they may see. What they may not see is looked at all
the same, and where there is nothing, something is looked at as well: neither answer nor time tells of it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from services.wiki.domain.pages import DeletePage, MovePage, RestorePage, StartPage, pages
from services.wiki.domain.paths import FreePath, TakePath, checked_path, paths
from shared.kernel.audience import Reader
from shared.kernel.events import Occasion
from shared.runtime.store import Committed, EventStore, Idempotency, Part

Parts = Sequence[Part[Any, Any]]


async def _taking(
    store: EventStore, space_id: str, path: str, page_id: str, reader: Reader
) -> Part[Any, Any]:
    """The path, for the page."""
    taken = TakePath(space_id, path, page_id)
    held, _ = await store.state(paths, paths.stream(taken))
    others = sorted(held) or [page_id]
    found = await asyncio.gather(*(store.state(pages, f"page-{other}") for other in others))
    unseen = {
        other
        for other, (page, _) in zip(others, found, strict=True)
        if not reader.may_see(page.audience, page.classification)
    }
    return Part(paths, replace(taken, unseen=frozenset(unseen)))


async def start(
    store: EventStore, command: StartPage, reader: Reader, occasion: Occasion, key: Idempotency | None
) -> Committed:
    async def plan() -> Parts:
        taking = await _taking(store, command.space_id, command.path, command.page_id, reader)
        return [Part(pages, command), taking]

    return await store.handle_together(plan, occasion, idempotency=key)


async def move(
    store: EventStore,
    page_id: str,
    path: str,
    note: str,
    body: str | None,
    reader: Reader,
    occasion: Occasion,
    *,
    if_match: int | None = None,
    key: Idempotency | None = None,
) -> Committed:
    to_path = checked_path(path)

    async def plan() -> Parts:
        page, _ = await store.state(pages, f"page-{page_id}")
        moved = Part(pages, MovePage(page_id, page.path, to_path, note, body), if_match)
        if page.path == to_path:
            return [moved]
        return [
            moved,
            Part(paths, FreePath(page.space_id, page.path, page_id)),
            await _taking(store, page.space_id, to_path, page_id, reader),
        ]

    return await store.handle_together(plan, occasion, idempotency=key)


async def deletion(
    store: EventStore,
    page_id: str,
    note: str,
    occasion: Occasion,
    *,
    if_match: int | None = None,
    key: Idempotency | None = None,
) -> Committed:
    async def plan() -> Parts:
        page, _ = await store.state(pages, f"page-{page_id}")
        return [
            Part(pages, DeletePage(page_id, page.path, note), if_match),
            Part(paths, FreePath(page.space_id, page.path, page_id)),
        ]

    return await store.handle_together(plan, occasion, idempotency=key)


async def restoration(
    store: EventStore,
    page_id: str,
    path: str | None,
    note: str,
    reader: Reader,
    occasion: Occasion,
    *,
    if_match: int | None = None,
    key: Idempotency | None = None,
) -> Committed:
    """At `path`, or where the page was last."""

    async def plan() -> Parts:
        page, _ = await store.state(pages, f"page-{page_id}")
        back = page.path if path is None else path
        return [
            Part(pages, RestorePage(page_id, back, note), if_match),
            await _taking(store, page.space_id, back, page_id, reader),
        ]

    return await store.handle_together(plan, occasion, idempotency=key)
