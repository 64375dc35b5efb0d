"""What the supervisor last wrote about its parts, and what of it is still true."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import psutil

#: waiting: for what it needs; silent: lives but does not answer as ready; restarting: died, begins again soon
PartState = Literal["waiting", "starting", "running", "silent", "restarting", "stopping", "stopped"]
Phase = Literal["starting", "up", "stopping", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process for certain: pids are used again, a pid with its start time is not."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> "ProcessId | None":
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return None

    def process(self) -> psutil.Process | None:
        """The live process, if it is still this one."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < 1.0
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


@dataclass(frozen=True, slots=True)
class PartReport:
    """One engine or service. `waiting_for`: why it is not running; `restarts`: its deaths since `up`."""

    kind: Literal["engine", "service"]
    state: PartState
    address: str
    log: str
    process: ProcessId | None = None
    waiting_for: list[str] = field(default_factory=list)
    restarts: int = 0
    last_end: str | None = None


@dataclass(frozen=True, slots=True)
class State:
    """`doing`: what is prepared meanwhile; `fault`: why the supervisor gave up."""

    supervisor: ProcessId
    phase: Phase
    parts: dict[str, PartReport]
    fault: str | None = None
    doing: str | None = None

    @property
    def alive(self) -> bool:
        return self.supervisor.process() is not None


def write(path: Path, state: State) -> None:
    """In one step: nobody reads half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(asdict(state), indent=1) + "\n")
    draft.replace(path)


def read(path: Path) -> State | None:
    """None where nothing was ever started."""
    try:
        said = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    parts = {
        name: PartReport(**{**part, "process": _process(part["process"])})
        for name, part in said["parts"].items()
    }
    supervisor = ProcessId(**said["supervisor"])
    return State(supervisor, said["phase"], parts, said["fault"], said["doing"])


def _process(said: dict[str, float] | None) -> ProcessId | None:
    return ProcessId(int(said["pid"]), said["created"]) if said else None
