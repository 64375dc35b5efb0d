"""`fikarum demo`: the seeded sign-ins; `fikarum demo load`: the demonstration company, through the API.

It may be broken off and begun again: the seed and the end are kept, so that the same commands come again, and
what was taken is not taken twice.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import AwareDatetime, BaseModel, ValidationError
from rich.console import Console

from infra.cli import platform
from infra.cli.faults import Fault
from infra.cli.handbook import Shown
from infra.cli.home import Home
from infra.cli.importing import MOST_CHANGES, Door, Pace, Report, Told, portions, send
from infra.cli.platform import Platform, Refusal
from infra.cli.settling import settled
from infra.cli.shown import AsJson, alone, command_group, document, table, wide
from infra.demo.company import NAMES_IN, NAMES_WHY, SEED, SIZE, Company, company
from infra.demo.shapes import ROOMS, Room, SignIn
from infra.engines.locks import exclusive

#: Which services must have heard of which before a room's commands are decided there.
_FIRST: dict[Room, tuple[tuple[str, ...], str]] = {
    "groups": (("identity",), "groups"),
    "spaces": (("identity", "groups"), "wiki"),
    "feed": (("identity", "groups"), "feed"),
}
_DOORS: dict[Room, tuple[str, str]] = {
    "identity": ("/members/import/commands", "commands"),
    "groups": ("/groups/import/commands", "commands"),
    "spaces": ("/wiki/import/spaces", "spaces"),
    "wiki": ("/wiki/import/changes", "changes"),
    "feed": ("/feed/import/commands", "commands"),
}
#: Commands are short: fewer in one request only wait for each other.
FEWEST = 100
#: What the wiki's import says once for many lines.
_AROUND = ("space_id", "owner_id", "language")
#: Whose pages show what was brought in.
_SHOWN_BY = ("feed", "wiki", "search")
#: What engagement answers to whoever may not decide about names.
_MAY_NOT_DECIDE = "may-not-change-policies"

app = command_group("The seeded sign-ins, and the demonstration company.")


class Plan(BaseModel):
    """What is brought in here, kept from the first run on. The commands follow from it."""

    seed: int
    until: AwareDatetime
    size: int
    finished: bool = False

    @classmethod
    def of(cls, home: Home) -> "Plan | None":
        """Raises Fault where it cannot be read."""
        try:
            return cls.model_validate_json(_file(home).read_bytes())
        except FileNotFoundError:
            return None
        except (ValidationError, OSError) as error:
            raise Fault(f"{_file(home)} cannot be read: {error}") from None

    def keep(self, home: Home) -> None:
        write(_file(home), self.model_dump_json() + "\n")


@dataclass(slots=True)
class Brought:
    """What became of every command, room by room."""

    rooms: dict[Room, Report] = field(default_factory=dict)
    seconds: float = 0.0
    left_undone: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, float]:
        """How many commands were kept, how many of them earlier, and how many were not."""
        rooms = [report.counts() for report in self.rooms.values()]
        whole = {name: sum(room[name] for room in rooms) for name in ("kept", "earlier", "not_kept")}
        return {**whole, "seconds": round(self.seconds, 1)}

    def summary(self) -> list[str]:
        """For people: a line of figures, then why commands are missing."""
        now = self.counts()
        lines = [
            f"{now['kept']:,} commands kept ({now['earlier']:,} of them earlier), {now['not_kept']:,} not"
        ]
        for room, report in self.rooms.items():
            lines += [f"  {room}: {reason.strip()}" for reason in report.summary()[1:]]
        return [*lines, *self.left_undone]


@app.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    as_json: AsJson = False,
) -> None:
    """The seeded sign-ins, each with a personal access token. For trying things out, never for production."""
    if not alone(context, as_json):
        return
    found = platform.demo(Home.here())
    if as_json:
        document(found)
        return
    shown = table("user name", "password", "name", "roles", "token")
    for member in found["members"]:
        roles = ", ".join(member["roles"]) or member["kind"]
        shown.add_row(member["user_name"], member["password"], member["name"], roles, member["token"])
    wide().print(shown)


@app.command()
def load(
    seed: Annotated[int, typer.Option(help="Another one gives another company.")] = SEED,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="When its history ends; by default today.")
    ] = None,
    size: Annotated[int, typer.Option(help="How many members it has.")] = SIZE,
    as_json: AsJson = False,
) -> None:
    """Bring the demonstration company in; may be broken off and run again."""
    home = Home.here()
    brought = run(home, Console(stderr=True), seed, until, size)
    if as_json:
        files = {"manifest": str(manifest(home)), "details": str(_log(home))}
        document({**brought.counts(), "left_undone": brought.left_undone, **files})


def first_time(home: Home, console: Console) -> None:
    """Unless it was brought in as a whole before."""
    plan = Plan.of(home)
    if plan is None or not plan.finished:
        run(home, console, *((plan.seed, plan.until, plan.size) if plan else (SEED, None, SIZE)))


def run(home: Home, console: Console, seed: int, until: datetime | None, size: int) -> Brought:
    """One import at a time in a home. The details are kept beside the logs."""
    sign_ins = [SignIn.of(said) for said in platform.demo(home)["members"]]
    with exclusive(home.path / "import.lock"), Platform.of(home) as here:
        plan = _planned(home, seed, until, size)
        try:
            made = company(plan.seed, plan.until, sign_ins, plan.size)
        except ValueError as error:
            raise Fault(str(error)) from None
        plan.keep(home)
        with Shown(console, "Bringing the demonstration company in") as shown:
            brought = bring(here, made, shown.tell)
        details = _log(home)
        details.write_text(
            json.dumps(_details(brought), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        write(manifest(home), json.dumps(made.manifest, indent=1, ensure_ascii=False) + "\n")
        plan.model_copy(update={"finished": True}).keep(home)
    for line in brought.summary():
        console.print(line, highlight=False, soft_wrap=True)
    took = f"Took {brought.seconds:.0f} s. What is true of it: {manifest(home)}. What is not kept: {details}"
    console.print(took, highlight=False, soft_wrap=True)
    return brought


def _planned(home: Home, seed: int, until: datetime | None, size: int) -> Plan:
    """What is here already stays what it is."""
    known = Plan.of(home)
    if known is None:
        ends = datetime.now(UTC) if until is None else until
        return Plan(seed=seed, until=ends if ends.tzinfo else ends.replace(tzinfo=UTC), size=size)
    asked = (seed, size, known.until.date() if until is None else until.date())
    if asked != (known.seed, known.size, known.until.date()):
        raise Fault(
            f"Another company is here: seed {known.seed}, {known.size} members, until {known.until.date()}. "
            "Take another FIKARUM_HOME for a new one."
        )
    return known


def bring(here: Platform, made: Company, told: Told) -> Brought:
    """Every command, in the order of its room. Raises Fault where it cannot go on; then run it again."""
    brought, began = Brought(), time.monotonic()
    total, through = sum(map(len, made.commands.values())), 0
    for room in ROOMS:
        if room in _FIRST:
            sources, service = _FIRST[room]
            settled(here, sources, (service,))
        report = brought.rooms[room] = Report(made.source, room)
        pace = Pace(MOST_CHANGES, FEWEST)
        for door, commands in _through(made, room):
            for batch in portions(iter(commands), pace):
                with pace.measured():
                    send(here, report, door, batch)
                through += len(batch)
                told(through, total)
    settled(here, ("identity", "groups", "feed", "wiki"), _SHOWN_BY)
    brought.left_undone = decided(here)
    brought.seconds = time.monotonic() - began
    return brought


def decided(here: Platform) -> list[str]:
    """One country lets coaches see names, so that their page shows some. Answers why not, where whoever
    brings the company in may not decide that."""
    settled(here, ("identity",), ("engagement",))
    policy = {"naming": "names-to-coaches", "reason": NAMES_WHY}
    try:
        here.insist("PUT", f"/coaching/policies/{NAMES_IN}", policy)
    except Refusal as refusal:
        if refusal.code != _MAY_NOT_DECIDE:
            raise
        return [f"No country lets coaches see names: {refusal}"]
    return []


def _through(made: Company, room: Room) -> Iterator[tuple[Door, list[dict[str, Any]]]]:
    """The wiki takes a space at a time; within it the order stays."""
    path, name = _DOORS[room]
    commands = made.commands[room]
    if room == "spaces":
        commands = [_without(command, "op") for command in commands]
    if room != "wiki":
        yield Door(path, {"source": made.source}, name), commands
        return
    by_space = sorted(commands, key=lambda command: (command["space_id"], command["line"]))
    for _, group in groupby(by_space, key=lambda command: command["space_id"]):
        changes = list(group)
        around = {"source": made.source, **{key: changes[0][key] for key in _AROUND}}
        yield Door(path, around, name), [_without(change, *_AROUND) for change in changes]


def _without(command: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in command.items() if name not in names}


def _details(brought: Brought) -> dict[str, Any]:
    return {
        "seconds": round(brought.seconds, 1),
        "rooms": {
            room: {
                "done": report.done,
                "already": report.already,
                "not_kept": [{"line": p.line, "code": p.code, "message": p.message} for p in report.not_kept],
            }
            for room, report in brought.rooms.items()
        },
    }


def write(path: Path, text: str) -> None:
    """Whole or not at all: others read it meanwhile."""
    path.parent.mkdir(exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _log(home: Home) -> Path:
    """What became of each command."""
    return home.log("demo").with_suffix(".json")


def _file(home: Home) -> Path:
    return home.path / "demo" / "company.json"


def manifest(home: Home) -> Path:
    """The truths that were planted, for programs; its being there makes a platform one that shows itself."""
    return home.path / "demo" / "manifest.json"
