"""Comments over HTTP: read after their post, and by who may see it."""

from datetime import datetime

from fastapi import APIRouter, Response, status

from services.feed import projections
from services.feed.api import acts
from services.feed.api.access import Feed, own_language
from services.feed.api.acts import Doer
from services.feed.api.answers import CommentList, Done
from services.feed.api.requests import EditedComment, LanguageOf, NewComment
from services.feed.api.showing import shown_comments
from services.feed.domain.comments import (
    CorrectCommentLanguage,
    DeleteComment,
    EditComment,
    comments,
)
from shared.kernel.errors import NotFound
from shared.runtime import cursors
from shared.runtime.http import (
    After,
    Caller,
    Cursor,
    Doing,
    IdempotencyKey,
    IfMatch,
    PageSize,
    answer_commit,
)
from shared.runtime.ids import new_id
from shared.runtime.store import Committed

_IN_THREADS = [("thread_id", 1), ("published_at", 1), ("_id", 1)]


def router(feed: Feed) -> APIRouter:
    api = APIRouter()
    _list(api, feed)
    _publish(api, feed)
    _change(api, feed)
    return api


def _done(response: Response, committed: Committed) -> Done:
    answer_commit(response, committed)
    return Done(id=committed.stream.removeprefix("comment-"), version=committed.version)


def _list(api: APIRouter, feed: Feed) -> None:
    @api.get("/posts/{post_id}/comments")
    async def list_comments(
        caller: Caller, response: Response, post_id: str, limit: PageSize, cursor: Cursor, after: After
    ) -> CommentList:
        """Thread by thread, the first that began first; within a thread in the order of time."""
        reader = await feed.readers.of(caller)
        views = (projections.posts, projections.comments, projections.responses)
        await feed.wait(response, after, *views, key=post_id)
        post = await feed.post(post_id, reader)
        found = await feed.comments.find(
            {"post_id": post_id},
            sort=_IN_THREADS,
            limit=limit + 1,
            after=cursors.checked(cursor, str, datetime, str),
        )
        items = await shown_comments(feed, caller, reader, post, found[:limit])
        last = items[-1] if len(found) > limit else None
        return CommentList(
            items=items,
            total=post.comments,
            next=cursors.encode([last.thread_id, last.published_at, last.id]) if last else None,
        )


def _publish(api: APIRouter, feed: Feed) -> None:
    @api.post("/posts/{post_id}/comments", status_code=status.HTTP_201_CREATED)
    async def publish_comment(
        caller: Caller, post_id: str, new: NewComment, doing: Doing, response: Response, key: IdempotencyKey
    ) -> Done:
        """Answers the post, or one of its comments."""
        doer = Doer(caller, await feed.readers.of(caller), doing, key)
        answer = _done(response, await acts.comment(feed, doer, new_id(), post_id, new))
        response.headers["Location"] = f"/posts/{post_id}/comments#{answer.id}"
        return answer


def _change(api: APIRouter, feed: Feed) -> None:
    @api.put("/comments/{comment_id}")
    async def edit_comment(
        caller: Caller,
        comment_id: str,
        edited: EditedComment,
        doing: Doing,
        response: Response,
        if_match: IfMatch,
        key: IdempotencyKey,
    ) -> Done:
        """A new text. With `If-Match`, only over the version that was read."""
        _, post, reader = await feed.comment_to_change(comment_id, caller, "feed:edit")
        command = EditComment(
            comment_id=comment_id,
            text=edited.text,
            detected=await feed.detector.detect(edited.text, own_language(reader)),
            language=edited.language,
            mentions=await feed.mentioned(edited.text, post.audience, post.classification),
        )
        committed = await feed.store.handle(comments, command, doing, if_match=if_match, idempotency=key)
        return _done(response, committed)

    @api.delete("/comments/{comment_id}")
    async def delete_comment(
        caller: Caller,
        comment_id: str,
        doing: Doing,
        response: Response,
        if_match: IfMatch,
        key: IdempotencyKey,
    ) -> Done:
        """Its text is gone; answers to it stay."""
        try:
            await feed.comment_to_change(comment_id, caller, "feed:delete")
        except NotFound as gone:
            return _done(response, await feed.done_before(key, gone))
        command = DeleteComment(comment_id, caller.member_id)
        committed = await feed.store.handle(comments, command, doing, if_match=if_match, idempotency=key)
        return _done(response, committed)

    @api.put("/comments/{comment_id}/language")
    async def correct_comment_language(
        caller: Caller,
        comment_id: str,
        said: LanguageOf,
        doing: Doing,
        response: Response,
        if_match: IfMatch,
        key: IdempotencyKey,
    ) -> Done:
        """Says in which language the comment really is."""
        await feed.comment_to_change(comment_id, caller, "feed:correct-language")
        command = CorrectCommentLanguage(comment_id, said.language)
        committed = await feed.store.handle(comments, command, doing, if_match=if_match, idempotency=key)
        return _done(response, committed)
