"""Who administers at this moment, and how administrators are let go.

A token tells what its member was trusted with up to a minute ago. Whoever administers is looked up instead,
so that nobody who was let go a moment ago takes it back.
"""

from collections.abc import Callable, Sequence
from typing import Any

from services.identity.domain import administrators
from services.identity.domain.administrators import LetGo, lets_go
from services.identity.domain.members import ChangeRoles, DeactivateMember, Standing, members
from services.identity.domain.members import stream as member_stream
from services.identity.domain.permissions import Acting
from shared.kernel.events import Occasion
from shared.runtime.auth import Actor
from shared.runtime.store import Committed, EventStore, Part


async def acting_now(store: EventStore, actor: Actor) -> Acting:
    """With what the token and today's roles both give."""
    member, _ = await store.state(members, member_stream(actor.member_id))
    held = {role.value for role in member.roles if member.standing is Standing.ACTIVE}
    return Acting(actor.member_id, actor.roles & held)


async def change_standing(
    store: EventStore,
    actor: Actor,
    command: Callable[[Acting], ChangeRoles | DeactivateMember],
    occasion: Occasion,
    *,
    if_match: int | None = None,
) -> Committed:
    """Changes what a member is trusted with. Raises as `EventStore.handle_together` does.

    Nobody does it to themselves, so whoever lets an administrator go is one who stays, if that is still so
    when it is written: the place in the stream of administrators was taken before they were looked up.
    """

    async def plan() -> Sequence[Part[Any, Any]]:
        _, let_go = await store.state(administrators.administrators, administrators.STREAM)
        asked = command(await acting_now(store, actor))
        parts: list[Part[Any, Any]] = [Part(members, asked, if_match)]
        member, _ = await store.state(members, member_stream(asked.member_id))
        if lets_go(asked, member):
            parts.append(Part(administrators.administrators, LetGo(asked.member_id), let_go))
        return parts

    return await store.handle_together(plan, occasion)
