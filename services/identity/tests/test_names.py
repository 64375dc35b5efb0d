"""Whose names a guest may know: those of members whom they met in a group, as groups tell it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from contracts.groups import MemberInvitedToGroup, MemberJoinedGroup, MemberLeftGroup, Standing
from contracts.identity import Kind
from services.identity.tests.conftest import House, register
from shared.kernel.events import Event, Occasion
from shared.runtime.codec import PARTITIONS
from shared.runtime.ids import new_id
from shared.runtime.relay import Lane, Relay
from shared.runtime.service import mongo_client
from shared.runtime.store import EventStore
from shared.runtime.topics import Topics
from shared.tests.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_guest_reads_the_names_of_those_whom_they_met_in_a_group_only(house: House) -> None:
    bo, kim = [(await register(house)).json()["member_id"] for _ in range(2)]
    gil = await house.member("gis", kind=Kind.GUEST)
    asked = f"/members?ids={bo},{kim},{gil},{new_id()}"

    async def names() -> set[str]:
        return {item["member_id"] for item in (await house.get("gis", asked))["items"]}

    async def themselves() -> bool:
        return (await house.ask("gis", "GET", f"/members/{gil}")).status_code == 200

    await eventually(themselves)
    assert await names() == {gil}
    group = new_id()
    async with groups_of(house) as store:
        await _say(store, group, gil, MemberInvitedToGroup(group_id=group, member_id=gil, invited_by=bo))

        async def sees_who_asks() -> bool:
            return await names() == {gil, bo}

        await eventually(sees_who_asks)
        for member in (gil, kim):
            joined = MemberJoinedGroup(group_id=group, member_id=member, standing=Standing.MEMBER)
            await _say(store, group, member, joined)

        async def sees_who_is_in_it() -> bool:
            return await names() == {gil, bo, kim}

        await eventually(sees_who_is_in_it)
        await _say(store, group, kim, MemberLeftGroup(group_id=group, member_id=kim))
        assert await names() == {gil, bo, kim}, "what they wrote there stays under their name"
        await _say(store, group, gil, MemberLeftGroup(group_id=group, member_id=gil))

        async def sees_nobody_there() -> bool:
            return await names() == {gil, bo}

        await eventually(sees_nobody_there)


async def _say(store: EventStore, group: str, member: str, event: Event) -> None:
    stream = f"membership-{group}-{member}"
    first = len(await store.load(stream)) + 1
    await store.append(stream, first, [event], Occasion(None, new_id()))


@contextlib.asynccontextmanager
async def groups_of(house: House) -> AsyncIterator[EventStore]:
    """What groups say, as they send it."""
    service = house.identity.service
    names = ("groups.events", "groups.private")
    topics = Topics(service.settings.kafka, service.settings.namespace)
    client = mongo_client(service.settings)
    database = client[service.settings.named("groups")]
    await topics.ensure(list(names))
    lane = Lane(0, tuple(range(PARTITIONS)))
    relay = Relay("groups", database, topics, service.settings.kafka, names, lane)
    store = EventStore("groups", database, on_append=relay.appended)
    await store.prepare()
    running = asyncio.create_task(relay.run())
    try:
        yield store
    finally:
        await relay.stop()
        await asyncio.wait([running], timeout=20)
        await store.queue.close()
        await topics.close()
        await client.close()
