"""The organisation over HTTP: units, and who is placed where by whom."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response, status
from pydantic import BaseModel

from services.identity.accounts.administering import acting_now
from services.identity.domain import members as member_rules
from services.identity.domain.members import ReactivateMember, members
from services.identity.domain.permissions import Permission, permit
from services.identity.domain.profiles import PlaceMember, RenameMember
from services.identity.domain.units import FoundUnit, RenameUnit, units
from services.identity.domain.units import stream as unit_stream
from services.identity.inputs import NewName, NewPlace, NewUnit, UnitName, ids_of
from services.identity.projections import UnitView
from services.identity.projections import units as unit_views
from shared.kernel.errors import Refused
from shared.runtime import cursors
from shared.runtime.http import (
    After,
    Caller,
    Cursor,
    Doing,
    IdempotencyKey,
    IfMatch,
    PageSize,
    answer_behind,
    answer_commit,
)
from shared.runtime.service import Service

#: Managers above somebody who are looked at before a manager is refused for being below them.
HIGHEST = 30


class UnitItem(BaseModel):
    """`path` leads to the unit from the top, itself included."""

    id: str
    name: str
    parent_id: str | None
    path: list[str]

    @classmethod
    def of(cls, view: UnitView) -> "UnitItem":
        return cls(id=view.unit_id, name=view.name, parent_id=view.parent_id, path=view.path)


class UnitList(BaseModel):
    items: list[UnitItem]
    next: str | None


class Founded(BaseModel):
    id: str


def units_router(service: Service) -> APIRouter:
    """The tree of units, for all staff."""
    api = APIRouter(prefix="/units", tags=["units"])
    views = service.views(unit_views)

    @api.get("")
    async def list_units(
        caller: Caller,
        after: After,
        response: Response,
        limit: PageSize,
        cursor: Cursor,
        parent: Annotated[str | None, Query(max_length=64, description="Only the parts of this unit")] = None,
        ids: Annotated[
            list[str] | None, Query(description="Only these, up to 100: repeated, or joined by commas")
        ] = None,
    ) -> UnitList:
        answer_behind(response, await service.behind(after, unit_views))
        where: dict[str, Any] = {} if parent is None else {"parent_id": parent}
        if ids is not None:
            where["unit_id"] = {"$in": ids_of(ids)}
        reader = await service.readers.of(caller)
        begin = cursors.checked(cursor, str)
        found = await views.find(where, sort=[("unit_id", 1)], limit=limit + 1, reader=reader, after=begin)
        last = found[limit - 1] if len(found) > limit else None
        return UnitList(
            items=[UnitItem.of(view) for view in found[:limit]],
            next=cursors.encode([last.unit_id]) if last else None,
        )

    @api.post("", status_code=status.HTTP_201_CREATED)
    async def found_unit(
        new: NewUnit, caller: Caller, doing: Doing, key: IdempotencyKey, response: Response
    ) -> Founded:
        by = await acting_now(service.store, caller)
        permit(by, Permission.SHAPE_UNITS)
        above = await path_of(service, new.parent_id, "parent_id")
        command = FoundUnit(by, new.unit_id, new.name, above)
        answer_commit(response, await service.store.handle(units, command, doing, idempotency=key))
        return Founded(id=new.unit_id)

    @api.put("/{unit_id}", status_code=status.HTTP_204_NO_CONTENT)
    async def rename_unit(
        unit_id: str, new: UnitName, caller: Caller, doing: Doing, if_match: IfMatch, response: Response
    ) -> None:
        command = RenameUnit(await acting_now(service.store, caller), unit_id, new.name)
        answer_commit(response, await service.store.handle(units, command, doing, if_match=if_match))

    return api


def places_router(service: Service) -> APIRouter:
    """Where members are in the organisation, as those who run it say."""
    api = APIRouter(prefix="/members/{member_id}", tags=["members"])

    @api.put("/place", status_code=status.HTTP_204_NO_CONTENT)
    async def place_member(
        member_id: str, new: NewPlace, caller: Caller, doing: Doing, if_match: IfMatch, response: Response
    ) -> None:
        """The whole place: what is left out is no more."""
        by = await acting_now(service.store, caller)
        permit(by, Permission.PLACE_MEMBERS)
        await check_manager(service, member_id, new.manager_id)
        command = PlaceMember(
            acting=by,
            member_id=member_id,
            units=await path_of(service, new.unit_id, "unit_id"),
            title=new.title,
            manager_id=new.manager_id,
            office=new.office,
            country=new.country,
        )
        answer_commit(response, await service.store.handle(members, command, doing, if_match=if_match))

    @api.put("/name", status_code=status.HTTP_204_NO_CONTENT)
    async def rename_member(
        member_id: str, new: NewName, caller: Caller, doing: Doing, if_match: IfMatch, response: Response
    ) -> None:
        command = RenameMember(await acting_now(service.store, caller), member_id, new.name)
        answer_commit(response, await service.store.handle(members, command, doing, if_match=if_match))

    @api.post("/reactivate", status_code=status.HTTP_204_NO_CONTENT)
    async def reactivate_member(member_id: str, caller: Caller, doing: Doing, response: Response) -> None:
        """Back with what they held: places, roles and groups."""
        command = ReactivateMember(await acting_now(service.store, caller), member_id)
        answer_commit(response, await service.store.handle(members, command, doing))

    return api


async def path_of(service: Service, unit_id: str | None, field: str) -> tuple[str, ...]:
    """The way to a unit from the top; empty for no unit. Raises Refused beside `field`."""
    if unit_id is None:
        return ()
    unit, _ = await service.store.state(units, unit_stream(unit_id))
    if not unit.path:
        raise Refused("unit-unknown", "There is no such unit. Choose one from the list.", field=field)
    return unit.path


async def check_manager(service: Service, member_id: str, manager_id: str | None) -> None:
    """Raises Refused where there is no such manager, or where they are below the member already."""
    above, steps = manager_id, 0
    while above is not None and steps < HIGHEST:
        manager, _ = await service.store.state(members, member_rules.stream(above))
        if steps == 0 and manager.standing is not member_rules.Standing.ACTIVE:
            raise Refused("manager-unknown", "There is no such member to report to.", field="manager_id")
        above, steps = manager.place.manager_id, steps + 1
        if above == member_id:
            raise Refused(
                "manager-below",
                "They report to this member. Change that first.",
                field="manager_id",
            )
