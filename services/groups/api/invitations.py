"""Invitations over HTTP: those that owners send, and those that the caller got."""

from datetime import datetime

from fastapi import APIRouter, Response, status

from services.groups import projections
from services.groups.api import acts
from services.groups.api.access import Groups, checked_group, is_member_id
from services.groups.api.answers import (
    GroupOffer,
    InvitationItem,
    InvitationList,
    MembershipDone,
    OfferList,
)
from services.groups.api.members import done
from services.groups.api.requests import NewInvitation
from services.groups.domain.memberships import EndInvitation, memberships, no_such_invitation
from services.groups.projections import InvitationView, membership_key
from shared.runtime import cursors
from shared.runtime.http import After, Caller, Cursor, Doing, IdempotencyKey, PageSize

NEWEST = [("invited_at", -1), ("_id", -1)]


def router(room: Groups) -> APIRouter:
    api = APIRouter()
    _of_groups(api, room)
    _mine(api, room)
    return api


def _of_groups(api: APIRouter, room: Groups) -> None:
    @api.get("/groups/{group_id}/invitations")
    async def list_invitations(
        caller: Caller, response: Response, group_id: str, limit: PageSize, cursor: Cursor, after: After
    ) -> InvitationList:
        """Who is asked in and has not answered, for owners."""
        await room.reader(caller, response, after, projections.invitations)
        await acts.demand_invite(room, group_id, await room.asker(caller))
        found = await room.invitations.find(
            {"group_id": group_id},
            sort=NEWEST,
            limit=limit + 1,
            after=cursors.checked(cursor, datetime, str),
        )
        items = [InvitationItem.of(view) for view in found[:limit]]
        return InvitationList(items=items, next=_next(found, limit))

    @api.post("/groups/{group_id}/invitations", status_code=status.HTTP_201_CREATED)
    async def invite_member(
        caller: Caller,
        group_id: str,
        new: NewInvitation,
        doing: Doing,
        response: Response,
        key: IdempotencyKey,
    ) -> MembershipDone:
        """Asks somebody in: guests come by this way only. Asking again changes nothing."""
        who = await room.asker(caller)
        committed = await acts.invite(room, who, group_id, new.member_id, doing, key)
        return await done(room, response, committed, group_id, new.member_id)

    @api.delete("/groups/{group_id}/invitations/{member_id}")
    async def take_back_invitation(
        caller: Caller,
        group_id: str,
        member_id: str,
        doing: Doing,
        response: Response,
        key: IdempotencyKey,
    ) -> MembershipDone:
        await acts.demand_invite(room, group_id, await room.asker(caller))
        if not is_member_id(member_id):
            raise no_such_invitation()
        command = EndInvitation(group_id, member_id, caller.member_id)
        committed = await room.store.handle(memberships, command, doing, idempotency=key)
        return await done(room, response, committed, group_id, member_id)


def _mine(api: APIRouter, room: Groups) -> None:
    @api.get("/invitations")
    async def list_my_invitations(
        caller: Caller, response: Response, limit: PageSize, cursor: Cursor, after: After
    ) -> OfferList:
        """The groups that the caller is asked into."""
        await room.reader(caller, response, after, projections.invitations, projections.groups)
        where = {"member_id": caller.member_id}
        found = await room.invitations.find(
            where, sort=NEWEST, limit=limit + 1, after=cursors.checked(cursor, datetime, str)
        )
        groups = await room.groups.get_many([view.group_id for view in found[:limit]])
        items = [
            GroupOffer.of(groups[view.group_id], view) for view in found[:limit] if view.group_id in groups
        ]
        total = await room.invitations.count(where)
        return OfferList(items=items, total=total, next=_next(found, limit))

    @api.put("/invitations/{group_id}")
    async def accept_invitation(
        caller: Caller, group_id: str, doing: Doing, response: Response, key: IdempotencyKey
    ) -> MembershipDone:
        await room.readers.of(caller)
        committed = await acts.accept(room, caller.member_id, group_id, doing, key)
        return await done(room, response, committed, group_id, caller.member_id)

    @api.delete("/invitations/{group_id}")
    async def decline_invitation(
        caller: Caller, group_id: str, doing: Doing, response: Response, key: IdempotencyKey
    ) -> MembershipDone:
        await room.readers.of(caller)
        command = EndInvitation(checked_group(group_id), caller.member_id, caller.member_id)
        committed = await room.store.handle(memberships, command, doing, idempotency=key)
        return await done(room, response, committed, group_id, caller.member_id)


def _next(found: list[InvitationView], limit: int) -> str | None:
    if len(found) <= limit:
        return None
    last = found[limit - 1]
    return cursors.encode([last.invited_at, membership_key(last.group_id, last.member_id)])
