"""Views: folded by compare-and-set, so that no consumer, redelivery or kill loses or doubles an event."""

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord
from pydantic import BaseModel

from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Projection
from shared.runtime import service as runtime_service
from shared.runtime.codec import incoming, outgoing, partition_of
from shared.runtime.folding import Fold
from shared.runtime.gathering import Delivered
from shared.runtime.generations import Registry
from shared.runtime.lag import LagMeter
from shared.runtime.parking import Mending
from shared.runtime.settings import Settings
from shared.runtime.subscribe import Follower, make_broker
from shared.runtime.topics import Topic
from shared.runtime.viewing import _positions
from shared.tests.assembly import assemble
from shared.tests.eventually import eventually
from shared.tests.failpoints import failing
from shared.tests.processes import Role
from shared.tests.rooms import Room, by_ann, serving
from shared.tests.walls import HANDS, POISON, PRIVATE, PUBLIC, SERVICE, WALLS, Mark, MarkWhispered, Paint

GENERATION = "proofs.walls.v1.g1"
IDS = {PUBLIC: "11111111-public", PRIVATE: "22222222-private"}


async def _fold(room: Room) -> Fold[Any]:
    fold = Fold(WALLS, GENERATION, room.database, Registry(room.database))
    await fold.prepare()
    return fold


async def _log(room: Room) -> list[Delivered]:
    """What the log would hold: every commit's records, with rising offsets in each partition."""
    offsets: dict[tuple[str, int], int] = {}
    found = []
    for document in await room.store.commits.find().sort([("recorded_at", 1), ("_id", 1)]).to_list():
        for record in outgoing(document, SERVICE):
            partition = partition_of(record.key.decode())
            offset = offsets.get((record.topic, partition), 0)
            offsets[record.topic, partition] = offset + 1
            found.append(
                _delivered(record.topic, partition, offset, record.key, record.value, record.headers)
            )
    return found


def _delivered(topic: str, partition: int, offset: int, key: bytes, value: bytes, headers: Any) -> Delivered:
    record: ConsumerRecord = ConsumerRecord(
        topic, partition, offset, 0, 0, key, value, None, len(key), len(value), tuple(headers)
    )
    return Delivered(record, f"{IDS[topic]}/{partition}", record.offset)


def _portions(log: Sequence[Delivered], size: int) -> list[Sequence[Delivered]]:
    return [log[at : at + size] for at in range(0, len(log), size)]


async def test_two_consumers_on_two_topics_feed_one_document(room: Room) -> None:
    """Each has its own partitions; every write of one makes the other's next one miss."""
    for n in range(40):
        await room.do(Mark("ann"))
        await room.do(Mark("bob", kind=MarkWhispered))
        await room.do(Mark(f"one-{n}", ("south",)))
    log = await _log(room)
    folds = [await _fold(room) for _ in range(2)]
    shares = [[d for d in log if d.record.topic == topic] for topic in (PUBLIC, PRIVATE)]

    async def consume(fold: Fold[Any], share: list[Delivered]) -> None:
        for portion in _portions(share, 3):
            await fold.apply(portion)

    await asyncio.gather(*(consume(fold, share) for fold, share in zip(folds, shares, strict=True)))
    stored = await room.database[GENERATION].find_one({"_id": "north"})
    assert stored is not None
    assert stored["marks"] == {"hand-ann": list(range(1, 41)), "hand-bob": list(range(1, 41))}


class _Heavy(BaseModel):
    text: str


async def test_documents_that_one_command_cannot_hold_are_written_by_several(room: Room) -> None:
    """Views 1: as they are made, and as they are changed."""
    for _ in range(2):
        await room.do(Mark("ann", tuple(f"wall-{n}" for n in range(6))))

    def heavy(view: _Heavy | None, event: Event, recorded: Recorded, key: str) -> _Heavy:
        return _Heavy(text=f"{recorded.version}" + "x" * 4_000_000)

    walls: Projection[Any] = WALLS
    projection = replace(walls, view=_Heavy, evolve=heavy, evolve_all=None)
    fold = Fold(projection, GENERATION, room.database, Registry(room.database))
    await fold.prepare()
    for delivered in await _log(room):
        await fold.apply([delivered])
    found = (
        await room.database[GENERATION]
        .find({}, {"_rev": 1, "text": {"$substrCP": ["$text", 0, 2]}})
        .to_list()
    )
    assert [(wall["_rev"], wall["text"]) for wall in found] == [(2, "2x")] * 6


async def test_new_documents_raced_by_two_consumers_are_made_once(room: Room) -> None:
    """Each has looked before the other writes."""
    walls = tuple(f"wall-{n}" for n in range(30))
    await room.do(Mark("ann", walls))
    await room.do(Mark("bob", walls, kind=MarkWhispered))
    log = await _log(room)
    folds = [await _fold(room) for _ in range(2)]
    async with failing(room, "insert", times=2, blockConnection=True, blockTimeMS=1_000):
        await asyncio.gather(*(fold.apply([d]) for fold, d in zip(folds, log, strict=True)))
    found = await room.database[GENERATION].find().to_list()
    assert {d["_id"]: d["total"] for d in found} == dict.fromkeys(walls, 2)


async def test_a_document_that_was_written_here_is_not_asked_for_again(room: Room) -> None:
    for _ in range(3):
        await room.do(Mark("ann"))
    log = await _log(room)
    fold = await _fold(room)
    await fold.apply(log[:1])
    await room.database.command("profile", 2)
    await fold.apply(log[1:2])
    await fold.apply(log[2:])
    await room.database.command("profile", 0)
    where = {"op": "query", "ns": f"{room.database.name}.{GENERATION}"}
    assert await room.database["system.profile"].count_documents(where) == 0
    stored = await room.database[GENERATION].find_one({"_id": "north"})
    assert stored is not None and stored["marks"] == {"hand-ann": [1, 2, 3]}


async def test_what_another_consumer_wrote_meanwhile_is_asked_for(room: Room) -> None:
    """Also where a document was held, and where it was taken for new: it has the name of its first stream."""
    for _ in range(3):
        await room.do(Mark("ann", ("ann",)))
        await room.do(Mark("bob", ("ann",), kind=MarkWhispered))
    log = await _log(room)
    folds = {PUBLIC: await _fold(room), PRIVATE: await _fold(room)}
    await folds[PRIVATE].apply([each for each in log if each.record.topic == PRIVATE][:1])
    for each in log:
        await folds[each.record.topic].apply([each])
    await (await _fold(room)).apply(log)
    stored = await room.database[GENERATION].find_one({"_id": "ann"})
    assert stored is not None and stored["marks"] == {"hand-ann": [1, 2, 3], "hand-bob": [1, 2, 3]}


@pytest.mark.parametrize("size", [1, 7, 1_000])
async def test_delivering_everything_again_changes_nothing(room: Room, size: int) -> None:
    for n in range(15):
        await room.do(Mark("ann", ("north", f"wall-{n % 4}")))
        await room.do(Mark("bob", kind=MarkWhispered))
    log = await _log(room)
    fold = await _fold(room)
    for portion in _portions(log, size):
        await fold.apply(portion)
    before = await room.database[GENERATION].find().sort("_id", 1).to_list()
    for portion in _portions(log, size):
        await fold.apply(portion)
    assert await room.database[GENERATION].find().sort("_id", 1).to_list() == before


async def test_a_deleted_document_does_not_rise_again(room: Room) -> None:
    """Its creation is delivered once more, late; its tombstone knows that it has seen it."""
    await room.do(Mark("ann"))
    await room.do(Paint("ann", "north"))
    log = await _log(room)
    fold = await _fold(room)
    await fold.apply(log)
    # by who wrote it and has it in hand, and by a successor, who knows what is stored
    for late in (fold, await _fold(room)):
        await late.apply(log[:1])
        stored = await room.database[GENERATION].find_one({"_id": "north"})
        assert stored is not None and "_live" not in stored and "marks" not in stored


async def test_a_replay_that_is_raced_loses_nothing_that_was_parked_meanwhile(
    settings: Settings, room: Room
) -> None:
    """Between its look and its write a consumer parks one event more."""
    await room.do(Mark("ann", text=POISON))
    await room.mark("bob", 2)
    log = await _log(room)
    fold = await _fold(room)
    await fold.apply(log[:2])
    poison = dict(log[0].record.headers)["ce_id"].decode()
    await Mending(room.database).mend(poison, data=None, by="operator", reason="left out")
    await fold.parking.load()
    async with Room(settings) as elsewhere:
        consumer = await _fold(elsewhere)
        async with failing(room, "update", blockConnection=True, blockTimeMS=2_000) as writes:
            replaying = asyncio.create_task(fold.replay_parked("north"))
            await writes()
            await consumer.apply(log[2:])
            assert await replaying
    stored = await room.database[GENERATION].find_one({"_id": "north"})
    assert stored is not None and stored["marks"] == {"hand-bob": [1, 2]} and "_parked" not in stored


async def test_a_document_that_grows_too_large_parks_and_its_batch_goes_on(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.runtime.folding.LARGEST_VIEW", 2_000)
    await room.do(Mark("ann"))
    await room.do(Mark("ann", text="x" * 3_000))
    await room.do(Mark("bob", ("south",)))
    fold = await _fold(room)
    await fold.apply(await _log(room))
    north = await room.database[GENERATION].find_one({"_id": "north"})
    south = await room.database[GENERATION].find_one({"_id": "south"})
    assert north is not None and north["total"] == 1 and north["_parked"]["count"] == 1
    assert south is not None and south["total"] == 1 and "_parked" not in south


@pytest.mark.parametrize("point", ["read", "written"])
async def test_a_consumer_killed_before_its_acknowledgement_loses_and_doubles_nothing(
    settings: Settings, room: Room, point: str
) -> None:
    """Before its write as well as behind it; what it has not written it has not saved as read."""
    for _ in range(5):
        await room.do(Mark("ann"))
    async with Role("service", points=f"view.{point}=kill") as first:
        await first.killed()
    assert await room.database["offsets"].count_documents({"offset": {"$gt": 0}}) == 0
    async with Role("service") as second:
        await second.says("up")
        await room.do(Mark("ann"))

        async def look() -> None:
            stored = await room.database[GENERATION].find_one({"_id": "north"})
            assert stored is not None and stored["marks"] == {"hand-ann": [1, 2, 3, 4, 5, 6]}

        await eventually(look)
        second.send(signal.SIGTERM)
        await second.ended()


async def test_a_document_may_depend_on_who_did_it_and_when(room: Room) -> None:
    def keys_at(event: Event, recorded: Recorded) -> set[str]:
        return {f"{recorded.by}-{recorded.occurred_at:%Y}"}

    dated = replace(WALLS, keys_at=keys_at)
    await room.do(Mark("ann"))
    fold = Fold(dated, GENERATION, room.database, Registry(room.database))
    await fold.prepare()
    await fold.apply(await _log(room))
    found = await room.database[GENERATION].find({}, {"_id": 1}).to_list()
    assert [document["_id"] for document in found] == [f"ann-{datetime.now(UTC):%Y}"]


async def test_a_view_says_when_the_newest_event_that_it_holds_was_recorded(room: Room) -> None:
    """However its batches were cut, and whatever comes again."""
    for n in range(6):
        await room.do(Mark(f"hand{n}"))
    log, registry = await _log(room), Registry(room.database)
    fold = await _fold(room)
    for portion in (*_portions(log, 2), log[:1]):
        await fold.apply(portion)
    newest: dict[str, datetime] = {}
    for each in log:
        recorded_at = incoming(dict(each.record.headers), each.record.value).recorded_at
        newest[each.where] = max(recorded_at, newest.get(each.where, recorded_at))
    reached = await registry.reached(GENERATION)
    assert {where: each.recorded_at for where, each in reached.items()} == newest
    held = await registry.offsets(GENERATION)
    assert {where: each.offset for where, each in reached.items()} == held


async def test_an_idle_view_has_no_lag_and_a_young_age(settings: Settings) -> None:
    async with serving(assemble(settings)) as service:
        for _ in range(3):
            await service.store.handle(HANDS, Mark("ann"), by_ann())

        async def look() -> None:
            lag = service.viewings[WALLS.name].lag
            assert lag.events == 0 and lag.age() < 10
            assert await service.views(WALLS).get("north") is not None

        await eventually(look)


async def test_a_view_that_gathers_folds_what_follows_together_and_claims_nothing_before(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The consumer has passed what waits to be folded: were that taken for what the view holds, a reader
    would be told that it shows what it lacks."""
    monkeypatch.setattr(runtime_service, "TEND_EVERY", 0.05)
    made = assemble(settings)
    made.gather(WALLS, 2.0)
    async with serving(made) as service:
        viewing = service.viewings[WALLS.name]
        first = await service.store.handle(HANDS, Mark("ann"), by_ann())

        async def held() -> bool:
            return viewing._follower is not None and viewing._follower.holding

        await eventually(held)
        # several looks come by meanwhile
        await asyncio.sleep(0.5)
        second = await service.store.handle(HANDS, Mark("ann"), by_ann())
        assert viewing._handled == 0 and await service.views(WALLS).get("north") is None
        handled, seen = 0, None
        while await service.behind(str(first), WALLS):
            handled = viewing._handled
        seen = await service.views(WALLS).get("north")
        assert handled == 0 and seen is not None
        assert not await service.behind(str(second), WALLS)
        assert viewing._handled == 1, "both together"


async def test_a_view_that_cannot_be_looked_after_keeps_no_other_waiting(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong with it: a look that ended for good would leave the tokens ever older, until every
    reader is refused."""
    monkeypatch.setattr(runtime_service, "TEND_EVERY", 0.05)
    async with serving(assemble(settings)) as service:
        walls, tokens = service.viewings[WALLS.name], service.viewings[service.tokens.name]
        assert list(service.viewings).index(WALLS.name) < list(service.viewings).index(service.tokens.name)
        failed, looked = 0, asyncio.Event()

        async def fails(*_: object) -> None:
            nonlocal failed
            failed += 1
            raise KeyError("nobody expected this")

        tend = tokens.tend

        async def looks(*given: Any) -> None:
            await tend(*given)
            if failed > 1:
                looked.set()

        with monkeypatch.context() as broken:
            broken.setattr(walls, "tend", fails)
            broken.setattr(tokens, "tend", looks)
            await asyncio.wait_for(looked.wait(), 30)
        await service.store.handle(HANDS, Mark("ann"), by_ann())

        async def marked() -> None:
            assert await service.views(WALLS).get("north") is not None

        await eventually(marked)


async def test_a_topic_that_is_gone_has_no_positions() -> None:
    """While it is about to be made anew its partitions are assigned still."""

    class Consumer:
        def assignment(self) -> set[TopicPartition]:
            return {TopicPartition("gone", 0), TopicPartition("there", 1)}

        async def position(self, partition: TopicPartition) -> int:
            return 7

    assert await _positions(Consumer(), {"there": Topic("there", "id", 2)}) == {"id/1": 7}


async def test_what_is_gathered_behind_a_batch_takes_nothing_of_it_along_and_doubles_nothing() -> None:
    """An error that comes with what follows, and partitions that begin anew meanwhile."""

    def record(offset: int) -> Any:
        return SimpleNamespace(topic="t", partition=0, offset=offset)

    class Consumer:
        def __init__(self, *answers: Any) -> None:
            self.answers = list(answers)

        async def getmany(self, **_: object) -> Any:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return {TopicPartition("t", 0): answer}

    async def handle(_: object) -> None:
        raise AssertionError("nothing is handled here")

    follower = Follower(make_broker("127.0.0.1:1"), "g", ["t"], handle, gathers=0.001)
    first = [record(3), record(4)]
    assert await follower._next(Consumer(first, KafkaError("of what follows"))) == tuple(first)
    again = await follower._next(Consumer(first, [record(3), record(4), record(5)]))
    assert [each.offset for each in again] == [3, 4, 5]


def test_the_age_is_that_of_the_newest_end_that_was_passed() -> None:
    """Not of the last event: in a quiet topic that one may be a week old while nothing is missing."""
    meter = LagMeter()
    meter.look({"t/0": 5}, {"t/0": 5}, now=100.0)
    meter.look({"t/0": 9}, {"t/0": 5}, now=110.0)
    assert meter.events == 4 and meter.age(now=112.0) == 12.0
    meter.look({"t/0": 9}, {"t/0": 9}, now=120.0)
    assert meter.events == 0 and meter.age(now=121.0) == 1.0


async def test_a_view_is_read_from_memory_while_one_process_alone_follows_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no more once a second one takes some of its partitions; what that one writes is seen."""
    monkeypatch.setattr("shared.runtime.sole.SETTLING", 0.0)
    monkeypatch.setattr("shared.runtime.freshness.PATIENCE", 30.0)
    async with serving(assemble(settings)) as service:
        viewing = service.viewings[WALLS.name]
        viewing.remember(10)

        async def marked(times: int) -> None:
            done = await service.store.handle(HANDS, Mark("ann"), by_ann())
            assert not await service.behind(str(done), WALLS)
            wall = await viewing.views.get("north")
            assert wall is not None and wall.marks == {"hand-ann": list(range(1, times + 1))}

        async def trusted(wanted: bool) -> None:
            assert viewing.sole.trusted is wanted

        await eventually(lambda: trusted(True))
        await marked(1)
        # Behind everybody's back: whoever asked the database would see it.
        documents = service.database[viewing.views.collection.name]
        await documents.update_one({"_id": "north"}, {"$set": {"marks.hand-ann": [7]}})
        wall = await viewing.views.get("north")
        assert wall is not None and wall.marks == {"hand-ann": [1]}
        await documents.update_one({"_id": "north"}, {"$set": {"marks.hand-ann": [1]}})
        await marked(2)
        async with Role("service") as second:
            await second.says("up")
            await eventually(lambda: trusted(False))
            for times in range(3, 8):
                await marked(times)
            second.send(signal.SIGTERM)
            await second.ended()
        await eventually(lambda: trusted(True))
        await marked(8)
