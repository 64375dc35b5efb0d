"""kill -9 under acknowledged writes loses none of them, and the engine comes back on the same data."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.engines import EngineName, Engines
from infra.engines.tests.acknowledged import InKafka, InMongo, InOpenSearch, Target, write_until_broken
from infra.engines.tests.eventually import eventually

_ENOUGH = 300


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    home: Path = tmp_path_factory.mktemp("durable")
    with Engines(home) as engines:
        engines.start()
        yield engines


@pytest.mark.parametrize(
    ("name", "target"), [("mongo", InMongo()), ("kafka", InKafka()), ("opensearch", InOpenSearch())]
)
async def test_nothing_acknowledged_is_lost_by_kill_9(own: Engines, name: EngineName, target: Target) -> None:
    acknowledged: list[int] = []
    writing = asyncio.create_task(write_until_broken(target, own.addresses, acknowledged))
    await asyncio.to_thread(eventually, lambda: len(acknowledged) >= _ENOUGH or writing.done())
    killed = own.pid(name)

    await asyncio.to_thread(own.kill, name)
    await writing
    assert (own.home / name / "lock").read_text() == str(killed), (
        "the lock file of the killed one is still there"
    )
    await asyncio.to_thread(own.start, (name,))

    assert len(acknowledged) >= _ENOUGH
    assert set(acknowledged) - await target.found(own.addresses) == set()
