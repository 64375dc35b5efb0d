"""Groups on real engines: the service as it runs, and members whose tokens come as identity sends them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from contracts.identity import Kind, Role
from services.groups.assembly import assemble
from shared.runtime.settings import Settings
from shared.tests.company import Company, Doorkeeper, House, among, identity
from shared.tests.rooms import drop_all, settings_for

MEMBERS: Company = {
    "ann": (Kind.STAFF, ()),
    "bob": (Kind.STAFF, ()),
    "cat": (Kind.STAFF, ()),
    "ada": (Kind.STAFF, (Role.ADMIN,)),
    "gil": (Kind.GUEST, ()),
    "gus": (Kind.GUEST, ()),
    "gone": (Kind.STAFF, ()),
}


@pytest.fixture(scope="module")
def groups_settings(
    mongo_uri: str, kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    home: Path = tmp_path_factory.mktemp("groups")
    with pytest.MonkeyPatch.context() as monkeypatch:
        settings = settings_for(mongo_uri, kafka_bootstrap, home, monkeypatch)
        yield settings
        drop_all(settings)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(groups_settings: Settings) -> AsyncIterator[House]:
    """Up, with its members known."""
    service = assemble(groups_settings, Doorkeeper(MEMBERS))
    async with (
        identity(groups_settings, MEMBERS) as store,
        among(MEMBERS, service, "/groups", store) as house,
    ):
        yield house
