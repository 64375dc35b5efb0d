"""The coach's list: asked for with a purpose, with offers and what came of them; what countries decided; and
what a member sees and says of being found."""

from collections.abc import Mapping
from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import Response

from services.gateway import places
from services.gateway.clients import part
from services.gateway.pages.coaching_answers import (
    ListedSaid,
    ListSaid,
    LookSaid,
    MyCoachingSaid,
    OfferSaid,
    OffersSaid,
    PoliciesSaid,
    PolicySaid,
    ShownSaid,
)
from services.gateway.pages.failures import Failures
from services.gateway.pages.member_answers import units_of
from services.gateway.pages.parts import key_of
from services.gateway.pages.visit import Form, Member, Names, Visit
from services.gateway.view_models.coaching import (
    NAMED,
    CoachForm,
    CoachListView,
    CoachView,
    LikedLine,
    ListedLine,
    LookLine,
    MadeLine,
    MyCoaches,
    PoliciesView,
    PolicyForm,
    PolicyLine,
    Tabs,
)
from services.gateway.view_models.people import UnitRef
from shared.kernel.errors import Conflict
from shared.runtime.ids import new_id

routes = APIRouter(include_in_schema=False)

OFFERS_AT_ONCE = 20
_DECIDES = frozenset({"board", "admin"})


def tabs_of(visit: Visit) -> Tabs:
    roles = visit.signed_in.held.roles
    return Tabs(visit.is_staff and "coach" in roles, visit.is_staff and bool(roles & _DECIDES))


@routes.get(places.COACH)
async def ask_for_list(visit: Member, cursor: str = "") -> Response:
    return await _asking(visit, CoachForm(new_id()), cursor=cursor)


@routes.post(places.COACH)
async def show_list(visit: Member) -> Response:
    form = _form(await visit.form())
    failures = Failures(visit, {"unit_id": "unit"})
    if not form.country:
        failures.beside("country", visit.locale.gettext("Choose a country."))
        return await _asking(visit, form, failures)
    with failures.caught():
        new = {"country": form.country, "purpose": form.purpose, "note": form.note}
        unit = {"unit_id": form.unit} if form.unit else {}
        headers = {"Idempotency-Key": form.key}
        answer = await visit.ask("engagement", "POST", "/coaching/lists", json=new | unit, headers=headers)
        shown = answer.read(ShownSaid)
        return visit.go(places.coach_list(shown.id, "yes" if shown.more else None))
    return await _asking(visit, replace(form, key=failures.key_again(form.key)), failures)


@routes.get(places.COACH + "/lists/{list_id}")
async def read_list(list_id: str, visit: Member, more: str = "") -> Response:
    return await _listing(visit, list_id, bool(more))


@routes.post(places.COACH + "/lists/{list_id}/offers")
async def make_offer(list_id: str, visit: Member) -> Response:
    sent = await visit.form()
    failures = Failures(visit)
    member_id = sent.text("member_id")
    with failures.caught():
        new = {"member_id": member_id, "offer": sent.text("offer")}
        await visit.ask("engagement", "POST", f"/coaching/lists/{part(list_id)}/offers", json=new)
        return visit.go(places.coach_list(list_id, sent.text("more") or None), "offer-noted")
    return await _listing(visit, list_id, bool(sent.text("more")), failures, member_id)


@routes.get(places.COACH_POLICIES)
async def read_policies(visit: Member) -> Response:
    return await _policies(visit, PolicyForm(new_id()))


@routes.post(places.COACH_POLICIES)
async def decide_policy(visit: Member) -> Response:
    sent = await visit.form()
    form = PolicyForm(key_of(sent), sent.text("country"), sent.text("naming"), sent.text("reason"))
    failures = Failures(visit)
    if not form.country:
        failures.beside("country", visit.locale.gettext("Choose a country."))
    if not form.naming:
        failures.beside("naming", visit.locale.gettext("Choose what coaches are told."))
    if not failures:
        with failures.caught():
            new = {"naming": form.naming, "reason": form.reason}
            path = f"/coaching/policies/{part(form.country)}"
            headers = {"Idempotency-Key": form.key}
            await visit.ask("engagement", "PUT", path, json=new, headers=headers)
            return visit.go(places.COACH_POLICIES, "policy-decided")
    return await _policies(visit, replace(form, key=failures.key_again(form.key)), failures)


@routes.post(places.MY_COACHES)
async def change_visibility(visit: Member) -> Response:
    sent = await visit.form()
    new = {"listed": "listed" in sent.fields, "likes": "likes" in sent.fields}
    await visit.ask("engagement", "PUT", "/coaching/mine", json=new)
    return visit.go(places.MY_FIGURES, "visibility-decided")


async def my_coaches(visit: Visit, cursor: str = "") -> MyCoaches:
    """For the page of one's own figures."""
    query = {"cursor": cursor} if cursor else {}
    said = (await visit.ask("engagement", "GET", "/coaching/mine", query=query)).read(MyCoachingSaid)
    names = await visit.named(look.coach_id for look in said.items)
    return MyCoaches(
        country=said.country or "",
        named=said.naming == NAMED,
        listed=said.listed,
        likes=said.likes,
        looks=[_look(look, names) for look in said.items],
        older=places.with_cursor(places.MY_FIGURES, said.next) if said.next else "",
    )


def _look(said: LookSaid, names: Names) -> LookLine:
    offers = [(each.offer, each.at) for each in said.offers]
    return LookLine(names.of(said.coach_id), said.at, said.purpose, said.note, said.could_invite, offers)


def _form(sent: Form) -> CoachForm:
    return CoachForm(
        key=key_of(sent),
        country=sent.text("country"),
        unit=sent.text("unit"),
        purpose=sent.text("purpose"),
        note=sent.text("note"),
    )


async def _asking(
    visit: Visit, form: CoachForm, failures: Failures | None = None, cursor: str = ""
) -> Response:
    query: dict[str, str | int] = {"limit": OFFERS_AT_ONCE, **({"cursor": cursor} if cursor else {})}
    made = (await visit.ask("engagement", "GET", "/coaching/offers", query=query)).read(OffersSaid)
    policies = (await visit.ask("engagement", "GET", "/coaching/policies")).read(PoliciesSaid)
    names = await visit.named(each.member_id for each in made.items)
    units = await units_of(visit)
    view = CoachView(
        form=form,
        tabs=tabs_of(visit),
        countries=[each.country for each in policies.items if each.naming == NAMED],
        units=list(units.values()),
        made=[_made(each, names) for each in made.items],
        older=places.with_cursor(places.COACH, made.next) if made.next else "",
        errors=failures.errors if failures else {},
        problem=failures.problem if failures else "",
    )
    return visit.show(view, place="adoption", status=failures.status if failures else 200)


def _made(said: OfferSaid, names: Names) -> MadeLine:
    year, _, week = (said.week or "").partition("-W")
    return MadeLine(
        said.offer,
        said.at,
        names.of(said.member_id) if said.member_id else None,
        (int(year), int(week)) if week else None,
    )


async def _listing(
    visit: Visit, list_id: str, more: bool, failures: Failures | None = None, wrong: str = ""
) -> Response:
    """Once it is over it is asked for anew."""
    try:
        answer = await visit.ask("engagement", "GET", f"/coaching/lists/{part(list_id)}")
    except Conflict:
        return visit.go(places.COACH, "list-is-over")
    said = answer.read(ListSaid)
    everybody = [member_id for item in said.items for member_id in (item.member_id, *item.inviters)]
    names, units = await visit.named(dict.fromkeys(everybody)), await units_of(visit)
    view = CoachListView(
        list_id=said.id,
        tabs=tabs_of(visit),
        country=said.country,
        unit=_unit(said.unit_id, units),
        purpose=said.purpose,
        until=said.until,
        lines=[_listed(visit, item, said, names, units) for item in said.items],
        more=more,
        wrong=wrong,
        errors=failures.errors if failures else {},
        problem=failures.problem if failures else "",
    )
    return visit.show(view, place="adoption", status=failures.status if failures else 200)


def _listed(
    visit: Visit, item: ListedSaid, said: ListSaid, names: Names, units: Mapping[str, UnitRef]
) -> ListedLine:
    likes, silent = item.likes, item.silent_since
    return ListedLine(
        who=names.of(item.member_id),
        new=item.new,
        joined=visit.locale.day(item.joined),
        silent_since=visit.locale.month(silent) if silent else "",
        longer=item.longer,
        rung=item.rung,
        unit=_unit(item.unit_id, units),
        likes=None
        if likes is None
        else [LikedLine(each.kind, each.language or "", each.things) for each in likes],
        inviters=[names.of(member_id) for member_id in item.inviters],
        offered=[made.offer for made in said.offers if made.member_id == item.member_id],
    )


def _unit(unit_id: str | None, units: Mapping[str, UnitRef]) -> str:
    """By its id where it is not among those that were asked for."""
    if unit_id is None:
        return ""
    return units[unit_id].name if unit_id in units else unit_id


async def _policies(visit: Visit, form: PolicyForm, failures: Failures | None = None) -> Response:
    said = (await visit.ask("engagement", "GET", "/coaching/policies")).read(PoliciesSaid)
    names = await visit.named(each.decided_by for each in said.items)
    tabs = tabs_of(visit)
    view = PoliciesView(
        lines=[_policy(each, names) for each in said.items],
        tabs=tabs,
        form=form if tabs.decides else None,
        errors=failures.errors if failures else {},
        problem=failures.problem if failures else "",
    )
    return visit.show(view, place="adoption", status=failures.status if failures else 200)


def _policy(said: PolicySaid, names: Names) -> PolicyLine:
    by = names.of(said.decided_by) if said.decided_by else None
    return PolicyLine(said.country, said.naming == NAMED, by, said.decided_at, said.reason)
