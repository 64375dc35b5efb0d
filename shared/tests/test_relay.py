"""Proves the paragraph 'Relay' of docs/semantics.md; its sentences are named by number."""

import asyncio
import contextlib
import random
import signal
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from structlog.testing import capture_logs

from shared.runtime import relay as relay_module
from shared.runtime.awake import LONGEST_STANDSTILL
from shared.runtime.codec import LARGEST_EVENT, PARTITIONS, Commit, partition_of
from shared.runtime.relay import Relay
from shared.runtime.store import Committed, EventStore, Part
from shared.tests.eventually import eventually
from shared.tests.failpoints import failing, hanging_reads
from shared.tests.log import check_log
from shared.tests.processes import Role, together
from shared.tests.rooms import Room, by_ann
from shared.tests.walls import HANDS, KINDS, PRIVATE, PUBLIC, SERVICE, Mark, MarkMade, MarkWhispered


async def load(room: Room, commits: int, hands: int = 7, seed: int = 1) -> None:
    """Commits of every kind, of several events and on several streams at once."""
    dice = random.Random(seed)
    await asyncio.gather(
        *(
            room.do(Mark(f"hand{dice.randrange(hands)}", times=dice.randint(1, 4), kind=dice.choice(KINDS)))
            for _ in range(commits)
        )
    )


async def check(room: Room) -> None:
    await check_log(room.settings.kafka, room.topics, room.database)


async def append_both(room: Room, stream: str, first: int) -> None:
    """One commit whose events go to both topics."""
    public = MarkMade(walls=["north"], text="said", number=first)
    private = MarkWhispered(walls=["north"], text="whispered", number=first + 1)
    await room.store.append(stream, first, [public, private], by_ann())


async def test_every_event_is_carried_once_and_in_the_order_of_its_stream(room: Room) -> None:
    """Relay 3: what was stored before the relay began and what comes while it runs."""
    await load(room, 150)
    await append_both(room, "hand-both", 1)
    async with room.relaying():
        await load(room, 100, seed=2)
        await append_both(room, "hand-both", 3)
        await room.store.handle_together(lambda: _parts(), by_ann())
        await room.all_sent()
    await check(room)


async def _parts() -> list[Part[Any, Any]]:
    return [Part(HANDS, Mark("left")), Part(HANDS, Mark("right", kind=MarkWhispered))]


async def test_the_largest_event_and_the_largest_commit_are_carried(room: Room) -> None:
    """Relay 3."""
    await room.do(Mark("one", text="x" * (LARGEST_EVENT - 200)))
    await room.do(Mark("two", text="ä" * 360_000, times=4))
    await room.mark("one", 3)
    await room.drain()
    await check(room)


async def test_a_sweep_finds_no_commit_without_its_predecessor(room: Room) -> None:
    """Relay 3: while it reads, two commits of a stream are stored: one before the place in the index where it
    is, by somebody who took long, and the other behind."""
    await room.drain()
    now = datetime.now(UTC)
    names = (f"hand-late{n}" for n in range(999))
    late = next(name for name in names if partition_of(name) == partition_of("hand-early"))

    async def append(stream: str, version: int, seconds: float = 0) -> None:
        event = MarkMade(walls=["north"], text="a line", number=version)
        at = now + timedelta(seconds=seconds)
        await room.store.append(stream, version, [event], by_ann(), recorded_at=at)

    for version in range(1, 61):
        await append("hand-early", version, 1_000 + version)
    async with contextlib.AsyncExitStack() as stack:
        async with hanging_reads(room, 40) as hangs:
            await stack.enter_async_context(room.relaying())
            await hangs()
            await append(late, 1)
            await append(late, 2, 2_000)
        await room.all_sent()
    await check(room)


async def test_what_another_process_appends_is_carried_at_once(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relay 3: nobody wakes the relay but the change stream."""
    monkeypatch.setattr(relay_module, "SWEEP_EVERY", 600.0)
    async with room.relaying() as relay:
        await room.mark("one")
        await room.all_sent()
        await eventually(lambda: _is_set(relay.idle))
        await EventStore(SERVICE, room.database).handle(HANDS, Mark("two"), by_ann())
        await room.all_sent()
    await check(room)


async def _is_set(event: asyncio.Event) -> bool:
    return event.is_set()


@pytest.mark.parametrize(
    "point", ["fenced-predecessor", "before-send", "sent", "committed", "promised", "marked"]
)
async def test_a_relay_killed_anywhere_loses_doubles_and_swaps_nothing(room: Room, point: str) -> None:
    """Relay 4: SIGKILL at each named point, in the second of its batches, while appends go on."""
    await load(room, 20)
    nth = 1 if point == "fenced-predecessor" else 2
    async with Role("relay", points=f"relay.{point}=kill:{nth}") as relay:
        dying, round_number = asyncio.create_task(relay.killed()), 0
        while not dying.done():
            round_number += 1
            await load(room, 5, seed=round_number)
            await asyncio.wait([dying], timeout=0.05)
        await dying
    await room.drain()
    await check(room)


async def test_what_a_process_appends_itself_goes_at_once_in_the_order_of_its_stream(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relay 3: no sweep finds it and nobody else tells of it; it is marked, and its places are known."""
    monkeypatch.setattr(relay_module, "SWEEP_EVERY", 600.0)
    monkeypatch.setattr(relay_module, "TOLD_WITHIN", 600.0)
    await room.mark("old", 3)
    async with room.relaying() as relay:
        await relay.drained()
        store = EventStore(SERVICE, room.database, on_append=relay.appended)
        for kind in KINDS:
            await store.handle(HANDS, Mark("one", times=2, kind=kind), by_ann())
        last = await store.handle(HANDS, Mark("one"), by_ann())
        await eventually(lambda: _is_known(relay, last))
        await room.all_sent()
        # what this session has not sent yet, the store is asked for
        await asyncio.gather(*(store.handle(HANDS, Mark("old"), by_ann()) for _ in range(5)))
        await store.handle_together(lambda: _parts(), by_ann())
        await room.all_sent()
    await check(room)


async def _is_known(relay: Relay, committed: Committed) -> bool:
    return bool(relay.places(committed.stream, committed.version))


async def test_nothing_overtakes_what_another_process_appended(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relay 3: nobody told the relay of the predecessor, when the successor is made here."""
    monkeypatch.setattr(relay_module, "SWEEP_EVERY", 600.0)
    monkeypatch.setattr(relay_module, "TOLD_WITHIN", 600.0)
    async with room.relaying() as relay:
        await relay.drained()
        here = EventStore(SERVICE, room.database, on_append=relay.appended)
        for round_number in range(4):
            await room.mark(f"new{round_number}")
            await here.handle(HANDS, Mark(f"new{round_number}"), by_ann())
            await here.handle(HANDS, Mark("ours"), by_ann())
            await room.mark("ours")
            await here.handle(HANDS, Mark("ours"), by_ann())
            await room.all_sent()
    await check(room)


class _Late:
    """Keeps what it is told of appends for later."""

    def __init__(self) -> None:
        self._held: list[tuple[Sequence[Commit], float]] = []

    def __call__(self, commits: Sequence[Commit], began: float) -> None:
        self._held.append((commits, began))

    def tell(self, relay: Relay) -> None:
        for commits, began in self._held:
            relay.appended(commits, began)


async def test_a_commit_that_a_sweep_found_before_its_append_was_answered_is_sent_once(room: Room) -> None:
    """Relay 3."""
    async with room.relaying() as relay:
        await relay.drained()
        late = _Late()
        here = EventStore(SERVICE, room.database, on_append=late)
        for hand in ("one", "two"):
            await here.handle(HANDS, Mark(hand), by_ann())
        await relay.drained()
        late.tell(relay)
        await relay.drained()
    await check(room)


async def test_a_commit_that_an_earlier_session_sent_before_its_append_was_answered_is_sent_once(
    room: Room,
) -> None:
    """Relay 3: the session ends in between, and the next one knows nothing of what went before."""
    late = _Late()
    async with room.relaying() as first:
        await first.drained()
        await EventStore(SERVICE, room.database, on_append=late).handle(HANDS, Mark("one"), by_ann())
        await first.drained()
    async with room.relaying() as second:
        await second.drained()
        late.tell(second)
        await second.drained()
    await check(room)


async def test_two_processes_that_append_and_relay_send_everything_once(room: Room) -> None:
    """Relay 1 and 3: each takes over from the other again and again, and goes on telling its relay."""
    async with room.relaying() as relay, together(Role("writer"), Role("writer")):
        here = EventStore(SERVICE, room.database, on_append=relay.appended)
        for number in range(60):
            await asyncio.gather(*(here.handle(HANDS, Mark(f"{number}-{n}"), by_ann()) for n in range(4)))
            await here.handle(HANDS, Mark("hot"), by_ann())
    await room.drain()
    await check(room)


@pytest.mark.parametrize("point", ["before-send", "sent", "committed", "promised", "marked"])
async def test_a_process_killed_while_it_appends_and_relays_loses_doubles_and_swaps_nothing(
    room: Room, point: str
) -> None:
    """Relay 4: what went the short way is found in the log, or is sent again."""
    for nth in (3, 8):
        async with Role("writer", points=f"relay.{point}=kill:{nth}") as writer:
            await writer.killed()
        await room.drain()
        await check(room)


async def test_a_writer_that_slept_wakes_up_fenced(room: Room) -> None:
    """Relay 1: it has commits in hand that a successor has sent meanwhile."""
    async with Role("writer", points="relay.before-send=stop:5") as sleeper:
        await sleeper.paused()
        await room.drain()
        sleeper.send(signal.SIGCONT)
        await asyncio.sleep(1.0)
        sleeper.send(signal.SIGTERM)
        await sleeper.ended()
    await room.drain()
    await check(room)


async def test_who_waits_for_a_slow_store_does_not_begin_again(room: Room) -> None:
    """Relay 1: only a standstill of the process is one."""
    slow = {"blockConnection": True, "blockTimeMS": int(1_000 * LONGEST_STANDSTILL + 500)}
    async with room.relaying() as relay:
        await relay.drained()
        with capture_logs() as logs:
            async with failing(room, "update", times=2, **slow) as slowed:
                await room.mark("one", 3)
                await slowed()
                await room.all_sent()
        assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == []
    await check(room)


async def test_relays_killed_one_after_the_other_still_come_through(room: Room) -> None:
    """Relay 4: each of them takes over from one that was killed, and is killed itself."""
    for number, point in enumerate(("sent", "committed", "marked", "committed", "sent", "marked")):
        await load(room, 10, seed=number)
        async with Role("relay", points=f"relay.{point}=kill") as relay:
            await relay.killed()
    await room.drain()
    await check(room)


@pytest.mark.parametrize("point", ["sent", "committed"])
async def test_a_relay_that_slept_wakes_up_fenced(room: Room, point: str) -> None:
    """Relay 1: SIGSTOP between send and commit, or between commit and mark; a successor has long gone on."""
    await load(room, 20)
    async with Role("relay", points=f"relay.{point}=stop") as sleeper:
        await sleeper.paused()
        async with room.relaying():
            await load(room, 20, seed=2)
            await room.all_sent()
            sleeper.send(signal.SIGCONT)
            await load(room, 20, seed=3)
            await room.all_sent()
        # now the sleeper is alone again: it must have begun anew by itself
        await load(room, 20, seed=4)
        await room.all_sent()
        await check(room)
        sleeper.send(signal.SIGTERM)
        await sleeper.ended()
    await check(room)


async def test_a_relay_that_is_fenced_in_its_commit_marks_nothing(room: Room) -> None:
    """Relay 4: its successor has sent the same commits; their places are those in the log."""
    await load(room, 20)
    async with Role("relay", points="relay.sent=stop") as sleeper:
        await sleeper.paused()
        async with room.relaying():
            await room.all_sent()
            sleeper.send(signal.SIGCONT)
            await asyncio.sleep(0.5)
        sleeper.send(signal.SIGTERM)
        await sleeper.ended()
    await check(room)


async def test_two_relays_at_once_carry_everything_once(room: Room) -> None:
    """Relay 1: each fences the other whenever it begins, and neither may do harm."""
    async with Role("relay") as other, room.relaying():
        await other.says("up")
        for seed in range(6):
            await load(room, 25, seed=seed)
            await asyncio.sleep(0.2)
        await room.all_sent()
    await check(room)


async def test_a_relay_that_begins_again_and_again_sends_nothing_twice(room: Room) -> None:
    """Relay 2: read-back from the checkpoint to the end, on every start."""
    for seed in range(4):
        await load(room, 15, seed=seed)
        await room.drain()
    await check(room)


async def test_a_commit_found_in_one_topic_is_still_owed_to_the_other(room: Room) -> None:
    """Relay 2 and 5: killed before its checkpoint, and then one of both topics was made anew."""
    await append_both(room, "hand-both", 1)
    await append_both(room, "hand-both", 3)
    async with Role("relay", points="relay.committed=kill") as relay:
        await relay.killed()
    await room.topics.recreate(PRIVATE)
    await room.drain()
    await check(room)


@pytest.mark.parametrize("name", [PUBLIC, PRIVATE])
async def test_a_topic_made_anew_is_filled_again(room: Room, name: str) -> None:
    """Relay 5: while the relay was away."""
    await load(room, 40)
    await append_both(room, "hand-both", 1)
    await room.drain()
    await room.topics.recreate(name)
    await load(room, 20, seed=2)
    await room.drain()
    await check(room)


async def test_a_topic_made_anew_under_load_is_filled_again_in_order(room: Room) -> None:
    """Relay 5: while the relay sends; what it wrote into the new topic before it noticed is in the way of
    what comes first."""
    async with room.relaying():
        await load(room, 40)
        await room.all_sent()
        await room.topics.recreate(PUBLIC)
        for seed in range(2, 12):
            await load(room, 10, seed=seed)
            await asyncio.sleep(0.15)

        async def filled() -> None:
            await check(room)

        await eventually(filled)


async def test_a_refill_that_is_killed_goes_on(room: Room) -> None:
    """Relay 4 and 5."""
    await load(room, 60)
    await room.drain()
    await room.topics.recreate(PUBLIC)
    for point in ("fenced-predecessor", "sent", "committed"):
        async with Role("relay", points=f"relay.{point}=kill") as relay:
            await relay.killed()
    await room.drain()
    await check(room)


async def test_a_log_that_ends_before_a_mark_is_made_anew(room: Room) -> None:
    """Relay 5: the broker lost what it had acknowledged, and would use the offsets of marks again."""
    await room.mark("one", 5)
    await room.drain()
    await room.topics.recreate(PUBLIC)
    now = (await room.topics.describe([PUBLIC]))[PUBLIC].id
    checkpoints, commits = room.database["relay_checkpoints"], room.database["commits"]
    marks = ((checkpoints, "topics", "name"), (checkpoints, "offsets", "topic"), (commits, "sent", "topic"))
    for collection, place, name in marks:
        change = {"$set": {f"{place}.$[mark].id": now}}
        which = [{f"mark.{name}": PUBLIC}]
        await collection.update_many({place: {"$exists": True}}, change, array_filters=which)
    await room.mark("one")
    await room.drain()
    assert (await room.topics.describe([PUBLIC]))[PUBLIC].id != now
    await check(room)


async def test_a_log_that_holds_what_the_store_lacks_is_made_anew(room: Room) -> None:
    """Relay 5: the store was restored from before its last commits, and went on differently."""
    await room.mark("one", 5)
    await room.drain()
    backup = await room.database["commits"].find().to_list()
    checkpoint = await room.database["relay_checkpoints"].find().to_list()
    await room.mark("one", 3)
    await room.mark("two", 2)
    await room.drain()
    for name, documents in (("commits", backup), ("relay_checkpoints", checkpoint)):
        await room.database[name].delete_many({})
        await room.database[name].insert_many(documents)
    await room.mark("one", 1, text="another history")
    before = (await room.topics.describe([PUBLIC]))[PUBLIC].id
    await room.drain()
    assert (await room.topics.describe([PUBLIC]))[PUBLIC].id != before
    await check(room)


@pytest.mark.parametrize("point", ["committed", "promised"])
async def test_a_sleeper_that_wakes_after_its_topic_was_made_anew_marks_nothing(
    room: Room, point: str
) -> None:
    """Relay 1 and 5: what it sent is not in the topic that there is now."""
    await load(room, 20)
    async with Role("relay", points=f"relay.{point}=stop") as sleeper:
        await sleeper.paused()
        await room.topics.recreate(PUBLIC)
        await room.topics.recreate(PRIVATE)
        await room.drain()
        await asyncio.sleep(LONGEST_STANDSTILL)
        sleeper.send(signal.SIGCONT)
        await load(room, 20, seed=2)
        await room.all_sent()
        sleeper.send(signal.SIGTERM)
        await sleeper.ended()
    await check(room)


async def test_a_batch_with_a_record_that_is_refused_is_thrown_away_whole(room: Room) -> None:
    """Relay 3: what comes behind it in its stream must not be sent before it."""
    await room.topics.ensure([PUBLIC, PRIVATE])
    await room.topics.alter(PUBLIC, {"max.message.bytes": "400000"})
    await room.do(Mark("one", text="x" * 800_000))
    await room.do(Mark("one", text="x" * 300_000))
    async with room.relaying():
        await eventually(lambda: _tried(room))
        await room.topics.alter(PUBLIC, {"max.message.bytes": "4194304"})
        await room.all_sent()
    await check(room)


async def _tried(room: Room) -> bool:
    """Something was written to the topic, be it only the end of a transaction."""
    names = [room.topics.full_name(PUBLIC)]
    tps = [TopicPartition(name, partition) for name in names for partition in range(PARTITIONS)]
    async with AIOKafkaConsumer(bootstrap_servers=room.settings.kafka) as consumer:
        return any((await consumer.end_offsets(tps)).values())
