"""Posts as they are now, with how many comments and reactions they have.

A post's counts are fed by other streams than the post, in any order: a comment may arrive before its post,
and after its end. So a document begins unpublished, seen by nobody, and a deleted post leaves one that is
empty and stays so.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field

from contracts.feed import (
    CommentDeleted,
    CommentPublished,
    ItemLanguageCorrected,
    LanguageSource,
    Picture,
    PostDeleted,
    PostEdited,
    PostKind,
    PostPublished,
    ReactionChanged,
)
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Index, Projection

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class PostView(BaseModel):
    """A post. `version` is its stream's, for `If-Match`; the text is sealed under its author's key.

    `topic_audience` pairs each topic with each clause of the audience, so that one index finds a topic's
    posts among those that a reader may see. `files` are those of its pictures. `imported`: said elsewhere.
    """

    post_id: str
    kind: str = PostKind.POST.value
    author_id: str = ""
    title: str = ""
    text: str = ""
    language: str = ""
    language_source: str = LanguageSource.DETECTED.value
    language_confidence: float | None = None
    audience: list[str] = Field(default_factory=list)
    classification: str = ""
    group_id: str | None = None
    topics: list[str] = Field(default_factory=list)
    topic_audience: list[str] = Field(default_factory=list)
    mentions: list[str] = Field(default_factory=list)
    pictures: list[Picture] = Field(default_factory=list)
    files: list[str] = Field(default_factory=list)
    must_acknowledge: bool = False
    edition: int = 0
    version: int = 0
    published_at: datetime = _NEVER
    imported: bool = False
    edited_at: datetime | None = None
    comments: int = 0
    reactions: dict[str, int] = Field(default_factory=dict)
    deleted: bool = False


def topic_in(topic: str, clause: str) -> str:
    """How `topic_audience` names a topic within one clause."""
    return f"{clause} {topic}"


def _keys(event: Event) -> Collection[str]:
    match event:
        case ReactionChanged() | ItemLanguageCorrected():
            return (event.post_id,) if event.item_id == event.post_id else ()
        case (
            PostPublished(post_id=post_id)
            | PostEdited(post_id=post_id)
            | PostDeleted(post_id=post_id)
            | CommentPublished(post_id=post_id)
            | CommentDeleted(post_id=post_id)
        ):
            return (post_id,)
    return ()


def _evolve(view: PostView | None, event: Event, recorded: Recorded, key: str) -> PostView:
    now = view or PostView(post_id=key)
    if now.deleted:
        return now
    match event:
        case PostPublished():
            return now.model_copy(update=_published(event, recorded))
        case PostEdited():
            return now.model_copy(update=_edited(event, recorded, now.audience))
        case PostDeleted():
            return PostView(post_id=key, deleted=True)
        case ItemLanguageCorrected(new=language):
            change = {"language": language, "language_source": LanguageSource.CORRECTED.value}
            return now.model_copy(update={**change, "language_confidence": None, "version": recorded.version})
        case CommentPublished():
            return now.model_copy(update={"comments": now.comments + 1})
        case CommentDeleted():
            return now.model_copy(update={"comments": now.comments - 1})
        case ReactionChanged():
            return now.model_copy(update={"reactions": counted(now.reactions, event)})
    return now


def counted(reactions: dict[str, int], event: ReactionChanged) -> dict[str, int]:
    """The counts after one member's change; kinds that nobody chose are left out."""
    counts = dict(reactions)
    if event.old is not None:
        counts[event.old.value] = counts.get(event.old.value, 0) - 1
    if event.new is not None:
        counts[event.new.value] = counts.get(event.new.value, 0) + 1
    return {kind: counts[kind] for kind in sorted(counts) if counts[kind]}


def _published(event: PostPublished, recorded: Recorded) -> dict[str, Any]:
    return {
        "kind": event.kind.value,
        "author_id": event.author_id,
        "audience": list(event.audience),
        "classification": event.classification.value,
        "group_id": event.group_id,
        "pictures": list(event.pictures),
        "files": [file for picture in event.pictures for file in picture.files],
        "must_acknowledge": event.must_acknowledge,
        "edition": 1,
        "published_at": recorded.occurred_at,
        "imported": recorded.imported,
        **_said(event, recorded, event.audience),
    }


def _edited(event: PostEdited, recorded: Recorded, audience: Collection[str]) -> dict[str, Any]:
    return {
        "edition": event.edition,
        "edited_at": recorded.occurred_at,
        **_said(event, recorded, audience),
    }


def _said(event: PostPublished | PostEdited, recorded: Recorded, audience: Collection[str]) -> dict[str, Any]:
    return {
        "title": event.title,
        "text": str(event.text.sealed),
        "language": event.language,
        "language_source": event.language_source.value,
        "language_confidence": event.language_confidence,
        "topics": list(event.topics),
        "topic_audience": [topic_in(topic, clause) for topic in event.topics for clause in audience],
        "mentions": list(event.mentions),
        "version": recorded.version,
    }


#: The classification comes last, so that what is above a reader's clearance is passed over within the index.
#: The group leads its own index: its posts all have its audience, which is a clause or two.
posts: Projection[PostView] = Projection(
    "feed.posts",
    3,
    PostView,
    (
        PostPublished,
        PostEdited,
        PostDeleted,
        ItemLanguageCorrected,
        CommentPublished,
        CommentDeleted,
        ReactionChanged,
    ),
    _keys,
    _evolve,
    (
        Index((("audience", 1), ("published_at", -1), ("_id", -1), ("classification", 1))),
        Index((("group_id", 1), ("audience", 1), ("published_at", -1), ("_id", -1), ("classification", 1))),
        Index((("topic_audience", 1), ("published_at", -1), ("_id", -1), ("classification", 1))),
        Index((("published_at", -1), ("_id", -1), ("audience", 1), ("classification", 1))),
        Index((("files", 1),)),
    ),
)
