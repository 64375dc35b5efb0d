"""Groups from elsewhere over HTTP: how they came to be, in the names of those who started and joined them."""

from typing import Literal

from fastapi import APIRouter, Response

from contracts.groups import Openness
from services.groups.api import acts
from services.groups.api.access import Groups, asker
from services.groups.api.requests import Description
from services.groups.domain.groups import StartGroup
from services.groups.domain.permissions import Asker, demand
from shared.kernel.events import Occasion
from shared.runtime.http import Caller, Doing, Input
from shared.runtime.imports import (
    Batch,
    Commands,
    Id,
    ImportedLine,
    ImportResult,
    InNames,
    Member,
    Order,
    Rules,
    Source,
    answered,
)
from shared.runtime.store import Committed, Idempotency

SCOPE = "groups"


class StartedGroup(ImportedLine, Description):
    """`by` is its first owner."""

    op: Literal["start"]
    group_id: Id
    openness: Openness


class Joined(ImportedLine):
    op: Literal["join"]
    group_id: Id


class InvitedTo(ImportedLine):
    """`by` asks `member_id` in."""

    op: Literal["invite"]
    group_id: Id
    member_id: Member


class Accepted(ImportedLine):
    op: Literal["accept"]
    group_id: Id


class Left(ImportedLine):
    op: Literal["leave"]
    group_id: Id


Imported = StartedGroup | Joined | InvitedTo | Accepted | Left


class GroupsImport(Input):
    source: Source
    commands: Commands[Imported]


def router(room: Groups) -> APIRouter:
    api = APIRouter()

    @api.post("/groups/import/commands")
    async def import_groups(
        batch: GroupsImport, caller: Caller, doing: Doing, response: Response
    ) -> ImportResult:
        """Takes up to 500 commands, in their order. What was taken earlier is not done again."""
        demand("groups:import", await room.asker(caller))
        rules = Rules(_order, _Lines(room).do)
        taking = Batch(room.store, doing, SCOPE, batch.source, rules)
        return await answered(taking, batch.commands, response)

    return api


def _order(line: Imported) -> Order:
    group = f"group {line.group_id}"
    member_id = line.member_id if isinstance(line, InvitedTo) else line.by
    mine, theirs = f"{group} {line.by}", f"{group} {member_id}"
    return Order((group, mine, theirs), (group,) if isinstance(line, StartedGroup) else (theirs,))


class _Lines:
    """How each line of a batch is done."""

    def __init__(self, room: Groups) -> None:
        self._room = room
        self._members = InNames(room.readers)

    async def do(self, line: Imported, occasion: Occasion, key: Idempotency) -> Committed:
        room, who = self._room, await self._asker(line.by)
        match line:
            case StartedGroup():
                command = StartGroup(
                    line.group_id, line.name, line.purpose, line.openness, line.language, line.by
                )
                return await acts.start(room, who, command, occasion, key)
            case Joined(group_id=group_id):
                return await acts.join(room, who, group_id, occasion, key)
            case InvitedTo(group_id=group_id, member_id=member_id):
                return await acts.invite(room, who, group_id, member_id, occasion, key)
            case Accepted(group_id=group_id):
                return await acts.accept(room, line.by, group_id, occasion, key)
            case Left(group_id=group_id):
                return await acts.leave(room, who, group_id, line.by, occasion, key)

    async def _asker(self, member_id: str) -> Asker:
        actor, reader = await self._members.of(member_id)
        return asker(actor, reader)
