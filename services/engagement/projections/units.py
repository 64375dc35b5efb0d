"""What units are called, and were called."""

from bisect import insort
from collections.abc import Collection

from pydantic import BaseModel, Field

from contracts.identity import UnitFounded, UnitRenamed
from services.engagement.projections.facts import happened, seconds
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Index, Projection


class UnitView(BaseModel):
    """A unit: the way to it from the top, and its names in the order of event time: (at, version, recorded,
    name)."""

    unit_id: str
    path: tuple[str, ...] = ()
    names: list[tuple[int, int, int, str]] = Field(default_factory=list)

    def called(self, until: int, known: int | None = None) -> str | None:
        """Before the moment `until`, as known before `known` (None: as known now); None: not founded then."""
        names = [name for at, _, told, name in self.names if at < until and (known is None or told < known)]
        return names[-1] if names else None


def _keys(event: Event) -> Collection[str]:
    match event:
        case UnitFounded(unit_id=unit_id) | UnitRenamed(unit_id=unit_id):
            return (unit_id,)
    return ()


def _evolve(view: UnitView | None, event: Event, recorded: Recorded, key: str) -> UnitView | None:
    now = view or UnitView(unit_id=key)
    match event:
        case UnitFounded(name=name) | UnitRenamed(name=name):
            names = list(now.names)
            at, known = seconds(happened(recorded)), seconds(recorded.recorded_utc)
            insort(names, (at, recorded.version, known, name))
            path = event.path if isinstance(event, UnitFounded) else now.path
            return UnitView(unit_id=key, path=path, names=names)
    return now


units: Projection[UnitView] = Projection(
    "engagement.units",
    1,
    UnitView,
    (UnitFounded, UnitRenamed),
    _keys,
    _evolve,
    (Index((("unit_id", 1),)),),
)
