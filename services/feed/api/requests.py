"""What the feed takes over HTTP. Lengths here keep nonsense out; the rules themselves are the domain's."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from contracts.feed import PostKind, ReactionKind
from shared.runtime.http import Input

Text = Annotated[str, Field(max_length=50_000, description="As typed: #topic, and @[member id] for mentions")]
Title = Annotated[str, Field(max_length=1_000)]
Language = Annotated[str, Field(max_length=40, description="A code such as sv or pt-BR")]
Clause = Annotated[str, Field(max_length=200)]
Audience = Annotated[
    list[Clause], Field(max_length=20, description="everyone, staff, country:SE, unit:nordics, ...")
]
Level = Annotated[
    str,
    Field(
        max_length=20,
        description="open, internal or confidential. Left out: open in a group, and where everyone or "
        "a group is among the audience, so that guests see it; internal otherwise; never above the "
        "author's own clearance",
    ),
]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,63}$")]


class ShownPicture(Input):
    """A picture that was uploaded before. `alt` is empty where it is decoration."""

    id: Id
    alt: Annotated[str, Field(max_length=2_000)] = ""


class Said(Input):
    """What is left out: the language is detected, the audience is all staff, or the group's in a group."""

    text: Text
    title: Annotated[Title, Field(description="Announcements have one")] = ""
    kind: PostKind = PostKind.POST
    group_id: Id | None = None
    audience: Audience | None = None
    classification: Level | None = None
    language: Language | None = None
    must_acknowledge: bool = False


class NewPost(Said):
    """A post as its author sends it, with the pictures that they uploaded before."""

    pictures: Annotated[list[ShownPicture], Field(max_length=10)] = Field(default_factory=list)


class EditedPost(Input):
    """The whole text anew. A language that was said by somebody stays unless another one is said."""

    text: Text
    title: Title | None = None
    language: Language | None = None


class NewComment(Input):
    """`parent_id` is the comment that it answers; none: it answers the post."""

    text: Text
    parent_id: Id | None = None
    language: Language | None = None


class EditedComment(Input):
    text: Text
    language: Language | None = None


class LanguageOf(Input):
    language: Language


class Reacted(Input):
    kind: ReactionKind


class Acknowledged(Input):
    """The edition and the language that were on the screen; left out: as it is now."""

    edition: Annotated[int, Field(ge=1)] | None = None
    language: Language | None = None


class SeenUpTo(Input):
    """The publication of the newest post that was on the screen; left out: everything until now."""

    up_to: AwareDatetime | None = None


class Reach(Input):
    """Whom a post would reach: an audience, or a group's."""

    audience: Audience | None = None
    group_id: Id | None = None
    classification: Level | None = None
    by_role: Annotated[bool, Field(description="Also how many of them have which role")] = False
