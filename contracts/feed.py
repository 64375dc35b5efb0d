"""What the feed tells the rest of the house: posts, announcements, comments, reactions, acknowledgements.

The text of a post or comment is personal: sealed under its author's key. `item_id` names a post or a comment.
"""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict

from shared.kernel.audience import Classification
from shared.kernel.events import Event
from shared.kernel.personal import Personal, Subject

TOPIC = "feed.events"


class PostKind(StrEnum):
    """An announcement says who must have read it; everything else is a post."""

    POST = "post"
    ANNOUNCEMENT = "announcement"


class LanguageSource(StrEnum):
    """Who said which language a text is in."""

    DETECTED = "detected"
    AUTHOR = "author"
    CORRECTED = "corrected"


class ReactionKind(StrEnum):
    """What one can say with one touch."""

    LIKE = "like"
    LOVE = "love"
    LAUGH = "laugh"
    THANKS = "thanks"
    INSIGHT = "insight"


class Picture(BaseModel):
    """A picture as it was made ready: re-encoded, without what the camera wrote into it. Sizes in pixels.

    `alt` is empty where the author said that it is decoration. `small_id` is the file to show in lists.
    `moving_id` is that of a picture that moves, for who wants to see it move; else it is empty.
    """

    model_config = ConfigDict(frozen=True)

    file_id: str
    small_id: str
    width: int
    height: int
    alt: str = ""
    moving_id: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """All that is stored of it."""
        return tuple(file for file in (self.file_id, self.small_id, self.moving_id) if file)


class PostPublished(Event):
    """Somebody said something to an audience. In a group the audience is the group's.

    `language_confidence`, here and below, is how sure the detection was, 0 to 1; None where somebody said it.
    """

    topic: ClassVar[str | None] = TOPIC

    post_id: str
    kind: PostKind
    author_id: str
    title: str = ""
    text: Annotated[Personal, Subject("author_id")]
    language: str
    language_source: LanguageSource
    language_confidence: float | None = None
    audience: tuple[str, ...]
    classification: Classification
    group_id: str | None = None
    topics: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    must_acknowledge: bool = False


class PostEdited(Event):
    """The post has a new text; `edition` counts its texts from 1."""

    topic: ClassVar[str | None] = TOPIC

    post_id: str
    author_id: str
    edition: int
    title: str = ""
    text: Annotated[Personal, Subject("author_id")]
    language: str
    language_source: LanguageSource
    language_confidence: float | None = None
    topics: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()


class PostDeleted(Event):
    """The post is gone, and its comments with it."""

    topic: ClassVar[str | None] = TOPIC

    post_id: str
    author_id: str
    deleted_by: str


class ItemLanguageCorrected(Event):
    """Somebody said in which language a post or comment really is."""

    topic: ClassVar[str | None] = TOPIC

    item_id: str
    post_id: str
    old: str
    new: str


class PostAcknowledged(Event):
    """A member confirmed that they read the announcement, as it was then and in this language."""

    topic: ClassVar[str | None] = TOPIC

    post_id: str
    member_id: str
    edition: int
    language: str


class CommentPublished(Event):
    """Somebody answered a post, or another comment. Audience and classification are the post's.

    `thread_id` is the comment that its thread began with; None: it answers the post and begins one itself.
    """

    topic: ClassVar[str | None] = TOPIC

    comment_id: str
    post_id: str
    parent_id: str | None = None
    thread_id: str | None = None
    author_id: str
    text: Annotated[Personal, Subject("author_id")]
    language: str
    language_source: LanguageSource
    language_confidence: float | None = None
    audience: tuple[str, ...]
    classification: Classification
    group_id: str | None = None
    mentions: tuple[str, ...] = ()


class CommentEdited(Event):
    """The comment has a new text."""

    topic: ClassVar[str | None] = TOPIC

    comment_id: str
    post_id: str
    author_id: str
    edition: int
    text: Annotated[Personal, Subject("author_id")]
    language: str
    language_source: LanguageSource
    language_confidence: float | None = None
    mentions: tuple[str, ...] = ()


class CommentDeleted(Event):
    """The comment's text is gone; answers to it stay."""

    topic: ClassVar[str | None] = TOPIC

    comment_id: str
    post_id: str
    author_id: str
    deleted_by: str


class ReactionChanged(Event):
    """A member reacted to a post or comment, otherwise than before, or took it back (`new` is None)."""

    topic: ClassVar[str | None] = TOPIC

    item_id: str
    post_id: str
    member_id: str
    old: ReactionKind | None
    new: ReactionKind | None
