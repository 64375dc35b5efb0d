"""What the feed answers, as far as pages show it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel


class Picture(BaseModel):
    id: str
    width: int
    height: int
    alt: str = ""
    moving: bool = False


class Acknowledgement(BaseModel):
    edition: int
    at: datetime


class Written(BaseModel):
    """What posts and comments have in common. `version` is for If-Match."""

    id: str
    author_id: str
    text: str
    erased: bool = False
    language: str
    edition: int
    version: int
    published_at: datetime
    edited_at: datetime | None = None
    reactions: dict[str, int] = {}
    my_reaction: str | None = None
    may: dict[str, bool] = {}


class Post(Written):
    kind: Literal["post", "announcement"]
    title: str = ""
    audience: list[str]
    classification: str
    group_id: str | None = None
    topics: list[str] = []
    pictures: list[Picture] = []
    must_acknowledge: bool = False
    acknowledged: Acknowledgement | None = None
    comments: int = 0
    unread: bool = False


class PostList(BaseModel):
    """`unread_after`: up to when the reader had seen their feed. `may` is about the feed as a whole."""

    items: list[Post]
    next: str | None = None
    unread_after: datetime | None = None
    may: dict[str, bool] = {}


class Comment(Written):
    post_id: str
    parent_id: str | None = None
    thread_id: str
    deleted: bool = False


class CommentList(BaseModel):
    items: list[Comment]
    next: str | None = None


class Counted(BaseModel):
    """How many would see something."""

    people: int
    languages: dict[str, int] = {}
    countries: dict[str, int] = {}
    roles: dict[str, int] = {}


class Done(BaseModel):
    id: str


class Uploaded(BaseModel):
    id: str
    width: int
    height: int


class TopicItem(BaseModel):
    topic: str
    posts: int


class TopicList(BaseModel):
    items: list[TopicItem]


class Reader(BaseModel):
    member_id: str
    state: Literal["present", "left", "joined"]
    country: str | None = None
    acknowledged_at: datetime | None = None
    edition: int | None = None
    acknowledged_in: str | None = None


class ReportCounts(BaseModel):
    people: int
    acknowledged: int
    missing: int
    left: int
    joined: int
    joined_acknowledged: int
    current_edition: int


class Share(BaseModel):
    people: int
    acknowledged: int


class Report(BaseModel):
    post_id: str
    title: str
    published_at: datetime
    edition: int
    counts: ReportCounts
    countries: dict[str, Share]
    items: list[Reader]
    next: str | None = None
