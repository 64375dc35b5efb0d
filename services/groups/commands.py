"""Commands whose rule spans streams: a group, its owners and one membership, in one transaction.

Each plan looks at the store, never at a view, and is made again after a lost race: who was removed or is an
owner no more while they were writing is refused.
"""

from collections.abc import Sequence
from typing import Any

from contracts.groups import Standing
from services.groups.domain.groups import Group, StartGroup, group_stream, groups, no_such_group
from services.groups.domain.memberships import (
    BeginAsOwner,
    ChangeStanding,
    LeaveGroup,
    Membership,
    MembershipCommand,
    membership_stream,
    memberships,
)
from services.groups.domain.owners import NameOwner, OwnerCommand, ReleaseOwner, owners
from services.groups.domain.permissions import Asker, Place, demand, sees
from shared.kernel.events import Occasion
from shared.runtime.store import Committed, EventStore, Idempotency, Part

Parts = Sequence[Part[Any, Any]]


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
        now = await membership(store, command.group_id, command.member_id)
        released = ReleaseOwner(command.group_id, command.member_id, leaves=True)
        return _with_owners(command, now, released)

    return await store.handle_together(plan, occasion, idempotency=key)


async def change_standing(
    store: EventStore, command: ChangeStanding, asker: Asker, occasion: Occasion, key: Idempotency | None
) -> Committed:
    """A member becomes an owner, or an owner is one no more."""

    async def plan() -> Parts:
        _, here = await place(store, command.group_id, asker)
        demand("groups:standing", asker, here)
        now = await membership(store, command.group_id, command.member_id)
        changed: OwnerCommand = ReleaseOwner(command.group_id, command.member_id)
        if command.new is Standing.OWNER:
            changed = NameOwner(command.group_id, command.member_id)
        return _with_owners(command, now, changed)

    return await store.handle_together(plan, occasion, idempotency=key)


def _with_owners(command: MembershipCommand, now: Membership, owner: OwnerCommand) -> Parts:
    """Only what owners do touches the stream that all owners share."""
    mine = Part(memberships, command)
    if isinstance(owner, ReleaseOwner) and now.standing is not Standing.OWNER:
        return [mine]
    return [mine, Part(owners, owner)]
