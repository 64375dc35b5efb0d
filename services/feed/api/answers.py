"""What the feed says over HTTP. Members appear by id: their names are identity's to tell."""

from datetime import datetime

from pydantic import BaseModel, Field

from contracts.feed import LanguageSource, PostKind, ReactionKind
from services.feed.projections import Standing


class PictureAnswer(BaseModel):
    """A picture of a post. Its bytes are at `/pictures/<id>`, a small one with `?size=small`,
    and, where it moves, what moves with `?size=moving`: the others are stills."""

    id: str
    width: int = Field(description="In pixels")
    height: int = Field(description="In pixels")
    alt: str = Field(description="What it shows; empty where it is decoration")
    moving: bool = Field(description="Whether it moves")


class PictureDone(BaseModel):
    """An upload that a post may show within the next hours."""

    id: str
    width: int
    height: int
    moving: bool


class Acknowledgement(BaseModel):
    """That the caller confirmed having read it: which edition, in which language, and when."""

    edition: int
    language: str
    at: datetime


class Written(BaseModel):
    """What posts and comments have in common. `text` is as it was typed: `@[member id]` names a member."""

    id: str
    author_id: str
    text: str
    erased: bool = Field(description="Its author is forgotten, and the text with them")
    language: str
    language_source: LanguageSource
    language_confidence: float | None = Field(description="How sure the detection was, 0 to 1")
    mentions: list[str] = Field(description="The members named in it who may see it")
    edition: int = Field(description="Counts its texts from 1")
    version: int = Field(description="For If-Match")
    published_at: datetime
    edited_at: datetime | None
    reactions: dict[ReactionKind, int] = Field(description="How many members reacted, by kind")
    my_reaction: ReactionKind | None
    may: dict[str, bool] = Field(description="What the caller may do here, by permission")


class PostAnswer(Written):
    """A post or an announcement."""

    kind: PostKind
    title: str
    audience: list[str]
    classification: str
    group_id: str | None
    topics: list[str] = Field(description="Without the #, as they are compared")
    pictures: list[PictureAnswer]
    must_acknowledge: bool
    acknowledged: Acknowledgement | None = Field(description="The caller's own acknowledgement")
    comments: int
    unread: bool = Field(description="Newer than what the caller had seen when they asked")


class FeedPage(BaseModel):
    """Posts, newest first. The caller has seen what was published until `unread_after`."""

    items: list[PostAnswer]
    next: str | None = Field(description="The cursor of the next items, if there are more")
    unread_after: datetime | None
    may: dict[str, bool] = Field(description="What the caller may do here: post, announce")


class CommentAnswer(Written):
    """A comment. A deleted one keeps its place, without text and author, as long as others answer it."""

    post_id: str
    parent_id: str | None = Field(description="The comment that it answers; none: it answers the post")
    thread_id: str = Field(description="The comment that its thread began with")
    deleted: bool


class CommentList(BaseModel):
    """Comments thread by thread, each thread in the order of time."""

    items: list[CommentAnswer]
    total: int
    next: str | None = Field(description="The cursor of the next items, if there are more")


class ReactionItem(BaseModel):
    member_id: str
    kind: ReactionKind
    at: datetime


class ReactionList(BaseModel):
    """Who reacted, the newest first."""

    items: list[ReactionItem]
    counts: dict[ReactionKind, int]
    total: int
    next: str | None = Field(description="The cursor of the next items, if there are more")


class Reader(BaseModel):
    """One member in the report of an announcement. `state` says how they came to be in it.

    `country` and `language` are those they had at its publication; of who came later, when they came.
    """

    member_id: str
    state: Standing
    country: str | None
    language: str | None
    acknowledged_at: datetime | None
    edition: int | None = Field(description="Which edition they acknowledged")
    acknowledged_in: str | None = Field(description="The language that they acknowledged it in")
    joined_at: datetime | None = Field(description="When they came into the audience, if later")
    left_at: datetime | None = Field(description="When they left the audience, if they did")


class ReportCounts(BaseModel):
    """`people` were in the audience when it was published; its author is not counted.

    `acknowledged` and `missing` add up to `people`; `left` of those missing are in the audience no more.
    """

    people: int
    acknowledged: int
    missing: int
    left: int
    joined: int = Field(description="Who came into the audience later")
    joined_acknowledged: int
    current_edition: int = Field(description="How many of `acknowledged` confirmed the text as it is now")


class Share(BaseModel):
    people: int
    acknowledged: int


class Report(BaseModel):
    """Who has read an announcement and who has not, as known now."""

    post_id: str
    title: str
    published_at: datetime
    edition: int
    counts: ReportCounts
    countries: dict[str, Share] = Field(
        description="Of `people`, as it was at the publication; '' is unknown"
    )
    languages: dict[str, Share] = Field(
        description="Of `people`, as it was at the publication; '' is unknown"
    )
    items: list[Reader]
    next: str | None = Field(description="The cursor of the next items, if there are more")


class ReachAnswer(BaseModel):
    """How many would see it, the caller not counted, and what they speak and where they are."""

    people: int
    languages: dict[str, int] = Field(description="People by preferred language; '' is unknown")
    countries: dict[str, int] = Field(description="People by country; '' is unknown")
    roles: dict[str, int] = Field(
        default={}, description="People by role, where that was asked for; each under every role they have"
    )


class TopicItem(BaseModel):
    topic: str
    posts: int = Field(description="Of the newest posts that the caller may see")


class TopicList(BaseModel):
    """Topics of what the caller may see, those most used lately first."""

    items: list[TopicItem]


class Done(BaseModel):
    """What a command changed. `version` is the new one, for If-Match."""

    id: str
    version: int


class Seen(BaseModel):
    """Up to when the caller has seen their home feed."""

    seen_at: datetime
