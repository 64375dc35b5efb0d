"""The feed on real engines, one service for all of its tests."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.feed.tests.world import House
from services.feed.tests.world import house as running
from shared.runtime.settings import Settings
from shared.tests.rooms import drop_all, settings_for


@pytest.fixture(scope="package")
def feed_settings(
    mongo_uri: str, kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    home: Path = tmp_path_factory.mktemp("feed")
    with pytest.MonkeyPatch.context() as monkeypatch:
        settings = settings_for(mongo_uri, kafka_bootstrap, home, monkeypatch)
        yield settings
        drop_all(settings)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def house(feed_settings: Settings) -> AsyncIterator[House]:
    async with running(feed_settings) as house:
        yield house
