"""Groups whose owners leave the organisation: somebody follows them, or an administrator finds somebody."""

import httpx
import pytest

from contracts.groups import Openness, Standing
from contracts.identity import Kind, MemberDeactivated, MemberErased, MemberReactivated
from services.groups import commands, projections, succession
from services.groups.domain.groups import StartGroup
from services.groups.domain.memberships import AcceptInvitation, InviteMember, memberships
from services.groups.domain.owners import owners, owners_stream
from services.groups.tests.test_api import json_of
from shared.kernel.events import Event, Occasion
from shared.runtime.ids import new_id
from shared.tests.company import House, refused, registered
from shared.tests.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


def now() -> Occasion:
    return Occasion(None, new_id())


async def newcomer(house: House, kind: Kind = Kind.STAFF) -> str:
    member_id = new_id()
    await house.identity.append(f"member-{member_id}", 1, [registered(member_id, kind)], now())
    return member_id


async def tell(house: House, member_id: str, version: int, event: Event) -> None:
    await house.identity.append(f"member-{member_id}", version, [event], now())


async def closed_group(house: House, owner: str, *members: str) -> str:
    """With members who came in this order."""
    group_id, store = new_id(), house.service.store
    start = StartGroup(group_id, f"Group {group_id}", "", Openness.CLOSED, "en", owner)
    await commands.start(store, start, now(), None)
    for member_id in members:
        await store.handle(memberships, InviteMember(group_id, member_id, True, owner), now())
        await store.handle(memberships, AcceptInvitation(group_id, member_id), now())
    return group_id


async def owners_of(house: House, group_id: str) -> set[str]:
    """As their own stream has it, and as the memberships have it."""
    named, _ = await house.service.store.state(owners, owners_stream(group_id))
    for member_id in named:
        mine = await commands.membership(house.service.store, group_id, member_id)
        assert mine.standing is Standing.OWNER
    return set(named)


async def become(house: House, group_id: str, *expected: str) -> None:
    async def so() -> bool:
        return await owners_of(house, group_id) == set(expected)

    await eventually(so)


async def test_who_is_in_a_group_longest_follows_its_last_owner(house: House) -> None:
    owner, guest, first, second = [
        await newcomer(house),
        await newcomer(house, Kind.GUEST),
        await newcomer(house),
        await newcomer(house),
    ]
    group_id = await closed_group(house, owner, guest, first, second)
    await tell(house, owner, 2, MemberDeactivated(member_id=owner))
    await become(house, group_id, first)
    left = await commands.membership(house.service.store, group_id, owner)
    assert left.standing is Standing.MEMBER
    await tell(house, first, 2, MemberErased(member_id=first))
    await become(house, group_id, second)


async def test_an_owner_who_left_is_followed_by_nobody_while_another_one_is_there(house: House) -> None:
    owner, other, member = [await newcomer(house) for _ in range(3)]
    group_id = await closed_group(house, owner, member, other)
    store = house.service.store
    heir = other

    async def named(_: object) -> str:
        return heir

    await commands.succeed(store, group_id, owner, named, now())
    assert await owners_of(house, group_id) == {other}
    await tell(house, member, 2, MemberDeactivated(member_id=member))
    await tell(house, other, 2, MemberDeactivated(member_id=other))
    await become(house, group_id, owner)


async def test_an_administrator_finds_an_owner_where_nobody_can_follow(house: House) -> None:
    owner, guest = await newcomer(house), await newcomer(house, Kind.GUEST)
    group_id = await closed_group(house, owner, guest)
    path, bob = f"/groups/{group_id}/owner", {"json": {"member_id": "bob"}}
    taken = await house.ask("ada", "PUT", path, **bob)
    refused(taken, 409, "group-has-owner")
    await tell(house, owner, 2, MemberDeactivated(member_id=owner))

    async def listed() -> bool:
        found = await json_of(house, "ada", "/groups/ownerless")
        return any(item["id"] == group_id for item in found["items"])

    await eventually(listed)
    for answer in (
        await house.ask("ann", "PUT", path, **bob),
        await house.ask("ann", "GET", "/groups/ownerless"),
    ):
        refused(answer, 403, "may-not-appoint")
    refused(await house.ask("ada", "PUT", "/groups/none/owner", **bob), 404, "no-such-group")
    for nobody in (guest, owner, "nobody"):
        answer = await house.ask("ada", "PUT", path, json={"member_id": nobody})
        assert refused(answer, 422, "nobody-to-appoint")["field"] == "member_id"
    appointed: httpx.Response = await house.ask("ada", "PUT", path, **bob)
    assert (appointed.status_code, appointed.json()["standing"]) == (200, "owner")
    await become(house, group_id, "bob")
    assert (await house.get("bob", f"/groups/{group_id}", after=appointed)).json()["mine"][
        "standing"
    ] == "owner"
    assert (await house.ask("ada", "GET", f"/groups/{group_id}")).status_code == 404
    assert not await listed()


async def test_all_that_somebody_owned_is_found_portion_by_portion_and_nothing_else_is_looked_at(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(succession, "PORTION", 2)
    owner = await newcomer(house)
    theirs = {await closed_group(house, owner) for _ in range(3)}
    for _ in range(3):
        await closed_group(house, "ann", owner)
    await tell(house, owner, 2, MemberDeactivated(member_id=owner))

    async def listed() -> bool:
        found = await json_of(house, "ada", "/groups/ownerless")
        return theirs <= {item["id"] for item in found["items"]}

    await eventually(listed)
    stored = house.service.views(projections.memberships).collection
    assert await stored.count_documents({"member_id": owner, "_live": True}) == 6
    asked = stored.find({"member_id": {"$in": [owner]}, "rank": 0, "_live": True})
    plan = await asked.sort(succession.IN_TURN).explain()
    assert plan["executionStats"]["totalDocsExamined"] == 3
    assert "'SORT'" not in str(plan["queryPlanner"]["winningPlan"])


async def test_nobody_who_is_gone_is_made_an_owner(house: House) -> None:
    """Else the last owner could leave a group to somebody who is not there."""
    member = await newcomer(house)
    group_id = await closed_group(house, "ann", member)
    await tell(house, member, 2, MemberDeactivated(member_id=member))
    path = f"/groups/{group_id}/members/{member}"

    async def has_left() -> bool:
        person = await house.service.views(projections.people).get(member)
        return person is not None and person.left

    await eventually(has_left)
    refused(await house.ask("ann", "PUT", path, json={"standing": "owner"}), 422, "owner-is-gone")
    assert (await house.ask("ann", "PUT", path, json={"standing": "member"})).status_code == 200


async def test_who_comes_back_is_a_member_of_what_they_owned(house: House) -> None:
    owner, member = await newcomer(house), await newcomer(house)
    group_id = await closed_group(house, owner, member)
    await tell(house, owner, 2, MemberDeactivated(member_id=owner))
    await become(house, group_id, member)
    await tell(house, owner, 3, MemberReactivated(member_id=owner))
    mine = await commands.membership(house.service.store, group_id, owner)
    assert mine.standing is Standing.MEMBER
