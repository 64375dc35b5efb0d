"""Reading pages over HTTP: lists, one page, where a path leads, what links here, a preview."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from services.wiki import projections
from services.wiki.api.access import LISTED, Wiki, asker
from services.wiki.api.answers import BacklinkList, PageAnswer, PageItem, PageList, Place, RecentList, Shown
from services.wiki.api.requests import Preview
from services.wiki.api.showing import meant, shown
from services.wiki.domain.paths import checked_path, path_id
from services.wiki.domain.permissions import demand
from services.wiki.domain.writing import checked_body
from services.wiki.links import address
from services.wiki.projections import PageView
from shared.kernel.audience import Reader
from shared.kernel.errors import NotFound, Refused
from shared.runtime import cursors
from shared.runtime.http import After, Caller, Cursor, PageSize, answer_version

_BY_PATH = [("path", 1), ("_id", 1)]
#: No page has this id.
_NOBODY = "0" * 32
_NEWEST = [("occurred_at", -1), ("_id", -1)]


def router(wiki: Wiki) -> APIRouter:
    api = APIRouter()
    _lists(api, wiki)
    _one(api, wiki)
    return api


def _lists(api: APIRouter, wiki: Wiki) -> None:
    @api.get("/pages")
    async def list_pages(
        caller: Caller,
        response: Response,
        limit: PageSize,
        cursor: Cursor,
        after: After,
        space: Annotated[str | None, Query(description="Of this space only, by its id")] = None,
        deleted: Annotated[bool, Query(description="Deleted pages instead of those that are there")] = False,
    ) -> PageList:
        """The pages that the caller may see, by path."""
        reader = await wiki.readers.of(caller)
        await wiki.wait(response, after, projections.pages)
        where: dict[str, Any] = {"deleted": deleted}
        if space is not None:
            await wiki.space(space, reader)
            where["space_id"] = space
        found = await _found(wiki, reader, where, _BY_PATH, limit, cursors.checked(cursor, str, str))
        last = found[limit - 1] if len(found) > limit else None
        return PageList(
            items=[PageItem.of(view) for view in found[:limit]],
            total=await wiki.pages.count(where, reader=reader),
            next=cursors.encode([last.path, last.page_id]) if last else None,
        )

    @api.get("/recent")
    async def recent_pages(
        caller: Caller,
        response: Response,
        limit: PageSize,
        cursor: Cursor,
        after: After,
        space: Annotated[str | None, Query(description="Of this space only")] = None,
    ) -> RecentList:
        """The pages that changed last, newest first, as the changes' authors dated them."""
        reader = await wiki.readers.of(caller)
        await wiki.wait(response, after, projections.pages)
        where = {"deleted": False, **({"space_id": space} if space else {})}
        found = await _found(wiki, reader, where, _NEWEST, limit, cursors.checked(cursor, datetime, str))
        last = found[limit - 1] if len(found) > limit else None
        return RecentList(
            items=[PageItem.of(view) for view in found[:limit]],
            next=cursors.encode([last.occurred_at, last.page_id]) if last else None,
        )

    @api.get("/pages/{page_id}/backlinks")
    async def read_backlinks(
        caller: Caller, response: Response, page_id: str, limit: PageSize, cursor: Cursor, after: After
    ) -> BacklinkList:
        """The pages of the same space that link here and that the caller may see, by path."""
        reader = await wiki.readers.of(caller)
        await wiki.wait(response, after, projections.pages)
        page = await wiki.page(page_id, reader)
        called = {*page.addresses, page.name} - {""}
        found = await meant(wiki, reader, page.space_id, called, page.path)
        ours = sorted(a for a, place in found.items() if place.page_id == page_id)
        where = {"space_id": page.space_id, "links": {"$in": ours}, "deleted": False}
        linking = await _found(wiki, reader, where, _BY_PATH, limit, cursors.checked(cursor, str, str))
        last = linking[limit - 1] if len(linking) > limit else None
        return BacklinkList(
            items=[PageItem.of(view) for view in linking[:limit] if view.page_id != page_id],
            next=cursors.encode([last.path, last.page_id]) if last else None,
        )


async def _found(
    wiki: Wiki,
    reader: Reader,
    where: dict[str, Any],
    sort: list[tuple[str, int]],
    limit: int,
    cursor: list[Any] | None,
) -> list[PageView]:
    """One more than asked for, which says whether there are more."""
    return await wiki.pages.find(
        where, sort=sort, limit=limit + 1, reader=reader, after=cursor, fields=LISTED
    )


def _one(api: APIRouter, wiki: Wiki) -> None:
    @api.get("/pages/{page_id}")
    async def read_page(caller: Caller, response: Response, page_id: str, after: After) -> PageAnswer:
        """A page to be read, also a deleted one: its text, as HTML, and all that is known of it."""
        reader = await wiki.readers.of(caller)
        await wiki.wait(response, after, projections.pages, key=page_id)
        view = await wiki.page(page_id, reader)
        answer_version(response, view.version)
        text = await shown(wiki, reader, view.body, view.path, view.space_id)
        return PageAnswer.whole(view, text, await wiki.asker_in(view.space_id, caller, reader))

    @api.get("/at")
    async def find_page_at(
        caller: Caller,
        response: Response,
        space: Annotated[str, Query(description="The space's id")],
        path: Annotated[str, Query(max_length=1_000, description="As it was, or as links write it")],
        after: After,
    ) -> Place:
        """The page at a path, or the one that was there last, or the one that a link to it means."""
        reader = await wiki.readers.of(caller)
        await wiki.wait(response, after, projections.pages, projections.paths)
        page = await _at(wiki, reader, space, path)
        if page is None:
            raise NotFound("no-page-there", "There is no page at this path.", field="path")
        return Place(
            id=page.page_id,
            space_id=space,
            path=page.path,
            title=page.title,
            moved=page.path != path,
            deleted=page.deleted,
        )

    @api.post("/preview")
    async def preview_page(caller: Caller, draft: Preview) -> Shown:
        """How a text would look at that path. Nothing is kept."""
        reader = await wiki.readers.of(caller)
        demand("wiki:write", asker(caller, reader))
        path = checked_path(draft.path) if draft.path else ""
        return await shown(wiki, reader, checked_body(draft.body), path, draft.space_id, keep=False)


async def _at(wiki: Wiki, reader: Reader, space_id: str, path: str) -> PageView | None:
    """First who lives at exactly this path; then what a link means; then who lived there last."""
    try:
        place = await wiki.paths.get(path_id(space_id, checked_path(path)))
    except Refused:
        place = None
    residents = place.residents if place is not None else []
    # Where nobody lives somebody is looked for all the same: time tells nothing of a hidden page.
    found = await wiki.pages.get_many([each.page_id for each in residents] or [_NOBODY], reader)
    known = [each for each in residents if each.page_id in found]
    exact = found[known[0].page_id] if known else None
    if exact is not None and known[0].taken:
        return exact
    wanted = address(path)
    linked = (await meant(wiki, reader, space_id, [wanted], path)).get(wanted)
    return linked if linked is not None and not linked.deleted else exact or linked
