"""The engines that tests run on: started once a session, only those it needs, or running ones."""

import ast
import functools
import gc
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from infra.engines.attached import source_for_tests
from infra.engines.seam import EngineSource
from infra.engines.settings import EngineName
from shared.runtime.collecting import collect_rarely

_parse = ast.parse


@functools.wraps(_parse)
def _parse_alone(*args: Any, **kwargs: Any) -> Any:
    """Nothing is collected while source is parsed, by pytest for a module or for a failure that it shows:
    Python 3.11.2 cannot parse while a finalizer does, to log a traceback, and all that one saw would be that
    (gh-106905)."""
    collects = gc.isenabled()
    gc.disable()
    try:
        return _parse(*args, **kwargs)
    finally:
        if collects:
            gc.enable()


ast.parse = _parse_alone

#: Modules and tests are loaded to stay: looking for garbage among them takes a fifth of the time.
gc.disable()


#: The packages of tests that take longest, in this order: where runs go side by side they begin first, so
#: that the others fill what is left.
_LONGEST = (
    "infra/cli",
    "shared/tests",
    "services/gateway",
    "e2e_tests",
    "infra/engines",
    "services/engagement",
)


def _package(nodeid: str) -> str:
    """The folder of a test: its fixtures are of its package, and a platform is begun once for all of it."""
    return nodeid.partition("::")[0].rpartition("/")[0]


def _rank(item: pytest.Item) -> int:
    package = _package(item.nodeid)
    return next((at for at, name in enumerate(_LONGEST) if package.startswith(name)), len(_LONGEST))


#: Fixtures that run whole services from the first test on that asks for them to the last of its package. Even
#: where nobody asks for anything they take a fifth of a core: what does without them comes before.
_RUNNING = frozenset({"house", "installed", "site"})


def _order(item: pytest.Item) -> tuple[int, str, bool]:
    package = _package(item.nodeid)
    return _rank(item), package, not _RUNNING.isdisjoint(getattr(item, "fixturenames", ()))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_order)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """One package at a time for each of the runs that go side by side."""
    config.option.loadscopereorder = False
    return _ByPackage(config, log)


class _ByPackage(LoadScopeScheduling):  # type: ignore[misc]
    def _split_scope(self, nodeid: str) -> str:
        return _package(nodeid)


def pytest_collection_finish() -> None:
    """From here on as a service does."""
    gc.enable()
    collect_rarely()


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
