"""Who is in a group over HTTP: listed, joined, left, removed, made an owner."""

from datetime import datetime

from fastapi import APIRouter, Response

from contracts.groups import Standing
from contracts.identity import Kind
from services.groups import commands, projections
from services.groups.api import acts
from services.groups.api.access import Groups, checked_group, is_member_id
from services.groups.api.answers import MemberItem, MemberList, MembershipDone
from services.groups.api.requests import NewOwner, NewStanding
from services.groups.domain.memberships import ChangeStanding, not_in_group
from services.groups.domain.permissions import Asker, demand
from services.groups.projections import membership_key
from shared.kernel.errors import Refused
from shared.kernel.events import Occasion
from shared.runtime import cursors
from shared.runtime.auth import Actor
from shared.runtime.http import After, Caller, Cursor, Doing, IdempotencyKey, PageSize, answer_commit
from shared.runtime.store import Committed, Idempotency


def router(room: Groups) -> APIRouter:
    api = APIRouter()
    _read(api, room)
    _write_mine(api, room)
    _write_others(api, room)
    _appoint(api, room)
    return api


async def done(
    room: Groups, response: Response, committed: Committed, group_id: str, member_id: str
) -> MembershipDone:
    """Answers when what this service lets the member see has followed, or says that it has not yet."""
    in_effect = await room.in_effect(committed)
    answer_commit(response, committed)
    now = await commands.membership(room.store, group_id, member_id)
    return MembershipDone(
        id=group_id,
        member_id=member_id,
        standing=now.standing.value if now.standing else "invited" if now.invited else None,
        version=committed.version,
        in_effect=in_effect,
    )


def _read(api: APIRouter, room: Groups) -> None:
    @api.get("/groups/{group_id}/members")
    async def list_members(
        caller: Caller, response: Response, group_id: str, limit: PageSize, cursor: Cursor, after: After
    ) -> MemberList:
        """Who is in the group, for those who may see it."""
        views = (projections.groups, projections.memberships)
        reader = await room.reader(caller, response, after, *views)
        group = await room.group(group_id, reader)
        found = await room.memberships.find(
            {"group_id": group_id},
            sort=[("rank", 1), ("joined_at", 1), ("_id", 1)],
            limit=limit + 1,
            after=cursors.checked(cursor, int, datetime, str),
        )
        shown = found[:limit]
        last = shown[-1] if len(found) > limit else None
        return MemberList(
            items=[MemberItem.of(view) for view in shown],
            total=group.members,
            next=cursors.encode([last.rank, last.joined_at, membership_key(group_id, last.member_id)])
            if last
            else None,
        )


def _write_mine(api: APIRouter, room: Groups) -> None:
    @api.put("/groups/{group_id}/members/me")
    async def join_group(
        caller: Caller, group_id: str, doing: Doing, response: Response, key: IdempotencyKey
    ) -> MembershipDone:
        """Into an open group, or one that the caller is asked into. Joining again changes nothing."""
        committed = await acts.join(room, await room.asker(caller), group_id, doing, key)
        return await done(room, response, committed, group_id, caller.member_id)

    @api.delete("/groups/{group_id}/members/me")
    async def leave_group(
        caller: Caller, group_id: str, doing: Doing, response: Response, key: IdempotencyKey
    ) -> MembershipDone:
        return await _leave(room, caller, group_id, caller.member_id, doing, response, key)


def _write_others(api: APIRouter, room: Groups) -> None:
    @api.delete("/groups/{group_id}/members/{member_id}")
    async def remove_member(
        caller: Caller,
        group_id: str,
        member_id: str,
        doing: Doing,
        response: Response,
        key: IdempotencyKey,
    ) -> MembershipDone:
        """An owner removes somebody; with their own id, the caller leaves."""
        return await _leave(room, caller, group_id, member_id, doing, response, key)

    @api.put("/groups/{group_id}/members/{member_id}")
    async def change_standing(
        caller: Caller,
        group_id: str,
        member_id: str,
        new: NewStanding,
        doing: Doing,
        response: Response,
        key: IdempotencyKey,
    ) -> MembershipDone:
        """Makes a member an owner, or an owner a member again."""
        who = await room.asker(caller)
        await _named(room, group_id, member_id, who)
        person = await room.people.get(member_id) if new.standing is Standing.OWNER else None
        guest = person is not None and person.kind is Kind.GUEST
        gone = person is not None and not person.there
        command = ChangeStanding(group_id, member_id, new.standing, guest, gone)
        committed = await commands.change_standing(room.store, command, who, doing, key)
        return await done(room, response, committed, group_id, member_id)


def _appoint(api: APIRouter, room: Groups) -> None:
    @api.put("/groups/{group_id}/owner")
    async def appoint_owner(
        caller: Caller,
        group_id: str,
        new: NewOwner,
        doing: Doing,
        response: Response,
        key: IdempotencyKey,
    ) -> MembershipDone:
        """An administrator finds an owner for a group whose owners have all left, also for a closed one."""
        demand("groups:appoint", await room.asker(caller))
        checked_group(group_id)
        if not await room.succession.present([new.member_id]):
            raise Refused(
                "nobody-to-appoint",
                "There is no such colleague, or they are gone. Choose somebody from the directory.",
                field="member_id",
            )
        committed = await commands.appoint(
            room.store, group_id, new.member_id, room.succession.present, doing, key
        )
        return await done(room, response, committed, group_id, new.member_id)


async def _leave(
    room: Groups,
    caller: Actor,
    group_id: str,
    member_id: str,
    doing: Occasion,
    response: Response,
    key: Idempotency | None,
) -> MembershipDone:
    who = await room.asker(caller)
    await _named(room, group_id, member_id, who)
    committed = await acts.leave(room, who, group_id, member_id, doing, key)
    return await done(room, response, committed, group_id, member_id)


async def _named(room: Groups, group_id: str, member_id: str, who: Asker) -> None:
    """Raises NotFound where the ids cannot be those of a group and a member."""
    checked_group(group_id)
    if not is_member_id(member_id):
        await commands.place(room.store, group_id, who)
        raise not_in_group()
