"""Groups: mine, those to discover, starting one; one group with its talk, and coming and going."""

import asyncio
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.gateway import places
from services.gateway.clients import Answer, Away, part
from services.gateway.pages.answers import Space
from services.gateway.pages.cards import feed_of
from services.gateway.pages.composing import composer
from services.gateway.pages.failures import Failures
from services.gateway.pages.group_answers import Group, GroupList, InsideList, Started, group_of
from services.gateway.pages.parts import key_of
from services.gateway.pages.visit import Form, Member, Names, Visit
from services.gateway.view_models import (
    GroupForm,
    GroupFormView,
    GroupHead,
    GroupOfferView,
    GroupsView,
    GroupView,
    Notice,
    Offer,
    SpaceRef,
)
from shared.kernel.errors import Forbidden, NotFound
from shared.runtime.ids import new_id

GROUP = places.GROUPS + "/{group_id}"
#: The reader's own groups, groups on one page of those to discover, and groups that they are asked into.
MINE = 100
AT_ONCE = 24
OFFERS = 20
#: People who are asked for beside the talk: all owners come first.
BESIDE = 24
FACES = 4
MOST_OWNERS = 8

routes = APIRouter(include_in_schema=False)


@routes.get(places.GROUPS)
async def groups(
    visit: Member,
    q: str = "",
    cursor: str | None = None,
    mine: str | None = None,
    asked_in: Annotated[str | None, Query(alias="asked")] = None,
) -> Response:
    if mine:
        return await _rest_of_mine(visit, mine)
    if asked_in:
        return await _rest_of_offers(visit, asked_in)
    asked: dict[str, str | int] = {"limit": AT_ONCE, **({"q": q} if q else {})}
    listed = visit.ask("groups", "GET", "/groups", query=asked | ({"cursor": cursor} if cursor else {}))
    if q or cursor:
        found = (await listed).read(GroupList)
        cards = [group.card for group in found.items if q or not group.mine.standing]
        view = GroupsView([], cards, query=q, total=found.total, more=found.next)
        return visit.show(view, place="groups")
    try:
        answers = await asyncio.gather(
            _mine(visit),
            _offered(visit),
            listed,
        )
    except Away:
        text = visit.locale.gettext("The groups do not answer right now. Try again in a minute.")
        return visit.show(GroupsView([], []), place="groups", notices=[Notice(text, "warn")])
    own, offers, all_ = (answer.read(GroupList) for answer in answers)
    view = GroupsView(
        mine=[group.card for group in own.items],
        found=[group.card for group in all_.items if group.mine.standing not in ("owner", "member")],
        offers=await _offers(visit, offers),
        total=all_.total,
        more=all_.next,
        more_mine=own.next,
        more_offers=offers.next,
        finds_owners=visit.is_administrator,
    )
    return visit.show(view, place="groups")


async def _mine(visit: Visit, cursor: str | None = None) -> Answer:
    query: dict[str, str | int] = {"mine": "true", "limit": MINE, **({"cursor": cursor} if cursor else {})}
    return await visit.ask("groups", "GET", "/groups", query=query)


async def _rest_of_mine(visit: Visit, cursor: str) -> Response:
    own = (await _mine(visit, cursor)).read(GroupList)
    cards = [group.card for group in own.items]
    return visit.show(GroupsView(cards, [], more_mine=own.next, only_rest=True), place="groups")


async def _offered(visit: Visit, cursor: str | None = None) -> Answer:
    query: dict[str, str | int] = {"limit": OFFERS, **({"cursor": cursor} if cursor else {})}
    return await visit.ask("groups", "GET", "/invitations", query=query)


async def _offers(visit: Visit, listed: GroupList) -> list[Offer]:
    names = await visit.named(offer.mine.invited_by for offer in listed.items)
    return [offer.offer(names) for offer in listed.items]


async def _rest_of_offers(visit: Visit, cursor: str) -> Response:
    listed = (await _offered(visit, cursor)).read(GroupList)
    offers = await _offers(visit, listed)
    return visit.show(GroupsView([], [], offers, more_offers=listed.next, only_rest=True), place="groups")


@routes.get(places.NEW_GROUP)
async def new_group(visit: Member) -> Response:
    _check_staff(visit)
    return visit.show(GroupFormView(GroupForm(new_id(), language=visit.locale.language)), place="groups")


@routes.post(places.NEW_GROUP)
async def start_group(visit: Member) -> Response:
    form = _form(await visit.form())
    failures = Failures(visit)
    if not form.name:
        failures.beside("name", visit.locale.gettext("Give the group a name."))
    if not failures:
        with failures.caught():
            new = {"openness": form.openness, **_description(form)}
            headers = {"Idempotency-Key": form.key}
            answer = await visit.ask("groups", "POST", "/groups", json=new, headers=headers)
            return visit.go(places.group(answer.read(Started).id), "group-started")
    return _filling_in(visit, form, failures)


@routes.get(GROUP)
async def read_group(group_id: str, visit: Member, cursor: str | None = None) -> Response:
    group = await group_of(visit, group_id)
    if group.openness is None:
        names = await visit.named([group.mine.invited_by])
        return visit.show(GroupOfferView(group.offer(names)), place="groups")
    return visit.show(await _talk(visit, group, cursor), place="groups")


async def _talk(visit: Visit, group: Group, cursor: str | None = None) -> GroupView:
    here = places.group(group.id)
    inside, feed = await asyncio.gather(
        inside_of(visit, group.id, BESIDE), feed_of(visit, here, group_id=group.id, cursor=cursor)
    )
    members = inside.items if inside else []
    names = await visit.named([member.member_id for member in members])
    owners = [member for member in members if member.standing == "owner"][:MOST_OWNERS]
    return GroupView(
        head=await head_of(visit, group, inside, names),
        owners=[names.of(owner.member_id) for owner in owners],
        started_at=group.started_at,
        feed=feed,
        composer=composer(visit, group=group.ref, back=here) if group.rights.leave else None,
    )


@routes.get(GROUP + "/edit")
async def describe_group(group_id: str, visit: Member) -> Response:
    group = await _describable(visit, group_id)
    form = GroupForm(
        new_id(), group.name, group.purpose, group.language, group.openness or "open", group.version
    )
    return visit.show(GroupFormView(form, group.ref), place="groups")


@routes.post(GROUP + "/edit")
async def save_group(group_id: str, visit: Member) -> Response:
    sent = await visit.form()
    group = await _describable(visit, group_id)
    form = replace(_form(sent), openness=group.openness or "open", version=sent.number("version") or 0)
    failures = Failures(visit)
    with failures.caught():
        headers = {"Idempotency-Key": form.key, "If-Match": f'"{form.version}"'}
        await visit.ask(
            "groups", "PUT", f"/groups/{part(group_id)}", json=_description(form), headers=headers
        )
        return visit.go(places.group(group_id), "group-described")
    # Whoever sends it again has seen that somebody else was faster.
    return _filling_in(visit, replace(form, version=group.version), failures, group)


@routes.post(GROUP + "/join")
async def join(group_id: str, visit: Member) -> Response:
    await visit.form()
    await visit.ask("groups", "PUT", f"/groups/{part(group_id)}/members/me")
    return visit.go(places.group(group_id), "joined")


@routes.post(GROUP + "/leave")
async def leave(group_id: str, visit: Member) -> Response:
    await visit.form()
    group = await group_of(visit, group_id)
    failures = Failures(visit)
    with failures.caught():
        await visit.ask("groups", "DELETE", f"/groups/{part(group_id)}/members/me")
        # Guests see of open groups, too, only those that they are in.
        stays = group.openness == "open" and visit.is_staff
        return visit.go(places.group(group_id) if stays else places.GROUPS, "left")
    notice = Notice(failures.problem or " ".join(failures.errors.values()), "bad")
    return visit.show(await _talk(visit, group), place="groups", status=failures.status, notices=[notice])


@routes.post(GROUP + "/decline")
async def decline(group_id: str, visit: Member) -> Response:
    await visit.form()
    await visit.ask("groups", "DELETE", f"/invitations/{part(group_id)}")
    return visit.go(places.GROUPS, "declined")


async def inside_of(visit: Visit, group_id: str, limit: int, cursor: str | None = None) -> InsideList | None:
    """Who is in the group, owners first; None for somebody who is only asked in."""
    query: dict[str, str | int] = {"limit": limit, **({"cursor": cursor} if cursor else {})}
    try:
        return await visit.ask_if_there(InsideList, "groups", f"/groups/{part(group_id)}/members", query)
    except NotFound:
        return None


async def head_of(visit: Visit, group: Group, inside: InsideList | None, names: Names) -> GroupHead:
    members = inside.items[:FACES] if inside else []
    return GroupHead(
        group=group.ref,
        purpose=group.purpose,
        openness=group.openness or "closed",
        members=group.members,
        may=group.rights,
        standing=group.mine.standing,
        faces=[names.of(member.member_id) for member in members],
        wiki=await _wiki_of(visit, group),
    )


async def _wiki_of(visit: Visit, group: Group) -> SpaceRef | None:
    """The group's space, which has the group's id, where there is one for this reader."""
    try:
        space = await visit.ask_if_there(Space, "wiki", f"/wiki/spaces/{part(group.id)}")
    except NotFound:
        return None
    return SpaceRef(space.id, space.name) if space else None


async def _describable(visit: Visit, group_id: str) -> Group:
    group = await group_of(visit, group_id)
    if not group.rights.describe:
        raise Forbidden("may-not-describe", "Only owners change a group's name and purpose. Ask one of them.")
    return group


def _check_staff(visit: Visit) -> None:
    if visit.is_guest:
        raise Forbidden("may-not-start", "Guests cannot start groups. Ask a colleague to start one.")


def _form(sent: Form) -> GroupForm:
    return GroupForm(
        key=key_of(sent),
        name=" ".join(sent.text("name").split()),
        purpose=sent.text("purpose").strip(),
        language=sent.text("language", "en"),
        openness="closed" if sent.text("openness") == "closed" else "open",
    )


def _description(form: GroupForm) -> dict[str, str]:
    return {"name": form.name, "purpose": form.purpose, "language": form.language}


def _filling_in(visit: Visit, form: GroupForm, failures: Failures, group: Group | None = None) -> Response:
    """The same for another try."""
    view = GroupFormView(
        replace(form, key=failures.key_again(form.key)),
        group.ref if group else None,
        failures.errors,
        failures.problem,
    )
    return visit.show(view, place="groups", status=failures.status)
