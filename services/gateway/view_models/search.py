"""What searching wants: results, filters as links, suggestions while somebody types."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from services.gateway.view_models.shell import GroupRef, Person, SpaceRef, View

SearchKind = Literal["post", "comment", "page", "group", "person"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text; `found` is what was looked for."""

    text: str
    found: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found, where it lies, and the best of what was found in it."""

    kind: SearchKind
    address: str
    title: Sequence[Piece]
    passages: Sequence[Sequence[Piece]]
    language: str
    at: datetime
    by: Person | None = None
    group: GroupRef | None = None
    space: SpaceRef | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter, as a link. `label` is in `language`, where that is known; `code` is a value that
    the template has words for."""

    address: str
    count: int | None = None
    chosen: bool = False
    label: str = ""
    code: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    name: Literal["kind", "language", "when", "group", "space"]
    choices: Sequence[Choice]


@dataclass(frozen=True, slots=True)
class Results:
    """None of it while search is away. `kept` are the filters that go along with the next question."""

    total: int = 0
    hits: Sequence[Hit] = ()
    more: str | None = None
    did_you_mean: tuple[str, str] | None = None
    kinds: Sequence[Choice] = ()
    orders: Sequence[Choice] = ()
    filters: Sequence[Filter] = ()
    without_filters: str | None = None
    away: bool = False
    #: Why nothing could be looked for, beside the field.
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SearchView(View):
    """`kept` are the filters that go along with the next question."""

    template: ClassVar[str] = "pages/search.html"
    query: str
    results: Results
    kept: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class FoundView(View):
    """What changes of the page for searching while somebody types: a fragment, no page."""

    template: ClassVar[str] = "parts/found.html"
    query: str
    results: Results


@dataclass(frozen=True, slots=True)
class Suggested:
    kind: SearchKind
    address: str
    title: Sequence[Piece]
    language: str


@dataclass(frozen=True, slots=True)
class SuggestionsView(View):
    """What may be meant by what was typed so far: a fragment under the box."""

    template: ClassVar[str] = "parts/suggestions.html"
    query: str
    items: Sequence[Suggested] = ()
    problem: str = ""
