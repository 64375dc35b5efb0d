"""What the tests of the gateway stand on: the built files, and the services as they run."""

from collections.abc import AsyncIterator, Iterator

import pytest

from services.gateway import assets
from services.gateway.tests.house import House, opened
from services.gateway.tests.visitors import Gateway


@pytest.fixture(scope="session")
def built() -> None:
    """The interface's files as they are now; quick when `make assets` ran before."""
    assets.build()


@pytest.fixture(scope="package")
def house(
    built: None,
    mongo_uri: str,
    kafka_bootstrap: str,
    opensearch_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    """Every service, with the demonstration company."""
    with opened(mongo_uri, kafka_bootstrap, opensearch_url, tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture
async def gateway(house: House) -> AsyncIterator[Gateway]:
    """A gateway that remembers nothing yet."""
    async with Gateway(house.settings) as gateway:
        yield gateway
