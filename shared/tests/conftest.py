"""A room of its own for each proof: databases, topics and groups under a fresh name, dropped afterwards."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from shared.runtime.settings import Settings
from shared.tests.rooms import Room, drop_all, settings_for


@pytest.fixture
def settings(
    mongo_uri: str, kafka_bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """Settings of this proof alone."""
    made = settings_for(mongo_uri, kafka_bootstrap, tmp_path, monkeypatch)
    yield made
    drop_all(made)


@pytest.fixture
async def room(settings: Settings) -> AsyncIterator[Room]:
    async with Room(settings) as made:
        await made.store.prepare()
        yield made
