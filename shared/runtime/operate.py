"""What operators see and do of one service: its views' generations, lag and progress, what is parked,
rebuilds and mends."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from shared.kernel.errors import Forbidden, NotFound, Unavailable
from shared.runtime.auth import OPERATORS, Actor
from shared.runtime.freshness import encode_places
from shared.runtime.http import Caller, Input
from shared.runtime.parking import Mending, Parked

if TYPE_CHECKING:
    from shared.runtime.service import Service


def _operator(caller: Caller) -> Actor:
    if not caller.roles & OPERATORS:
        raise Forbidden("operators-only", "This is for operators.")
    return caller


Operator = Annotated[Actor, Depends(_operator)]


class Build(BaseModel):
    """A generation being built. `rate` in events a second, `seconds_left` an estimate."""

    generation: str
    read: int
    total: int
    rate: float
    seconds_left: float | None
    error: str | None


class ViewState(BaseModel):
    """One view as it is now. Lag in events and in seconds: the age of the newest end of the log that it has
    passed."""

    view: str
    fold: int
    generation: str | None
    lag_events: int
    lag_seconds: float
    parked: int
    building: Build | None


class ServiceState(BaseModel):
    """`relay_unsent_seconds`: age of the oldest commit that is not in Kafka yet."""

    service: str
    relay_unsent_seconds: float
    views: list[ViewState]


class ParkedEvent(BaseModel):
    """Without the event's data, which may be personal."""

    id: str
    view: str
    generation: str
    key: str | None
    stream: str
    event_id: str
    event_type: str
    order: int
    error: str
    trace: str
    at: datetime


class MendInput(Input):
    """`data`: the JSON that stands in for the event's own from now on; without it the event is left out."""

    data: str | None = None
    schema_version: int = Field(default=1, ge=1)
    reason: Annotated[str, Field(min_length=1, max_length=1_000)]


class ReplayInput(Input):
    view: str
    key: str


class Replayed(BaseModel):
    replayed: bool


class KeysState(BaseModel):
    """Master keys are told by their fingerprints. `current` None: no personal field is opened here."""

    current: str | None
    wrapped: dict[str, int] = Field(description="Members' keys kept here, by the master key that wraps them")


class Places(BaseModel):
    """Where a commit lies in the log, as other services understand it as `after`; `sent` False: not there
    yet."""

    sent: bool
    after: str


def router(service: "Service") -> APIRouter:
    """Every service has these routes; the gateway shows them on the system page."""
    api = APIRouter(tags=["operate"])
    mending = Mending(service.database)

    @api.get("/operate/views")
    async def service_state(_: Operator) -> ServiceState:
        """Generations, lag and builds of every view."""
        parked = await mending.counts(_serving(service))
        views = [await _state(service, parked, name) for name in service.viewings]
        return ServiceState(
            service=service.name, relay_unsent_seconds=service.relay.oldest_unsent, views=views
        )

    @api.post("/operate/views/{view}/rebuild", status_code=202)
    async def rebuild_view(view: str, _: Operator) -> Build:
        """Begins a new generation beside the serving one; it is swapped in when it has caught up."""
        service.projection(view)
        begun = await service.viewings[view].rebuild()
        return Build(generation=begun.name, read=0, total=0, rate=0.0, seconds_left=None, error=None)

    @api.delete("/operate/views/{view}/rebuild", status_code=204)
    async def give_up_rebuild(view: str, _: Operator) -> None:
        """Drops the generation that is being built."""
        service.projection(view)
        await service.viewings[view].give_up()

    @api.get("/operate/parked")
    async def parked_events(
        _: Operator, limit: Annotated[int, Query(ge=1, le=500)] = 100
    ) -> list[ParkedEvent]:
        """What could not be folded in the serving generations, oldest first."""
        return [_parked(entry) for entry in await mending.parked(_serving(service), limit)]

    @api.put("/operate/parked/{event_id}/mend", status_code=204)
    async def mend_event(event_id: str, mend: MendInput, operator: Operator) -> None:
        """Keeps a mend by event id, for this and every later generation."""
        await mending.mend(
            event_id,
            data=mend.data,
            schema_version=mend.schema_version,
            by=operator.member_id,
            reason=mend.reason,
        )

    @api.post("/operate/parked/replay")
    async def replay_parked(asked: ReplayInput, _: Operator) -> Replayed:
        """Folds what is parked under a key, with its mends; nothing changes where it still fails."""
        service.projection(asked.view)
        fold = service.viewings[asked.view].fold
        if fold is None:
            raise Unavailable("view-being-built", "This view is being prepared. Try again in a moment.")
        await fold.parking.load()
        return Replayed(replayed=await fold.replay_parked(asked.key))

    @api.get("/operate/keys")
    async def keys_state(_: Operator) -> KeysState:
        """Which master key this service wraps with, and which wrapped what it holds."""
        if not service.has_keys:
            return KeysState(current=None, wrapped={})
        return KeysState(current=service.keys.master.fingerprint, wrapped=await service.keys.by_master())

    @api.get("/commits/{stream}/{version}")
    async def commit_places(stream: str, version: int, _: Caller) -> Places:
        """Where a commit lies in the log: waits at most 2 s until the relay has sent it."""
        places = await service.freshness.places(stream, version)
        return Places(sent=places is not None, after=encode_places(places or ()))

    return api


def _serving(service: "Service") -> list[str]:
    generations = [viewing.views.generation for viewing in service.viewings.values()]
    return [generation.name for generation in generations if generation is not None]


async def _state(service: "Service", parked: Mapping[str, int], name: str) -> ViewState:
    viewing = service.viewings.get(name)
    if viewing is None:
        raise NotFound("no-such-view", "There is no view {view} here.", params={"view": name})
    now = await service.registry.of(name, viewing.projection.version)
    active, building = viewing.views.generation, now.building
    build = None
    if building is not None:
        left = max(0, building.total - building.read)
        seconds = left / building.rate if building.rate else None
        build = Build(
            generation=building.name,
            read=building.read,
            total=building.total,
            rate=building.rate,
            seconds_left=seconds,
            error=building.error,
        )
    return ViewState(
        view=name,
        fold=viewing.projection.version,
        generation=active.name if active else None,
        lag_events=viewing.lag.events,
        lag_seconds=viewing.lag.age(),
        parked=parked.get(active.name, 0) if active else 0,
        building=build,
    )


def _parked(entry: Parked) -> ParkedEvent:
    values: dict[str, Any] = {name: getattr(entry, name) for name in ParkedEvent.model_fields}
    return ParkedEvent(**values)
