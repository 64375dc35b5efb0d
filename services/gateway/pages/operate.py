"""For operators: how every engine, service and view does, and building a view anew."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from services.gateway import places
from services.gateway.addresses import SERVICES
from services.gateway.clients import Away, part
from services.gateway.pages import platform
from services.gateway.pages.visit import Member, Visit
from services.gateway.view_models import OperateView, PartLine, RebuildLine, ViewLine
from shared import VERSION
from shared.kernel.errors import NotFound

routes = APIRouter(include_in_schema=False)


class _Build(BaseModel):
    generation: str
    read: int
    total: int
    rate: float
    seconds_left: float | None
    error: str | None


class _View(BaseModel):
    view: str
    generation: str | None
    lag_events: int
    lag_seconds: float
    parked: int
    building: _Build | None


class _Service(BaseModel):
    service: str
    relay_unsent_seconds: float
    views: list[_View]


@routes.get(places.OPERATE)
async def operate(visit: Member) -> Response:
    _for_operators(visit)
    found = await asyncio.gather(*(_state(visit, service) for service in SERVICES))
    states = [state for state in found if state is not None]
    written = platform.read(visit.reception.settings.folder)
    views = [line for state in states for line in state.views]
    view = OperateView(
        engines=written.engines,
        services=_services(visit, written.services, found),
        views=[_line(line) for line in views],
        rebuilds=[_rebuild(line.view, line.building) for line in views if line.building is not None],
        as_of=datetime.now(UTC),
        version=VERSION,
    )
    return visit.show(view, place="operate")


@routes.post(places.OPERATE + "/views/{view}/rebuild")
async def rebuild(view: str, visit: Member) -> Response:
    await visit.form()
    await visit.ask(_owner(view), "POST", f"/operate/views/{part(view)}/rebuild")
    return visit.go(places.OPERATE, "rebuild-begun")


@routes.post(places.OPERATE + "/views/{view}/give-up")
async def give_up(view: str, visit: Member) -> Response:
    await visit.form()
    await visit.ask(_owner(view), "DELETE", f"/operate/views/{part(view)}/rebuild")
    return visit.go(places.OPERATE, "rebuild-given-up")


def _for_operators(visit: Visit) -> None:
    """Others hear that there is nothing, as for any address that there is not."""
    if not visit.is_operator:
        raise places.nowhere()


def _owner(view: str) -> str:
    service = view.partition(".")[0]
    if service not in SERVICES:
        raise NotFound("no-such-view", "There is no such view.")
    return service


async def _state(visit: Visit, service: str) -> _Service | None:
    try:
        return (await visit.ask(service, "GET", "/operate/views")).read(_Service)
    except Away:
        return None


def _services(
    visit: Visit, written: Sequence[PartLine], found: Sequence[_Service | None]
) -> Sequence[PartLine]:
    """The supervisor's lines, or our own where nothing was written: with the lag that each service tells."""
    _ = visit.locale.gettext
    states = dict(zip(SERVICES, found, strict=True))
    lines = written or [PartLine(service, "ready") for service in SERVICES]
    told = []
    for line in lines:
        state = states.get(line.name)
        if line.name in states and state is None:
            told.append(
                PartLine(
                    line.name, "failed", line.pid, line.memory, None, line.detail or _("It does not answer.")
                )
            )
        elif state is None:
            told.append(line)
        else:
            lag = max([state.relay_unsent_seconds, *(view.lag_seconds for view in state.views)])
            told.append(PartLine(line.name, line.state, line.pid, line.memory, lag, line.detail))
    return told


def _line(said: _View) -> ViewLine:
    return ViewLine(
        said.view,
        _number(said.generation) if said.generation else 0,
        said.lag_seconds,
        said.lag_events,
        said.parked,
        building=said.building is not None,
    )


def _rebuild(name: str, build: _Build) -> RebuildLine:
    return RebuildLine(
        name,
        _number(build.generation),
        build.read,
        build.total,
        build.rate or None,
        build.seconds_left,
        build.error or "",
    )


def _number(generation: str) -> int:
    """`wiki.pages.v1.g3` is the third."""
    return int(generation.rpartition(".g")[2])
