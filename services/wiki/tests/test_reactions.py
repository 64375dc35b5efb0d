"""What the wiki does when something happens elsewhere: pure, and on real engines."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from contracts.groups import (
    GroupDescribed,
    GroupStarted,
    MemberJoinedGroup,
    Openness,
    Standing,
    group_audience,
)
from services.wiki.domain.spaces import spaces
from services.wiki.reactions import open_space_of_group
from shared.kernel.events import Occasion
from shared.kernel.testing import recorded
from shared.runtime.codec import PARTITIONS
from shared.runtime.ids import new_id
from shared.runtime.relay import Lane, Relay
from shared.runtime.service import mongo_client
from shared.runtime.settings import Settings
from shared.runtime.store import EventStore
from shared.runtime.topics import Topics
from shared.tests.company import House
from shared.tests.eventually import eventually


def started(group_id: str, openness: Openness) -> GroupStarted:
    return GroupStarted(
        group_id=group_id,
        name="Friday fun",
        purpose="Cakes\nand jokes",
        openness=openness,
        audience=group_audience(group_id, openness),
        language="sv",
        started_by="ann",
    )


def test_a_group_that_starts_gets_a_space_with_its_audience_and_owner() -> None:
    event = started("g1", Openness.CLOSED)
    command = open_space_of_group(event, recorded(event))
    assert command is not None
    assert (command.space_id, command.audience, command.owner_id) == ("g1", ("group:g1",), "ann")
    (opened,) = spaces.decide(command, spaces.initial)
    assert opened.model_dump(include={"name", "purpose", "language"}) == {
        "name": "Friday fun",
        "purpose": "Cakes and jokes",
        "language": "sv",
    }


def test_nothing_else_about_a_group_opens_a_space() -> None:
    event = GroupDescribed(group_id="g1", name="Fika", purpose="", language="sv")
    assert open_space_of_group(event, recorded(event)) is None


@contextlib.asynccontextmanager
async def groups(settings: Settings) -> AsyncIterator[EventStore]:
    """Sends what is appended to its store, as the groups service does."""
    async with contextlib.AsyncExitStack() as stack:
        client = mongo_client(settings)
        stack.push_async_callback(client.close)
        database = client[settings.named("groups")]
        topics = Topics(settings.kafka, settings.namespace)
        stack.push_async_callback(topics.close)
        names = ("groups.events", "groups.private")
        await topics.ensure(list(names))
        lane = Lane(0, tuple(range(PARTITIONS)))
        relay = Relay("groups", database, topics, settings.kafka, names, lane)
        store = EventStore("groups", database, on_append=relay.wake)
        await store.prepare()
        running = asyncio.create_task(relay.run())
        try:
            yield store
        finally:
            await relay.stop()
            await asyncio.wait([running], timeout=20)
            await store.queue.close()


@pytest.mark.asyncio(loop_scope="module")
async def test_the_space_of_a_closed_group_is_seen_by_its_members_guests_included(
    house: House, wiki_settings: Settings
) -> None:
    group, by_ann = new_id(), Occasion("ann", new_id())
    async with groups(wiki_settings) as store:
        for who, standing in (("ann", Standing.OWNER), ("gil", Standing.MEMBER)):
            joined = MemberJoinedGroup(group_id=group, member_id=who, standing=standing)
            await store.append(f"membership-{group}-{who}", 1, [joined], by_ann)
        await store.append(f"group-{group}", 1, [started(group, Openness.CLOSED)], by_ann)

        async def opened() -> None:
            for who in ("ann", "gil"):
                space = await house.ask(who, "GET", f"/wiki/spaces/{group}")
                assert space.status_code == 200, space.text
                assert (space.json()["name"], space.json()["owner_id"]) == ("Friday fun", "ann")

        await eventually(opened)
    assert (await house.ask("bob", "GET", f"/wiki/spaces/{group}")).status_code == 404
