"""Proves 'Append', 'Relay' and 'Views' of docs/semantics.md while an engine is killed under a whole service.

The engines here are the module's own: nobody else's may be killed.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from infra.engines import EngineName, Engines, EngineSettings
from shared.kernel.errors import Unavailable
from shared.runtime.ids import new_id
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.runtime.store import Idempotency
from shared.tests.assembly import assemble
from shared.tests.eventually import eventually
from shared.tests.log import check_log
from shared.tests.rooms import by_ann, drop_all, serving, settings_for
from shared.tests.walls import HANDS, WALLS, Mark, MarkMade, MarkWhispered, Told

HANDS_AT_WORK = ("ann", "bo", "cy", "di", "eve", "fay")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    with Engines(
        tmp_path_factory.mktemp("killed"), EngineSettings(leash=True, test_commands=True)
    ) as engines:
        engines.start(("mongo", "kafka"))
        yield engines


@pytest.fixture
def settings(own: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    addresses = own.addresses
    made = settings_for(addresses.mongo_uri, addresses.kafka_bootstrap, tmp_path, monkeypatch)
    yield made
    drop_all(made)


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    async with serving(assemble(settings)) as made:
        yield made


class Crowd:
    """Hands that mark until told to stop; whoever is told that the outcome is unknown asks again with the
    same key."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._stopping = False
        self.acknowledged: dict[str, int] = dict.fromkeys(HANDS_AT_WORK, 0)

    async def work(self, hand: str) -> None:
        kind = MarkMade if hand < "d" else MarkWhispered
        while not self._stopping:
            key = Idempotency("ann", new_id(), "the same")
            while True:
                try:
                    await self._service.store.handle(HANDS, Mark(hand, kind=kind), by_ann(), idempotency=key)
                    break
                except Unavailable:
                    await asyncio.sleep(0.05)
            self.acknowledged[hand] += 1

    def stop(self) -> None:
        self._stopping = True

    async def more(self, marks: int) -> None:
        """Waits until so many more are acknowledged."""
        goal = sum(self.acknowledged.values()) + marks

        async def look() -> bool:
            return sum(self.acknowledged.values()) >= goal

        await eventually(look, within=100)


async def _everything_arrived(service: Service, told: Told) -> None:
    async def look() -> None:
        told.check(await service.views(WALLS).get("north"))
        assert service.viewings[WALLS.name].lag.events == 0
        assert await service.not_ready() == []

    await eventually(look, within=100)
    await check_log(service.settings.kafka, service.topics, service.database)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["mongo", "kafka"])
async def test_an_engine_killed_under_load_loses_nothing_acknowledged_and_everything_drains(
    own: Engines, service: Service, name: EngineName
) -> None:
    """Append 4, Relay 4 and Views 5: kill -9, some seconds away, and again while still catching up."""
    crowd = Crowd(service)
    working = [asyncio.create_task(crowd.work(hand)) for hand in HANDS_AT_WORK]
    try:
        for _ in range(2):
            await crowd.more(150)
            await asyncio.to_thread(own.kill, name)
            if name == "kafka":
                await crowd.more(100)
            await asyncio.to_thread(own.start, (name,))
        await crowd.more(150)
    finally:
        crowd.stop()
        await asyncio.gather(*working)
    await _everything_arrived(service, Told(crowd.acknowledged))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["mongo", "kafka"])
async def test_an_engine_that_is_away_longer_than_its_clients_wait_is_found_again(
    own: Engines, service: Service, name: EngineName
) -> None:
    """Views 5 and Parking 4: followers end, begin again and fail at it, and still nothing is parked."""
    crowd = Crowd(service)
    working = [asyncio.create_task(crowd.work(hand)) for hand in HANDS_AT_WORK]
    try:
        await crowd.more(50)
        await asyncio.to_thread(own.kill, name)
        await asyncio.sleep(12)
        await asyncio.to_thread(own.start, (name,))
        await crowd.more(50)
    finally:
        crowd.stop()
        await asyncio.gather(*working)
    await _everything_arrived(service, Told(crowd.acknowledged))
    assert await service.database["parked"].count_documents({}) == 0
