"""Posts over HTTP. Rules look at the store, never at a view that may be behind."""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Response, status

from contracts.feed import Picture
from services.feed import projections
from services.feed.api import acts
from services.feed.api.access import Feed, own_language
from services.feed.api.acts import Doer
from services.feed.api.answers import Done, PostAnswer
from services.feed.api.requests import EditedPost, LanguageOf, NewPost
from services.feed.api.showing import shown_posts
from services.feed.domain.pictures import ShowPicture, pictures
from services.feed.domain.posts import CorrectPostLanguage, DeletePost, EditPost, PublishPost, posts
from services.feed.domain.writing import checked_alt
from shared.kernel.errors import NotFound, Refused
from shared.kernel.events import Occasion
from shared.runtime.http import (
    After,
    Caller,
    Doing,
    IdempotencyKey,
    IfMatch,
    answer_commit,
    answer_version,
)
from shared.runtime.ids import new_id
from shared.runtime.store import Committed, Idempotency, Part


def router(feed: Feed) -> APIRouter:
    api = APIRouter()
    _publish(api, feed)
    _one(api, feed)
    return api


def _done(response: Response, committed: Committed) -> Done:
    answer_commit(response, committed)
    return Done(id=committed.stream.removeprefix("post-"), version=committed.version)


def _publish(api: APIRouter, feed: Feed) -> None:
    @api.post("/posts", status_code=status.HTTP_201_CREATED)
    async def publish_post(
        caller: Caller, new: NewPost, doing: Doing, response: Response, key: IdempotencyKey
    ) -> Done:
        """Says something to an audience, or in a group."""
        doer = Doer(caller, await feed.readers.of(caller), doing, key)

        async def publish(command: PublishPost) -> Committed:
            return await _published(feed, command, new, doing, key)

        answer = _done(response, await acts.post(feed, doer, new_id(), new, publish))
        response.headers["Location"] = f"/posts/{answer.id}"
        return answer


async def _published(
    feed: Feed, command: PublishPost, new: NewPost, doing: Occasion, key: Idempotency | None
) -> Committed:
    """A post with pictures takes them for itself, in the same transaction."""
    if not new.pictures:
        return await feed.store.handle(posts, command, doing, idempotency=key, begins=True)
    ids = [shown.id for shown in new.pictures]
    if len(set(ids)) < len(ids):
        raise Refused("picture-twice", "A post shows each picture once.", field="pictures")

    async def plan() -> list[Part[Any, Any]]:
        shown = [await _uploaded(feed, picture.id, picture.alt) for picture in new.pictures]
        whole = PublishPost(**{**_fields(command), "pictures": tuple(shown)})
        now = datetime.now(UTC)
        shows = [ShowPicture(one.file_id, command.post_id, command.author_id, now) for one in shown]
        return [Part(posts, whole), *(Part(pictures, show) for show in shows)]

    return await feed.store.handle_together(plan, doing, idempotency=key)


def _fields(command: PublishPost) -> dict[str, Any]:
    return {name: getattr(command, name) for name in PublishPost.__dataclass_fields__}


async def _uploaded(feed: Feed, picture_id: str, alt: str) -> Picture:
    upload, _ = await feed.store.state(pictures, f"picture-{picture_id}")
    if upload.picture is None:
        raise NotFound("no-such-picture", "There is no such picture.", field="pictures")
    return upload.picture.model_copy(update={"alt": checked_alt(alt)})


def _one(api: APIRouter, feed: Feed) -> None:
    @api.get("/posts/{post_id}")
    async def read_post(caller: Caller, response: Response, post_id: str, after: After) -> PostAnswer:
        reader = await feed.readers.of(caller)
        await feed.wait(response, after, projections.posts, projections.responses, key=post_id)
        view = await feed.post(post_id, reader)
        answer_version(response, view.version)
        items, _ = await shown_posts(feed, caller, reader, [view])
        return items[0]

    @api.put("/posts/{post_id}")
    async def edit_post(
        caller: Caller,
        post_id: str,
        edited: EditedPost,
        doing: Doing,
        response: Response,
        if_match: IfMatch,
        key: IdempotencyKey,
    ) -> Done:
        """A new text. With `If-Match`, only over the version that was read."""
        post, reader = await feed.post_to_change(post_id, caller, "feed:edit")
        title = post.title if edited.title is None else edited.title
        command = EditPost(
            post_id=post_id,
            title=edited.title,
            text=edited.text,
            detected=await feed.detector.detect(f"{title} {edited.text}", own_language(reader)),
            language=edited.language,
            mentions=await feed.mentioned(edited.text, post.audience, post.classification),
        )
        committed = await feed.store.handle(posts, command, doing, if_match=if_match, idempotency=key)
        return _done(response, committed)

    @api.delete("/posts/{post_id}")
    async def delete_post(
        caller: Caller,
        post_id: str,
        doing: Doing,
        response: Response,
        if_match: IfMatch,
        key: IdempotencyKey,
    ) -> Done:
        """The post is gone, with its comments and pictures."""
        try:
            post, _ = await feed.post_to_change(post_id, caller, "feed:delete")
        except NotFound as gone:
            return _done(response, await feed.done_before(key, gone))
        command = DeletePost(post_id, caller.member_id)
        committed = await feed.store.handle(posts, command, doing, if_match=if_match, idempotency=key)
        # Bytes after the event; what a kill leaves here, the sweep takes.
        await feed.files.discard(*(file for shown in post.pictures for file in shown.files))
        return _done(response, committed)

    @api.put("/posts/{post_id}/language")
    async def correct_post_language(
        caller: Caller,
        post_id: str,
        said: LanguageOf,
        doing: Doing,
        response: Response,
        if_match: IfMatch,
        key: IdempotencyKey,
    ) -> Done:
        """Says in which language the post really is."""
        await feed.post_to_change(post_id, caller, "feed:correct-language")
        command = CorrectPostLanguage(post_id, said.language)
        committed = await feed.store.handle(posts, command, doing, if_match=if_match, idempotency=key)
        return _done(response, committed)
