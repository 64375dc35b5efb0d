"""Where tests and services get their engines from: native processes, running ones, or containers."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Protocol

from infra.engines.settings import ENGINES, EngineName

# silent: the process lives but does not answer, because it is starting, paused or stuck
State = Literal["running", "silent", "stopped", "died"]


@dataclass(frozen=True, slots=True)
class Addresses:
    mongo_uri: str
    kafka_bootstrap: str
    opensearch_url: str

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, file: Path) -> "Addresses":
        return cls(**json.loads(file.read_text()))


@dataclass(frozen=True, slots=True)
class EngineStatus:
    state: State
    address: str
    pid: int | None
    rss_mb: int
    log: Path


class EngineSource(Protocol):
    """Whatever can bring the engines up and say where they are."""

    @property
    def addresses(self) -> Addresses: ...

    def start(self, names: Iterable[EngineName] = ENGINES) -> Addresses:
        """Return when every named engine answers; those that already run for this source are left alone."""
        ...

    def stop(self) -> None: ...

    def status(self) -> dict[EngineName, EngineStatus]: ...
