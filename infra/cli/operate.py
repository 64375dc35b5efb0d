"""Views, generations and what is parked: what an operator looks at and puts right while it runs."""

import json
import time
from itertools import chain
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from infra.cli.faults import Fault
from infra.cli.home import HOLDERS, Home
from infra.cli.platform import Platform
from infra.cli.shown import AsJson, alone, command_group, document, seconds, table, told, wide
from infra.contracts.catalogue import load
from infra.engines.settings import REPOSITORY
from shared.kernel.errors import Undecodable
from shared.kernel.events import decode

_LOOK_SECONDS, _SWAP_SECONDS = 0.5, 15.0
#: Parked events that one service tells of at once.
_MOST_PARKED = 500

View = Annotated[str, typer.Argument(help="For example wiki.pages; `fikarum generations` lists them.")]
Event = Annotated[str, typer.Argument(help="The event's id, as `fikarum parked` shows it.")]

parked = command_group("What could not be folded into a view: show it, mend it, fold it again.")


def this_platform() -> Platform:
    return Platform.of(Home.here())


def service_of(view: str) -> str:
    """A view is named after its service."""
    service = view.partition(".")[0]
    if service not in HOLDERS:
        raise Fault(f"There is no view {view}. `fikarum generations` lists them.")
    return service


def generations(as_json: AsJson = False) -> None:
    """Views with the generation that serves, the one being built, lag and parked events."""
    with this_platform() as platform:
        found = {service: views_of(platform.ask("GET", f"/operate/{service}/views")) for service in HOLDERS}
    if as_json:
        document(found)
        return
    shown = table("view", "fold", "serves", "lag", "parked", "being built")
    for view in chain.from_iterable(found.values()):
        lag = f"{view['lag_events']} events, {view['lag_seconds']:.1f} s"
        row = (view["view"], str(view["fold"]), view["generation"] or "none yet", lag)
        shown.add_row(*row, str(view["parked"]), _building(view["building"]))
    wide().print(shown)


def views_of(said: dict[str, Any]) -> list[dict[str, Any]]:
    """As a service tells of them, with lags as `lag` tells them."""
    return [view | {"lag_seconds": seconds(view["lag_seconds"])} for view in said["views"]]


def _building(build: dict[str, Any] | None) -> str:
    if build is None:
        return ""
    failed = f", failed: {build['error']}" if build["error"] else ""
    return f"{build['generation']}: {build['read']} of {build['total']}{failed}"


def rebuild(
    view: View,
    give_up: Annotated[bool, typer.Option(help="Drop the generation that is being built.")] = False,
    wait: Annotated[bool, typer.Option(help="Stay until it serves.")] = True,
    as_json: AsJson = False,
) -> None:
    """Build a view anew from its events, while the present one goes on serving."""
    service = service_of(view)
    with this_platform() as platform:
        if give_up:
            platform.ask("DELETE", f"/operate/{service}/views/{view}/rebuild")
            dropped = {"view": view, "generation": None, "state": "dropped"}
            told(as_json, dropped, f"The new generation of {view} is dropped.")
            return
        begun = platform.ask("POST", f"/operate/{service}/views/{view}/rebuild")["generation"]
        if wait:
            _follow(platform, service, view, begun)
    state, said = ("serving", "serves now") if wait else ("building", "is being built")
    told(as_json, {"view": view, "generation": begun, "state": state}, f"{begun} {said}.")


def _follow(platform: Platform, service: str, view: str, generation: str) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(f"building {generation}", total=None)
        seen = time.monotonic()
        while True:
            now = _view(platform, service, view)
            if now["generation"] == generation:
                return
            build = now["building"]
            if build is None or build["generation"] != generation:
                # Between the swap and the moment in which the service sees it, it is neither.
                if time.monotonic() - seen > _SWAP_SECONDS:
                    raise Fault(f"{generation} was given up. See the log of {service}.")
                time.sleep(_LOOK_SECONDS)
                continue
            seen = time.monotonic()
            if build["error"]:
                raise Fault(f"{generation} cannot be built: {build['error']}")
            progress.update(bar, completed=build["read"], total=build["total"] or None)
            time.sleep(_LOOK_SECONDS)


def _view(platform: Platform, service: str, view: str) -> dict[str, Any]:
    for found in platform.ask("GET", f"/operate/{service}/views")["views"]:
        if found["view"] == view:
            return dict(found)
    raise Fault(f"There is no view {view}. `fikarum generations` lists them.")


def _parked(platform: Platform) -> list[dict[str, Any]]:
    answers = (platform.ask("GET", f"/operate/{service}/parked", limit=_MOST_PARKED) for service in HOLDERS)
    return [entry for answer in answers for entry in answer]


@parked.callback(invoke_without_command=True)
def list_parked(context: typer.Context, as_json: AsJson = False) -> None:
    """List what is parked; without a further word."""
    if not alone(context, as_json):
        return
    with this_platform() as platform:
        found = _parked(platform)
    if as_json:
        document(found)
        return
    if not found:
        wide().print("Nothing is parked.")
        return
    shown = table("view", "key", "event", "type", "since", "why")
    for entry in found:
        key = entry["key"] or f"(stream {entry['stream']})"
        shown.add_row(entry["view"], key, entry["event_id"], entry["event_type"], entry["at"], entry["error"])
    wide().print(shown)


@parked.command()
def show(event: Event, as_json: AsJson = False) -> None:
    """Everything that is known about a parked event."""
    with this_platform() as platform:
        found = _of_event(platform, event)
    if as_json:
        document(found)
        return
    for entry in found:
        for name, value in entry.items():
            wide().print(f"[bold]{name}[/bold]", end=": ")
            print(value)


def _of_event(platform: Platform, event: str) -> list[dict[str, Any]]:
    found = [entry for entry in _parked(platform) if entry["event_id"] == event]
    if not found:
        raise Fault(f"No parked event has the id {event}. `fikarum parked` lists them.")
    return found


@parked.command()
def mend(
    event: Event,
    reason: Annotated[str, typer.Option(help="Why; kept with the mend.")],
    data: Annotated[
        Path | None, typer.Option(help="File with the JSON that stands in.", dir_okay=False)
    ] = None,
    skip: Annotated[bool, typer.Option(help="Leave the event out of every view.")] = False,
    schema_version: Annotated[int, typer.Option(min=1, help="The version that the data has.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Say what stands in for an event from now on, in every generation; then replay or rebuild."""
    if (data is None) == (not skip):
        raise Fault("Give either --data FILE or --skip.")
    try:
        content = data.read_text(encoding="utf-8") if data else None
    except (OSError, UnicodeDecodeError) as error:
        raise Fault(f"{data} cannot be read: {error}") from error
    with this_platform() as platform:
        entries = _of_event(platform, event)
        if content is not None:
            check_fits(content, schema_version, {str(entry["event_type"]) for entry in entries})
        order = {"data": content, "schema_version": schema_version, "reason": reason}
        for service in {service_of(entry["view"]) for entry in entries}:
            platform.ask("PUT", f"/operate/{service}/parked/{quote(event, safe='')}/mend", order)
    then = [
        f"fikarum parked replay {view} {key}" if key else f"fikarum rebuild {view}"
        for view, key in sorted({(entry["view"], entry["key"] or "") for entry in entries})
    ]
    said = "\n".join(f"Mended. It takes effect with: {follow}" for follow in then)
    told(as_json, {"event_id": event, "left_out": skip, "takes_effect_with": then}, said)


def check_fits(content: str, version: int, kinds: set[str]) -> None:
    """Raises Fault for data that would only park the event again. An unknown kind takes any JSON object."""
    try:
        said = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Fault(f"The data is no JSON: {error}") from error
    if not isinstance(said, dict):
        raise Fault("The data is no JSON object.")
    known = {contract.name for contract in load(REPOSITORY)}
    for name in {part for kind in kinds for part in kind.split(".")[1:2]} & known:
        try:
            decode(name, version, content)
        except Undecodable as error:
            why = " ".join(str(error).partition("For further information")[0].split())
            raise Fault(f"The data does not fit the event: {why}") from error


@parked.command()
def replay(
    view: View,
    key: Annotated[str, typer.Argument(help="The key of the view's document.")],
    as_json: AsJson = False,
) -> None:
    """Fold what is parked under a key again, with its mends; 1 where it still fails."""
    with this_platform() as platform:
        service = service_of(view)
        waiting = platform.ask("GET", f"/operate/{service}/parked", limit=_MOST_PARKED)
        known = any(entry["view"] == view and entry["key"] == key for entry in waiting)
        if not known and len(waiting) < _MOST_PARKED:
            raise Fault(f"Nothing is parked under {key} in {view}. `fikarum parked` lists what is.")
        order = {"view": view, "key": key}
        done = platform.ask("POST", f"/operate/{service}/parked/replay", order)["replayed"]
    if not done:
        raise Fault(f"It still fails. `fikarum parked` says why; {key} stays parked.")
    told(as_json, {"view": view, "key": key, "replayed": True}, f"{key} of {view} is up to date.")
