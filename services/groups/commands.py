"""Commands whose rule spans streams: a group, its owners and one membership, in one transaction.

Each plan looks at the store, never at a view, and is made again after a lost race: who was removed or is an
owner no more while they were writing is refused. Streams are read again as they are decided on, so no plan
leaves one out for what it saw: a stream to which nothing happens costs a read and no write.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

from contracts.groups import Standing
from services.groups.domain.groups import Group, StartGroup, group_stream, groups, no_such_group
from services.groups.domain.memberships import (
    BeginAsOwner,
    ChangeStanding,
    LeaveGroup,
    Membership,
    membership_stream,
    memberships,
)
from services.groups.domain.owners import (
    NameOwner,
    OwnerCommand,
    ReleaseOwner,
    SucceedOwner,
    owners,
    owners_stream,
)
from services.groups.domain.permissions import Asker, Place, demand, sees
from shared.kernel.errors import Conflict
from shared.kernel.events import Occasion
from shared.runtime.store import Committed, EventStore, Idempotency, Part

Parts = Sequence[Part[Any, Any]]
#: Which of these owners are there.
Present = Callable[[Collection[str]], Awaitable[Collection[str]]]
#: Who answers for a group besides one who left, given its other owners.
Heir = Callable[[Collection[str]], Awaitable[str | None]]


async def membership(store: EventStore, group_id: str, member_id: str) -> Membership:
    """As it is in the store."""
    return (await store.state(memberships, membership_stream(group_id, member_id)))[0]


async def place(
    store: EventStore, group_id: str, asker: Asker, *, invited: bool = False
) -> tuple[Group, Place]:
    """The group and what the asker is there. Raises NotFound where they may not see it; `invited` lets in who
    sees no more than its name yet."""
    group, _ = await store.state(groups, group_stream(group_id))
    mine = await membership(store, group_id, asker.member_id)
    if group.openness is None:
        raise no_such_group()
    found = Place(group.openness, mine)
    if not (sees(asker, found) or (invited and mine.invited)):
        raise no_such_group()
    return group, found


async def start(
    store: EventStore, command: StartGroup, occasion: Occasion, key: Idempotency | None
) -> Committed:
    """The group, and its first owner. Answers the group's commit; the membership's version is 1."""

    async def plan() -> Parts:
        return [
            Part(groups, command),
            Part(memberships, BeginAsOwner(command.group_id, command.started_by)),
            Part(owners, NameOwner(command.group_id, command.started_by)),
        ]

    return await store.handle_together(plan, occasion, idempotency=key)


async def leave(
    store: EventStore, command: LeaveGroup, asker: Asker, occasion: Occasion, key: Idempotency | None
) -> Committed:
    """The member goes, by themselves or removed, and with them what they owned."""

    async def plan() -> Parts:
        _, here = await place(store, command.group_id, asker)
        if command.removed_by is not None:
            demand("groups:remove", asker, here)
        released = ReleaseOwner(command.group_id, command.member_id, leaves=True)
        return [Part(memberships, command), Part(owners, released)]

    return await store.handle_together(plan, occasion, idempotency=key)


async def change_standing(
    store: EventStore, command: ChangeStanding, asker: Asker, occasion: Occasion, key: Idempotency | None
) -> Committed:
    """A member becomes an owner, or an owner is one no more."""

    async def plan() -> Parts:
        _, here = await place(store, command.group_id, asker)
        demand("groups:standing", asker, here)
        changed: OwnerCommand = ReleaseOwner(command.group_id, command.member_id)
        if command.new is Standing.OWNER:
            changed = NameOwner(command.group_id, command.member_id)
        return [Part(memberships, command), Part(owners, changed)]

    return await store.handle_together(plan, occasion, idempotency=key)


async def succeed(
    store: EventStore, group_id: str, member_id: str, heir: Heir, occasion: Occasion
) -> Committed:
    """An owner left the organisation and is a member from now on, should they come back. `heir` answers who
    of the other owners is there still, or who else follows."""

    async def plan() -> Parts:
        now, _ = await store.state(owners, owners_stream(group_id))
        named = await heir(now - {member_id})
        released = ChangeStanding(group_id, member_id, Standing.MEMBER, guest=False)
        parts: list[Part[Any, Any]] = [
            Part(owners, SucceedOwner(group_id, member_id, named)),
            Part(memberships, released),
        ]
        if named is not None:
            parts.append(Part(memberships, ChangeStanding(group_id, named, Standing.OWNER, guest=False)))
        return parts

    return await store.handle_together(plan, occasion)


async def appoint(
    store: EventStore,
    group_id: str,
    member_id: str,
    present: Present,
    occasion: Occasion,
    key: Idempotency | None,
) -> Committed:
    """An administrator names an owner where none is `present`: from among its members, or from outside."""

    async def plan() -> Parts:
        group, _ = await store.state(groups, group_stream(group_id))
        if group.openness is None:
            raise no_such_group()
        now, _ = await store.state(owners, owners_stream(group_id))
        if member_id not in now and await present(now):
            raise Conflict(
                "group-has-owner", "This group has an owner, who decides who else owns it. Ask them."
            )
        return [
            Part(memberships, BeginAsOwner(group_id, member_id)),
            Part(owners, NameOwner(group_id, member_id)),
        ]

    return await store.handle_together(plan, occasion, idempotency=key)
