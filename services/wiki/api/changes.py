"""Changing pages over HTTP. Rules look at the store, never at a view that may be behind."""

from fastapi import APIRouter, Response, status

from services.wiki.api.access import Wiki
from services.wiki.api.answers import Done
from services.wiki.api.requests import Move, NewPage, Ownership, Restore, Revision, Visibility
from services.wiki.commands import deletion, move, restoration, start
from services.wiki.domain.pages import (
    ChangePageAudience,
    ChangePageOwner,
    RevisePage,
    StartPage,
    pages,
    text_at,
)
from shared.kernel.audience import audience, classification
from shared.kernel.errors import Refused
from shared.runtime.http import Caller, Doing, IdempotencyKey, IfMatch, answer_commit
from shared.runtime.ids import new_id
from shared.runtime.store import Committed


def router(wiki: Wiki) -> APIRouter:
    api = APIRouter()
    _texts(api, wiki)
    _places(api, wiki)
    _keeping(api, wiki)
    return api


def _done(response: Response, committed: Committed) -> Done:
    answer_commit(response, committed)
    return Done(id=committed.stream.removeprefix("page-"), version=committed.version)


def _texts(api: APIRouter, wiki: Wiki) -> None:
    @api.post("/pages", status_code=status.HTTP_201_CREATED)
    async def start_page(
        caller: Caller, new: NewPage, doing: Doing, response: Response, key: IdempotencyKey
    ) -> Done:
        """Begins a page at a free path; what is not said is as the space has it."""
        space, reader = await wiki.space_to_change(new.space_id, caller, "wiki:write")
        command = StartPage(
            page_id=new_id(),
            space_id=new.space_id,
            path=new.path,
            body=new.body,
            note=new.note,
            language=new.language or space.language,
            owner_id=new.owner_id or caller.member_id,
            audience=space.audience if new.audience is None else tuple(new.audience),
            classification=new.classification or space.classification.value,
        )
        await wiki.check_visibility(
            reader, command.owner_id, command.audience, command.classification, kept=space.audience
        )
        if command.owner_id != caller.member_id:
            await wiki.check_owner(
                command.owner_id, audience(command.audience), classification(command.classification)
            )
        committed = await start(wiki.store, command, reader, doing, key)
        answer = _done(response, committed)
        response.headers["Location"] = f"/wiki/pages/{answer.id}"
        return answer

    @api.put("/pages/{page_id}")
    async def revise_page(
        caller: Caller,
        page_id: str,
        revision: Revision,
        doing: Doing,
        response: Response,
        if_match: IfMatch,
        key: IdempotencyKey,
    ) -> Done:
        """A new text. `If-Match` says which version it was written on, so that nobody's work is lost."""
        await wiki.page_to_change(page_id, caller, "wiki:write")
        if if_match is None:
            raise Refused(
                "if-match-needed",
                "Say which version you changed: send its ETag as If-Match.",
                field="If-Match",
            )
        command = RevisePage(page_id, revision.body, revision.note)
        committed = await wiki.store.handle(pages, command, doing, if_match=if_match, idempotency=key)
        return _done(response, committed)


def _places(api: APIRouter, wiki: Wiki) -> None:
    @api.post("/pages/{page_id}/move")
    async def move_page(
        caller: Caller,
        page_id: str,
        to: Move,
        doing: Doing,
        response: Response,
        if_match: IfMatch,
        key: IdempotencyKey,
    ) -> Done:
        """To another path of its space, with its whole history; the old path leads here until it is taken."""
        _, reader = await wiki.page_to_change(page_id, caller, "wiki:write")
        committed = await move(
            wiki.store, page_id, to.path, to.note, to.body, reader, doing, if_match=if_match, key=key
        )
        return _done(response, committed)

    @api.delete("/pages/{page_id}")
    async def delete_page(
        caller: Caller,
        page_id: str,
        doing: Doing,
        response: Response,
        if_match: IfMatch,
        key: IdempotencyKey,
        note: str = "",
    ) -> Done:
        """The page leaves its path; its history stays, and it can be restored."""
        await wiki.page_to_change(page_id, caller, "wiki:delete")
        return _done(response, await deletion(wiki.store, page_id, note, doing, if_match=if_match, key=key))

    @api.post("/pages/{page_id}/restore")
    async def restore_page(
        caller: Caller,
        page_id: str,
        wanted: Restore,
        doing: Doing,
        response: Response,
        if_match: IfMatch,
        key: IdempotencyKey,
    ) -> Done:
        """A deleted page comes back, or an earlier text becomes the newest revision."""
        if wanted.revision is not None and wanted.path is not None:
            raise Refused(
                "revision-or-path",
                "Give the revision whose text shall come back, or the path of a deleted page, not both.",
                field="path",
            )
        _, reader = await wiki.page_to_change(page_id, caller, "wiki:write")
        if wanted.revision is None:
            committed = await restoration(
                wiki.store, page_id, wanted.path, wanted.note, reader, doing, if_match=if_match, key=key
            )
            return _done(response, committed)
        history = (recorded.event() for recorded in await wiki.store.load(f"page-{page_id}"))
        command = RevisePage(page_id, text_at(history, wanted.revision), wanted.note, wanted.revision)
        return _done(
            response,
            await wiki.store.handle(pages, command, doing, if_match=if_match, idempotency=key),
        )


def _keeping(api: APIRouter, wiki: Wiki) -> None:
    @api.put("/pages/{page_id}/audience")
    async def change_page_audience(
        caller: Caller,
        page_id: str,
        seen_by: Visibility,
        doing: Doing,
        response: Response,
        if_match: IfMatch,
        key: IdempotencyKey,
    ) -> Done:
        """Who may see the page, with all its history."""
        page, reader = await wiki.page_to_change(page_id, caller, "wiki:audience")
        owner = await wiki.readers.known(page.owner_id)
        # Nobody is shut out who is out already, such as the owner of a page who left its group.
        keeps = owner is not None and owner.may_see(page.audience, page.classification)
        owner_id = page.owner_id if keeps else caller.member_id
        await wiki.check_visibility(
            reader, owner_id, seen_by.audience, seen_by.classification, kept=page.audience
        )
        command = ChangePageAudience(page_id, tuple(seen_by.audience), seen_by.classification)
        committed = await wiki.store.handle(pages, command, doing, if_match=if_match, idempotency=key)
        return _done(response, committed)

    @api.put("/pages/{page_id}/owner")
    async def hand_over_page(
        caller: Caller,
        page_id: str,
        to: Ownership,
        doing: Doing,
        response: Response,
        if_match: IfMatch,
        key: IdempotencyKey,
    ) -> Done:
        page, _ = await wiki.page_to_change(page_id, caller, "wiki:owner")
        await wiki.check_owner(to.owner_id, page.audience, page.classification)
        command = ChangePageOwner(page_id, to.owner_id)
        committed = await wiki.store.handle(pages, command, doing, if_match=if_match, idempotency=key)
        return _done(response, committed)
