"""Reactions and acknowledgements over HTTP: each member's own, in a stream of its own."""

from datetime import datetime

from fastapi import APIRouter, Response

from contracts.feed import ReactionKind
from services.feed import projections
from services.feed.api import acts
from services.feed.api.access import Feed
from services.feed.api.acts import Doer
from services.feed.api.answers import Acknowledgement, Done, ReactionItem, ReactionList
from services.feed.api.requests import Acknowledged, Reacted
from services.feed.domain.acknowledgements import acknowledgements
from shared.runtime import cursors
from shared.runtime.http import After, Caller, Cursor, Doing, IdempotencyKey, PageSize, answer_commit
from shared.runtime.store import Committed

_LATEST = [("reacted_at", -1), ("_id", -1)]


def router(feed: Feed) -> APIRouter:
    api = APIRouter()
    _react(api, feed)
    _list(api, feed)
    _acknowledge(api, feed)
    return api


def _react(api: APIRouter, feed: Feed) -> None:
    def done(response: Response, item_id: str, committed: Committed) -> Done:
        if committed.version:
            answer_commit(response, committed)
        return Done(id=item_id, version=committed.version)

    @api.put("/posts/{post_id}/reaction")
    async def react_to_post(
        caller: Caller, post_id: str, said: Reacted, doing: Doing, response: Response, key: IdempotencyKey
    ) -> Done:
        doer = Doer(caller, await feed.readers.of(caller), doing, key)
        return done(response, post_id, await acts.react_to_post(feed, doer, post_id, said.kind))

    @api.delete("/posts/{post_id}/reaction")
    async def take_back_post_reaction(
        caller: Caller, post_id: str, doing: Doing, response: Response, key: IdempotencyKey
    ) -> Done:
        doer = Doer(caller, await feed.readers.of(caller), doing, key)
        return done(response, post_id, await acts.react_to_post(feed, doer, post_id, None))

    @api.put("/comments/{comment_id}/reaction")
    async def react_to_comment(
        caller: Caller, comment_id: str, said: Reacted, doing: Doing, response: Response, key: IdempotencyKey
    ) -> Done:
        doer = Doer(caller, await feed.readers.of(caller), doing, key)
        return done(response, comment_id, await acts.react_to_comment(feed, doer, comment_id, said.kind))

    @api.delete("/comments/{comment_id}/reaction")
    async def take_back_comment_reaction(
        caller: Caller, comment_id: str, doing: Doing, response: Response, key: IdempotencyKey
    ) -> Done:
        doer = Doer(caller, await feed.readers.of(caller), doing, key)
        return done(response, comment_id, await acts.react_to_comment(feed, doer, comment_id, None))


def _list(api: APIRouter, feed: Feed) -> None:
    @api.get("/posts/{post_id}/reactions")
    async def list_reactions(
        caller: Caller, response: Response, post_id: str, limit: PageSize, cursor: Cursor, after: After
    ) -> ReactionList:
        """Who reacted to the post, the newest first."""
        reader = await feed.readers.of(caller)
        await feed.wait(response, after, projections.posts, projections.responses, key=post_id)
        post = await feed.post(post_id, reader)
        past = cursors.checked(cursor, datetime, str)
        where = {"item_id": post_id, "reacted_at": {"$ne": None}}
        found = await feed.responses.find(where, sort=_LATEST, limit=limit + 1, after=past)
        items = [
            ReactionItem(member_id=view.member_id, kind=ReactionKind(view.reaction), at=view.reacted_at)
            for view in found[:limit]
            if view.reaction is not None and view.reacted_at is not None
        ]
        last = found[limit - 1] if len(found) > limit else None
        key = last and projections.response_key(post_id, last.member_id)
        return ReactionList(
            items=items,
            counts={ReactionKind(kind): count for kind, count in post.reactions.items()},
            total=sum(post.reactions.values()),
            next=cursors.encode([last.reacted_at, key]) if last else None,
        )


def _acknowledge(api: APIRouter, feed: Feed) -> None:
    @api.put("/posts/{post_id}/acknowledgement")
    async def acknowledge_post(
        caller: Caller,
        post_id: str,
        doing: Doing,
        response: Response,
        key: IdempotencyKey,
        read: Acknowledged | None = None,
    ) -> Acknowledgement:
        """The caller has read the announcement. Once is enough, for each of its editions."""
        doer = Doer(caller, await feed.readers.of(caller), doing, key)
        committed = await acts.acknowledge(feed, doer, post_id, read)
        answer_commit(response, committed)
        known, _ = await feed.store.state(acknowledgements, committed.stream)
        last = (await feed.store.load(committed.stream))[-1]
        return Acknowledgement(edition=known.edition, language=known.language, at=last.occurred_at)
