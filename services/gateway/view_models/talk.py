"""What the pages of talk want: posts in the feed, one post with its comments, writing, an announcement's
report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from markupsafe import Markup

from services.gateway.view_models.shell import ChangedPage, GroupRef, Person, View

#: Pixels: how tall a picture is shown on its post's page, about as much as a screen shows at once.
TALLEST = 720

Reaction = Literal["like", "love", "laugh", "thanks", "insight"]


@dataclass(frozen=True, slots=True)
class PictureCard:
    """Sizes in pixels; `alt` is empty where the picture is decoration. `moving`: it can be played."""

    id: str
    width: int
    height: int
    alt: str = ""
    moving: bool = False

    @property
    def seen_whole(self) -> tuple[int, int]:
        """Its sizes where all of it is seen at once: browsers are told, so that nothing moves as it comes."""
        scale = min(1, TALLEST / self.height)
        return max(1, round(self.width * scale)), round(self.height * scale)


@dataclass(frozen=True, slots=True)
class TalkRights:
    """What this reader may do with a post or comment."""

    comment: bool = False
    react: bool = False
    edit: bool = False
    delete: bool = False
    correct_language: bool = False
    report: bool = False

    @property
    def change(self) -> bool:
        return self.edit or self.delete or self.correct_language


@dataclass(frozen=True, slots=True)
class Mention:
    """In a text, `@` and the label stand for the member."""

    member_id: str
    label: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a post and a comment have in common. `text` is as it was typed, with `mentions` for its names;
    `html` is as it is shown."""

    id: str
    author: Person
    text: str
    html: Markup
    language: str
    at: datetime
    may: TalkRights = TalkRights()
    edition: int = 1
    version: int = 1
    edited_at: datetime | None = None
    reactions: Mapping[str, int] = field(default_factory=dict)
    mine: str | None = None
    erased: bool = False
    own: bool = False
    mentions: Sequence[Mention] = ()

    @property
    def reacted(self) -> int:
        return sum(self.reactions.values())


@dataclass(frozen=True, slots=True)
class PostCard(Said):
    """`more`: the text goes on, on the post's own page. `acknowledged` is the reader's own edition."""

    announcement: bool = False
    title: str = ""
    audience: Sequence[str] = ("staff",)
    classification: str = "internal"
    group: GroupRef | None = None
    topics: Sequence[str] = ()
    pictures: Sequence[PictureCard] = ()
    must_acknowledge: bool = False
    acknowledged: int | None = None
    acknowledged_at: datetime | None = None
    comments: int = 0
    unread: bool = False
    more: bool = False

    @property
    def to_confirm(self) -> bool:
        """Whether it still waits for this reader to say that they have read it."""
        return self.must_acknowledge and self.acknowledged is None and not self.own


@dataclass(frozen=True, slots=True)
class CommentCard(Said):
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Thread:
    """A comment and what answers it; without `first` it began on the page before."""

    first: CommentCard | None
    replies: Sequence[CommentCard] = ()


@dataclass(frozen=True, slots=True)
class FeedPart:
    """Posts, the newest first, or (`away`) that nobody can say. `must` waits for the reader above them.

    `older` is the address of what follows.
    """

    posts: Sequence[PostCard] = ()
    older: str | None = None
    must: Sequence[PostCard] = ()
    away: bool = False
    may_post: bool = False
    may_announce: bool = False
    #: Up to when the reader has seen it now, where that is news.
    seen_to: datetime | None = None
    #: It joins pages that are shown already, so it is in one piece.
    later: bool = False

    @property
    def unread(self) -> Sequence[PostCard]:
        """What is new to the reader, and their own among it, where something that they have seen follows."""
        return self.posts[: self._new]

    @property
    def rest(self) -> Sequence[PostCard]:
        return self.posts[self._new :]

    @property
    def _new(self) -> int:
        new = max((place for place, post in enumerate(self.posts, 1) if post.unread), default=0)
        seen = any(not post.own for post in self.posts[new:])
        return new if seen and not self.later else 0


@dataclass(frozen=True, slots=True)
class Reach:
    """How many would see something, how many of them speak what and live where; and, where that was asked
    for, have which role."""

    people: int
    languages: Mapping[str, int] = field(default_factory=dict)
    countries: Mapping[str, int] = field(default_factory=dict)
    roles: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PostForm:
    """What stands in the fields, as typed. `to` is a clause of an audience; in a group, `group:<id>`.

    No language means that it is found out. `pictures` are uploaded already.
    """

    key: str
    text: str = ""
    to: str = "staff"
    language: str = ""
    alt: str = ""
    decorative: bool = False
    pictures: Sequence[PictureCard] = ()
    back: str = "/"
    mentions: Sequence[Mention] = ()


@dataclass(frozen=True, slots=True)
class Composer:
    """One line that opens. Errors by field: `text`, `to`, `language`, `picture`, `alt`.

    `clauses` are audiences to choose from beside the reader's groups; `whole` is the page with every choice.
    """

    form: PostForm
    clauses: Sequence[str] = ()
    groups: Sequence[GroupRef] = ()
    reach: Reach | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class HomeView(View):
    """`changed` are pages of the wiki; None while the wiki is away. `new` says how many posts are new: by
    the category of their number, with # in its place."""

    template: ClassVar[str] = "pages/home.html"
    feed: FeedPart
    composer: Composer | None = None
    changed: Sequence[ChangedPage] | None = ()
    topics: Sequence[str] = ()
    new: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ComposeView(View):
    template: ClassVar[str] = "pages/compose.html"
    composer: Composer


@dataclass(frozen=True, slots=True)
class ReachView(View):
    """The answer to a choice of audience: a fragment, no page. No reach where it cannot be counted."""

    template: ClassVar[str] = "parts/reach.html"
    reach: Reach | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class CommentForm:
    """`parent` is the comment that it answers; `changes` the one that it replaces. `meanwhile`: that one is
    not as it was when the change was begun."""

    key: str
    text: str = ""
    parent: str = ""
    changes: str = ""
    error: str = ""
    meanwhile: bool = False
    mentions: Sequence[Mention] = ()


@dataclass(frozen=True, slots=True)
class PostPageView(View):
    """`seen_because` is the clause that lets this reader in. `threads` are None while they are away.
    `before`: the page before, from which a thread may go on."""

    template: ClassVar[str] = "pages/post.html"
    post: PostCard
    threads: Sequence[Thread] | None
    form: CommentForm
    older: str | None = None
    reach: Reach | None = None
    seen_because: str = "staff"
    problem: str = ""
    #: Where this page of comments begins, for forms that come back to it.
    cursor: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class PostFootView(View):
    """The answer to a reaction: a fragment, no page."""

    template: ClassVar[str] = "parts/post_foot.html"
    post: PostCard
    back: str = "/"


@dataclass(frozen=True, slots=True)
class PostEditView(View):
    """`text`, `title` and `language` are as typed. Errors by field. `meanwhile`: the post is not as it was
    when the change was begun; `their_text` and `their_title` are how it is."""

    template: ClassVar[str] = "pages/post_edit.html"
    post: PostCard
    key: str
    text: str
    title: str = ""
    language: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    meanwhile: bool = False
    their_text: str = ""
    their_title: str = ""
    mentions: Sequence[Mention] = ()


@dataclass(frozen=True, slots=True)
class TopicView(View):
    template: ClassVar[str] = "pages/topic.html"
    topic: str
    feed: FeedPart


@dataclass(frozen=True, slots=True)
class TopicLine:
    topic: str
    posts: int


@dataclass(frozen=True, slots=True)
class TopicsView(View):
    template: ClassVar[str] = "pages/topics.html"
    topics: Sequence[TopicLine]


@dataclass(frozen=True, slots=True)
class AnnouncementForm:
    """`to` is staff, everyone or some: then `audience` says whom. `fits`: any of it, or one of each kind."""

    key: str
    title: str = ""
    text: str = ""
    to: str = "staff"
    audience: Sequence[str] = ()
    fits: Literal["any", "each"] = "any"
    language: str = ""
    must_acknowledge: bool = True
    mentions: Sequence[Mention] = ()


@dataclass(frozen=True, slots=True)
class AudienceChoice:
    """A clause to choose, and how many people it would reach; None where that is not known."""

    clause: str
    people: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Whom:
    """Who will get it: in words, where some were chosen, and how many they are. No reach where it cannot be
    counted, or (`problem`) where it cannot be sent so."""

    words: str = ""
    reach: Reach | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class WhomView(View):
    """The answer to a choice in an announcement's form: a fragment, no page."""

    template: ClassVar[str] = "parts/whom.html"
    whom: Whom


@dataclass(frozen=True, slots=True)
class AnnounceView(View):
    template: ClassVar[str] = "pages/announce.html"
    form: AnnouncementForm
    roles: Sequence[AudienceChoice] = ()
    countries: Sequence[AudienceChoice] = ()
    languages: Sequence[AudienceChoice] = ()
    units: Sequence[AudienceChoice] = ()
    groups: Sequence[AudienceChoice] = ()
    whom: Whom = Whom()
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


ReaderState = Literal["present", "left", "joined"]


@dataclass(frozen=True, slots=True)
class ReaderLine:
    person: Person
    state: ReaderState
    country: str | None = None
    acknowledged_at: datetime | None = None
    edition: int | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class ShareLine:
    """Of the people in one country, how many acknowledged. An empty code: not known."""

    code: str
    people: int
    acknowledged: int


@dataclass(frozen=True, slots=True)
class ReportView(View):
    """Who has read an announcement. `older` is the address of the people who follow."""

    template: ClassVar[str] = "pages/report.html"
    post_id: str
    title: str
    language: str
    published_at: datetime
    edition: int
    people: int
    acknowledged: int
    left: int
    joined: int
    joined_acknowledged: int
    current: int
    countries: Sequence[ShareLine]
    readers: Sequence[ReaderLine]
    #: Who of them is listed: all, acknowledged, missing, left or joined.
    show: str = "all"
    older: str | None = None
