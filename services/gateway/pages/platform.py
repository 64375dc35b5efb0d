"""How do the engines and services do? What the supervisor wrote down, and what of it is still true."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil
from pydantic import BaseModel, ValidationError

from services.gateway.view_models import PartLine, PartState
from shared.runtime.logging import get_logger

log = get_logger(__name__)

#: A pid is used again; a pid with its start time, in seconds, is not.
_SAME_SECONDS = 1.0

_STATES: dict[str, PartState] = {
    "waiting": "starting",
    "starting": "starting",
    "running": "ready",
    "silent": "degraded",
    "restarting": "failed",
    "stopping": "stopping",
    "stopped": "stopped",
}


class _Process(BaseModel):
    pid: int
    created: float

    def live(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            return process if abs(process.create_time() - self.created) < _SAME_SECONDS else None
        except psutil.NoSuchProcess:
            return None


class _Part(BaseModel):
    kind: Literal["engine", "service"]
    state: str
    process: _Process | None = None
    waiting_for: list[str] = []
    last_end: str | None = None


class _State(BaseModel):
    parts: dict[str, _Part]


@dataclass(frozen=True, slots=True)
class Platform:
    engines: list[PartLine]
    services: list[PartLine]


def read(home: Path) -> Platform:
    """Empty where no supervisor ever wrote anything here: then others run the parts."""
    try:
        state = _State.model_validate_json((home / "state.json").read_bytes())
    except FileNotFoundError:
        return Platform([], [])
    except (ValidationError, OSError) as error:
        log.warning("the supervisor's state cannot be read", error=repr(error))
        return Platform([], [])
    lines: dict[str, list[PartLine]] = {"engine": [], "service": []}
    for name, said in state.parts.items():
        lines[said.kind].append(_line(name, said))
    return Platform(lines["engine"], lines["service"])


def _line(name: str, said: _Part) -> PartLine:
    process = said.process.live() if said.process else None
    state = _STATES.get(said.state, "failed")
    if process is None:
        gone = state if state in ("starting", "stopped") else "failed"
        return PartLine(name, gone, detail=_detail(said))
    return PartLine(name, state, process.pid, _memory(process), detail=_detail(said))


def _memory(process: psutil.Process) -> int | None:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return None


def _detail(said: _Part) -> str:
    """Why it is not ready. The names of logs and folders are for a terminal, not for a page."""
    if said.state == "running":
        return ""
    return ", ".join(said.waiting_for)
