"""Which engines tests run on; among them those that somebody keeps running, so that a test starts none."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from infra.engines.engines import Engines
from infra.engines.faults import NotReady
from infra.engines.seam import Addresses, EngineSource, EngineStatus
from infra.engines.settings import ENGINES, EngineName, EngineSettings

HOME_VARIABLE = "FIKARUM_TEST_ENGINES"
SOURCE_VARIABLE = "FIKARUM_TEST_SOURCE"


class Attached:
    """The engines of a home, read only: they are never started, stopped or killed from here."""

    def __init__(self, home: Path) -> None:
        if not (home / "ports.json").exists():
            raise NotReady(
                f"no engines have run in {home}: start them with python -m infra.engines start {home}"
            )
        self._engines = Engines(home)

    @property
    def addresses(self) -> Addresses:
        return self._engines.addresses

    def start(self, names: Iterable[EngineName] = ENGINES) -> Addresses:
        status = self.status()
        missing = [name for name in names if status[name].state != "running"]
        if missing:
            home = self._engines.home
            raise NotReady(
                f"{', '.join(missing)} does not run in {home}: python -m infra.engines start {home}"
            )
        return self.addresses

    def stop(self) -> None:
        """Leave them running."""

    def status(self) -> dict[EngineName, EngineStatus]:
        return self._engines.status()


def source_for_tests(fresh_home: Path, environment: Mapping[str, str] = os.environ) -> EngineSource:
    """The engines of `FIKARUM_TEST_ENGINES` where it is set, else new ones that end with this process: native
    ones, or containers where `FIKARUM_TEST_SOURCE` says so."""
    running = environment.get(HOME_VARIABLE)
    if running:
        return Attached(Path(running))
    source = environment.get(SOURCE_VARIABLE, "native")
    if source == "containers":
        # loads client libraries that nobody else here needs
        from infra.engines.containers import Containers

        return Containers(fresh_home)
    if source != "native":
        raise NotReady(f"{SOURCE_VARIABLE} is native or containers, not {source}")
    return Engines(fresh_home, EngineSettings(leash=True, test_commands=True))
