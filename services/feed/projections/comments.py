"""Comments by their post. Read only after the post, and trimmed by it."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field

from contracts.feed import (
    CommentDeleted,
    CommentEdited,
    CommentPublished,
    ItemLanguageCorrected,
    LanguageSource,
    ReactionChanged,
)
from services.feed.projections.posts import counted
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Index, Projection

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class CommentView(BaseModel):
    """A comment. A deleted one keeps its place in its thread, and nothing else.

    A reaction may arrive before its comment: until then the document belongs to no post.
    """

    comment_id: str
    post_id: str = ""
    parent_id: str | None = None
    thread_id: str = ""
    author_id: str = ""
    text: str = ""
    language: str = ""
    language_source: str = LanguageSource.DETECTED.value
    language_confidence: float | None = None
    mentions: list[str] = Field(default_factory=list)
    edition: int = 0
    version: int = 0
    published_at: datetime = _NEVER
    edited_at: datetime | None = None
    reactions: dict[str, int] = Field(default_factory=dict)
    deleted: bool = False


def _keys(event: Event) -> Collection[str]:
    match event:
        case ReactionChanged() | ItemLanguageCorrected():
            return (event.item_id,) if event.item_id != event.post_id else ()
        case (
            CommentPublished(comment_id=comment_id)
            | CommentEdited(comment_id=comment_id)
            | CommentDeleted(comment_id=comment_id)
        ):
            return (comment_id,)
    return ()


def _evolve(view: CommentView | None, event: Event, recorded: Recorded, key: str) -> CommentView:
    now = view or CommentView(comment_id=key)
    if now.deleted:
        return now
    match event:
        case CommentPublished():
            change = event.model_dump(include={"post_id", "parent_id", "author_id"})
            change |= {
                "thread_id": event.thread_id or key,
                "edition": 1,
                "published_at": recorded.occurred_at,
            }
            return now.model_copy(update={**change, **_said(event, recorded)})
        case CommentEdited(edition=edition):
            change = {"edition": edition, "edited_at": recorded.occurred_at}
            return now.model_copy(update={**change, **_said(event, recorded)})
        case CommentDeleted():
            kept = now.model_dump(include={"comment_id", "post_id", "parent_id", "thread_id", "published_at"})
            return CommentView(**kept, version=recorded.version, deleted=True)
        case ItemLanguageCorrected(new=language):
            change = {"language": language, "language_source": LanguageSource.CORRECTED.value}
            return now.model_copy(update={**change, "language_confidence": None, "version": recorded.version})
        case ReactionChanged():
            return now.model_copy(update={"reactions": counted(now.reactions, event)})
    return now


def _said(event: CommentPublished | CommentEdited, recorded: Recorded) -> dict[str, Any]:
    return {
        "text": str(event.text.sealed),
        "language": event.language,
        "language_source": event.language_source.value,
        "language_confidence": event.language_confidence,
        "mentions": list(event.mentions),
        "version": recorded.version,
    }


comments: Projection[CommentView] = Projection(
    "feed.comments",
    1,
    CommentView,
    (CommentPublished, CommentEdited, CommentDeleted, ItemLanguageCorrected, ReactionChanged),
    _keys,
    _evolve,
    (Index((("post_id", 1), ("thread_id", 1), ("published_at", 1), ("_id", 1))),),
)
