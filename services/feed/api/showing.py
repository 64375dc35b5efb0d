"""Posts and comments as one reader sees them: texts opened, their own reactions beside them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from contracts.feed import LanguageSource, PostKind, ReactionKind
from services.feed.api.access import Feed, asker
from services.feed.api.answers import Acknowledgement, CommentAnswer, PictureAnswer, PostAnswer
from services.feed.domain.permissions import Asker, may
from services.feed.projections import (
    CommentView,
    PostView,
    ResponseView,
    response_key,
    seen_key,
)
from shared.kernel.audience import Reader
from shared.kernel.personal import Personal, Sealed
from shared.runtime.auth import Actor
from shared.runtime.keys import Missing

_OF_POSTS = ("comment", "react", "edit", "delete", "correct-language", "report")
_OF_COMMENTS = ("comment", "react", "edit", "delete", "correct-language")

#: What somebody says besides the text, and how it looks where they said nothing.
_SAID: Mapping[str, Any] = {"title": "", "topics": [], "mentions": [], "pictures": []}

Mine = dict[str, ResponseView]
V = TypeVar("V", PostView, CommentView)


async def shown_posts(
    feed: Feed, actor: Actor, reader: Reader, views: Sequence[PostView]
) -> tuple[list[PostAnswer], datetime | None]:
    """The posts, and up to when the reader had seen their feed."""
    mine = await _mine(
        feed, reader, [view.post_id for view in views if view.reactions or view.must_acknowledge]
    )
    texts = await _texts(feed, [view.text for view in views])
    sight = mine.get(seen_key(reader.member_id))
    seen_at = sight.seen_at if sight is not None else None
    owned = await feed.owned(reader, [view.group_id for view in views])
    answers = [
        _post(
            _left(view, text),
            text,
            mine.get(response_key(view.post_id, reader.member_id)),
            asker(actor, reader, view.group_id, owned),
            seen_at,
        )
        for view, text in zip(views, texts, strict=True)
    ]
    return answers, seen_at


async def shown_comments(
    feed: Feed, actor: Actor, reader: Reader, post: PostView, views: Sequence[CommentView]
) -> list[CommentAnswer]:
    mine = await _mine(feed, reader, [view.comment_id for view in views])
    texts = await _texts(feed, [view.text for view in views])
    who = asker(actor, reader, post.group_id, await feed.owned(reader, [post.group_id]))
    return [
        _comment(_left(view, text), text, mine.get(response_key(view.comment_id, reader.member_id)), who)
        for view, text in zip(views, texts, strict=True)
    ]


def _left(view: V, text: str | Missing) -> V:
    """What is left of a post or comment: of who is erased nothing that they said, named or showed, though it
    is stored readable."""
    if text is not Missing.ERASED:
        return view
    return view.model_copy(update={name: none for name, none in _SAID.items() if hasattr(view, name)})


async def _mine(feed: Feed, reader: Reader, item_ids: Sequence[str]) -> Mine:
    keys = [response_key(item_id, reader.member_id) for item_id in item_ids]
    return await feed.responses.get_many([*keys, seen_key(reader.member_id)])


async def _texts(feed: Feed, sealed: Sequence[str]) -> list[str | Missing]:
    """Opened with one query at most; a deleted comment has none."""
    values = [Personal(sealed=Sealed.parse(text)) if text else Personal(plain="") for text in sealed]
    return await feed.keys.open_all(values)


def _said(view: PostView | CommentView, text: str | Missing, mine: ResponseView | None) -> dict[str, Any]:
    """What posts and comments have in common. Who is erased has no text any more."""
    return {
        "author_id": view.author_id,
        "text": "" if isinstance(text, Missing) else text,
        "erased": text is Missing.ERASED,
        "language": view.language,
        "language_source": LanguageSource(view.language_source),
        "language_confidence": view.language_confidence,
        "mentions": view.mentions,
        "edition": view.edition,
        "version": view.version,
        "published_at": view.published_at,
        "edited_at": view.edited_at,
        "reactions": {ReactionKind(kind): count for kind, count in view.reactions.items()},
        "my_reaction": ReactionKind(mine.reaction) if mine is not None and mine.reaction else None,
    }


def _post(
    view: PostView,
    text: str | Missing,
    mine: ResponseView | None,
    who: Asker,
    seen_at: datetime | None,
) -> PostAnswer:
    allowed = {name: may(f"feed:{name}", who, view.author_id) for name in _OF_POSTS}
    allowed["report"] = allowed["report"] and view.must_acknowledge
    return PostAnswer(
        id=view.post_id,
        **_said(view, text, mine),
        kind=PostKind(view.kind),
        title=view.title,
        audience=view.audience,
        classification=view.classification,
        group_id=view.group_id,
        topics=view.topics,
        pictures=[
            PictureAnswer(
                id=shown.file_id,
                width=shown.width,
                height=shown.height,
                alt=shown.alt,
                moving=bool(shown.moving_id),
            )
            for shown in view.pictures
        ],
        must_acknowledge=view.must_acknowledge,
        acknowledged=_acknowledgement(mine),
        comments=view.comments,
        unread=view.author_id != who.member_id and seen_at is not None and view.published_at > seen_at,
        may=allowed,
    )


def _acknowledgement(mine: ResponseView | None) -> Acknowledgement | None:
    if mine is None or mine.acknowledged_at is None:
        return None
    return Acknowledgement(edition=mine.edition or 1, language=mine.language or "", at=mine.acknowledged_at)


def _comment(
    view: CommentView,
    text: str | Missing,
    mine: ResponseView | None,
    who: Asker,
) -> CommentAnswer:
    allowed = {name: not view.deleted and may(f"feed:{name}", who, view.author_id) for name in _OF_COMMENTS}
    return CommentAnswer(
        id=view.comment_id,
        **_said(view, text, mine),
        post_id=view.post_id,
        parent_id=view.parent_id,
        thread_id=view.thread_id,
        deleted=view.deleted,
        may=allowed,
    )
