"""Search on real engines."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.search.tests.world import House, drop_indexes
from services.search.tests.world import house as a_house
from shared.runtime.settings import Settings
from shared.tests.rooms import drop_all, settings_for


@pytest.fixture(scope="module")
def search_settings(
    mongo_uri: str, kafka_bootstrap: str, opensearch_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    home: Path = tmp_path_factory.mktemp("search")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("FIKARUM_OPENSEARCH_URL", opensearch_url)
        settings = settings_for(mongo_uri, kafka_bootstrap, home, monkeypatch)
        yield settings
        drop_all(settings)
        drop_indexes(settings)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(search_settings: Settings) -> AsyncIterator[House]:
    async with a_house(search_settings) as built:
        yield built
