"""Engagement on real engines: the service as it runs, and members as identity tells of them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from contracts.identity import Kind
from services.engagement.assembly import assemble
from shared.runtime.keys import MasterKey
from shared.runtime.settings import Settings
from shared.tests.company import Company, Doorkeeper, House, among, identity
from shared.tests.rooms import drop_all, settings_for

#: Each test that needs a consent of its own has a member of its own.
MEMBERS: Company = {
    **{name: (Kind.STAFF, ()) for name in ("ann", "bob", "cat", "dan", "eve", "fay", "leo")},
    "gil": (Kind.GUEST, ()),
}


@pytest.fixture(scope="package")
def engagement_settings(
    mongo_uri: str, kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    home: Path = tmp_path_factory.mktemp("engagement")
    with pytest.MonkeyPatch.context() as monkeypatch:
        settings = settings_for(mongo_uri, kafka_bootstrap, home, monkeypatch)
        MasterKey.create(settings.master_key_path)
        yield settings
        drop_all(settings)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(engagement_settings: Settings) -> AsyncIterator[House]:
    """Up, with its members known."""
    service = assemble(engagement_settings, Doorkeeper(MEMBERS))
    async with (
        identity(engagement_settings, MEMBERS) as store,
        among(MEMBERS, service, "/consent", store) as house,
    ):
        yield house
