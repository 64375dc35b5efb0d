"""What `fikarum doctor` says of topics: whether each that a service makes is there and keeps what it must."""

import asyncio
import uuid
from collections.abc import Iterator

import pytest

from infra.cli import topics
from infra.cli.doctor import Check, kafka
from shared.runtime.settings import Settings
from shared.runtime.topics import COMPACTED, FOREVER, Topics
from shared.tests.rooms import drop_all


@pytest.fixture
def namespace(mongo_uri: str, kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Of a platform that has no topics yet."""
    name = f"d{uuid.uuid4().hex[:10]}_"
    monkeypatch.setenv("FIKARUM_NAMESPACE", name)
    yield name
    drop_all(Settings(mongo_uri=mongo_uri, kafka=kafka_bootstrap, namespace=name))


def test_doctor_looks_at_the_topics_that_are_listed(kafka_bootstrap: str, namespace: str) -> None:

    def look() -> Check:
        (check,) = kafka(kafka_bootstrap)
        return check

    async def make() -> None:
        async with Topics(kafka_bootstrap, namespace) as broker:
            await broker.ensure([name for name in topics.EVERY if name != topics.KEYS])
            await broker.ensure([topics.KEYS], COMPACTED, 1)

    async def alter(name: str, setting: str, value: str) -> None:
        async with Topics(kafka_bootstrap, namespace) as broker:
            await broker.alter(name, {setting: value})

    missing = look()
    assert (missing.state, missing.says) == ("ill", f"{topics.EVERY[0]} is not there")
    asyncio.run(make())
    well = look()
    assert (well.state, well.says.split()[0]) == ("well", str(len(topics.EVERY)))
    asyncio.run(alter("wiki.events", "retention.ms", "604800000"))
    assert look().says == "wiki.events does not keep what it must" and "retention.ms=-1" in look().remedy
    asyncio.run(alter("wiki.events", "retention.ms", FOREVER["retention.ms"]))
    asyncio.run(alter(topics.KEYS, "cleanup.policy", "delete"))
    assert look().says == "identity.keys does not keep what it must"
    assert "cleanup.policy=compact" in look().remedy
