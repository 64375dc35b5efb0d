"""Parking: what a fold cannot take waits for its document, in order, and nothing else waits with it."""

from typing import Any

import httpx
import pytest

from shared.runtime import telemetry
from shared.runtime.parking import Mending
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.runtime.store import Committed
from shared.tests.assembly import assemble
from shared.tests.eventually import eventually
from shared.tests.failpoints import failing
from shared.tests.rooms import Room, by_ann, serving
from shared.tests.walls import HANDS, NO_WALLS, POISON, WALLS, Mark, MarkMade, Wall

_NOT_PRIMARY, _OUT_OF_TIME = 10107, 50


async def _mark(service: Service, hand: str, *walls: str, text: str = "a line") -> Committed:
    return await service.store.handle(HANDS, Mark(hand, walls, text), by_ann())


async def _caught_up(service: Service, committed: Committed) -> None:
    async def look() -> bool:
        return not await service.behind(str(committed), WALLS)

    await eventually(look)


async def _wall(service: Service, name: str) -> Wall:
    wall = await service.views(WALLS).get(name)
    assert wall is not None, f"{name} is gone"
    return wall


async def _event_id(service: Service, committed: Committed) -> str:
    events = await service.store.load(committed.stream, committed.version - 1)
    return events[0].id


async def test_poison_parks_its_document_in_order_and_the_rest_flows_on(settings: Settings) -> None:
    async with serving(assemble(settings)) as service:
        await _mark(service, "ann", "north", "south")
        await _mark(service, "ann", "north", text=POISON)
        await _caught_up(service, await _mark(service, "ann", "north", "south"))
        await _caught_up(service, await _mark(service, "bob", "north", "south"))
        north, south = await _wall(service, "north"), await _wall(service, "south")
        assert north.marks == {"hand-ann": [1]}, "what came behind the poison was folded past it"
        assert south.marks == {"hand-ann": [1, 3], "hand-bob": [1]}
        generation = service.views(WALLS).generation
        assert generation is not None
        parked = await Mending(service.database).parked([generation.name])
        assert [(entry.key, entry.event_type) for entry in parked] == [("north", "MarkMade")] * 3
        assert sorted(entry.order for entry in parked) == [0, 1, 2]
        assert "ValueError" in parked[0].error and "Traceback" in parked[0].trace


async def test_a_parked_document_counts_as_behind(settings: Settings) -> None:
    async with serving(assemble(settings)) as service:
        last = await _mark(service, "ann", "north", text=POISON)
        await _caught_up(service, last)
        assert await service.behind(str(last), WALLS, key="north")
        assert not await service.behind(str(last), WALLS, key="south")


async def _measured(service: Service) -> list[str]:
    """What a process that has just begun, and parked nothing itself, says is parked."""
    telemetry.PARKED.clear()
    transport = httpx.ASGITransport(service.http)
    async with httpx.AsyncClient(transport=transport, base_url="http://w") as client:
        told = (await client.get("/metrics")).text
    return [line for line in told.splitlines() if line.startswith("fikarum_parked_events{")]


async def test_what_is_parked_is_measured_as_it_is_now_also_after_a_start(settings: Settings) -> None:
    async with serving(assemble(settings)) as service:
        assert f'fikarum_parked_events{{view="{WALLS.name}"}} 0.0' in await _measured(service)
        poison = await _mark(service, "ann", "north", text=POISON)
        await _caught_up(service, await _mark(service, "ann", "north"))
        assert f'fikarum_parked_events{{view="{WALLS.name}"}} 2.0' in await _measured(service)
    async with serving(assemble(settings)) as service:
        assert f'fikarum_parked_events{{view="{WALLS.name}"}} 2.0' in await _measured(service)
        await Mending(service.database).mend(
            await _event_id(service, poison), data=None, by="operator", reason="left out"
        )
        fold = service.viewings[WALLS.name].fold
        assert fold is not None
        await fold.parking.load()
        assert await fold.replay_parked("north")
        assert f'fikarum_parked_events{{view="{WALLS.name}"}} 0.0' in await _measured(service)


async def test_a_mend_and_a_replay_bring_everything_back_in_order(settings: Settings) -> None:
    async with serving(assemble(settings)) as service:
        await _mark(service, "ann", "north")
        poison = await _mark(service, "ann", "north", text=POISON)
        last = await _mark(service, "ann", "north")
        await _caught_up(service, last)
        fold = service.viewings[WALLS.name].fold
        assert fold is not None
        assert not await fold.replay_parked("north"), "nothing was mended, so it must fail again"
        assert (await _wall(service, "north")).marks == {"hand-ann": [1]}
        mended = MarkMade(walls=["north"], text="a mended line", number=2).model_dump_json()
        await Mending(service.database).mend(
            await _event_id(service, poison), data=mended, by="operator", reason="typing error"
        )
        await fold.parking.load()
        assert await fold.replay_parked("north")
        assert (await _wall(service, "north")).marks == {"hand-ann": [1, 2, 3]}
        await _caught_up(service, await _mark(service, "ann", "north"))
        assert (await _wall(service, "north")).marks == {"hand-ann": [1, 2, 3, 4]}


async def test_an_event_left_out_is_left_out_by_every_later_generation(settings: Settings) -> None:
    async with serving(assemble(settings)) as service:
        poison = await _mark(service, "ann", "north", text=POISON)
        last = await _mark(service, "ann", "north")
        await _caught_up(service, last)
        await Mending(service.database).mend(
            await _event_id(service, poison), data=None, by="operator", reason="nobody needs it"
        )
        before = service.views(WALLS).generation
        await service.viewings[WALLS.name].rebuild()

        async def rebuilt() -> None:
            now = service.views(WALLS).generation
            assert now is not None and before is not None and now.number > before.number
            assert (await _wall(service, "north")).marks == {"hand-ann": [2]}

        await eventually(rebuilt)


@pytest.mark.parametrize("code", [_NOT_PRIMARY, _OUT_OF_TIME])
async def test_an_engine_that_fails_parks_nothing(settings: Settings, room: Room, code: int) -> None:
    """The view waits for it and holds everything then."""
    async with serving(assemble(settings)) as service:
        await _caught_up(service, await _mark(service, "ann", "north"))
        generation = service.views(WALLS).generation
        assert generation is not None
        where = f"{service.database.name}.{generation.name}"
        async with failing(room, "update", "insert", times=3, namespace=where, errorCode=code):
            await _caught_up(service, await _mark(service, "ann", "north", "south"))
        assert (await _wall(service, "north")).marks == {"hand-ann": [1, 2]}
        assert (await _wall(service, "south")).marks == {"hand-ann": [2]}
        assert await service.database["parked"].count_documents({}) == 0


async def test_what_cannot_be_read_parks_its_stream_for_that_view_only(settings: Settings) -> None:
    async with serving(assemble(settings)) as service:
        await _mark(service, "ann", "north", text=NO_WALLS)
        await _caught_up(service, await _mark(service, "ann", "north"))
        await _caught_up(service, await _mark(service, "bob", "north"))

        async def look() -> None:
            assert (await _wall(service, "north")).marks == {"hand-bob": [1]}

        await eventually(look)
        fold = service.viewings[WALLS.name].fold
        assert fold is not None and set(fold.parking.streams) == {"hand-ann"}


async def test_a_record_that_no_mark_covers_counts_for_nothing(settings: Settings) -> None:
    """A consumer that keeps a record and then loses the race for the mark leaves an orphan behind."""
    async with serving(assemble(settings)) as service:
        poison = await _mark(service, "ann", "north", text=POISON)
        last = await _mark(service, "ann", "north")
        await _caught_up(service, last)
        parked = service.database["parked"]
        second = await parked.find_one({"order": 1})
        assert second is not None
        orphan: dict[str, Any] = {**second, "_id": second["_id"] + " orphan", "episode": "of another time"}
        await parked.insert_one(orphan)
        event = await _event_id(service, poison)
        await Mending(service.database).mend(event, data=None, by="operator", reason="left out")
        fold = service.viewings[WALLS.name].fold
        assert fold is not None
        await fold.parking.load()
        assert await fold.replay_parked("north")
        assert (await _wall(service, "north")).marks == {"hand-ann": [2]}
        assert await parked.count_documents({"key": "north"}) == 0


async def test_consumers_and_a_replay_may_race(settings: Settings) -> None:
    async with serving(assemble(settings)) as service:
        poison = await _mark(service, "ann", "north", text=POISON)
        for _ in range(5):
            last = await _mark(service, "bob", "north")
        await _caught_up(service, last)
        event = await _event_id(service, poison)
        await Mending(service.database).mend(event, data=None, by="operator", reason="left out")
        fold = service.viewings[WALLS.name].fold
        assert fold is not None
        await fold.parking.load()
        for _ in range(20):
            last = await _mark(service, "bob", "north")
        assert await fold.replay_parked("north")
        await _caught_up(service, last)

        async def look() -> None:
            assert (await _wall(service, "north")).marks == {"hand-bob": list(range(1, 26))}

        await eventually(look)
