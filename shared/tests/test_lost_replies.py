"""Proves the paragraph 'Append' of docs/semantics.md where the engine's answer is lost, late or an error."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from shared.kernel.errors import Unavailable
from shared.runtime import appends
from shared.runtime.settings import Settings
from shared.runtime.store import Committed, EventStore, Idempotency, Part
from shared.tests.eventually import eventually
from shared.tests.failpoints import failing
from shared.tests.lossy import LossyWire
from shared.tests.rooms import Room, by_ann
from shared.tests.walls import HANDS, SERVICE, Mark, MarkMade

_WRITE_CONCERN_ERROR = {"code": 64, "codeName": "WriteConcernFailed", "errmsg": "waited in vain"}
_NOT_PRIMARY, _OUT_OF_TIME = 10107, 50


@pytest.fixture
async def wire(settings: Settings) -> AsyncIterator[LossyWire]:
    async with LossyWire(settings.mongo_uri) as made:
        yield made


@pytest.fixture
async def far(settings: Settings, room: Room, wire: LossyWire) -> AsyncIterator[Room]:
    """The same database at the end of the wire."""
    async with Room(settings, wire.uri) as made:
        yield made


def both(*hands: str) -> Sequence[Part[Any, Any]]:
    return [Part(HANDS, Mark(hand)) for hand in hands]


async def test_a_lost_answer_is_success_when_the_commit_is_there(far: Room, wire: LossyWire) -> None:
    """Append 4: carried out, its answer lost."""
    wire.cut("insert", "after")
    answer = await far.do(Mark("one"))
    assert wire.lost == ["insert"]
    assert await far.numbers("one") == [1]
    assert [r.commit_id for r in await far.store.load("hand-one")] == [answer.commit_id]


async def test_a_lost_command_is_written_again(far: Room, wire: LossyWire) -> None:
    """Append 4: lost before it arrived."""
    wire.cut("insert", "before", times=2)
    await far.do(Mark("one"))
    assert wire.lost == ["insert", "insert"]
    assert await far.numbers("one") == [1]


async def test_of_a_batch_whose_answer_is_lost_each_commit_has_its_own_outcome(
    room: Room, far: Room, wire: LossyWire
) -> None:
    """Append 3 and 4: some of the batch went in, others had lost their race before."""
    await room.mark("seen")
    await far.store.state(HANDS, "hand-seen")
    wire.cut("insert", "after", times=3)
    outcomes = await asyncio.gather(
        *(far.do(Mark(f"hand{n}")) for n in range(20)),
        *(far.do(Mark("seen")) for _ in range(5)),
        *(room.do(Mark("seen")) for _ in range(5)),
    )
    assert wire.lost == ["insert"] * 3
    assert all(isinstance(outcome, Committed) for outcome in outcomes)
    assert await room.numbers("seen") == list(range(1, 12))
    for n in range(20):
        assert await room.numbers(f"hand{n}") == [1]


async def test_answers_lost_one_after_the_other_lose_and_double_nothing(far: Room, wire: LossyWire) -> None:
    """Append 4: racing on few streams while every third insert's answer is lost."""
    for _ in range(5):
        wire.cut("insert", "after")
        await asyncio.gather(*(far.do(Mark(f"hand{n % 3}")) for n in range(9)))
    assert len(wire.lost) == 5
    for n in range(3):
        assert await far.numbers(f"hand{n}") == list(range(1, 16))


async def test_a_write_concern_error_is_no_failure_of_the_commit(room: Room) -> None:
    """Append 4: written, but the majority was not heard in time."""
    async with failing(room, "insert", times=2, writeConcernError=_WRITE_CONCERN_ERROR):
        answers = await asyncio.gather(*(room.do(Mark(f"hand{n}")) for n in range(10)))
    stored = await room.database["commits"].distinct("commit_id")
    assert sorted(stored) == sorted(answer.commit_id for answer in answers)


async def test_after_a_write_concern_error_the_store_is_asked_what_it_holds(
    far: Room, wire: LossyWire
) -> None:
    """Append 4: nothing is answered before the majority was read."""
    mark = MarkMade(walls=["north"], text="a line", number=1)
    wire.cut("find", "before")
    async with failing(far, "insert", writeConcernError=_WRITE_CONCERN_ERROR):
        await far.store.append("hand-one", 1, [mark], by_ann())
    assert wire.lost == ["find"]
    assert await far.numbers("one") == [1]


@pytest.mark.parametrize("code", [_NOT_PRIMARY, _OUT_OF_TIME])
async def test_an_engine_that_steps_back_for_a_moment_is_waited_for(room: Room, code: int) -> None:
    """Append 4."""
    async with failing(room, "insert", times=3, errorCode=code):
        await room.do(Mark("one"))
    assert await room.numbers("one") == [1]


async def test_a_read_back_that_fails_as_well_is_tried_again(far: Room, wire: LossyWire) -> None:
    """Append 4: the engine goes away between the write and the look at what it holds."""
    await far.mark("one")
    wire.cut("insert", "after")
    wire.cut("find", "before", times=0)
    writing = asyncio.create_task(far.do(Mark("one")))
    await eventually(lambda: _lost(wire, 1))
    wire.cut("find", "before")
    await writing
    assert await far.numbers("one") == [1, 2]


async def _lost(wire: LossyWire, count: int) -> bool:
    return len(wire.lost) >= count


async def test_whoever_cannot_be_told_the_outcome_is_told_that(
    far: Room, room: Room, wire: LossyWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Append 4: the same request with its key finds out what happened."""
    monkeypatch.setattr(appends, "PATIENCE", 0.5)
    key = Idempotency("ann", "key-1", "hash")
    await far.mark("one")
    wire.cut("insert", "after")
    writing = asyncio.create_task(far.do(Mark("one"), idempotency=key))
    await eventually(lambda: _lost(wire, 1))
    await wire.close()
    with pytest.raises(Unavailable) as unknown:
        await writing
    assert unknown.value.code == "outcome-unknown"
    assert await room.numbers("one") == [1, 2]
    again = await room.do(Mark("one"), idempotency=key)
    assert again.version == 2 and await room.numbers("one") == [1, 2]


async def test_several_streams_are_appended_together_or_not_at_all(room: Room) -> None:
    """Append 6: a refusal of one part leaves no trace of the other."""

    async def plan() -> Sequence[Part[Any, Any]]:
        return [Part(HANDS, Mark("free")), Part(HANDS, Mark("full", most=0))]

    with pytest.raises(Exception, match="no more marks"):
        await room.store.handle_together(plan, by_ann())
    assert await room.database["commits"].count_documents({}) == 0

    async def free() -> Sequence[Part[Any, Any]]:
        return both("one", "two")

    answer = await room.store.handle_together(free, by_ann())
    (one,), (two,) = await room.store.load("hand-one"), await room.store.load("hand-two")
    assert one.commit_id == two.commit_id == answer.commit_id and one.id != two.id


async def test_those_who_race_for_a_name_leave_one_owner_and_no_half_pages(room: Room) -> None:
    """Append 6: twenty pages want one name, through two stores."""
    stores = [room.store, EventStore(SERVICE, room.database)]

    async def take(number: int) -> Committed:
        async def plan() -> Sequence[Part[Any, Any]]:
            return [Part(HANDS, Mark("name", most=1)), Part(HANDS, Mark(f"page{number}"))]

        return await stores[number % 2].handle_together(plan, by_ann())

    outcomes = await asyncio.gather(*(take(n) for n in range(20)), return_exceptions=True)
    assert sum(isinstance(outcome, Committed) for outcome in outcomes) == 1, outcomes
    streams = {document["_id"] async for document in room.database["commits"].find({}, {"_id": 1})}
    assert len(streams) == 2 and "hand-name:0000000001" in streams


async def test_racers_over_several_streams_are_all_decided_again(room: Room) -> None:
    """Append 6: everybody marks the shared hand and one of their own; no number is lost or doubled."""
    stores = [room.store, EventStore(SERVICE, room.database)]

    async def mark(number: int) -> Committed:
        async def plan() -> Sequence[Part[Any, Any]]:
            return both("shared", f"own{number}")

        return await stores[number % 2].handle_together(plan, by_ann())

    answers = await asyncio.gather(*(mark(n) for n in range(12)))
    assert sorted(answer.version for answer in answers) == list(range(1, 13))
    assert await room.numbers("shared") == list(range(1, 13))
    for n in range(12):
        assert await room.numbers(f"own{n}") == [1]


@pytest.mark.parametrize("command", ["insert", "commitTransaction"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_transaction_whose_answer_is_lost_happens_once(
    far: Room, wire: LossyWire, command: str, when: Any
) -> None:
    """Append 4 and 6."""

    async def plan() -> Sequence[Part[Any, Any]]:
        return [Part(HANDS, Mark("one", most=1)), Part(HANDS, Mark("two"))]

    wire.cut(command, when, times=3)
    answer = await far.store.handle_together(plan, by_ann())
    assert command in wire.lost
    assert await far.numbers("one") == await far.numbers("two") == [1]
    assert [r.commit_id for r in await far.store.load("hand-two")] == [answer.commit_id]


async def test_a_request_over_several_streams_is_repeated_with_its_key(room: Room) -> None:
    """Append 5 and 6: one after the other and at once."""
    key = Idempotency("ann", "key-1", "hash")
    stores = [room.store, EventStore(SERVICE, room.database)]

    async def plan() -> Sequence[Part[Any, Any]]:
        return both("one", "two")

    answers = await asyncio.gather(
        *(stores[n % 2].handle_together(plan, by_ann(), idempotency=key) for n in range(10))
    )
    answers.append(await room.store.handle_together(plan, by_ann(), idempotency=key))
    assert len(set(answers)) == 1
    assert await room.numbers("one") == await room.numbers("two") == [1]
