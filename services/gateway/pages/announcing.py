"""Speaking for the organisation: an announcement, its audience, and who has read it."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import Response

from services.gateway import places
from services.gateway.clauses import Words
from services.gateway.clients import part
from services.gateway.locale import in_order
from services.gateway.pages import mentions
from services.gateway.pages.addressees import my_groups, together
from services.gateway.pages.audiences import know_units
from services.gateway.pages.cards import post_of
from services.gateway.pages.composing import reach_if_known, reach_of
from services.gateway.pages.failures import Failures
from services.gateway.pages.member_answers import units_of
from services.gateway.pages.parts import key_of
from services.gateway.pages.talk_answers import Done, PostList, Reader, Report
from services.gateway.pages.visit import Form, Member, Names, Visit
from services.gateway.view_models import GroupRef
from services.gateway.view_models.talk import (
    AnnouncementForm,
    AnnounceView,
    AudienceChoice,
    Reach,
    ReaderLine,
    ReportView,
    ShareLine,
    Whom,
    WhomView,
)
from shared.kernel.audience import EVERYONE, GROUP, STAFF, UNIT
from shared.kernel.errors import Forbidden, Refused, Unavailable
from shared.runtime.ids import new_id

SOME = "some"
#: How the clauses begin that may be chosen beside those of groups.
ROLE, COUNTRY, LANGUAGE = "role:", "country:", "language:"
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
    return visit.show(WhomView(await _whom(visit, form, await _named(visit, form.audience))))


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


def _target(form: AnnouncementForm) -> dict[str, object]:
    """Guests are among everyone, and see only what is open. Raises Refused."""
    if form.to == SOME:
        return {"audience": list(together(form.audience, every=form.fits == "each"))}
    return {"audience": [form.to], **({"classification": "open"} if form.to == EVERYONE else {})}


async def _whom(visit: Visit, form: AnnouncementForm, named: Mapping[str, str]) -> Whom:
    """Nobody, where nothing is chosen yet. `named` are units and groups by their clauses."""
    if not form.to or (form.to == SOME and not form.audience):
        return Whom(reach=Reach(0))
    words = Words(visit.locale, visit.signed_in.held.member_id, named)
    told = words.told(form.audience, every=form.fits == "each") if form.to == SOME else ""
    try:
        return Whom(told, await reach_of(visit, _target(form)))
    except Unavailable:
        return Whom(told)
    except Refused as refused:
        return Whom(told, problem=visit.said(refused))


async def _named(visit: Visit, clauses: Sequence[str]) -> dict[str, str]:
    """What the units and groups among these are called."""
    await know_units(visit, clauses)
    groups = await my_groups(visit) if any(clause.startswith(GROUP) for clause in clauses) else []
    return _by_clause(visit.units, groups)


def _by_clause(units: Mapping[str, str], groups: Iterable[GroupRef]) -> dict[str, str]:
    return {
        **{UNIT + unit_id: name for unit_id, name in units.items()},
        **{GROUP + group.id: group.name for group in groups},
    }


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
    everybody = await reach_if_known(visit, {"audience": [STAFF], "by_role": True}) or Reach(0)
    units = {unit.id: unit.name for unit in (await units_of(visit)).values()}
    named = _by_clause(units, await my_groups(visit))
    here, role = visit.locale, Words(visit.locale).role
    view = AnnounceView(
        form=form,
        roles=_choices(form, ROLE, _counted(ROLE, everybody.roles, role)),
        countries=_choices(form, COUNTRY, _counted(COUNTRY, everybody.countries, here.country_name)),
        languages=_choices(form, LANGUAGE, _counted(LANGUAGE, everybody.languages, here.language_name)),
        units=_choices(form, UNIT, _called(UNIT, named)),
        groups=_choices(form, GROUP, _called(GROUP, named)),
        whom=await _whom(visit, form, named),
        errors=failures.errors if failures else {},
        problem=failures.problem if failures else "",
    )
    return visit.show(view, place="home", status=failures.status if failures else 200)


def _counted(kind: str, people: Mapping[str, int], named: Callable[[str], str]) -> list[AudienceChoice]:
    """In the order of their names."""
    return [AudienceChoice(kind + code, people[code]) for code in in_order(people, named)]


def _called(kind: str, named: Mapping[str, str]) -> list[AudienceChoice]:
    return [AudienceChoice(clause, name=name) for clause, name in named.items() if clause.startswith(kind)]


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
        fits="each" if sent.text("fits") == "each" else "any",
        language=sent.text("language"),
        must_acknowledge="must_acknowledge" in sent.fields,
        mentions=mentions.pairs_of(sent),
    )
