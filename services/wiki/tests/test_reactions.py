"""What the wiki does when something happens elsewhere: pure, and on real engines."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from contracts.groups import (
    GroupDescribed,
    GroupStarted,
    MemberJoinedGroup,
    MemberLeftGroup,
    Openness,
    Standing,
    StandingChanged,
    group_audience,
)
from services.wiki.domain.pages import StartPage, pages
from services.wiki.domain.spaces import FollowGroup, OpenSpace, spaces
from services.wiki.reactions import keep_space_of_group
from shared.kernel.events import Occasion
from shared.kernel.testing import recorded
from shared.runtime.codec import PARTITIONS
from shared.runtime.ids import new_id
from shared.runtime.relay import Lane, Relay
from shared.runtime.service import mongo_client
from shared.runtime.settings import Settings
from shared.runtime.store import EventStore
from shared.runtime.topics import Topics
from shared.tests.company import House, refused
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
    command = keep_space_of_group(event, recorded(event))
    assert isinstance(command, OpenSpace)
    assert (command.space_id, command.audience, command.owner_id) == ("g1", ("group:g1",), "ann")
    (opened,) = spaces.decide(command, spaces.initial)
    assert opened.model_dump(include={"name", "purpose", "language"}) == {
        "name": "Friday fun",
        "purpose": "Cakes and jokes",
        "language": "sv",
    }


def test_the_space_is_called_as_its_group_is() -> None:
    event = GroupDescribed(group_id="g1", name="Fika", purpose="", language="sv")
    command = keep_space_of_group(event, recorded(event, stream="group-g1", position=2))
    assert command == FollowGroup("g1", "Fika", "", 2)


def test_nothing_else_about_a_group_opens_a_space() -> None:
    event = MemberJoinedGroup(group_id="g1", member_id="bob", standing=Standing.OWNER)
    assert keep_space_of_group(event, recorded(event)) is None


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
        store = EventStore("groups", database, on_append=relay.appended)
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
    group = new_id()
    async with groups(wiki_settings) as store:
        await founded(store, group, "gil")

        async def opened() -> None:
            for who in ("ann", "gil"):
                space = await house.ask(who, "GET", f"/wiki/spaces/{group}")
                assert space.status_code == 200, space.text
                assert (space.json()["name"], space.json()["owner_id"]) == ("Friday fun", None)

        await eventually(opened)
    assert (await house.ask("bob", "GET", f"/wiki/spaces/{group}")).status_code == 404


async def founded(store: EventStore, group: str, member: str) -> None:
    """A closed group that ann started and `member` is in."""
    by_ann = Occasion("ann", new_id())
    for who, standing in (("ann", Standing.OWNER), (member, Standing.MEMBER)):
        joined = MemberJoinedGroup(group_id=group, member_id=who, standing=standing)
        await store.append(f"membership-{group}-{who}", 1, [joined], by_ann)
    await store.append(f"group-{group}", 1, [started(group, Openness.CLOSED)], by_ann)


@contextlib.asynccontextmanager
async def group_of_two(house: House, settings: Settings) -> AsyncIterator[tuple[EventStore, str, str]]:
    """A closed group that ann founded and bob is a member of, with its space, and a page of ann's in it."""
    group, by_ann = new_id(), Occasion("ann", new_id())
    async with groups(settings) as store:
        await founded(store, group, "bob")

        async def opened() -> None:
            space = await house.ask("bob", "GET", f"/wiki/spaces/{group}")
            assert space.status_code == 200, space.text

        await eventually(opened)
        page = new_id()
        begun = StartPage(page, group, "a", "x", "", "sv", "ann", (f"group:{group}",), "open")
        await house.service.store.handle(pages, begun, by_ann)
        yield store, group, page


async def allowed(house: House, who: str, page: str, *permissions: str) -> None:
    """Of what the owner of a page may do, eventually these."""

    async def may() -> None:
        told = await house.ask(who, "GET", f"/wiki/pages/{page}")
        assert told.status_code == 200, told.text
        held = {name for name, is_so in told.json()["may"].items() if is_so}
        assert held & {"delete", "audience", "owner"} == set(permissions)

    await eventually(may)


async def stands(store: EventStore, group: str, who: str, version: int, new: Standing) -> None:
    old = Standing.OWNER if new is Standing.MEMBER else Standing.MEMBER
    changed = StandingChanged(group_id=group, member_id=who, old=old, new=new)
    await store.append(f"membership-{group}-{who}", version, [changed], Occasion("ann", new_id()))


@pytest.mark.asyncio(loop_scope="module")
async def test_who_owns_the_group_now_decides_about_the_pages_in_its_space(
    house: House, wiki_settings: Settings
) -> None:
    async with group_of_two(house, wiki_settings) as (store, group, page):
        await allowed(house, "bob", page)
        await stands(store, group, "bob", 2, Standing.OWNER)
        await allowed(house, "bob", page, "delete", "audience", "owner")
        await stands(store, group, "ann", 2, Standing.MEMBER)
        theirs = {"json": {"owner_id": "bob"}}
        handed = await house.ask("bob", "PUT", f"/wiki/pages/{page}/owner", **theirs)
        assert handed.status_code == 200, handed.text
        await allowed(house, "ann", page)
        refused(await house.ask("ann", "PUT", f"/wiki/pages/{page}/owner", **theirs), 403, "may-not-owner")
        await stands(store, group, "ann", 3, Standing.OWNER)
        await allowed(house, "ann", page, "delete", "audience", "owner")
        left = MemberLeftGroup(group_id=group, member_id="ann")
        await store.append(f"membership-{group}-ann", 4, [left], Occasion("ann", new_id()))
        back = MemberJoinedGroup(group_id=group, member_id="ann", standing=Standing.MEMBER)
        await store.append(f"membership-{group}-ann", 5, [back], Occasion("ann", new_id()))
        await allowed(house, "ann", page)
        assert (await house.ask("bob", "DELETE", f"/wiki/pages/{page}")).status_code == 200


@pytest.mark.asyncio(loop_scope="module")
async def test_who_left_the_group_is_not_in_the_way_of_those_who_decide_about_their_pages(
    house: House, wiki_settings: Settings
) -> None:
    async with group_of_two(house, wiki_settings) as (store, group, page):
        await stands(store, group, "bob", 2, Standing.OWNER)
        await allowed(house, "bob", page, "delete", "audience", "owner")
        wanted = {"json": {"audience": ["member:bob", "role:editor"], "classification": "open"}}
        shown = f"/wiki/pages/{page}/audience"
        refused(await house.ask("bob", "PUT", shown, **wanted), 422, "audience-without-owner")
        left = MemberLeftGroup(group_id=group, member_id="ann")
        await store.append(f"membership-{group}-ann", 2, [left], Occasion("ann", new_id()))

        async def gone() -> None:
            assert (await house.ask("ann", "GET", f"/wiki/pages/{page}")).status_code == 404

        await eventually(gone)
        answer = await house.ask("bob", "PUT", shown, **wanted)
        assert answer.status_code == 200, answer.text


@pytest.mark.asyncio(loop_scope="module")
async def test_nobody_decides_about_the_space_of_a_group_but_by_the_group(
    house: House, wiki_settings: Settings
) -> None:
    """Neither its founder, nor its owner, nor an editor: it would be shown to others than the group."""
    async with group_of_two(house, wiki_settings) as (store, group, _):
        await stands(store, group, "bob", 2, Standing.OWNER)
        await stands(store, group, "ann", 2, Standing.MEMBER)
        edited = MemberJoinedGroup(group_id=group, member_id="edi", standing=Standing.MEMBER)
        await store.append(f"membership-{group}-edi", 1, [edited], Occasion("bob", new_id()))

        async def came() -> None:
            space = await house.ask("edi", "GET", f"/wiki/spaces/{group}")
            assert space.status_code == 200
            assert {name for name, is_so in space.json()["may"].items() if is_so} == {"write"}

        await eventually(came)
        for who in ("ann", "bob", "edi"):
            for what, wanted in (
                ("/audience", {"audience": ["staff"], "classification": "open"}),
                ("/audience", {"audience": [f"member:{who}"], "classification": "open"}),
                ("/owner", {"owner_id": "bob"}),
                ("", {"name": "Mine", "purpose": ""}),
            ):
                answer = await house.ask(who, "PUT", f"/wiki/spaces/{group}{what}", json=wanted)
                refused(answer, 422, "space-of-group")
        hidden = await house.ask("oda", "PUT", f"/wiki/spaces/{group}", json={"name": "x"})
        refused(hidden, 404, "no-such-space")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_group_that_is_called_otherwise_has_a_space_that_is_called_so(
    house: House, wiki_settings: Settings
) -> None:
    async with group_of_two(house, wiki_settings) as (store, group, _):
        for version, name in ((2, "Fika"), (3, "Kaffe")):
            called = GroupDescribed(group_id=group, name=name, purpose=f"{name}\ndaily", language="sv")
            await store.append(f"group-{group}", version, [called], Occasion("ann", new_id()))

        async def follows() -> None:
            space = (await house.ask("bob", "GET", f"/wiki/spaces/{group}")).json()
            assert (space["name"], space["purpose"]) == ("Kaffe", "Kaffe daily")

        await eventually(follows)
