"""One page of the wiki, as it is and as it was."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import Response
from markupsafe import Markup

from services.gateway import places
from services.gateway.clients import part
from services.gateway.pages.answers import Comparison, ItemList, OldPage, Page, StepList, authors
from services.gateway.pages.audiences import groups_among, know_units, let_in_by
from services.gateway.pages.differences import facts, passages
from services.gateway.pages.parts import head, head_of, line, page_of, place_of, ref, rights
from services.gateway.pages.trees import branch
from services.gateway.pages.visit import Member, Visit
from services.gateway.view_models import (
    CompareView,
    DeletedPageView,
    HistoryView,
    Notice,
    RevisionLine,
    RevisionView,
    TocEntry,
    WikiPageView,
)

#: Of the history and of the pages that link here, beside the page itself.
LATEST = 5
LINKING = 8
LINKING_COUNTED = 100
STEPS = 40

PAGE = places.WIKI + "/pages/{page_id}"

routes = APIRouter(include_in_schema=False)


@routes.get(PAGE)
async def read_page(page_id: str, visit: Member) -> Response:
    address = f"/wiki/pages/{part(page_id)}"
    page, steps, links = await asyncio.gather(
        page_of(visit, page_id),
        visit.ask_if_there(StepList, "wiki", f"{address}/revisions", {"limit": LATEST}),
        visit.ask_if_there(ItemList, "wiki", f"{address}/backlinks", {"limit": LINKING_COUNTED}),
    )
    if page.deleted:
        return await deleted_page(visit, page)
    history = steps.items if steps else []
    linking = links.items if links else []
    (space, nodes), names, groups, _ = await asyncio.gather(
        place_of(visit, page.space_id),
        visit.named([page.owner_id, page.author_id, *authors(history)]),
        groups_among(visit, page.audience),
        know_units(visit, page.audience),
    )
    view = WikiPageView(
        page=head(page, space, nodes),
        html=Markup(page.html),  # noqa: S704 - made safe by the wiki, which lets only listed tags through
        owner=names.of(page.owner_id),
        revised_at=page.occurred_at,
        revised_by=names.of(page.author_id),
        audience=page.audience,
        seen_because=await let_in_by(visit, page.audience),
        may=rights(page),
        toc=[TocEntry(entry.id, entry.text, entry.level) for entry in page.toc],
        nearby=branch(nodes, page.id),
        history=[line(step, names) for step in history],
        backlinks=[ref(item) for item in linking[:LINKING]],
        more_backlinks=max(0, len(linking) - LINKING),
        groups=groups,
    )
    return visit.show(view, place="wiki")


async def deleted_page(visit: Visit, page: Page, problem: str = "") -> Response:
    names = await visit.named([page.author_id])
    gone = RevisionLine(page.revision, page.occurred_at, names.of(page.author_id), page.note, "deleted")
    view = DeletedPageView(await head_of(visit, page), gone, rights(page))
    notices = [Notice(problem, "bad")] if problem else []
    return visit.show(view, place="wiki", status=409 if problem else 410, notices=notices)


@routes.get(PAGE + "/history")
async def read_history(page_id: str, visit: Member, cursor: str | None = None) -> Response:
    query: dict[str, str | int] = {"limit": STEPS, **({"cursor": cursor} if cursor else {})}
    page, answer = await asyncio.gather(
        page_of(visit, page_id),
        visit.ask("wiki", "GET", f"/wiki/pages/{part(page_id)}/revisions", query=query),
    )
    steps = answer.read(StepList)
    names = await visit.named(authors(steps.items))
    latest = [step.revision for step in steps.items[:2]] if not cursor else []
    view = HistoryView(
        page=await head_of(visit, page),
        revisions=[line(step, names) for step in steps.items],
        total=steps.total,
        older=steps.next,
        old=latest[1] if len(latest) > 1 else None,
        new=latest[0] if latest else None,
    )
    return visit.show(view, place="wiki")


@routes.get(PAGE + "/revisions/{number}")
async def read_revision(page_id: str, number: int, visit: Member) -> Response:
    page, answer = await asyncio.gather(
        page_of(visit, page_id),
        visit.ask("wiki", "GET", f"/wiki/pages/{part(page_id)}/revisions/{number}"),
    )
    old = answer.read(OldPage)
    names = await visit.named([old.author_id])
    html = Markup(old.html)  # noqa: S704 - made safe by the wiki
    view = RevisionView(
        await head_of(visit, page), line(old, names), old.title or page.title, html, rights(page)
    )
    return visit.show(view, place="wiki")


@routes.get(PAGE + "/compare")
async def compare(page_id: str, visit: Member, old: int | None = None, new: int | None = None) -> Response:
    page = await page_of(visit, page_id)
    later = page.revision if new is None else new
    earlier = max(1, later - 1) if old is None else old
    if earlier > later:
        earlier, later = later, earlier
    answer = await visit.ask(
        "wiki", "GET", f"/wiki/pages/{part(page_id)}/compare", query={"from": earlier, "to": later}
    )
    found = answer.read(Comparison)
    names = await visit.named(authors([found.before, found.after]))
    view = CompareView(
        page=await head_of(visit, page),
        old=line(found.before, names),
        new=line(found.after, names),
        blocks=passages(found.blocks),
        may=rights(page),
        facts=facts(found.before, found.after),
        earlier=(earlier - 1, earlier) if earlier > 1 else None,
        later=(later, later + 1) if later < page.revision else None,
    )
    return visit.show(view, place="wiki")
