"""What the routes work with, and how they find what a caller may see: what is hidden does not exist."""

import re
from collections.abc import Awaitable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import Response

from contracts.groups import group_token
from contracts.owners import GroupOwners
from services.feed.audiences import Audiences
from services.feed.detection import Detector
from services.feed.domain import comments, posts, writing
from services.feed.domain.comments import Comment
from services.feed.domain.permissions import Asker, demand
from services.feed.domain.posts import Post
from services.feed.imaging import Studio
from services.feed.live import Hub
from services.feed.newest import Newest
from services.feed.projections import CommentView, GroupView, PostView, ResponseView
from shared.kernel.audience import STAFF, Classification, Reader
from shared.kernel.errors import NotFound
from shared.kernel.projection import Projection
from shared.runtime.auth import Actor
from shared.runtime.files import Files
from shared.runtime.http import answer_behind
from shared.runtime.keys import KeyRing
from shared.runtime.readers import Readers
from shared.runtime.store import Committed, EventStore, Idempotency
from shared.runtime.views import Views

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,63}")
#: Where nothing else is known of somebody's language.
FALLBACK_LANGUAGE = "en"


class Behind(Protocol):
    """Waits until views hold a commit; True where they may not."""

    def __call__(
        self, after: str | None, *views: Projection[Any], key: str | None = None
    ) -> Awaitable[bool]: ...


@dataclass(frozen=True, slots=True)
class Feed:
    """The service's parts that routes need."""

    store: EventStore
    posts: Views[PostView]
    comments: Views[CommentView]
    responses: Views[ResponseView]
    groups: Views[GroupView]
    owners: Views[GroupOwners]
    newest: Newest
    audiences: Audiences
    readers: Readers
    behind: Behind
    keys: KeyRing
    detector: Detector
    studio: Studio
    files: Files
    hub: Hub

    async def wait(
        self, response: Response, after: str | None, *views: Projection[Any], key: str | None = None
    ) -> None:
        """Reads wait for the reader's own write, and say so where it may be missing."""
        answer_behind(response, await self.behind(after, *views, key=key))

    async def post(self, post_id: str, reader: Reader) -> PostView:
        """Raises NotFound, also for a post that the reader may not see."""
        if (view := await self.posts.get(post_id, reader)) is None:
            raise no_post()
        return view

    async def stored_post(self, post_id: str, reader: Reader) -> Post:
        """The post as it is in the store, for commands. Raises NotFound as `post` does."""
        if not ID.fullmatch(post_id):
            raise no_post()
        post, _ = await self.store.state(posts.posts, f"post-{post_id}")
        if not post.there or not reader.may_see(post.audience, post.classification):
            raise no_post()
        return post

    async def stored_comment(self, comment_id: str, reader: Reader) -> tuple[Comment, Post]:
        """The comment and its post as they are in the store. Raises NotFound."""
        if not ID.fullmatch(comment_id):
            raise no_comment()
        comment, _ = await self.store.state(comments.comments, f"comment-{comment_id}")
        post, _ = await self.store.state(posts.posts, f"post-{comment.post_id or comment_id}")
        seen = post.there and reader.may_see(post.audience, post.classification)
        if not comment.there or not seen:
            raise no_comment()
        return comment, post

    async def post_to_change(self, post_id: str, actor: Actor, permission: str) -> tuple[Post, Reader]:
        """The post, for a command by somebody who has the permission."""
        reader = await self.readers.of(actor)
        post = await self.stored_post(post_id, reader)
        owned = await self.owned(reader, [post.group_id])
        demand(permission, asker(actor, reader, post.group_id, owned), post.author_id)
        return post, reader

    async def comment_to_change(
        self, comment_id: str, actor: Actor, permission: str
    ) -> tuple[Comment, Post, Reader]:
        """The comment and its post, for a command by somebody who has the permission."""
        reader = await self.readers.of(actor)
        comment, post = await self.stored_comment(comment_id, reader)
        owned = await self.owned(reader, [post.group_id])
        demand(permission, asker(actor, reader, post.group_id, owned), comment.author_id)
        return comment, post, reader

    async def done_before(self, key: Idempotency | None, gone: NotFound) -> Committed:
        """What was done by this very request, which is sent again because its answer was lost. Raises `gone`
        where it is another one."""
        done = await self.store.done(key)
        if done is None:
            raise gone
        return done

    async def owned(self, reader: Reader, group_ids: Iterable[str | None]) -> frozenset[str]:
        """Which of these groups the reader owns."""
        theirs = {group_id for group_id in group_ids if group_id and group_token(group_id) in reader.tokens}
        if not theirs:
            return frozenset()
        found = await self.owners.get_many(theirs)
        return frozenset(key for key, group in found.items() if reader.member_id in group.owners)

    async def mentioned(self, text: str, audience: tuple[str, ...], level: Classification) -> tuple[str, ...]:
        """The members that the text names and who may see it. Raises Refused."""
        named = writing.mentions(writing.cleaned(text))
        if not named:
            return ()
        found = {reader.member_id: reader for reader in await self.audiences.readers(named)}
        return tuple(name for name in named if name in found and found[name].may_see(audience, level))


def own_language(reader: Reader) -> str:
    """The language that the reader prefers, as their tokens say."""
    kind = "language:"
    found = sorted(token.removeprefix(kind) for token in reader.tokens if token.startswith(kind))
    return found[0] if found else FALLBACK_LANGUAGE


def asker(actor: Actor, reader: Reader, group_id: str | None = None, owned: Collection[str] = ()) -> Asker:
    """`owned`: groups that the reader owns."""
    belongs = group_id is not None and group_token(group_id) in reader.tokens
    return Asker(actor.member_id, actor.roles, STAFF in reader.tokens, belongs, group_id in owned)


def no_post() -> NotFound:
    return NotFound("no-such-post", "There is no such post.")


def no_comment() -> NotFound:
    return NotFound("no-such-comment", "There is no such comment.")


def no_group() -> NotFound:
    return NotFound("no-such-group", "There is no such group.", field="group_id")
