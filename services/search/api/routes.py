"""The two questions that search answers: what is there about this, and what does this lead to."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Query, Response
from pydantic import StringConstraints

from services.search import projections
from services.search.api.answers import Count, Facets, Found, Hit, Suggestion, Suggestions
from services.search.api.showing import highlights, title_pieces
from services.search.finding import Asked, Finding, Page
from services.search.projections import Kind
from services.search.queries import Filters, Sort
from services.search.words import question
from shared.kernel.errors import Refused
from shared.kernel.projection import Projection
from shared.runtime import cursors
from shared.runtime.http import After, Caller, Cursor, PageSize, answer_behind
from shared.runtime.readers import Readers

Text = Annotated[
    str | None,
    Query(description='Words, "phrases" and -words to leave out; without it everything, newest first'),
]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,63}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([_\-][A-Za-z0-9]{1,8}){0,3}$")]
Kinds = Annotated[list[Kind], Query(max_length=5, description="Of these kinds only")]
Languages = Annotated[list[Code], Query(max_length=20, description="In these languages only")]
Day = Annotated[date | None, Query()]


class Behind(Protocol):
    """Waits until views hold a commit; True where they may not."""

    def __call__(
        self, after: str | None, *views: Projection[Any], key: str | None = None
    ) -> Awaitable[bool]: ...


@dataclass(frozen=True, slots=True)
class Search:
    """The service's parts that routes need."""

    finding: Finding
    readers: Readers
    behind: Behind


def router(search: Search) -> APIRouter:
    api = APIRouter(tags=["search"])
    _search(api, search)
    _suggestions(api, search)
    return api


def _search(api: APIRouter, search: Search) -> None:
    @api.get("/search")
    async def search_everything(
        caller: Caller,
        response: Response,
        limit: PageSize,
        cursor: Cursor,
        after: After,
        q: Text = None,
        kind: Kinds = [],  # noqa: B006
        language: Languages = [],  # noqa: B006
        since: Annotated[date | None, Query(alias="from", description="Not before this day, in UTC")] = None,
        to: Annotated[date | None, Query(description="Not after this day, in UTC")] = None,
        group: Annotated[Id | None, Query(description="Said in this group only")] = None,
        space: Annotated[Id | None, Query(description="In this space of the wiki only")] = None,
        author: Annotated[Id | None, Query(description="Said, or last changed, by this member only")] = None,
        sort: Annotated[Sort, Query(description="Without `q` always newest")] = "relevance",
    ) -> Found:
        """Posts, comments, pages, groups and people with these words in any of their forms.

        Where that is little, what begins or ends with one of them comes behind, in the languages that write
        several words as one.
        """
        if since is not None and to is not None and since > to:
            raise Refused("days-reversed", "The first day is after the last one.", field="from")
        asked = question(q) if q is not None and q.strip() else None
        filters = Filters(tuple(kind), tuple(language), group, space, since, to, author)
        order: Sort = "newest" if asked is None else sort
        reader = await search.readers.of(caller)
        answer_behind(response, await search.behind(after, projections.items))
        origin, last, widely = _mark(cursor, order)
        page = await search.finding.page(reader, Asked(asked, filters, order, limit, last, origin, widely))
        meant = None
        if asked is not None and not page.total and cursor is None:
            meant = await search.finding.meant(reader, asked, filters)
        return Found(
            total=page.total,
            items=[_hit(hit) for hit in page.hits],
            next=_next(page, order, last),
            did_you_mean=meant,
            facets=_facets(page),
        )


def _suggestions(api: APIRouter, search: Search) -> None:
    @api.get("/suggestions")
    async def suggest(
        caller: Caller,
        response: Response,
        limit: PageSize,
        after: After,
        q: Annotated[str, Query(description="What was typed so far")],
        kind: Kinds = [],  # noqa: B006
    ) -> Suggestions:
        """What begins like this, as one types: titles and names first."""
        if not q.strip():
            return Suggestions(items=[])
        asked = question(q)
        reader = await search.readers.of(caller)
        answer_behind(response, await search.behind(after, projections.items))
        typed = [*asked.words, *asked.phrases]
        hits = await search.finding.suggestions(reader, typed, limit, kind)
        return Suggestions(items=[_suggestion(hit["_source"], typed) for hit in hits])


#: Hits that can be paged through by relevance; by time there is no end.
DEEPEST = 9_000


def _mark(cursor: list[Any] | None, order: Sort) -> tuple[datetime | None, Sequence[Any] | None, bool | None]:
    """From when newness is counted, the sort values of the last hit, and whether it is asked widely."""
    match cursor, order:
        case None, _:
            return None, None, None
        case [datetime() as origin, bool(widely), int(place)], "relevance" if _is_deep(place):
            return origin, [place], widely
        case [datetime() as origin, bool(widely), int(moment), str(key)], "newest" if type(moment) is int:
            return origin, [moment, key], widely
    raise Refused(
        "bad-cursor", "This page mark is not valid. Start again from the first page.", field="cursor"
    )


def _is_deep(place: int) -> bool:
    return type(place) is int and 0 < place <= DEEPEST


def _next(page: Page, order: Sort, last: Sequence[Any] | None) -> str | None:
    """By relevance pages go on by number: a score would tell how common a word is in what one may not see."""
    if not page.more:
        return None
    of_all = [page.origin, page.widely]
    if order == "newest":
        return cursors.encode([*of_all, *page.hits[-1]["sort"]])
    place = (last[0] if last else 0) + len(page.hits)
    return cursors.encode([*of_all, place]) if place <= DEEPEST else None


def _hit(hit: dict[str, Any]) -> Hit:
    said = hit["_source"]
    return Hit(**_place(said), occurred_at=said["occurred_at"], highlights=highlights(hit))


def _suggestion(said: dict[str, Any], typed: Sequence[str]) -> Suggestion:
    return Suggestion(**_place(said), pieces=title_pieces(said["shown"], typed))


def _place(said: dict[str, Any]) -> dict[str, Any]:
    """What it is and where it leads."""
    names = ("kind", "id", "language", "author_id", "group_id", "space_id", "post_id", "path")
    return {"title": said["shown"], **{name: said.get(name) for name in names}}


def _facets(page: Page) -> Facets | None:
    if page.facets is None:
        return None
    counted = {
        name: [Count(value=value, count=count) for value, count in values]
        for name, values in page.facets.items()
    }
    return Facets(**counted)
