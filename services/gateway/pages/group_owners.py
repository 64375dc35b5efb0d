"""For administrators: groups for which nobody answers any more, and finding somebody who does."""

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from services.gateway import places
from services.gateway.clients import part
from services.gateway.pages.failures import Failures
from services.gateway.pages.groups import GROUP
from services.gateway.pages.people_found import people_called
from services.gateway.pages.visit import Member, Visit
from services.gateway.view_models import GroupRef, OwnerlessGroup, OwnerlessView, OwnerView
from shared.kernel.errors import Conflict

routes = APIRouter(include_in_schema=False)


class _Ownerless(BaseModel):
    id: str
    name: str
    language: str
    openness: Literal["open", "closed"]
    members: int

    @property
    def shown(self) -> OwnerlessGroup:
        return OwnerlessGroup(GroupRef(self.id, self.name, self.language), self.openness, self.members)


class _OwnerlessList(BaseModel):
    items: list[_Ownerless]


@routes.get(places.OWNERLESS_GROUPS)
async def ownerless(visit: Member) -> Response:
    _for_administrators(visit)
    found = await _ownerless(visit)
    return visit.show(OwnerlessView([group.shown for group in found]), place="groups")


@routes.get(GROUP + "/owner")
async def choose_owner(group_id: str, visit: Member, q: str = "") -> Response:
    _for_administrators(visit)
    return await _choosing(visit, await _one(visit, group_id), q.strip())


@routes.post(GROUP + "/owner")
async def appoint_owner(group_id: str, visit: Member, q: str = "") -> Response:
    _for_administrators(visit)
    sent = await visit.form()
    failures = Failures(visit)
    with failures.caught():
        new = {"member_id": sent.text("member")}
        await visit.ask("groups", "PUT", f"/groups/{part(group_id)}/owner", json=new)
        return visit.go(places.OWNERLESS_GROUPS, "owner-found")
    problem = failures.problem or next(iter(failures.errors.values()), "")
    return await _choosing(visit, await _one(visit, group_id), q.strip(), problem, failures.status)


async def _choosing(
    visit: Visit, group: OwnerlessGroup, q: str, problem: str = "", status: int = 200
) -> Response:
    found = await people_called(visit, q, guests=False) if q else ()
    return visit.show(OwnerView(group, q, found, problem), place="groups", status=status)


async def _ownerless(visit: Visit) -> list[_Ownerless]:
    return (await visit.ask("groups", "GET", "/groups/ownerless")).read(_OwnerlessList).items


async def _one(visit: Visit, group_id: str) -> OwnerlessGroup:
    for group in await _ownerless(visit):
        if group.id == group_id:
            return group.shown
    raise Conflict("has-an-owner", "Somebody answers for this group by now. Look at the list again.")


def _for_administrators(visit: Visit) -> None:
    """Others hear that there is nothing, as for any address that there is not."""
    if not visit.is_administrator:
        raise places.nowhere()
