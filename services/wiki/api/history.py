"""A page's history over HTTP. Steps carry no audience: each route asks for the page first, as its reader."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.wiki import projections
from services.wiki.api.access import Wiki
from services.wiki.api.answers import CompareAnswer, Difference, RevisionAnswer, RevisionItem, RevisionList
from services.wiki.api.requests import Draft
from services.wiki.api.showing import shown
from services.wiki.compare import replaced
from services.wiki.projections import RevisionView, revision_key
from shared.kernel.errors import NotFound
from shared.runtime import cursors
from shared.runtime.http import After, Caller, Cursor, PageSize

#: What lists of steps show: everything but the text.
_LISTED = tuple(name for name in RevisionView.model_fields if name != "body")

Number = Annotated[int, Query(ge=1, le=1_000_000_000)]


def router(wiki: Wiki) -> APIRouter:
    api = APIRouter()

    @api.get("/pages/{page_id}/revisions")
    async def list_revisions(
        caller: Caller, response: Response, page_id: str, limit: PageSize, cursor: Cursor, after: After
    ) -> RevisionList:
        """The steps of a page's history, newest first."""
        reader = await wiki.readers.of(caller)
        await wiki.wait(response, after, projections.pages, projections.revisions, key=page_id)
        page = await wiki.page(page_id, reader)
        found = await wiki.revisions.find(
            {"page_id": page_id},
            sort=[("revision", -1)],
            limit=limit + 1,
            after=cursors.checked(cursor, int),
            fields=_LISTED,
        )
        items = [RevisionItem.of(view) for view in found[:limit]]
        more = len(found) > limit
        return RevisionList(
            items=items, total=page.revision, next=cursors.encode([items[-1].revision]) if more else None
        )

    @api.get("/pages/{page_id}/revisions/{revision}")
    async def read_revision(
        caller: Caller, response: Response, page_id: str, revision: int, after: After
    ) -> RevisionAnswer:
        """The page as it was after that step; its links lead to pages as they are now."""
        reader = await wiki.readers.of(caller)
        await wiki.wait(response, after, projections.pages, projections.revisions)
        page = await wiki.page(page_id, reader)
        (step,), texts = await _steps(wiki, page_id, revision)
        text = await shown(wiki, reader, texts[0], step.path or page.path, page.space_id)
        item = RevisionItem.of(step).model_dump()
        return RevisionAnswer(**item, **text.model_dump(), body=texts[0])

    @api.get("/pages/{page_id}/compare")
    async def compare_revisions(
        caller: Caller,
        response: Response,
        page_id: str,
        before: Annotated[Number, Query(alias="from")],
        after_: Annotated[Number, Query(alias="to")],
        after: After,
    ) -> CompareAnswer:
        """What changed between two steps, by lines and words."""
        reader = await wiki.readers.of(caller)
        await wiki.wait(response, after, projections.pages, projections.revisions)
        await wiki.page(page_id, reader)
        steps, texts = await _steps(wiki, page_id, before, after_)
        first, second = texts
        found = await wiki.press.compare(first, second, caller.member_id) or replaced(first, second)
        return CompareAnswer(
            before=RevisionItem.of(steps[0]),
            after=RevisionItem.of(steps[1]),
            **dict(Difference.of(found)),
        )

    @api.post("/pages/{page_id}/compare")
    async def compare_draft(caller: Caller, page_id: str, draft: Draft) -> Difference:
        """How a text that was typed differs from the page as it is. Nothing is kept."""
        reader = await wiki.readers.of(caller)
        page = await wiki.page(page_id, reader)
        texts = page.body, draft.body
        return Difference.of(await wiki.press.compare(*texts, caller.member_id) or replaced(*texts))

    return api


async def _steps(wiki: Wiki, page_id: str, *revisions: int) -> tuple[list[RevisionView], list[str]]:
    """The steps and the texts that held after them. Raises NotFound."""
    keys = [revision_key(page_id, revision) for revision in revisions]
    found = await wiki.revisions.get_many(keys)
    if len(found) < len(set(keys)):
        raise NotFound("no-such-revision", "There is no such revision of this page.")
    steps = [found[key] for key in keys]
    holding = [revision_key(page_id, step.body_revision) for step in steps]
    found |= await wiki.revisions.get_many([key for key in holding if key not in found])
    return steps, [(found[key].body or "") if key in found else "" for key in holding]
