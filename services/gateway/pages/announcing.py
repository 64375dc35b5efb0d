"""Speaking for the organisation: an announcement, its audience, and who has read it."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import Response

from services.gateway import places
from services.gateway.clients import part
from services.gateway.locale import in_order
from services.gateway.pages import mentions
from services.gateway.pages.addressees import my_groups
from services.gateway.pages.cards import post_of
from services.gateway.pages.composing import reach_if_known
from services.gateway.pages.failures import Failures
from services.gateway.pages.member_answers import units_of
from services.gateway.pages.parts import key_of
from services.gateway.pages.talk_answers import Done, PostList, Reader, Report
from services.gateway.pages.visit import Form, Member, Names, Visit
from services.gateway.view_models.talk import (
    AnnouncementForm,
    AnnounceView,
    AudienceChoice,
    Reach,
    ReachView,
    ReaderLine,
    ReportView,
    ShareLine,
)
from shared.kernel.audience import EVERYONE, GROUP, STAFF
from shared.kernel.errors import Forbidden
from shared.runtime.ids import new_id

SOME = "some"
PEOPLE_AT_ONCE = 100
SHOWN = ("all", "acknowledged", "missing", "left", "joined")

routes = APIRouter(include_in_schema=False)


@routes.get(places.NEW_ANNOUNCEMENT)
async def new_announcement(visit: Member) -> Response:
    return await _announcing(visit, AnnouncementForm(new_id()))


@routes.post(places.NEW_ANNOUNCEMENT)
async def publish_announcement(visit: Member) -> Response:
    sent = await visit.form()
    form = _form(sent)
    failures = Failures(visit, {"group_id": "audience"})
    if "look" in sent.fields:
        return await _announcing(visit, form, failures)
    if not form.to:
        failures.beside("audience", visit.locale.gettext("Choose who it is for."))
    if form.to == SOME and not form.audience:
        failures.beside("audience", visit.locale.gettext("Choose at least one audience."))
    if not failures:
        with failures.caught():
            post_id = await _publish(visit, form)
            return visit.go(places.post(post_id), f"published:{post_id}")
    return await _announcing(visit, replace(form, key=failures.key_again(form.key)), failures)


@routes.post(places.NEW_ANNOUNCEMENT + "/reach")
async def reach(visit: Member) -> Response:
    form = _form(await visit.form())
    found = await reach_if_known(visit, _target(form)) if _audience(form) else Reach(0)
    return visit.show(ReachView(found))


@routes.get("/posts/{post_id}/acknowledgements")
async def read_report(post_id: str, visit: Member, cursor: str | None = None, show: str = "all") -> Response:
    query: dict[str, str | int] = {"limit": PEOPLE_AT_ONCE, "show": show if show in SHOWN else "all"}
    query |= {"cursor": cursor} if cursor else {}
    path = f"/posts/{part(post_id)}/acknowledgements"
    report = (await visit.ask("feed", "GET", path, query=query)).read(Report)
    post = await post_of(visit, post_id)
    names = await visit.named([reader.member_id for reader in report.items])
    counts = report.counts
    shares = [ShareLine(code, each.people, each.acknowledged) for code, each in report.countries.items()]
    view = ReportView(
        post_id=post_id,
        title=report.title,
        language=post.language,
        published_at=report.published_at,
        edition=report.edition,
        people=counts.people,
        acknowledged=counts.acknowledged,
        left=counts.left,
        joined=counts.joined,
        joined_acknowledged=counts.joined_acknowledged,
        current=counts.current_edition,
        countries=sorted(shares, key=lambda share: -share.people),
        readers=[_line(reader, names) for reader in report.items],
        show=str(query["show"]),
        older=places.report(post_id, report.next, str(query["show"])) if report.next else None,
    )
    return visit.show(view, place="home")


def _line(reader: Reader, names: Names) -> ReaderLine:
    return ReaderLine(
        names.of(reader.member_id),
        reader.state,
        reader.country,
        reader.acknowledged_at,
        reader.edition,
        reader.acknowledged_in,
    )


@routes.get("/posts/{post_id}/acknowledgements.csv")
async def read_report_as_csv(post_id: str, visit: Member) -> Response:
    """What the feed lists, with names to the ids."""
    path = f"/posts/{part(post_id)}/acknowledgements"
    answer = await visit.ask("feed", "GET", path, query={"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    names = await visit.named([row["member_id"] for row in rows])
    table = io.StringIO()
    # Spreadsheets take a file without this mark for one in their own old encoding.
    table.write("\ufeff")
    writer = csv.DictWriter(table, ["name", *(rows[0] if rows else ("member_id",))])
    writer.writeheader()
    for row in rows:
        writer.writerow({"name": _plain(names.of(row["member_id"]).name), **row})
    headers = {"Content-Disposition": f'attachment; filename="acknowledgements-{part(post_id)}.csv"'}
    return Response(table.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _plain(name: str) -> str:
    """Nobody's name becomes a formula in somebody's spreadsheet."""
    return f"'{name}" if name[:1] and name[0] in "=+-@\t\r" else name


def _audience(form: AnnouncementForm) -> list[str]:
    return list(form.audience) if form.to == SOME else [form.to] if form.to else []


def _target(form: AnnouncementForm) -> dict[str, object]:
    """Guests are among everyone, and see only what is open."""
    open_ = {"classification": "open"} if form.to == EVERYONE else {}
    return {"audience": _audience(form), **open_}


async def _publish(visit: Visit, form: AnnouncementForm) -> str:
    new: dict[str, object] = {
        "kind": "announcement",
        "title": form.title,
        "text": await mentions.kept(visit, form.text, form.mentions),
        **_target(form),
        "must_acknowledge": form.must_acknowledge,
    }
    if form.language:
        new["language"] = form.language
    headers = {"Idempotency-Key": form.key}
    return (await visit.ask("feed", "POST", "/posts", json=new, headers=headers)).read(Done).id


async def _announcing(visit: Visit, form: AnnouncementForm, failures: Failures | None = None) -> Response:
    if not (await visit.ask("feed", "GET", "/feed", query={"limit": 1})).read(PostList).may.get("announce"):
        raise Forbidden(
            "may-not-announce", "Editors, leaders and the board publish announcements. Ask one of them."
        )
    everybody = await reach_if_known(visit, {"audience": [STAFF]})
    units = await units_of(visit)
    countries, languages = (everybody.countries, everybody.languages) if everybody else ({}, {})
    named = [AudienceChoice(f"unit:{unit.id}", name=unit.name) for unit in units.values()]
    mine = [AudienceChoice(GROUP + group.id, name=group.name) for group in await my_groups(visit)]
    view = AnnounceView(
        form=form,
        countries=_choices(form, "country:", _counted("country:", countries, visit.locale.country_name)),
        languages=_choices(form, "language:", _counted("language:", languages, visit.locale.language_name)),
        units=_choices(form, "unit:", named),
        groups=_choices(form, GROUP, mine),
        reach=await reach_if_known(visit, _target(form)) if _audience(form) else None,
        errors=failures.errors if failures else {},
        problem=failures.problem if failures else "",
    )
    return visit.show(view, place="home", status=failures.status if failures else 200)


def _counted(kind: str, people: Mapping[str, int], named: Callable[[str], str]) -> list[AudienceChoice]:
    """In the order of their names."""
    return [AudienceChoice(kind + code, people[code]) for code in in_order(people, named)]


def _choices(form: AnnouncementForm, kind: str, found: Sequence[AudienceChoice]) -> list[AudienceChoice]:
    """What is found, and what was chosen although it is not found now: nobody is left out unseen."""
    offered = {choice.clause for choice in found}
    chosen = [clause for clause in form.audience if clause.startswith(kind) and clause not in offered]
    return [*found, *(AudienceChoice(clause) for clause in chosen)]


def _form(sent: Form) -> AnnouncementForm:
    to = sent.text("to")
    return AnnouncementForm(
        key=key_of(sent),
        title=" ".join(sent.text("title").split()),
        text=sent.text("text"),
        to=to if to in (STAFF, EVERYONE, SOME) else "",
        audience=sent.texts("audience"),
        language=sent.text("language"),
        must_acknowledge="must_acknowledge" in sent.fields,
        mentions=mentions.pairs_of(sent),
    )
