"""The home feed before and after the company has grown: from 5,000 posts and 200 members to 500,000 posts and
50,000 members, in one run. Who asks has 150 tokens then.

The history is appended in bulk, past the rooms' rules and in front of everything else: events in the
services' stores, which relay, fold and index them as if they had just been written. Members who only fill
the tables hold units where others hold groups.
"""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from pymongo import AsyncMongoClient

from benchmarks.harness import Run, callers
from benchmarks.rooms import (
    CALLERS,
    COUNTRIES,
    Asker,
    Processes,
    administrator,
    feed_pages,
    first_page,
    note,
    platform,
    registered,
    text_of,
)
from contracts.feed import LanguageSource, PostKind, PostPublished
from contracts.groups import GroupStarted, MemberJoinedGroup, Openness, Standing, group_audience
from contracts.identity import ClearanceChanged, MemberPlaced, Place
from shared.kernel.audience import STAFF, Classification
from shared.kernel.events import Event, Occasion
from shared.kernel.personal import Personal
from shared.runtime.ids import new_id
from shared.runtime.keys import KeyRing, MasterKey
from shared.runtime.settings import Settings
from shared.runtime.store import EventStore

MEMBERS, POSTS = 200, 5_000
MEMBERS_GROWN, POSTS_GROWN = 50_000, 500_000
TOKENS = 150
#: Of who only fills the tables: each token of theirs is an entry of every index of tokens, and three times as
#: many take an hour here. A page of the feed never reads them.
CROWD_TOKENS = int(os.environ.get("FIKARUM_BENCH_CROWD_TOKENS", "50"))
#: Tokens that everybody holds besides groups or units: everyone, staff, own, country, language.
ALREADY = 5
#: MongoDB's cache. Tokens of members are indexed at random places: where the indexes do not fit, each entry
#: is a page read and another one written.
CACHE_GB = "2"
#: How many appends wait at once: they share writes.
AT_ONCE = 512
PAGES = 320
#: Who follows; identity and groups first, whose events the others need.
SERVICES = ("identity", "groups", "feed", "wiki", "engagement", "search")
#: Seconds that the services may take to follow.
PATIENCE = 2_400.0


async def run(run: Run) -> None:
    with platform(run.home / "grown", FIKARUM_MONGO_CACHE_GB=CACHE_GB) as (status, demo):
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as http,
            _bulk(run, status) as bulk,
        ):
            chief = administrator(demo, http, status["addresses"]["gateway"])
            members = await registered(chief, MEMBERS)
            processes = Processes.of(status)
            await bulk.posts(members, POSTS, [])
            await _followed(chief)
            small = await _asked(run, f"{POSTS:,} posts, {MEMBERS} members", members, processes)
            began = time.perf_counter()
            groups = await bulk.groups(members)
            await bulk.crowd(MEMBERS_GROWN - MEMBERS)
            await bulk.posts(members, POSTS_GROWN - POSTS, groups)
            run.note("grown", "appended in bulk in", time.perf_counter() - began, "s")
            await _followed(chief)
            run.note("grown", "and followed by every service in", time.perf_counter() - began, "s")
            grown = await _asked(run, f"{POSTS_GROWN:,} posts, {MEMBERS_GROWN:,} members", members, processes)
        for name, before, after in zip(("p99", "CPU"), small, grown, strict=True):
            run.note(
                "grown",
                f"GET /feed, {name}: grown to small",
                after / before,
                "times",
                goal=1.2,
                at_least=False,
            )


async def _asked(run: Run, size: str, members: list[Asker], processes: Processes) -> tuple[float, float]:
    """p99 and CPU of a page of the feed, both in milliseconds."""
    p99, cpu = await feed_pages(run, members, processes, group="grown", size=f", {size}")
    await callers(CALLERS, 96, first_page(members))
    note(run, f"the first page, {size}", await callers(CALLERS, PAGES, first_page(members)), group="grown")
    return p99, cpu


@dataclass(frozen=True, slots=True)
class _Bulk:
    """Stores of the services, written to directly."""

    identity: EventStore
    groups_: EventStore
    feed: EventStore

    async def posts(self, authors: list[Asker], number: int, groups: list[str]) -> None:
        """Half to all, a fifth to a country, the rest to a group."""
        chance = random.Random(number)

        async def one(n: int) -> None:
            draw = chance.random()
            group_id = chance.choice(groups) if groups and draw > 0.7 else None
            audience: tuple[str, ...] = (STAFF,)
            if group_id is not None:
                audience = group_audience(group_id, Openness.CLOSED)
            elif draw > 0.5:
                audience = (f"country:{COUNTRIES[n % len(COUNTRIES)]}",)
            post_id = new_id()
            said = PostPublished(
                post_id=post_id,
                kind=PostKind.POST,
                author_id=authors[n % len(authors)].member_id,
                text=Personal(plain=text_of(n)),
                language="en",
                language_source=LanguageSource.AUTHOR,
                audience=audience,
                classification=Classification.OPEN,
                group_id=group_id,
            )
            await _append(self.feed, f"post-{post_id}", said)

        await _together(one, range(number))

    async def groups(self, members: list[Asker]) -> list[str]:
        """As many as the tokens ask for, everybody in each; answers their ids."""
        ids = [new_id() for _ in range(TOKENS - ALREADY)]

        async def start(n: int) -> None:
            started = GroupStarted(
                group_id=ids[n],
                name=f"Group {n}",
                purpose="To be one of many",
                openness=Openness.CLOSED,
                audience=group_audience(ids[n], Openness.CLOSED),
                language="en",
                started_by=members[0].member_id,
            )
            await _append(self.groups_, f"group-{ids[n]}", started)

        async def join(n: int) -> None:
            group_id, member_id = ids[n % len(ids)], members[n // len(ids)].member_id
            joined = MemberJoinedGroup(group_id=group_id, member_id=member_id, standing=Standing.MEMBER)
            await _append(self.groups_, f"membership-{group_id}-{member_id}", joined)

        await _together(start, range(len(ids)))
        await _together(join, range(len(ids) * len(members)))
        return ids

    async def crowd(self, number: int) -> None:
        """Members with as many tokens, of units: one event instead of one a token."""

        async def one(n: int) -> None:
            member_id = new_id()
            units = tuple(f"bench-{(n * 7 + depth * 31) % 5_000}" for depth in range(CROWD_TOKENS - 2))
            place = Place(units=units, office=f"office-{n % 300}", country=COUNTRIES[n % len(COUNTRIES)])
            placed = MemberPlaced(member_id=member_id, place=place, place_before=Place())
            cleared = ClearanceChanged(
                member_id=member_id, old=Classification.OPEN, new=Classification.INTERNAL
            )
            await _append(self.identity, f"member-{member_id}", placed, cleared)

        await _together(one, range(number))


async def _append(store: EventStore, stream: str, *events: Event) -> None:
    await store.append(stream, 1, events, Occasion("member-bench", "benchmark"))


async def _together(one: Callable[[int], Awaitable[None]], numbers: Iterable[int]) -> None:
    left = iter(numbers)

    async def worker() -> None:
        for n in left:
            await one(n)

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


@asynccontextmanager
async def _bulk(run: Run, status: dict[str, Any]) -> AsyncIterator[_Bulk]:
    settings = Settings(home=run.home / "grown")
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(status["addresses"]["mongo"], tz_aware=True)
    master = MasterKey.read(settings.master_key_path)
    stores = []
    try:
        for service in ("identity", "groups", "feed"):
            database = client[settings.named(service)]
            ring = KeyRing(database, master)
            ring.caught_up.set()
            stores.append(EventStore(service, database, ring))
        yield _Bulk(*stores)
    finally:
        for store in stores:
            await store.queue.close()
        await client.close()


async def _followed(chief: Asker) -> None:
    """Waits until everything is sent and every view has folded it."""
    deadline = time.monotonic() + PATIENCE
    for service in SERVICES:
        while True:
            state = await chief.ask("GET", f"/operate/{service}/views")
            behind = sum(view["lag_events"] for view in state["views"])
            if not behind and not state["relay_unsent_seconds"]:
                break
            if time.monotonic() > deadline:
                raise RuntimeError(f"{service} is {behind} events behind")
            await asyncio.sleep(2.0)
