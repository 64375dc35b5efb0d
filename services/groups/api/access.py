"""What the routes work with, and how they find what a caller may see: what is hidden does not exist.

A change of membership counts at the next request: a read that is given `after` waits for the view of members'
tokens first, and finds out what the caller holds only then.
"""

import re
from collections.abc import Awaitable, Collection
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import Response

from services.groups import projections
from services.groups.api.answers import Mine
from services.groups.domain.groups import no_such_group
from services.groups.domain.permissions import Asker
from services.groups.projections import (
    GroupView,
    InvitationView,
    MembershipView,
    PersonView,
    membership_key,
)
from services.groups.succession import Succession
from shared.kernel.audience import STAFF, MemberTokens, Reader
from shared.kernel.projection import Projection
from shared.runtime.auth import Actor
from shared.runtime.http import answer_behind
from shared.runtime.readers import Readers
from shared.runtime.store import Committed, EventStore
from shared.runtime.views import Views

#: As they are made here, and without a hyphen, which parts a group from a member in the name of a stream.
_GROUP = re.compile(r"[A-Za-z0-9]{1,40}")
_MEMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,63}")


class Behind(Protocol):
    """Waits until views hold a commit; True where they may not."""

    def __call__(
        self, after: str | None, *views: Projection[Any], key: str | None = None
    ) -> Awaitable[bool]: ...


@dataclass(frozen=True, slots=True)
class Groups:
    """The service's parts that routes need."""

    store: EventStore
    groups: Views[GroupView]
    memberships: Views[MembershipView]
    invitations: Views[InvitationView]
    people: Views[PersonView]
    tokens: Projection[MemberTokens]
    succession: Succession
    readers: Readers
    behind: Behind

    async def reader(
        self, actor: Actor, response: Response, after: str | None, *views: Projection[Any]
    ) -> Reader:
        """Who asks, as of `after`: the views have passed it, or the answer says that they may not have."""
        answer_behind(response, await self.behind(after, self.tokens, *views))
        return await self.readers.of(actor)

    async def asker(self, actor: Actor) -> Asker:
        """Who wants to change something."""
        return asker(actor, await self.readers.of(actor))

    async def in_effect(self, *committed: Committed) -> bool:
        """Waits, at most 2 s, until everything here has passed what was just done."""
        views = (
            self.tokens,
            projections.groups,
            projections.memberships,
            projections.invitations,
        )
        behind = [await self.behind(str(each), *views) for each in committed]
        return not any(behind)

    async def seen(self, group_id: str, reader: Reader) -> GroupView | None:
        """None also for a group that the reader may not see."""
        return await self.groups.get(group_id, reader)

    async def group(self, group_id: str, reader: Reader) -> GroupView:
        """Raises NotFound, also for a group that the reader may not see."""
        if (view := await self.seen(group_id, reader)) is None:
            raise no_such_group()
        return view

    async def mine(self, group_ids: Collection[str], member_id: str) -> dict[str, Mine]:
        """What the member is in each of the groups."""
        keys = {membership_key(group_id, member_id): group_id for group_id in group_ids}
        inside = await self.memberships.get_many(keys)
        asked = await self.invitations.get_many(keys)
        return {group_id: Mine.of(inside.get(key), asked.get(key)) for key, group_id in keys.items()}


def asker(actor: Actor, reader: Reader) -> Asker:
    return Asker(actor.member_id, actor.roles, STAFF in reader.tokens)


def checked_group(group_id: str) -> str:
    """Raises NotFound for what is no group's id: there is none of that name."""
    if not _GROUP.fullmatch(group_id):
        raise no_such_group()
    return group_id


def is_member_id(member_id: str) -> bool:
    return _MEMBER.fullmatch(member_id) is not None
