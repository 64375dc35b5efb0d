"""Rebuild: another generation beside the serving one, the same to the byte, and nobody notices the swap."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.kernel.projection import canonical
from shared.runtime import rebuild, telemetry
from shared.runtime import relay as relay_module
from shared.runtime import service as runtime_service
from shared.runtime.gathering import Gathered
from shared.runtime.generations import Generation, Registry, offset_key
from shared.runtime.rebuild import Builder
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.tests.assembly import assemble
from shared.tests.eventually import eventually
from shared.tests.processes import Role
from shared.tests.rooms import Room, by_ann, serving
from shared.tests.walls import (
    HANDS,
    PUBLIC,
    SERVICE,
    WALLS,
    WALLS_IN_CAPITALS,
    Command,
    Mark,
    MarkMade,
    MarkWhispered,
    Paint,
)

#: Seconds: a rebuild begins a process, which a busy machine does slowly.
PATIENCE = 120.0
pytestmark = pytest.mark.timeout(300)
_WALLS = [f"wall-{n}" for n in range(12)]


async def _live(service: Service, number: int, chance: random.Random) -> str:
    """Marks by several hands on several walls, over both topics. A hand speaks on one topic, and only the
    painter marks the painted wall: between streams there is no order that a fold could rely on."""
    last = ""
    for n in range(number):
        hand = chance.randrange(6)
        if n % 17 == 16:
            command: Command = Paint("painter", "painted")
        elif n % 5 == 4:
            command = Mark("painter", ("painted",))
        else:
            kind = MarkWhispered if hand % 2 else MarkMade
            command = Mark(f"hand{hand}", tuple(sorted(chance.sample(_WALLS, 2))), kind=kind, times=2)
        last = str(await service.store.handle(HANDS, command, by_ann()))
    return last


async def _documents(service: Service, generation: Generation) -> dict[str, Any]:
    found = await service.database[generation.name].find().to_list()
    return {document["_id"]: (document.get("_live"), canonical(document)) for document in found}


async def _is_built(service: Service) -> bool:
    building = (await Registry(service.database).of(WALLS.name, WALLS.version)).building
    return building is not None and building.leased


async def _swapped(service: Service, before: Generation) -> Generation:
    async def look() -> Generation | None:
        now = service.views(WALLS).generation
        assert now is not None and now.number > before.number, "not swapped yet"
        return now

    found = await eventually(look, PATIENCE)
    assert found is not None
    return found


async def _quiet(service: Service) -> None:
    """Until the view holds everything that was done."""
    hands = {document["_id"].partition(":")[0] for document in await service.store.commits.find().to_list()}

    async def look() -> None:
        for hand in sorted(hands):
            _, tail = await service.store.state(HANDS, hand)
            assert not await service.behind(f"{SERVICE}/{hand}/{tail}", WALLS), hand

    await eventually(look, PATIENCE)


def _serving_generation(service: Service) -> Generation:
    generation = service.views(WALLS).generation
    assert generation is not None
    return generation


async def test_a_rebuild_under_traffic_gives_the_same_documents(settings: Settings) -> None:
    chance = random.Random(3)
    async with serving(assemble(settings)) as service:
        await _live(service, 120, chance)
        before = _serving_generation(service)
        gaps: list[str] = []
        writing = asyncio.create_task(_live(service, 150, chance))
        reading = asyncio.create_task(_read_always(service, gaps))
        await service.viewings[WALLS.name].rebuild()
        after = await _swapped(service, before)
        await writing
        await _quiet(service)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        assert not gaps, "a reader saw no wall at all while the generations changed"
        rebuilt = await _documents(service, after)
        await service.viewings[WALLS.name].rebuild()
        again = await _documents(service, await _swapped(service, after))
        assert rebuilt == again and len(rebuilt) == len(_WALLS) + 1


async def _read_always(service: Service, gaps: list[str]) -> None:
    while True:
        if not await service.views(WALLS).find({}, sort=(("total", -1), ("_id", 1)), limit=3):
            gaps.append("nothing")
        await asyncio.sleep(0.02)


async def test_a_new_fold_is_built_beside_the_old_one_which_goes_on(settings: Settings) -> None:
    async with serving(assemble(settings)) as old:
        await _live(old, 40, random.Random(4))
        await _quiet(old)
        newer = assemble(settings, WALLS_IN_CAPITALS, module="shared.tests.newer_app")
        async with serving(newer):

            async def built() -> bool:
                return newer.views(WALLS_IN_CAPITALS).generation is not None

            await eventually(built, PATIENCE)
            generation = newer.views(WALLS_IN_CAPITALS).generation
            assert generation is not None and generation.number > _serving_generation(old).number
            capitals = await newer.views(WALLS_IN_CAPITALS).find({}, sort=(("_id", 1),), limit=50)
            plain = await old.views(WALLS).find({}, sort=(("_id", 1),), limit=50)
            assert [wall.total for wall in capitals] == [wall.total for wall in plain]
            assert all(text.isupper() for wall in capitals for text in wall.texts.values())
            assert all(text.islower() for wall in plain for text in wall.texts.values())
        await old.store.handle(HANDS, Mark("zed"), by_ann())
        await _quiet(old)
        assert await old.views(WALLS).get("north") is not None, "the old image no longer follows"


async def test_a_topic_made_anew_forces_a_rebuild_and_loses_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay sees it when the builder is at work, which finds an empty topic."""
    monkeypatch.setattr(relay_module, "CHECK_TOPICS_EVERY", 600.0)
    async with serving(assemble(settings)) as service:
        await _live(service, 40, random.Random(5))
        await _quiet(service)
        before = _serving_generation(service)
        shown = await _documents(service, before)
        await service.topics.recreate(f"{SERVICE}.events")
        await eventually(lambda: _is_built(service), PATIENCE)
        await asyncio.sleep(1.0)
        monkeypatch.setattr(relay_module, "CHECK_TOPICS_EVERY", 0.0)
        after = await _swapped(service, before)
        assert await _documents(service, after) == shown, "it was shown before the topic was full again"
        await service.store.handle(HANDS, Mark("zed", ("east",)), by_ann())

        async def look() -> None:
            found = await _documents(service, _serving_generation(service))
            assert found.pop("east", None) is not None and found == shown

        await eventually(look, PATIENCE)
        assert set(after.topics.values()) != set(before.topics.values())


async def test_at_a_swap_a_late_batch_goes_to_the_generation_that_it_was_read_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the swap and the look that notices it the old follower folds into the old generation only. What
    it reads while it is being stopped, folded into the new one, would hide that from it."""
    async with serving(assemble(settings)) as service:
        viewing = service.viewings[WALLS.name]
        monkeypatch.setattr(runtime_service, "TEND_EVERY", 3_600.0)
        await asyncio.sleep(1.5)

        async def marked(times: int) -> None:
            """And it is in what is served, which nobody looks after any more."""
            await service.store.handle(HANDS, Mark("ann"), by_ann())

            async def look() -> None:
                assert viewing._handled == times

            await eventually(look)

        await marked(1)
        generation = await viewing.rebuild()
        builder = Builder(WALLS, generation, service.database, service.topics, settings.kafka)
        assert await builder.run()
        await marked(2)
        follower, broker = viewing._follower, service._broker
        assert follower is not None and broker is not None
        stopped = follower.stop

        async def late() -> None:
            await marked(3)
            await stopped()

        monkeypatch.setattr(follower, "stop", late)
        await viewing.tend(broker)
        monkeypatch.setattr(runtime_service, "TEND_EVERY", 1.0)
        assert _serving_generation(service).number == generation.number

        async def whole() -> None:
            north = await service.views(WALLS).get("north")
            assert north is not None and [len(numbers) for numbers in north.marks.values()] == [3]
            await viewing.tend(broker)

        await eventually(whole)


async def _begun_with_sixty_marks(room: Room) -> tuple[Registry, Generation]:
    """A generation that is to be built, and no builder yet."""
    for n in range(60):
        await room.do(Mark(f"hand{n % 20}", (f"wall-{n % 7}",)))
    await room.drain()
    registry, topics = Registry(room.database), await room.topics.describe(WALLS.topics)
    await registry.first(WALLS.name, WALLS.version, topics)
    generation = await registry.begin(WALLS.name, WALLS.version, topics)
    return registry, generation


@pytest.mark.parametrize("point", ["batch", "before-swap"])
async def test_a_builder_that_was_killed_is_gone_on_with(settings: Settings, room: Room, point: str) -> None:
    """Its successor reads only what is left, which is nothing before the swap."""
    registry, generation = await _begun_with_sixty_marks(room)
    async with Role("builder", WALLS.name, str(generation.number), points=f"rebuild.{point}=kill") as killed:
        await killed.killed()
    read = await _marks_on_walls(room, generation)
    assert 0 < read < 60 if point == "batch" else read == 60
    builder = Builder(WALLS, generation, room.database, room.topics, settings.kafka)
    before = _folded_here()
    await _lease_ran_out(room, generation)
    assert await builder.run()
    assert _folded_here() - before == 60 - read
    assert await _marks_on_walls(room, generation) == 60
    active = (await registry.of(WALLS.name, WALLS.version)).active
    assert active is not None and active.number == generation.number


async def test_what_happened_together_is_folded_together(
    room: Room, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each partition a part: else every document would be written once for every partition."""
    monkeypatch.setattr(rebuild, "BATCH", 100)
    monkeypatch.setattr(rebuild, "_FEW", 1)
    for n in range(400):
        await room.do(Mark(f"hand{n % 40}", (f"wall-{n // 50}",)))
    await room.drain()
    registry, topics = Registry(room.database), await room.topics.describe(WALLS.topics)
    await registry.first(WALLS.name, WALLS.version, topics)
    generation = await registry.begin(WALLS.name, WALLS.version, topics)
    assert await Builder(WALLS, generation, room.database, room.topics, settings.kafka).run()
    assert await _marks_on_walls(room, generation) == 400
    written = [document["_rev"] async for document in room.database[generation.name].find()]
    assert len(written) == 8 and sum(written) <= 2 * 8, f"each was written {written} times"


async def test_a_build_ends_while_events_go_on_coming(room: Room, settings: Settings) -> None:
    """A batch that is not full is the end, if nothing lies behind it at that moment; an empty one may never
    come."""
    for n in range(60):
        await room.do(Mark(f"hand{n % 20}", (f"wall-{n % 7}",)))
    async with room.relaying():
        await room.all_sent()
        registry, topics = Registry(room.database), await room.topics.describe(WALLS.topics)
        await registry.first(WALLS.name, WALLS.version, topics)
        generation = await registry.begin(WALLS.name, WALLS.version, topics)
        writing = asyncio.create_task(_without_end(room))
        try:
            builder = Builder(WALLS, generation, room.database, room.topics, settings.kafka)
            assert await asyncio.wait_for(builder.run(), PATIENCE / 2)
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)


async def _without_end(room: Room) -> None:
    """More often than a builder waits for a record, less often than it looks for the log's end."""
    while True:
        await room.do(Mark("steady", ("wall-0",)))
        await asyncio.sleep(0.05)


async def _lease_ran_out(room: Room, generation: Generation) -> None:
    """Of the builder that was killed: as if ten seconds had gone by."""
    until = f"building.{generation.fold}.lease.until"
    past = datetime.now(UTC) - timedelta(seconds=1)
    found = await room.database["generations"].update_one(
        {"_id": generation.view, until: {"$exists": True}}, {"$set": {until: past}}
    )
    assert found.matched_count == 1


async def _marks_on_walls(room: Room, generation: Generation) -> int:
    return sum([document["total"] async for document in room.database[generation.name].find()])


def _folded_here() -> float:
    return telemetry.REGISTRY.get_sample_value("fikarum_view_folded_total", {"view": WALLS.name}) or 0.0


async def test_a_swap_waits_until_the_new_generation_covers_the_old_one(room: Room) -> None:
    registry, topics = Registry(room.database), await room.topics.ensure(WALLS.topics)
    serving = await registry.first(WALLS.name, WALLS.version, topics)
    building = await registry.begin(WALLS.name, WALLS.version, topics)
    place = offset_key(topics[PUBLIC].id, 0)
    await registry.save(serving.name, {place: 7})
    await registry.save(building.name, {place: 6})
    assert not await registry.swap(building), "it lacks an event that the old one holds"
    await registry.save(building.name, {place: 7})
    assert await registry.swap(building)


async def test_what_serves_by_now_is_not_given_up(room: Room) -> None:
    """Whoever gives up looked a moment ago, when it was still being built."""
    registry, topics = Registry(room.database), await room.topics.ensure(WALLS.topics)
    await registry.first(WALLS.name, WALLS.version, topics)
    looked_at = await registry.begin(WALLS.name, WALLS.version, topics)
    await room.database[looked_at.name].insert_one({"_id": "north"})
    assert await registry.swap(looked_at)
    next_one = await registry.begin(WALLS.name, WALLS.version, topics)
    assert not await registry.give_up(looked_at)
    assert await room.database[looked_at.name].find_one({"_id": "north"}) is not None
    building = (await registry.of(WALLS.name, WALLS.version)).building
    assert building is not None and building.number == next_one.number


async def test_a_builder_that_was_given_up_leaves_nothing_behind(
    room: Room, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It learns of it after the batch that it has in hand."""
    registry, generation = await _begun_with_sixty_marks(room)
    builder = Builder(WALLS, generation, room.database, room.topics, settings.kafka)
    monkeypatch.setattr(rebuild, "_REPORT_EVERY", 0.0)
    write = builder._fold.write

    async def given_up_meanwhile(gathered: Gathered) -> None:
        await registry.give_up(generation)
        await write(gathered)
        assert await _marks_on_walls(room, generation), "it wrote nothing that could be left"

    monkeypatch.setattr(builder._fold, "write", given_up_meanwhile)
    assert not await builder.run()
    assert generation.name not in await room.database.list_collection_names()
    assert not await registry.offsets(generation.name)
