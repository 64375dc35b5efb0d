"""What the operators' page wants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from services.gateway.view_models.shell import View

PartState = Literal["ready", "starting", "degraded", "stopping", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class PartLine:
    """An engine or a service. `memory` in bytes; `detail` is its own one line on what is wrong."""

    name: str
    state: PartState
    pid: int | None = None
    memory: int | None = None
    lag_seconds: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ViewLine:
    """A read model: `behind` in events, `parked` in events that wait for an operator."""

    name: str
    generation: int
    lag_seconds: float
    behind: int = 0
    parked: int = 0
    building: bool = False


@dataclass(frozen=True, slots=True)
class RebuildLine:
    """A generation being built. `seconds_left` is None until a rate is known."""

    name: str
    generation: int
    done: int
    total: int
    per_second: float | None = None
    seconds_left: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class OperateView(View):
    template: ClassVar[str] = "pages/operate.html"
    engines: Sequence[PartLine]
    services: Sequence[PartLine]
    views: Sequence[ViewLine]
    rebuilds: Sequence[RebuildLine] = ()
    as_of: datetime | None = None
    version: str = ""

    @property
    def parked(self) -> int:
        return sum(view.parked for view in self.views)

    @property
    def down(self) -> Sequence[PartLine]:
        return [part for part in (*self.engines, *self.services) if part.state != "ready"]
