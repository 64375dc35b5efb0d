"""When memory may stand in for the database, and that it says the same then."""

import asyncio
from collections.abc import Collection, Mapping

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from shared.runtime.sole import SETTLING, STALLED, Memory, Sole
from shared.runtime.tests.clock import Clock


class Thing(BaseModel):
    n: int


class Shelf:
    """What the database holds, and how often it was asked."""

    def __init__(self) -> None:
        self.things: dict[str, Thing] = {}
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def load(self, keys: Collection[str]) -> Mapping[str, Thing]:
        self.asked += keys
        found = {key: self.things[key] for key in keys if key in self.things}
        await self.gate.wait()
        return found


def alone(clock: Clock) -> Sole[Thing]:
    sole: Sole[Thing] = Sole(clock)
    sole.assigned(every_partition=True)
    _wait(sole, clock, SETTLING)
    return sole


def _wait(sole: Sole[Thing], clock: Clock, seconds: float) -> None:
    """Looked after every second, as a service does."""
    for _ in range(int(seconds)):
        clock.now += 1.0
        sole.alive()


def test_a_view_is_trusted_once_its_predecessor_had_time_to_end() -> None:
    clock = Clock()
    sole: Sole[Thing] = Sole(clock)
    assert not sole.trusted
    sole.assigned(every_partition=True)
    _wait(sole, clock, SETTLING - 1)
    assert not sole.trusted
    _wait(sole, clock, 1)
    assert sole.trusted


def test_a_view_that_others_follow_too_is_not_trusted() -> None:
    clock = Clock()
    sole = alone(clock)
    sole.assigned(every_partition=False)
    _wait(sole, clock, 100)
    assert not sole.trusted


def test_a_view_whose_partitions_went_is_not_trusted() -> None:
    clock = Clock()
    sole = alone(clock)
    sole.lost()
    _wait(sole, clock, 100)
    assert not sole.trusted


def test_who_stood_still_or_was_cut_off_believes_nothing_until_their_group_had_time_to_tell() -> None:
    """A look after the view takes answers of both engines: the process may have run all the time."""
    clock = Clock()
    sole = alone(clock)
    clock.now += STALLED + 0.1
    assert not sole.trusted, "nobody has looked after it since"
    sole.alive()
    assert not sole.trusted
    _wait(sole, clock, SETTLING)
    assert sole.trusted


def test_a_write_that_met_another_hand_ends_the_trust_for_a_while() -> None:
    clock = Clock()
    sole = alone(clock)
    sole.met_another()
    assert not sole.trusted
    _wait(sole, clock, SETTLING)
    assert sole.trusted


async def test_what_was_asked_for_is_held_also_that_it_is_not_there() -> None:
    clock, shelf = Clock(), Shelf()
    sole = alone(clock)
    memory = Memory(sole, 10)
    shelf.things["a"] = Thing(n=1)
    for _ in range(3):
        assert await memory.get_many(["a", "b"], shelf.load) == {"a": Thing(n=1)}
    assert shelf.asked == ["a", "b"]


async def test_nothing_is_read_from_memory_while_it_is_not_trusted() -> None:
    clock, shelf = Clock(), Shelf()
    sole = alone(clock)
    memory = Memory(sole, 10)
    await memory.get_many(["a"], shelf.load)
    sole.lost()
    shelf.things["a"] = Thing(n=7)
    assert await memory.get_many(["a"], shelf.load) == {"a": Thing(n=7)}
    sole.assigned(every_partition=True)
    _wait(sole, clock, SETTLING)
    shelf.things["a"] = Thing(n=8)
    assert await memory.get_many(["a"], shelf.load) == {"a": Thing(n=8)}, "it began anew"


async def test_what_was_forgotten_while_it_was_loaded_is_not_held() -> None:
    clock, shelf = Clock(), Shelf()
    sole = alone(clock)
    memory = Memory(sole, 10)
    shelf.things["a"] = Thing(n=1)
    shelf.gate.clear()
    asking = asyncio.create_task(memory.get_many(["a"], shelf.load))
    await asyncio.sleep(0)
    sole.met_another()
    _wait(sole, clock, SETTLING)
    shelf.gate.set()
    await asking
    shelf.things["a"] = Thing(n=2)
    assert await memory.get_many(["a"], shelf.load) == {"a": Thing(n=2)}


async def test_what_is_written_while_it_is_loaded_is_not_hidden_by_the_older() -> None:
    clock, shelf = Clock(), Shelf()
    sole = alone(clock)
    memory = Memory(sole, 10)
    shelf.things["a"] = Thing(n=1)
    shelf.gate.clear()
    asking = asyncio.create_task(memory.get_many(["a"], shelf.load))
    await asyncio.sleep(0)
    shelf.things["a"] = Thing(n=2)
    sole.changed("a", Thing(n=2))
    shelf.gate.set()
    await asking
    assert await memory.get_many(["a"], shelf.load) == {"a": Thing(n=2)}


async def test_it_holds_no_more_than_it_may_and_the_newest_asked() -> None:
    clock, shelf = Clock(), Shelf()
    memory = Memory(alone(clock), 2)
    for key in ("a", "b", "a", "c", "a", "c"):
        await memory.get_many([key], shelf.load)
    assert shelf.asked == ["a", "b", "c"]
    await memory.get_many(["b"], shelf.load)
    assert shelf.asked[-1] == "b"


_STEP = st.one_of(
    st.tuples(st.just("write"), st.sampled_from("abc"), st.one_of(st.none(), st.integers(0, 9))),
    st.tuples(st.just("read"), st.sampled_from(["a", "ab", "abc", "c"]), st.none()),
    st.tuples(st.just("elsewhere"), st.sampled_from("abc"), st.integers(0, 9)),
    st.tuples(st.just("stall"), st.just(""), st.none()),
)


@given(st.lists(_STEP, max_size=40))
async def test_memory_says_what_the_database_says(steps: list[tuple[str, str, int | None]]) -> None:
    """What is written elsewhere is so only while partitions are elsewhere."""
    clock, shelf = Clock(), Shelf()
    sole = alone(clock)
    memory = Memory(sole, 2)
    for what, key, n in steps:
        if what == "write":
            shelf.things.pop(key, None)
            if n is not None:
                shelf.things[key] = Thing(n=n)
            sole.changed(key, shelf.things.get(key))
        elif what == "elsewhere":
            sole.lost()
            shelf.things[key] = Thing(n=n or 0)
            sole.assigned(every_partition=True)
            _wait(sole, clock, SETTLING)
        elif what == "stall":
            clock.now += STALLED + 1
            sole.alive()
        else:
            wanted = {k: shelf.things[k] for k in key if k in shelf.things}
            assert await memory.get_many(list(key), shelf.load) == wanted
