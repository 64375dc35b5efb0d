"""What members do with groups, in their own name or in that of an import: one way, by the same rules."""

from services.groups import commands
from services.groups.api.access import Groups, checked_group
from services.groups.domain.groups import StartGroup
from services.groups.domain.memberships import (
    AcceptInvitation,
    InviteMember,
    JoinGroup,
    LeaveGroup,
    memberships,
)
from services.groups.domain.permissions import Asker, demand
from shared.kernel.events import Occasion
from shared.runtime.store import Committed, Idempotency


async def start(
    room: Groups, who: Asker, command: StartGroup, doing: Occasion, key: Idempotency | None
) -> Committed:
    demand("groups:start", who)
    return await commands.start(room.store, command, doing, key)


async def join(
    room: Groups, who: Asker, group_id: str, doing: Occasion, key: Idempotency | None
) -> Committed:
    """Into an open group, or one that they are asked into."""
    _, here = await commands.place(room.store, checked_group(group_id), who, invited=True)
    command = JoinGroup(group_id, who.member_id, here.openness, guest=not who.staff)
    return await room.store.handle(memberships, command, doing, idempotency=key)


async def invite(
    room: Groups, who: Asker, group_id: str, member_id: str, doing: Occasion, key: Idempotency | None
) -> Committed:
    await demand_invite(room, group_id, who)
    person = await room.people.get(member_id)
    there = person is not None and person.there
    command = InviteMember(group_id, member_id, there, who.member_id)
    return await room.store.handle(memberships, command, doing, idempotency=key)


async def demand_invite(room: Groups, group_id: str, who: Asker) -> None:
    """Raises NotFound where they may not see the group, Forbidden where they do not own it."""
    _, here = await commands.place(room.store, checked_group(group_id), who)
    demand("groups:invite", who, here)


async def accept(
    room: Groups, member_id: str, group_id: str, doing: Occasion, key: Idempotency | None
) -> Committed:
    command = AcceptInvitation(checked_group(group_id), member_id)
    return await room.store.handle(memberships, command, doing, idempotency=key)


async def leave(
    room: Groups, who: Asker, group_id: str, member_id: str, doing: Occasion, key: Idempotency | None
) -> Committed:
    """They go themselves, or an owner removes them."""
    command = LeaveGroup(group_id, member_id, None if member_id == who.member_id else who.member_id)
    return await commands.leave(room.store, command, who, doing, key)
