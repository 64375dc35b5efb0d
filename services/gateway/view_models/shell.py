"""What surrounds every page, and the pieces that many pages show."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from services.gateway.locale import Locale

ProblemArea = Literal["", "post", "person", "group", "page", "figure"]
ProblemKind = Literal[
    "not-found",
    "forbidden",
    "signed-out",
    "expired",
    "conflict",
    "too-large",
    "too-many",
    "invalid",
    "away",
    "failed",
]
Theme = Literal["light", "dark"]
Place = Literal["home", "groups", "wiki", "people", "search", "adoption", "operate", "settings"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who did something. `erased` and `unknown` members are shown by words instead of a name.

    `synthetic`: there is no such person, and the page says so. `gone`: they have left the organisation.
    """

    id: str
    name: str
    initials: str
    state: Literal["known", "unknown", "erased"] = "known"
    synthetic: bool = False
    gone: bool = False

    @classmethod
    def named(cls, member_id: str, name: str, *, synthetic: bool = False, gone: bool = False) -> "Person":
        state: Literal["known", "unknown"] = "known" if name.strip() else "unknown"
        return cls(member_id, name, initials(name), state, synthetic, gone)

    @classmethod
    def erased(cls, member_id: str) -> "Person":
        return cls(member_id, "", "", "erased")


def initials(name: str) -> str:
    """The first letters of the first and the last word: Elżbieta Nowak is EN."""
    words = re.findall(r"[^\W_][\w'\u2019]*", name)
    ends = words[:1] + words[1:][-1:]
    return "".join(word[0] for word in ends).upper()


@dataclass(frozen=True, slots=True)
class Notice:
    """What just happened, or what the reader should know, above the page. `text` is translated already."""

    text: str
    kind: Literal["done", "info", "warn", "bad"] = "done"
    #: The post that was published a moment ago, and can be taken back.
    published: str = ""
    #: What was kept of it on the device until it arrived. A notice may tell nothing but this.
    draft: str = ""


@dataclass(frozen=True, slots=True)
class GroupRef:
    """A group; its name and purpose are in `language`, where that is known."""

    id: str
    name: str
    language: str = ""

    @property
    def initials(self) -> str:
        return initials(self.name)


@dataclass(frozen=True, slots=True)
class Shell:
    """What surrounds every page. `path` is its address with the query, to return to."""

    locale: Locale
    now: datetime
    path: str
    csrf_token: str
    viewer: Person | None = None
    operator: bool = False
    may_write: bool = False
    theme: Theme | None = None
    place: Place | None = None
    notices: Sequence[Notice] = ()
    #: What the reader just did may not show yet.
    behind: bool = False
    #: The reader's own groups, the first few by name.
    groups: Sequence[GroupRef] = ()
    #: Names of units that the page speaks of, by id.
    units: Mapping[str, str] = field(default_factory=dict)
    #: A demonstration company lives here.
    demo: bool = False


class View:
    """What one template shows."""

    __slots__ = ()
    template: ClassVar[str]


@dataclass(frozen=True, slots=True)
class SpaceRef:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class PageRef:
    id: str
    title: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class ChangedPage:
    """A page in a list of what changed lately."""

    page: PageRef
    space: SpaceRef
    at: datetime
    by: Person
    note: str = ""


@dataclass(frozen=True, slots=True)
class SpaceCard:
    space: SpaceRef
    pages: int | None
    changed_at: datetime | None = None
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Typed:
    """Texts by field that somebody sent to `address`, with the form's other fields: they were not taken."""

    address: str
    texts: Mapping[str, str]
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProblemView(View):
    """`kind` chooses the words, `detail` is a translated refusal. Nothing of the inside is shown
    but the correlation id, by which operators find the request. What was typed is not lost."""

    template: ClassVar[str] = "pages/problem.html"
    kind: ProblemKind
    detail: str = ""
    correlation_id: str = ""
    typed: Typed | None = None
    #: Whether something was to be done, rather than read; and which part of the site it was about.
    sent: bool = True
    about: ProblemArea = ""
