"""The wiki on real engines: the service as it runs, and members whose tokens come as identity sends them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from contracts.identity import Kind, Role
from services.wiki.assembly import assemble
from shared.kernel.audience import Classification
from shared.runtime.settings import Settings
from shared.tests.company import Company, Doorkeeper, House, among, identity
from shared.tests.rooms import drop_all, settings_for

MEMBERS: Company = {
    "ann": (Kind.STAFF, ()),
    "bob": (Kind.STAFF, ()),
    "edi": (Kind.STAFF, (Role.EDITOR,)),
    "oda": (Kind.STAFF, (Role.OPERATOR,)),
    "gil": (Kind.GUEST, ()),
}
#: Bob may not see what is confidential.
CLEARANCES = {"bob": Classification.INTERNAL}


@pytest.fixture(scope="package")
def wiki_settings(
    mongo_uri: str, kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    home: Path = tmp_path_factory.mktemp("wiki")
    with pytest.MonkeyPatch.context() as monkeypatch:
        settings = settings_for(mongo_uri, kafka_bootstrap, home, monkeypatch)
        yield settings
        drop_all(settings)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(wiki_settings: Settings) -> AsyncIterator[House]:
    """Up, with its members known."""
    service = assemble(wiki_settings, Doorkeeper(MEMBERS))
    async with (
        identity(wiki_settings, MEMBERS, CLEARANCES) as store,
        among(MEMBERS, service, "/wiki/spaces", store) as house,
    ):
        yield house
