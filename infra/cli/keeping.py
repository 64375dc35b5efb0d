"""What keeps a platform honest over backups and years: the list of erasures, and the master key."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.cli.faults import Fault
from infra.cli.home import HOLDERS, Home
from infra.cli.operate import this_platform
from infra.cli.platform import Platform
from infra.cli.shown import AsJson, alone, command_group, document, table, told, wide

_ERASURES = "/operate/identity/erasures"
#: Erasures in one request.
_AT_ONCE = 1_000

AsList = Annotated[bool, typer.Option("--json", help="For programs, and for `apply`.")]
ListFile = Annotated[Path, typer.Argument(help="What `fikarum erasures --json` printed.")]

erasures = command_group("Who was erased: a list to keep outside the backups, and to apply after a restore.")
keys = command_group("The master key that wraps members' keys: which one is in use, and another one.")


@erasures.callback(invoke_without_command=True)
def list_erasures(context: typer.Context, as_json: AsList = False) -> None:
    """Whose keys were destroyed, and when."""
    if not alone(context, as_json):
        return
    with this_platform() as platform:
        found = list(_listed(platform))
    if as_json:
        document({"erasures": found})
        return
    shown = table("member", "erased at")
    for each in found:
        shown.add_row(each["member_id"], each["erased_at"])
    wide().print(shown if found else "Nobody was erased.")


@erasures.command("apply")
def apply_erasures(file: ListFile, as_json: AsJson = False) -> None:
    """Destroy again the keys of everybody in a kept list. It may be repeated."""
    items = _kept(file)
    erased = 0
    with this_platform() as platform:
        for at in range(0, len(items), _AT_ONCE):
            erased += platform.insist("POST", _ERASURES, {"items": items[at : at + _AT_ONCE]})["erased"]
    said = f"{erased} of {len(items)} were not erased here, and are now."
    told(as_json, {"listed": len(items), "erased": erased}, said)


def _listed(platform: Platform) -> Iterator[dict[str, Any]]:
    past: str | None = ""
    while past is not None:
        page = platform.ask("GET", _ERASURES, past=past)
        yield from page["items"]
        past = page["next"]


def _kept(file: Path) -> list[dict[str, str]]:
    try:
        found = json.loads(file.read_text())["erasures"]
        return [{"member_id": str(one["member_id"]), "erased_at": str(one["erased_at"])} for one in found]
    except OSError as error:
        raise Fault(f"{file}: {error.strerror}") from error
    except (ValueError, LookupError, TypeError) as error:
        raise Fault(f"{file} is no list of erasures, as `fikarum erasures --json` prints it.") from error


@keys.callback(invoke_without_command=True)
def show_keys(context: typer.Context, as_json: AsJson = False) -> None:
    """Which master key each service wraps with, and which wrapped the members' keys that it holds."""
    if not alone(context, as_json):
        return
    with this_platform() as platform:
        found = dict(_states(platform))
    if as_json:
        document(found)
        return
    shown = table("service", "wraps with", "members' keys, by what wrapped them")
    for service, now in found.items():
        held = ", ".join(f"{name}: {number}" for name, number in sorted(now["wrapped"].items()))
        shown.add_row(service, now["current"], held)
    wide().print(shown)


@keys.command("rotate")
def rotate(as_json: AsJson = False) -> None:
    """Replace the master key, in two calls with a restart between. Killed anywhere, call it again."""
    # Loads what services are made of, which no other command needs.
    from shared.runtime.keys import MasterKey

    path = Home.here().master_key
    begun = MasterKey.read(path).retiring is not None
    master = MasterKey.rotate(path)
    if not begun:
        told(
            as_json,
            {"master_key": master.fingerprint, "file": str(path), "state": "begun", "retired": None},
            f"{path} holds a new master key {master.fingerprint}, and the old one beside it.\n"
            "Restart everything (fikarum down, fikarum up): members' keys are wrapped anew. "
            "Then call this again.",
        )
        return
    with this_platform() as platform:
        for service, now in _states(platform):
            _check_done(service, now, master.fingerprint)
    beside = MasterKey.retire(path)
    told(
        as_json,
        {"master_key": master.fingerprint, "file": str(path), "state": "done", "retired": str(beside)},
        f"The old master key is retired: nothing here needs it.\nIt lies in {beside}. Move it to where the "
        "backups' own key is kept: backups from before today open with it alone.",
    )


def _check_done(service: str, now: dict[str, Any], fingerprint: str) -> None:
    if now["current"] != fingerprint:
        raise Fault(f"{service} does not know the new master key. Restart it: fikarum down, fikarum up.")
    if left := sum(number for name, number in now["wrapped"].items() if name != fingerprint):
        raise Fault(f"{left} keys of {service} wait to be wrapped anew. Call this again in a moment.")


def _states(platform: Platform) -> Iterator[tuple[str, dict[str, Any]]]:
    """The services that open personal fields."""
    for service in HOLDERS:
        now = platform.ask("GET", f"/operate/{service}/keys")
        if now["current"] is not None:
            yield service, now
