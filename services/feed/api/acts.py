"""What members do in the feed, in their own name or in that of an import: one way, by the same rules."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from contracts.feed import ReactionKind
from services.feed.api.access import Feed, asker, own_language
from services.feed.api.reach import target_of
from services.feed.api.requests import Acknowledged, NewComment, Said
from services.feed.domain.acknowledgements import AcknowledgePost, acknowledgements
from services.feed.domain.comments import PublishComment, comments
from services.feed.domain.permissions import demand
from services.feed.domain.posts import PublishPost
from services.feed.domain.reactions import React, reactions
from shared.kernel.audience import Reader
from shared.kernel.errors import NotFound
from shared.kernel.events import Occasion
from shared.runtime.auth import Actor
from shared.runtime.store import Committed, Idempotency

#: Appends a post that the rules allow.
Publish = Callable[[PublishPost], Awaitable[Committed]]


@dataclass(frozen=True, slots=True)
class Doer:
    """Who does something, what they may see, and the circumstances."""

    actor: Actor
    reader: Reader
    doing: Occasion
    key: Idempotency | None


async def post(feed: Feed, doer: Doer, post_id: str, new: Said, publish: Publish) -> Committed:
    """Says something to an audience, or in a group."""
    reader = doer.reader
    target = await target_of(feed, doer.actor, reader, new)
    command = PublishPost(
        post_id=post_id,
        author_id=reader.member_id,
        kind=new.kind,
        title=new.title,
        text=new.text,
        audience=target.audience,
        classification=target.classification.value,
        detected=await feed.detector.detect(f"{new.title} {new.text}", own_language(reader)),
        language=new.language,
        group_id=target.group_id,
        mentions=await feed.mentioned(new.text, target.audience, target.classification),
        must_acknowledge=new.must_acknowledge,
    )
    return await publish(command)


async def comment(feed: Feed, doer: Doer, comment_id: str, post_id: str, new: NewComment) -> Committed:
    """Answers the post, or one of its comments."""
    reader = doer.reader
    found = await feed.stored_post(post_id, reader)
    demand("feed:comment", asker(doer.actor, reader, found.group_id))
    command = PublishComment(
        comment_id=comment_id,
        post_id=post_id,
        author_id=reader.member_id,
        text=new.text,
        audience=found.audience,
        classification=found.classification,
        detected=await feed.detector.detect(new.text, own_language(reader)),
        parent_id=new.parent_id,
        thread_id=await _thread(feed, reader, post_id, new.parent_id),
        group_id=found.group_id,
        language=new.language,
        mentions=await feed.mentioned(new.text, found.audience, found.classification),
    )
    return await feed.store.handle(comments, command, doer.doing, idempotency=doer.key, begins=True)


async def _thread(feed: Feed, reader: Reader, post_id: str, parent_id: str | None) -> str | None:
    """Raises NotFound where the comment to be answered is not one of this post's."""
    if parent_id is None:
        return None
    try:
        parent, _ = await feed.stored_comment(parent_id, reader)
    except NotFound:
        parent = None
    if parent is None or parent.post_id != post_id:
        raise NotFound("no-such-comment", "There is no such comment.", field="parent_id")
    return parent.thread_id


async def react_to_post(feed: Feed, doer: Doer, post_id: str, kind: ReactionKind | None) -> Committed:
    found = await feed.stored_post(post_id, doer.reader)
    demand("feed:react", asker(doer.actor, doer.reader, found.group_id))
    return await _react(feed, doer, React(post_id, post_id, doer.reader.member_id, kind))


async def react_to_comment(feed: Feed, doer: Doer, comment_id: str, kind: ReactionKind | None) -> Committed:
    found, post_of = await feed.stored_comment(comment_id, doer.reader)
    demand("feed:react", asker(doer.actor, doer.reader, post_of.group_id))
    return await _react(feed, doer, React(comment_id, found.post_id, doer.reader.member_id, kind))


async def _react(feed: Feed, doer: Doer, command: React) -> Committed:
    return await feed.store.handle(reactions, command, doer.doing, idempotency=doer.key)


async def acknowledge(feed: Feed, doer: Doer, post_id: str, read: Acknowledged | None) -> Committed:
    """They have read the announcement. Once is enough, for each of its editions."""
    found = await feed.stored_post(post_id, doer.reader)
    edition, language = (read.edition, read.language) if read is not None else (None, None)
    command = AcknowledgePost(post_id, doer.reader.member_id, found, edition, language)
    return await feed.store.handle(acknowledgements, command, doer.doing, idempotency=doer.key)
