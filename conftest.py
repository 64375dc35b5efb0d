"""The engines that tests run on: started once a session, only those it needs, or running ones."""

import gc
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.engines.attached import source_for_tests
from infra.engines.seam import EngineSource
from infra.engines.settings import EngineName
from shared.runtime.collecting import collect_rarely

#: Modules and tests are loaded to stay: looking for garbage among them takes a fifth of the time.
gc.disable()


def pytest_collection_finish() -> None:
    """From here on as a service does."""
    gc.enable()
    collect_rarely()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Nothing is collected while a failure is told of: Python 3.11.2 cannot parse (the test's source) while a
    finalizer does (to log a traceback), and all that pytest said would be that (gh-106905)."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


_ENGINE_OF_FIXTURE: dict[str, EngineName] = {
    "mongo_uri": "mongo",
    "kafka_bootstrap": "kafka",
    "opensearch_url": "opensearch",
}


@pytest.fixture(scope="session")
def engines(request: pytest.FixtureRequest) -> Iterator[EngineSource]:
    """Where the engines are; those that any test of the session asks for are up."""
    home = Path(tempfile.mkdtemp(prefix="fikarum-"))
    source = source_for_tests(home)
    try:
        source.start(_needed(request.session))
        yield source
    finally:
        source.stop()
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def mongo_uri(engines: EngineSource) -> str:
    return engines.start(("mongo",)).mongo_uri


@pytest.fixture(scope="session")
def kafka_bootstrap(engines: EngineSource) -> str:
    return engines.start(("kafka",)).kafka_bootstrap


@pytest.fixture(scope="session")
def opensearch_url(engines: EngineSource) -> str:
    return engines.start(("opensearch",)).opensearch_url


def _needed(session: pytest.Session) -> list[EngineName]:
    used = {fixture for item in session.items for fixture in getattr(item, "fixturenames", ())}
    return [engine for fixture, engine in _ENGINE_OF_FIXTURE.items() if fixture in used]
