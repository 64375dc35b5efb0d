"""The feed over HTTP: its pages, what is new while one looks, how far one has seen, its topics."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from services.feed import projections
from services.feed.api.access import Feed, asker, no_group
from services.feed.api.answers import FeedPage, Seen, TopicItem, TopicList
from services.feed.api.requests import SeenUpTo
from services.feed.api.showing import shown_posts
from services.feed.domain import writing
from services.feed.domain.permissions import may
from services.feed.domain.seen import SeeFeed, sights
from services.feed.newest import NEWEST
from services.feed.projections import PostView
from services.feed.projections.posts import topic_in
from shared.kernel.audience import Reader, chunks
from shared.runtime import cursors
from shared.runtime.http import After, Caller, Cursor, Doing, IdempotencyKey, PageSize, answer_commit

#: The newest posts whose topics are offered, and topics offered at once.
LOOKED_AT = 200
MOST_TOPICS = 20


def router(feed: Feed) -> APIRouter:
    api = APIRouter()
    _read(api, feed)
    _follow(api, feed)
    _topics(api, feed)
    return api


def _read(api: APIRouter, feed: Feed) -> None:
    @api.get("/feed")
    async def read_feed(
        caller: Caller,
        response: Response,
        limit: PageSize,
        cursor: Cursor,
        after: After,
        group_id: Annotated[str | None, Query(max_length=64, description="Of this group only")] = None,
        topic: Annotated[str | None, Query(max_length=200, description="With this topic only")] = None,
    ) -> FeedPage:
        """What the caller may see, newest first."""
        feed.detector.warm()
        reader = await feed.readers.of(caller)
        await feed.wait(response, after, projections.posts, projections.responses)
        past = cursors.checked(cursor, datetime, str)
        found = await _found(feed, reader, group_id, topic, limit + 1, past)
        items, seen_at = await shown_posts(feed, caller, reader, found[:limit])
        last = found[limit - 1] if len(found) > limit else None
        if topic is not None:
            # Of who is erased nobody hears what they wrote about.
            items = [item for item in items if not item.erased]
        who = asker(caller, reader, group_id)
        post = "feed:post" if group_id is None else "feed:post-in-group"
        return FeedPage(
            items=items,
            next=cursors.encode([last.published_at, last.post_id]) if last else None,
            unread_after=seen_at,
            may={"post": may(post, who), "announce": may("feed:announce", who)},
        )


async def _found(
    feed: Feed,
    reader: Reader,
    group_id: str | None,
    topic: str | None,
    limit: int,
    past: list[Any] | None,
) -> list[PostView]:
    where: dict[str, Any] = {}
    if past is not None:
        # Said twice: the index begins here, and where exactly it goes on is asked within.
        where["published_at"] = {"$lte": past[0]}
    if group_id is not None:
        group = await feed.groups.get(group_id, reader)
        if group is None:
            raise no_group()
        where["group_id"] = group_id
        # All of its posts have its audience: no other token finds any.
        reader = Reader(reader.member_id, reader.tokens & set(group.audience), reader.clearance)
    if topic is not None:
        return await _with_topic(feed, reader, writing.topic(topic), where, limit, past)
    if not where and (page := await feed.newest.page(reader, limit)) is not None:
        return page
    return await feed.posts.find(where, sort=NEWEST, limit=limit, reader=reader, after=past)


async def _with_topic(
    feed: Feed, reader: Reader, topic: str, where: dict[str, Any], limit: int, past: list[Any] | None
) -> list[PostView]:
    """Each portion of the tokens is asked with the same portion of the topic's own index."""
    found: dict[str, PostView] = {}
    for tokens in chunks(reader):
        part = Reader(reader.member_id, frozenset(tokens), reader.clearance)
        within = {**where, "topic_audience": {"$in": [topic_in(topic, token) for token in tokens]}}
        views = await feed.posts.find(within, sort=NEWEST, limit=limit, reader=part, after=past)
        found |= {view.post_id: view for view in views}
    newest = sorted(found.values(), key=lambda view: (view.published_at, view.post_id), reverse=True)
    return newest[:limit]


def _follow(api: APIRouter, feed: Feed) -> None:
    @api.put("/feed/seen")
    async def see_feed(
        caller: Caller, seen: SeenUpTo, doing: Doing, response: Response, key: IdempotencyKey
    ) -> Seen:
        """The caller has seen what was published until then. It never goes back."""
        await feed.readers.of(caller)
        now = datetime.now(UTC)
        until = now if seen.up_to is None else min(_in_utc(seen.up_to, now), now)
        command = SeeFeed(caller.member_id, until)
        committed = await feed.store.handle(sights, command, doing, idempotency=key)
        answer_commit(response, committed)
        sight, _ = await feed.store.state(sights, committed.stream)
        return Seen(seen_at=sight.seen_at or until)

    @api.get("/feed/live", response_class=StreamingResponse)
    async def follow_feed(caller: Caller) -> StreamingResponse:
        """Server-sent events: `new` posts, by their number and ids, and what `changed` of visible ones."""

        async def ask() -> Reader:
            return await feed.readers.of(caller)

        told = await feed.hub.listen(ask)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(told, media_type="text/event-stream", headers=headers)


def _in_utc(moment: datetime, now: datetime) -> datetime:
    """At the ends of the calendar another zone has no such moment."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return now if moment.year > now.year else datetime.min.replace(tzinfo=UTC)


def _topics(api: APIRouter, feed: Feed) -> None:
    @api.get("/topics")
    async def list_topics(
        caller: Caller,
        response: Response,
        after: After,
        q: Annotated[str, Query(max_length=200, description="How the topic begins")] = "",
    ) -> TopicList:
        """The topics of the newest posts that the caller may see, those used most first."""
        reader = await feed.readers.of(caller)
        await feed.wait(response, after, projections.posts)
        begins = writing.topic(q)
        views = await feed.newest.held(reader, LOOKED_AT)
        if views is None:
            views = await feed.posts.find(
                {}, sort=NEWEST, limit=LOOKED_AT, reader=reader, fields=["post_id", "author_id", "topics"]
            )
        erased = await feed.keys.erased({view.author_id for view in views if view.topics})
        counted = _counted([view.topics for view in views if view.author_id not in erased], begins)
        return TopicList(items=[TopicItem(topic=topic, posts=posts) for topic, posts in counted])


def _counted(topics: Sequence[Sequence[str]], begins: str) -> list[tuple[str, int]]:
    counts = Counter(topic for of_one in topics for topic in of_one if topic.startswith(begins))
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_TOPICS]
