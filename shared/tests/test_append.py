"""Proves the paragraph 'Append' of docs/semantics.md; its sentences are named by number."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import bson
import pytest
from bson.raw_bson import RawBSONDocument
from pymongo.errors import OperationFailure

from shared.kernel.decider import Decider
from shared.kernel.errors import Conflict, Refused, TooLarge, Unavailable
from shared.kernel.events import Occasion
from shared.runtime.appends import MOST_WAITING, LostRace
from shared.runtime.codec import LARGEST_EVENT, Commit, encode_commit
from shared.runtime.ids import new_id
from shared.runtime.store import Committed, EventStore, Idempotency
from shared.tests.failpoints import failing
from shared.tests.processes import Role, together
from shared.tests.rooms import Room, by_ann
from shared.tests.walls import HANDS, SERVICE, Mark, MarkKept, MarkMade


def another_store(room: Room) -> EventStore:
    """As another process has it: nothing is shared but the database."""
    return EventStore(SERVICE, room.database)


def commit(stream: str, first: int = 1) -> Commit:
    event = MarkMade(walls=["north"], text="a line", number=first)
    return encode_commit(
        stream,
        first,
        [(new_id(), event)],
        by_ann(),
        commit_id=new_id(),
        recorded_at=datetime.now(UTC),
    )


async def test_fifty_racing_commands_on_one_stream_are_each_kept_once(room: Room) -> None:
    """Append 5, within one process and between stores that know nothing of each other."""
    stores = [room.store, another_store(room), another_store(room)]
    answers = await asyncio.gather(*(stores[n % 3].handle(HANDS, Mark("one"), by_ann()) for n in range(50)))
    assert await room.numbers("one") == list(range(1, 51))
    assert sorted(answer.version for answer in answers) == list(range(1, 51))
    stored = {r.version: r.commit_id for r in await room.store.load("hand-one")}
    assert {answer.version: answer.commit_id for answer in answers} == stored


async def test_racing_processes_lose_and_double_nothing(room: Room) -> None:
    """Append 5, between processes: each of the 51 commands was answered with a version of its own."""
    roles = [Role("hand", "one", "17") for _ in range(3)]
    async with together(*roles):
        await asyncio.gather(*(role.ended() for role in roles))
    assert await room.numbers("one") == list(range(1, 52))
    answered = Counter(int(word) for role in roles for word in role.said if word.isdigit())
    assert answered == Counter(range(1, 52))


async def test_a_stream_that_should_begin_and_is_there_is_decided_on_its_history(room: Room) -> None:
    """Whoever says that a stream begins saves the look; they cannot write over what others wrote."""
    for _ in range(3):
        await room.do(Mark("ann"), begins=True)
    async with Room(room.settings) as elsewhere:
        await elsewhere.do(Mark("ann"), begins=True)
    assert await room.numbers("ann") == [1, 2, 3, 4]


async def test_a_rule_holds_however_many_race_for_the_last_place(room: Room) -> None:
    """Append 5: a racer that lost is decided again on what the winner left."""
    stores = [room.store, another_store(room)]
    outcomes = await asyncio.gather(
        *(stores[n % 2].handle(HANDS, Mark("one", most=20), by_ann()) for n in range(40)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, Committed) for outcome in outcomes) == 20
    assert {o.code for o in outcomes if isinstance(o, Refused)} == {"hand-tired"}
    assert await room.numbers("one") == list(range(1, 21))


async def test_what_cannot_be_stored_is_refused_and_its_neighbours_are_kept(room: Room) -> None:
    """Append 3: refused by its caller's own check, before it joins a batch."""
    too_much = "ä" * (LARGEST_EVENT // 2)
    broken = [
        room.do(Mark("one", text="broken \ud800 character")),
        room.do(Mark("two", text=too_much)),
        room.do(Mark("three", text="x" * 800_000, times=4)),
        room.store.handle(HANDS, Mark("four"), Occasion("\udfff", new_id())),
        room.do(Mark("five with spaces")),
    ]
    good = [room.do(Mark(f"good-{n}")) for n in range(20)]
    outcomes = await asyncio.gather(*good[:10], *broken, *good[10:], return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert [r.code for r in refused] == [
        "not-storable",
        "event-too-large",
        "commit-too-large",
        "not-storable",
        "bad-stream-name",
    ]
    assert [type(r) for r in refused[1:3]] == [TooLarge, TooLarge]
    assert sum(isinstance(outcome, Committed) for outcome in outcomes) == 20
    assert await room.database["commits"].count_documents({}) == 20


async def test_the_largest_event_and_the_longest_integer_are_kept_exactly(room: Room) -> None:
    """Append 3: data is kept as it was written, however long its numbers."""
    text = "x" * (LARGEST_EVENT - 200)
    await room.do(Mark("one", text=text))
    huge = MarkKept(text="huge", number=2**200)
    await room.store.append("hand-huge", 1, [huge], by_ann())
    (event,) = [r.event() for r in await room.store.load("hand-huge")]
    assert event == huge
    (event,) = [r.event() for r in await room.store.load("hand-one")]
    assert isinstance(event, MarkMade) and event.text == text


async def test_one_document_that_the_engine_refuses_does_not_hurt_its_batch(room: Room) -> None:
    """Append 3: each commit of a batch has its own outcome."""
    good = [commit(f"hand-{n}") for n in range(3)]
    raced = commit("hand-1")
    bad = commit("hand-bad")
    document = {**bson.decode(bad.document.raw), "_id": ["no", "list", "is", "an", "id"]}
    bad = Commit(
        bad.key, bad.stream, 1, 1, bad.commit_id, bad.recorded_at, RawBSONDocument(bson.encode(document))
    )
    outcomes = await asyncio.gather(
        *(room.store.queue.append(c) for c in (good[0], bad, good[1], raced, good[2])),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [
        type(None),
        OperationFailure,
        type(None),
        LostRace,
        type(None),
    ]
    stored = await room.database["commits"].distinct("commit_id")
    assert set(stored) == {c.commit_id for c in good}


async def test_a_caller_who_gives_up_does_not_hurt_the_others(room: Room) -> None:
    """Append 3."""
    tasks = [asyncio.create_task(room.store.queue.append(commit(f"hand-{n}"))) for n in range(5)]
    await asyncio.sleep(0)
    tasks[2].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(o) for n, o in enumerate(outcomes) if n != 2] == [type(None)] * 4


async def test_who_closes_the_store_waits_for_what_was_accepted(room: Room) -> None:
    """Append 3: a service that ends leaves nobody without an outcome."""
    async with failing(room, "insert", blockConnection=True, blockTimeMS=300):
        appends = [asyncio.create_task(room.store.queue.append(commit(f"hand-{n}"))) for n in range(3)]
        await asyncio.sleep(0)
        await room.store.queue.close()
        assert await room.database["commits"].count_documents({}) == 3
    await asyncio.gather(*appends)


async def test_more_than_can_wait_is_told_so_and_not_queued(room: Room) -> None:
    """Append 3: memory is bounded."""
    commits = [commit(f"hand-{n}") for n in range(MOST_WAITING + 2)]
    outcomes = await asyncio.gather(*map(room.store.queue.append, commits), return_exceptions=True)
    late = [o for o in outcomes if isinstance(o, Unavailable)]
    assert [o.code for o in late] == ["store-busy", "store-busy"]
    assert await room.database["commits"].count_documents({}) == MOST_WAITING


async def test_an_idempotency_key_answers_the_first_outcome(room: Room) -> None:
    """Append 5: repeated after the fact, with the same request."""
    key = Idempotency("ann", "key-1", "hash")
    first = await room.do(Mark("one", most=1), idempotency=key)
    assert await room.do(Mark("one", most=1), idempotency=key) == first
    assert await another_store(room).handle(HANDS, Mark("one", most=1), by_ann(), idempotency=key) == first
    assert await room.numbers("one") == [1]


async def test_an_idempotency_key_sent_by_many_at_once_is_one_commit(room: Room) -> None:
    """Append 5: concurrently, through stores that know nothing of each other."""
    key = Idempotency("ann", "key-1", "hash")
    stores = [room.store, another_store(room), another_store(room)]
    answers = await asyncio.gather(
        *(stores[n % 3].handle(HANDS, Mark("one"), by_ann(), idempotency=key) for n in range(30))
    )
    assert len(set(answers)) == 1
    assert await room.numbers("one") == [1]


async def test_a_repeated_request_is_answered_though_it_would_be_refused_now(room: Room) -> None:
    """Append 5: its first outcome made the rule, or the version that it names, refuse a second one."""
    key = Idempotency("ann", "key-1", "hash")
    stores = [room.store, another_store(room)]
    command = Mark("one", most=1)
    answers = await asyncio.gather(
        *(stores[n % 2].handle(HANDS, command, by_ann(), if_match=0, idempotency=key) for n in range(10))
    )
    assert len(set(answers)) == 1


async def test_an_idempotency_key_is_bound_to_its_request_and_member(room: Room) -> None:
    """Append 5."""
    await room.do(Mark("one"), idempotency=Idempotency("ann", "key-1", "hash"))
    for hand in ("one", "two"):
        with pytest.raises(Refused) as refused:
            await room.do(Mark(hand), idempotency=Idempotency("ann", "key-1", "another"))
        assert refused.value.code == "idempotency-key-reused"
    await room.do(Mark("one"), idempotency=Idempotency("bo", "key-1", "another"))
    assert await room.numbers("one") == [1, 2]


async def test_one_key_for_two_requests_at_once_is_kept_for_one_of_them(room: Room) -> None:
    """Append 5: also when they share a batch and are of different streams."""
    outcomes = await asyncio.gather(
        *(room.do(Mark(f"hand{n}"), idempotency=Idempotency("ann", "key-1", f"hash-{n}")) for n in range(10)),
        return_exceptions=True,
    )
    assert sum(isinstance(o, Committed) for o in outcomes) == 1
    assert {o.code for o in outcomes if isinstance(o, Refused)} == {"idempotency-key-reused"}
    assert await room.database["commits"].count_documents({}) == 1


async def test_if_match_is_compared_with_the_tail_and_nothing_else(room: Room) -> None:
    """Append 2."""
    await room.mark("one", 3)
    for old in (0, 2, 4):
        with pytest.raises(Conflict) as conflict:
            await room.do(Mark("one"), if_match=old)
        assert conflict.value.code == "edited-meanwhile"
    assert (await room.do(Mark("one"), if_match=3)).version == 4


async def test_of_two_who_saw_the_same_version_one_is_told(room: Room) -> None:
    """Append 2: a lost race with If-Match is not decided again."""
    await room.mark("one")
    stores = [room.store, another_store(room)]
    outcomes = await asyncio.gather(
        *(store.handle(HANDS, Mark("one"), by_ann(), if_match=1) for store in stores),
        return_exceptions=True,
    )
    assert sorted(type(o).__name__ for o in outcomes) == ["Committed", "Conflict"]
    assert await room.numbers("one") == [1, 2]


async def test_recorded_at_never_runs_back_within_a_stream(room: Room) -> None:
    """Append 2: after a commit by a machine whose clock is ahead."""
    ahead = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    event = MarkMade(walls=["north"], text="from the future", number=1)
    await room.store.append("hand-one", 1, [event], by_ann(), recorded_at=ahead)
    await room.mark("one", 2)
    await another_store(room).handle(HANDS, Mark("one"), by_ann())
    times = [recorded.recorded_at for recorded in await room.store.load("hand-one")]
    assert times == sorted(times) and times[0] == ahead


async def test_the_past_is_said_by_the_command_and_recorded_now(room: Room) -> None:
    """Append 2: two times on every event."""
    long_ago = datetime(2016, 2, 29, 8, 30, tzinfo=UTC)
    before = datetime.now(UTC).replace(microsecond=0)
    await room.store.handle(HANDS, Mark("one"), Occasion("ann", new_id(), long_ago))
    (recorded,) = await room.store.load("hand-one")
    assert recorded.occurred_at == long_ago and recorded.recorded_at >= before


async def test_a_kept_state_is_thrown_away_when_the_store_was_restored(room: Room) -> None:
    """Append 7: the store went back to the third commit; everybody goes on from there."""
    await room.mark("one", 6)
    assert (await room.store.state(HANDS, "hand-one"))[1] == 6
    await room.database["commits"].delete_many({"_id": {"$gt": "hand-one:0000000003"}})
    states = await asyncio.gather(*(room.store.state(HANDS, "hand-one") for _ in range(20)))
    assert {tail for _, tail in states} == {3}
    await room.mark("one")
    assert await room.numbers("one") == [1, 2, 3, 4]


@pytest.mark.parametrize("restored", [2, 3])
async def test_a_kept_state_is_thrown_away_when_another_history_took_its_place(
    room: Room, restored: int
) -> None:
    """Append 7: after a restore somebody else wrote other commits at the same versions."""
    await room.mark("one", 4)
    await room.database["commits"].delete_many({"_id": {"$gt": f"hand-one:000000000{restored}"}})
    await another_store(room).handle(HANDS, Mark("one", times=6 - restored), by_ann())
    state, tail = await room.store.state(HANDS, "hand-one")
    assert (state.marks, tail) == (6, 6)
    await room.mark("one")
    assert await room.numbers("one") == [1, 2, 3, 4, 5, 6, 7]


async def test_a_restored_store_that_lost_a_stream_begins_it_again(room: Room) -> None:
    """Append 7."""
    await room.mark("one", 2)
    await room.database["commits"].delete_many({})
    await room.mark("one")
    assert await room.numbers("one") == [1]


async def test_a_decider_never_finds_the_state_of_one_that_is_gone(room: Room) -> None:
    """Append 7: deciders come and go, and memory is used again."""
    await room.mark("one", 3)
    for begin in range(0, 1_000, 10):
        counting: Decider[Mark, int] = Decider(
            HANDS.stream, begin, lambda _, __: (), lambda count, _: count + 1
        )
        assert await room.store.state(counting, "hand-one") == (begin + 3, 3)
