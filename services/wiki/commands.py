"""Commands whose rule spans streams: a page and the paths that it takes and frees, in one transaction."""

from collections.abc import Sequence
from typing import Any

from services.wiki.domain.pages import DeletePage, MovePage, RestorePage, StartPage, pages
from services.wiki.domain.paths import FreePath, TakePath, checked_path, paths
from shared.kernel.events import Occasion
from shared.runtime.store import Committed, EventStore, Idempotency, Part

Parts = Sequence[Part[Any, Any]]


async def start(
    store: EventStore, command: StartPage, occasion: Occasion, key: Idempotency | None
) -> Committed:
    async def plan() -> Parts:
        taken = TakePath(command.space_id, command.path, command.page_id)
        return [Part(pages, command), Part(paths, taken)]

    return await store.handle_together(plan, occasion, idempotency=key)


async def move(
    store: EventStore,
    page_id: str,
    path: str,
    note: str,
    body: str | None,
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
            Part(paths, TakePath(page.space_id, to_path, page_id)),
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
            Part(paths, TakePath(page.space_id, back, page_id)),
        ]

    return await store.handle_together(plan, occasion, idempotency=key)
