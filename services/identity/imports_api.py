"""A company from elsewhere over HTTP: its units and members as they came to be, in the names of who did it.

Decided by the same rules as what is done here: who shaped the units must have been allowed to, and so must be
who brings it in.
"""

from collections.abc import Awaitable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints

from contracts.identity import Kind, Role
from services.identity.accounts.administering import acting_now
from services.identity.accounts.membership import Membership
from services.identity.domain import members as rules
from services.identity.domain.members import RegisterMember, members
from services.identity.domain.permissions import Acting, Permission, permit
from services.identity.domain.profiles import ChangeProfile, PlaceMember
from services.identity.domain.units import FoundUnit, units
from services.identity.inputs import Line, MemberId, NewPlace, NewProfile, NewUnit
from services.identity.organisation_api import check_manager, path_of
from shared.kernel.decider import Decider
from shared.kernel.events import Occasion
from shared.runtime.http import Caller, Doing, Input
from shared.runtime.imports import (
    Batch,
    Commands,
    ImportedLine,
    ImportResult,
    Order,
    Rules,
    Source,
    answered,
    member_unknown,
)
from shared.runtime.service import Service
from shared.runtime.store import Committed, Idempotency

SCOPE = "identity"


class RegisteredMember(ImportedLine):
    """Somebody who belongs to the company; they have no account here yet."""

    op: Literal["register"]
    member_id: MemberId
    kind: Kind = Kind.STAFF
    name: Annotated[str, StringConstraints(max_length=200)]
    country: Line | None = None
    language: Line
    time_zone: Line
    roles: Annotated[tuple[Role, ...], Field(max_length=len(Role))] = ()
    synthetic: bool = False


class FoundedUnit(ImportedLine, NewUnit):
    op: Literal["found-unit"]


class PlacedMember(ImportedLine, NewPlace):
    """The whole place, as `by` said it."""

    op: Literal["place"]
    member_id: MemberId


class ProfileOf(ImportedLine, NewProfile):
    """What `by` says of themselves."""

    op: Literal["profile"]


Imported = RegisteredMember | FoundedUnit | PlacedMember | ProfileOf


class CompanyImport(Input):
    source: Source
    commands: Commands[Imported]


def imports_router(service: Service, membership: Membership) -> APIRouter:
    api = APIRouter(prefix="/members/import", tags=["members"])

    @api.post("/commands")
    async def import_company(
        batch: CompanyImport, caller: Caller, doing: Doing, response: Response
    ) -> ImportResult:
        """Takes up to 500 commands, in their order. What was taken earlier is not done again."""
        mine = await acting_now(service.store, caller)
        permit(mine, Permission.IMPORT_MEMBERS)
        new = [line.member_id for line in batch.commands if isinstance(line, RegisteredMember)]
        if new:
            await membership.keys_for(new)
        rules_of = Rules(_order, _Lines(service, mine.roles).do)
        taking = Batch(service.store, doing, SCOPE, batch.source, rules_of)
        return await answered(taking, batch.commands, response)

    return api


def _order(line: Imported) -> Order:
    by = f"member {line.by}"
    match line:
        case RegisteredMember(member_id=member_id):
            return Order((by, f"member {member_id}"), (f"member {member_id}",))
        case FoundedUnit(unit_id=unit_id, parent_id=parent_id):
            return Order((by, f"unit {parent_id}", f"unit {unit_id}"), (f"unit {unit_id}",))
        case PlacedMember(member_id=member_id, manager_id=manager_id, unit_id=unit_id):
            needs = (by, f"member {member_id}", f"member {manager_id}", f"unit {unit_id}")
            return Order(needs, (f"member {member_id}",))
        case ProfileOf():
            return Order((by,), (by,))


class _Lines:
    """How each line of a batch is done."""

    def __init__(self, service: Service, brought_by: frozenset[str]) -> None:
        self._service = service
        self._brought_by = brought_by

    async def do(self, line: Imported, occasion: Occasion, key: Idempotency) -> Committed:
        by = await self._acting(line.by)

        def handled(decider: Decider[Any, Any], command: object) -> Awaitable[Committed]:
            return self._service.store.handle(decider, command, occasion, idempotency=key)

        match line:
            case RegisteredMember():
                return await handled(members, _registration(line, by))
            case FoundedUnit():
                above = await path_of(self._service, line.parent_id, "parent_id")
                return await handled(units, FoundUnit(by, line.unit_id, line.name, above))
            case PlacedMember():
                await check_manager(self._service, line.member_id, line.manager_id)
                path = await path_of(self._service, line.unit_id, "unit_id")
                return await handled(members, _place(line, by, path))
            case ProfileOf():
                said = line.model_dump(include=set(NewProfile.model_fields))
                return await handled(members, ChangeProfile(acting=by, member_id=line.by, **said))

    async def _acting(self, member_id: str) -> Acting:
        """With the roles that they hold, and those of who brings it in. Raises Refused for who is no
        member."""
        member, _ = await self._service.store.state(members, rules.stream(member_id))
        if member.standing is not rules.Standing.ACTIVE:
            raise member_unknown()
        return Acting(member_id, frozenset(role.value for role in member.roles), self._brought_by)


def _registration(line: RegisteredMember, by: Acting) -> RegisterMember:
    return RegisterMember(
        acting=by,
        member_id=line.member_id,
        kind=line.kind,
        name=line.name,
        country=line.country,
        language=line.language,
        time_zone=line.time_zone,
        roles=frozenset(line.roles),
        synthetic=line.synthetic,
    )


def _place(line: PlacedMember, by: Acting, path: tuple[str, ...]) -> PlaceMember:
    return PlaceMember(
        acting=by,
        member_id=line.member_id,
        units=path,
        title=line.title,
        manager_id=line.manager_id,
        office=line.office,
        country=line.country,
    )
