"""Searching everything: results with filters as plain links, and suggestions while somebody types."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from services.gateway import places
from services.gateway.clients import Away
from services.gateway.pages import said
from services.gateway.pages.answers import SpaceList
from services.gateway.pages.search_answers import Count, Facets, Found, FoundItem, Suggestions, address_of
from services.gateway.pages.visit import Member, Names, Visit
from services.gateway.view_models import (
    Choice,
    Filter,
    FoundView,
    GroupRef,
    Hit,
    Results,
    SearchView,
    SpaceRef,
    Suggested,
    SuggestionsView,
)
from shared.kernel.errors import Forbidden, NotFound, Refused, TooMany, Unauthenticated, Unavailable

AT_ONCE = 20
SUGGESTED = 8
#: Values of one filter.
MOST_CHOICES = 8
#: Groups whose names are asked for on one page.
MOST_GROUPS = 24
SPACES = 100
KINDS = ("page", "post", "comment", "person", "group")
_DAYS = {"week": 7, "month": 31, "year": 365}
#: What the part of the page that changes while somebody types is called in it.
_FOUND = "found"

routes = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its filters, as they stand in the address."""

    q: str = ""
    kind: str = ""
    language: str = ""
    when: str = ""
    group: str = ""
    space: str = ""
    sort: str = ""
    cursor: str = ""

    @property
    def given(self) -> dict[str, str]:
        """What is not left out; the cursor goes along with no other question."""
        names = ("q", "kind", "language", "when", "group", "space", "sort")
        return {name: value for name in names if (value := getattr(self, name))}

    @property
    def filters(self) -> dict[str, str]:
        return {name: value for name, value in self.given.items() if name not in ("q", "sort")}

    def link(self, **changed: str) -> str:
        asked = {name: value for name, value in {**self.given, **changed}.items() if value}
        return places.search(**asked)

    def query(self, now: datetime) -> dict[str, str | int]:
        """For the service, which knows days and not weeks."""
        asked: dict[str, str | int] = {"limit": AT_ONCE, **self.given}
        if asked.pop("when", None) and self.when in _DAYS:
            asked["from"] = (now - timedelta(days=_DAYS[self.when])).date().isoformat()
        return asked | ({"cursor": self.cursor} if self.cursor else {})


@routes.get(places.SEARCH)
async def search(
    visit: Member,
    q: str = "",
    kind: str = "",
    language: str = "",
    when: str = "",
    group: str = "",
    space: str = "",
    sort: str = "",
    cursor: str = "",
) -> Response:
    asked = Asked(" ".join(q.split()), kind, language, when, group, space, sort, cursor)
    results = await _results(visit, asked) if asked.q or asked.filters else Results()
    if visit.request.headers.get("hx-target") == _FOUND:
        return visit.show(FoundView(asked.q, results))
    kept = [(name, value) for name, value in asked.given.items() if name != "q"]
    status = 422 if results.problem else 200
    return visit.show(SearchView(asked.q, results, kept), place="search", status=status)


@routes.get(places.SUGGESTIONS)
async def suggestions(visit: Member, q: str = "") -> Response:
    typed = " ".join(q.split())
    query: dict[str, str | int] = {"q": typed, "limit": SUGGESTED}
    try:
        found = await visit.ask_if_there(Suggestions, "search", "/suggestions", query) if typed else None
    except Refused as refused:
        return visit.show(SuggestionsView(typed, problem=_not_asked(visit, refused)))
    listed = found.items if found else []
    names = await visit.named(whom for each in listed for whom in each.mentioned)
    nameless = said.Nameless.of(visit.locale)
    items = [
        Suggested(each.kind, address_of(each), each.named(each.shown, names, nameless), each.language)
        for each in listed
    ]
    return visit.show(SuggestionsView(typed, items))


def _not_asked(visit: Visit, refused: Refused) -> str:
    """What stands beside the field. Raises what no other words would mend."""
    if isinstance(refused, (Unauthenticated, Forbidden, NotFound, TooMany, Unavailable)):
        raise refused
    return visit.said(refused)


async def _results(visit: Visit, asked: Asked) -> Results:
    try:
        answer = await visit.ask("search", "GET", "/search", query=asked.query(datetime.now(UTC)))
    except Away:
        return Results(away=True)
    except Refused as refused:
        return Results(problem=_not_asked(visit, refused))
    found = answer.read(Found)
    facets = found.facets or Facets()
    ids = [item.group_id for item in found.items if item.kind != "group"]
    names, groups, spaces = await asyncio.gather(
        _names(visit, found.items),
        _groups(visit, [*(count.value for count in facets.group[:MOST_CHOICES]), *ids]),
        _spaces(visit),
    )
    return Results(
        total=found.total,
        hits=[_hit(visit, item, names, groups, spaces) for item in found.items],
        more=places.search(**asked.given, cursor=found.next) if found.next else None,
        did_you_mean=(found.did_you_mean, asked.link(q=found.did_you_mean)) if found.did_you_mean else None,
        kinds=_kinds(asked, facets, found.total),
        orders=_orders(asked),
        filters=_filters(asked, facets, groups, spaces) if found.facets else (),
        without_filters=places.search(q=asked.q) if asked.filters and asked.q else None,
    )


async def hits_of(visit: Visit, items: Sequence[FoundItem]) -> list[Hit]:
    """What was found, with names."""
    names, groups, spaces = await asyncio.gather(
        _names(visit, items),
        _groups(visit, [item.group_id for item in items]),
        _spaces(visit),
    )
    return [_hit(visit, item, names, groups, spaces) for item in items]


async def _names(visit: Visit, items: Sequence[FoundItem]) -> Names:
    """Of the authors, and of whom the texts mention."""
    return await visit.named(member_id for item in items for member_id in (item.author_id, *item.mentioned))


def _hit(
    visit: Visit,
    item: FoundItem,
    names: Names,
    groups: Mapping[str, GroupRef],
    spaces: Mapping[str, SpaceRef],
) -> Hit:
    nameless = said.Nameless.of(visit.locale)
    return Hit(
        kind=item.kind,
        address=address_of(item),
        title=item.named(item.marked_title, names, nameless),
        passages=[item.named(passage, names, nameless) for passage in item.passages],
        language=item.language,
        at=item.occurred_at,
        by=names.of(item.author_id) if item.author_id else None,
        group=groups.get(item.group_id or "") if item.kind != "group" else None,
        space=spaces.get(item.space_id or ""),
    )


def _kinds(asked: Asked, facets: Facets, total: int) -> list[Choice]:
    """Everything, then each kind of which there is something."""
    counts = {count.value: count.count for count in facets.kind}
    everything = sum(counts.values()) if facets.kind else total
    shown = [k for k in KINDS if counts.get(k) or k == asked.kind]
    return [
        Choice(asked.link(kind=""), everything, not asked.kind, code="all"),
        *(
            Choice(asked.link(kind=kind), counts.get(kind, 0), asked.kind == kind, code=kind)
            for kind in shown
        ),
    ]


def _orders(asked: Asked) -> list[Choice]:
    newest = asked.sort == "newest"
    return [
        Choice(asked.link(sort=""), chosen=not newest, code="best"),
        Choice(asked.link(sort="newest"), chosen=newest, code="newest"),
    ]


def _filters(
    asked: Asked, facets: Facets, groups: Mapping[str, GroupRef], spaces: Mapping[str, SpaceRef]
) -> list[Filter]:
    languages = [
        Choice(asked.link(language=count.value), count.count, count.value == asked.language, code=count.value)
        for count in facets.language[:MOST_CHOICES]
    ]
    times = [Choice(asked.link(when=when), chosen=when == asked.when, code=when) for when in ("", *_DAYS)]
    inside = _named(asked, "group", facets.group, {k: (g.name, g.language) for k, g in groups.items()})
    within = _named(asked, "space", facets.space, {k: (s.name, "") for k, s in spaces.items()})
    any_language = Choice(asked.link(language=""), None, not asked.language)
    found = [Filter("language", [any_language, *languages]), Filter("when", times)]
    found += [Filter("group", inside)] if inside else []
    return found + ([Filter("space", within)] if within else [])


def _named(
    asked: Asked, name: str, counts: Sequence[Count], known: Mapping[str, tuple[str, str]]
) -> list[Choice]:
    """Groups or spaces; the chosen one leads back to all of them."""
    chosen = asked.given.get(name, "")
    choices = []
    for count in counts[:MOST_CHOICES]:
        if count.value in known:
            label, language = known[count.value]
            here = count.value == chosen
            link = asked.link(**{name: "" if here else count.value})
            choices.append(Choice(link, count.count, here, label, language=language))
    return choices


async def _groups(visit: Visit, group_ids: Sequence[str | None]) -> dict[str, GroupRef]:
    """By id: who sees what was said in a group may know what it is called."""
    known = {group.id: group for group in visit.groups}
    wanted = [each for each in dict.fromkeys(group_ids) if each and each not in known][:MOST_GROUPS]
    found = await visit.people.groups.known(visit.signed_in, wanted)
    return known | {group_id: group for group_id, group in found.items() if group.name}


async def _spaces(visit: Visit) -> dict[str, SpaceRef]:
    listed = await visit.ask_if_there(SpaceList, "wiki", "/wiki/spaces", {"limit": SPACES})
    return {space.id: SpaceRef(space.id, space.name) for space in listed.items} if listed else {}
