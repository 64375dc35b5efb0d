"""Who answers for a group when several people change that at once: never somebody who is not in it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from contracts.groups import Standing
from services.groups import commands
from services.groups.domain.memberships import (
    AcceptInvitation,
    ChangeStanding,
    InviteMember,
    LeaveGroup,
    memberships,
)
from services.groups.domain.permissions import Asker
from services.groups.tests.test_succession import closed_group, newcomer, now, owners_of
from shared.kernel.errors import Conflict
from shared.runtime.store import Committed, Part
from shared.tests.company import House

pytestmark = pytest.mark.asyncio(loop_scope="module")

Doing = Callable[[], Awaitable[object]]


def then(monkeypatch: pytest.MonkeyPatch, house: House, doing: Doing) -> None:
    """Lets this happen once, after the next plan is made and before it is decided on."""
    store, left, mine = house.service.store, [doing], asyncio.current_task()
    together = store.handle_together

    async def interrupted(
        plan: Callable[[], Awaitable[Sequence[Part[Any, Any]]]], *given: Any, **how: Any
    ) -> Committed:
        async def planned() -> Sequence[Part[Any, Any]]:
            parts = await plan()
            if left and asyncio.current_task() is mine:
                await left.pop()()
            return parts

        return await together(planned, *given, **how)

    monkeypatch.setattr(store, "handle_together", interrupted)


def staff(member_id: str) -> Asker:
    return Asker(member_id, frozenset(), staff=True)


def standing(house: House, group_id: str, member_id: str, new: Standing, by: str) -> Doing:
    async def change() -> None:
        command = ChangeStanding(group_id, member_id, new, guest=False)
        await commands.change_standing(house.service.store, command, staff(by), now(), None)

    return change


def leaving(house: House, group_id: str, member_id: str) -> Doing:
    async def leave() -> None:
        command = LeaveGroup(group_id, member_id)
        await commands.leave(house.service.store, command, staff(member_id), now(), None)

    return leave


async def test_who_leaves_while_they_are_made_an_owner_owns_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the last owner who is there could leave the group to them."""
    member = await newcomer(house)
    group_id = await closed_group(house, "ann", member)
    then(monkeypatch, house, standing(house, group_id, member, Standing.OWNER, "ann"))
    await leaving(house, group_id, member)()
    assert await owners_of(house, group_id) == {"ann"}
    with pytest.raises(Conflict) as refusal:
        await leaving(house, group_id, "ann")()
    assert refusal.value.code == "last-owner-leaves"


async def test_who_is_made_a_member_and_an_owner_at_once_is_the_same_in_both_accounts(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = await newcomer(house)
    group_id = await closed_group(house, "ann", member)
    then(monkeypatch, house, standing(house, group_id, member, Standing.OWNER, "ann"))
    await standing(house, group_id, member, Standing.MEMBER, "ann")()
    assert await owners_of(house, group_id) == {"ann"}


async def test_an_owner_who_steps_down_while_another_one_leaves_the_house_answers_for_the_group(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, other = await newcomer(house), await newcomer(house)
    group_id = await closed_group(house, owner, other)
    await standing(house, group_id, other, Standing.OWNER, owner)()
    then(monkeypatch, house, standing(house, group_id, other, Standing.MEMBER, owner))

    async def heir(others: object) -> str:
        return other

    await commands.succeed(house.service.store, group_id, owner, heir, now())
    assert await owners_of(house, group_id) == {other}


async def test_who_joins_while_they_are_appointed_owns_the_group(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, member = await newcomer(house), await newcomer(house)
    group_id, store = await closed_group(house, owner), house.service.store
    await store.handle(memberships, InviteMember(group_id, member, True, owner), now())

    async def nobody(_: object) -> list[str]:
        return []

    async def join() -> None:
        await store.handle(memberships, AcceptInvitation(group_id, member), now())

    then(monkeypatch, house, join)
    await commands.appoint(store, group_id, member, nobody, now(), None)
    assert await owners_of(house, group_id) == {owner, member}
