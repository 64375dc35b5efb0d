"""Who is in a group, and what its owners do: invite, take back, remove, make owners."""

import asyncio
from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import Response

from services.gateway import places
from services.gateway.clients import part
from services.gateway.pages.failures import Failures
from services.gateway.pages.group_answers import Group, InsideList, InvitationList, group_of
from services.gateway.pages.groups import GROUP, head_of, inside_of
from services.gateway.pages.people_found import FOUND, people_called
from services.gateway.pages.visit import Member, Visit
from services.gateway.view_models import (
    GroupPeopleView,
    InGroup,
    Invited,
    InviteView,
    Notice,
)
from shared.kernel.errors import Forbidden, NotFound

AT_ONCE = 50
INVITED = 100
#: People of the group who are known not to need an invitation.
KNOWN_INSIDE = 100

routes = APIRouter(include_in_schema=False)


@routes.get(GROUP + "/people")
async def people(
    group_id: str, visit: Member, cursor: str | None = None, asked: str | None = None
) -> Response:
    return await _people(visit, group_id, cursor, asked)


@routes.get(GROUP + "/invite")
async def invite(group_id: str, visit: Member, q: str = "") -> Response:
    group = await _invitable(visit, group_id)
    return await _inviting(visit, group, q.strip())


@routes.post(GROUP + "/invite")
async def send_invitation(group_id: str, visit: Member, q: str = "") -> Response:
    sent = await visit.form()
    group = await _invitable(visit, group_id)
    failures = Failures(visit)
    with failures.caught():
        new = {"member_id": sent.text("member")}
        await visit.ask("groups", "POST", f"/groups/{part(group_id)}/invitations", json=new)
        return visit.go(places.group_people(group_id), "invited")
    problem = failures.problem or next(iter(failures.errors.values()), "")
    return await _inviting(visit, group, q.strip(), problem, failures.status)


@routes.post(GROUP + "/invitations/{member_id}/take-back")
async def take_back(group_id: str, member_id: str, visit: Member) -> Response:
    path = f"/groups/{part(group_id)}/invitations/{part(member_id)}"
    return await _administer(visit, group_id, "DELETE", path, "taken-back")


@routes.post(GROUP + "/people/{member_id}/remove")
async def remove(group_id: str, member_id: str, visit: Member) -> Response:
    path = f"/groups/{part(group_id)}/members/{part(member_id)}"
    return await _administer(visit, group_id, "DELETE", path, "removed")


@routes.post(GROUP + "/people/{member_id}/standing")
async def change_standing(group_id: str, member_id: str, visit: Member) -> Response:
    sent = await visit.form()
    path = f"/groups/{part(group_id)}/members/{part(member_id)}"
    body = {"standing": sent.text("standing")}
    return await _administer(visit, group_id, "PUT", path, "standing-changed", body)


async def _administer(
    visit: Visit, group_id: str, method: str, path: str, notice: str, body: dict[str, str] | None = None
) -> Response:
    """Done, or the list with what stands in the way: the last owner stays."""
    if body is None:
        await visit.form()
    failures = Failures(visit)
    with failures.caught():
        await visit.ask("groups", method, path, json=body)
        return visit.go(places.group_people(group_id), notice)
    problem = failures.problem or next(iter(failures.errors.values()), "")
    return await _people(visit, group_id, problem=problem, status=failures.status)


async def _people(
    visit: Visit,
    group_id: str,
    cursor: str | None = None,
    asked: str | None = None,
    *,
    problem: str = "",
    status: int = 200,
) -> Response:
    """`cursor` and `asked`: where the people and those who are asked in go on."""
    group, inside = await asyncio.gather(
        group_of(visit, group_id), inside_of(visit, group_id, AT_ONCE, cursor)
    )
    if group.openness is None:
        raise NotFound("no-such-group", "There is no such group.")
    found = inside or InsideList(items=[])
    waiting = await _invitations(visit, group, asked)
    ids = [member.member_id for member in found.items]
    ids += [member_id for each in waiting.items for member_id in (each.member_id, each.invited_by)]
    names = await visit.named(ids)
    me = visit.signed_in.held.member_id
    view = GroupPeopleView(
        head=await head_of(visit, group, None if cursor else inside, names),
        people=[
            InGroup(names.of(each.member_id), each.standing, each.joined_at, each.member_id == me)
            for each in found.items
        ],
        invited=[
            Invited(names.of(each.member_id), names.of(each.invited_by), each.invited_at)
            for each in waiting.items
        ],
        more=found.next,
        more_invited=waiting.next,
    )
    notices = [Notice(problem, "bad")] if problem else []
    return visit.show(view, place="groups", status=status, notices=notices)


async def _invitations(visit: Visit, group: Group, cursor: str | None) -> InvitationList:
    nobody = InvitationList(items=[])
    if not group.rights.invite:
        return nobody
    path = f"/groups/{part(group.id)}/invitations"
    query: dict[str, str | int] = {"limit": INVITED, **({"cursor": cursor} if cursor else {})}
    return await visit.ask_if_there(InvitationList, "groups", path, query) or nobody


async def _inviting(visit: Visit, group: Group, q: str, problem: str = "", status: int = 200) -> Response:
    inside = await inside_of(visit, group.id, KNOWN_INSIDE)
    members = inside.items if inside else []
    standing = {member.member_id: member.standing for member in members}
    names = await visit.named(list(standing)[:FOUND])
    found = await people_called(visit, q) if q else ()
    view = InviteView(
        head=await head_of(visit, group, inside, names),
        query=q,
        found=found and [replace(each, standing=standing.get(each.person.id)) for each in found],
        problem=problem,
    )
    return visit.show(view, place="groups", status=status)


async def _invitable(visit: Visit, group_id: str) -> Group:
    group = await group_of(visit, group_id)
    if not group.rights.invite:
        raise Forbidden("may-not-invite", "Only owners invite to a group. Ask one of them.")
    return group
