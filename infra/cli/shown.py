"""What the operator sees: progress while things start and end, and the table of all parts."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import psutil
import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from infra.cli.faults import Fault
from infra.cli.home import Home
from infra.cli.running import leftovers
from infra.cli.state import PartReport, State

_COLOURS = {
    "running": "green",
    "starting": "yellow",
    "silent": "yellow",
    "restarting": "red",
    "stopping": "yellow",
}
_MIB = 2**20


#: The option that each command has: its answer is one JSON document on standard output then. What it does
#: meanwhile, and why it ends with 1, is on standard error, as always.
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def document(found: Any) -> None:
    """The answer, for programs."""
    print(json.dumps(found, indent=2))


def seconds(measured: float) -> float:
    """To the millisecond: what is beyond is no measurement."""
    return round(measured, 3)


def told(as_json: bool, found: Any, said: str) -> None:
    """The answer, in one of its two forms."""
    if as_json:
        document(found)
    else:
        wide().print(said)


def alone(context: typer.Context, as_json: bool) -> bool:
    """Whether a group of commands is called without a further word. Raises Fault for an option that would be
    the group's own and not the word's."""
    word = context.invoked_subcommand
    if word is not None and as_json:
        raise Fault(f"--json stands after {word}: it belongs to that.")
    return word is None


def command_group(about: str, **more: Any) -> typer.Typer:
    """A group of commands, whose help looks like that of all."""
    return typer.Typer(help=about, add_completion=False, rich_markup_mode=None, **more)


def table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def wide() -> Console:
    """A terminal as it is; elsewhere lines are as long as they need to be."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=200)


class Progress:
    """A live table on a terminal, a line per change elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._said: dict[str, str] = {}

    @contextmanager
    def shown(self) -> Iterator["Progress"]:
        if not self._console.is_terminal:
            yield self
            return
        with Live(console=self._console, refresh_per_second=10, transient=True) as live:
            self._live = live
            yield self
            self._live = None

    def __call__(self, now: State) -> None:
        if self._live is not None:
            self._live.update(Group(_table(now), Text(now.doing or "")))
            return
        if now.doing:
            self._say("", now.doing)
        for name, part in now.parts.items():
            self._say(name, _sentence(name, part))

    def _say(self, name: str, said: str) -> None:
        if said != self._said.get(name):
            self._said[name] = said
            self._console.print(Text(said), soft_wrap=True)


def _sentence(name: str, part: PartReport) -> str:
    waits = f", waits for {', '.join(part.waiting_for)}" if part.waiting_for else ""
    died = f": {part.last_end}" if part.state == "restarting" else ""
    return f"{name}: {part.state}{waits}{died}"


def _table(now: State) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, part in now.parts.items():
        waits = f"waits for {', '.join(part.waiting_for)}" if part.waiting_for else ""
        table.add_row(
            name, Text(part.state, style=_COLOURS.get(part.state, "")), waits or part.last_end or ""
        )
    return table


@dataclass(frozen=True, slots=True)
class PartStatus:
    """One part as it is now."""

    state: str
    kind: str
    address: str
    pid: int | None
    memory_mb: int
    restarts: int
    waiting_for: list[str]
    log: str


@dataclass(frozen=True, slots=True)
class PlatformStatus:
    """`unwatched`: parts run although their supervisor is gone; `fikarum up` takes over."""

    home: str
    state: str
    supervisor: int | None
    addresses: dict[str, str]
    memory_mb: int
    parts: dict[str, PartStatus]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def status_of(home: Home, known: State | None) -> PlatformStatus:
    """What the supervisor wrote, held against the processes that there are."""
    if known is None:
        return PlatformStatus(str(home.path), "never started", None, {}, 0, {})
    live = leftovers(home)
    parts = {name: _part(part, live.get(name), known) for name, part in known.parts.items()}
    supervisor = known.supervisor.process()
    state: str = known.phase
    if supervisor is None and known.phase not in ("stopped", "failed"):
        state = "unwatched" if any(live.values()) else "stopped"
    memory = sum(part.memory_mb for part in parts.values()) + _memory(supervisor, alone=True)
    return PlatformStatus(
        str(home.path),
        state,
        supervisor.pid if supervisor else None,
        {name: part.address for name, part in known.parts.items()},
        memory,
        parts,
    )


def _part(part: PartReport, process: psutil.Process | None, known: State) -> PartStatus:
    state: str = part.state if known.alive else ("unwatched" if process else "stopped")
    return PartStatus(
        state=state,
        kind=part.kind,
        address=part.address,
        pid=process.pid if process else None,
        memory_mb=_memory(process),
        restarts=part.restarts,
        waiting_for=part.waiting_for if known.alive else [],
        log=part.log,
    )


def _memory(process: psutil.Process | None, *, alone: bool = False) -> int:
    """Resident, in MiB, with what the process has started, unless it is to be counted `alone`."""
    if process is None:
        return 0
    try:
        family = [process] if alone else [process, *process.children(recursive=True)]
        return sum(each.memory_info().rss for each in family) // _MIB
    except psutil.NoSuchProcess:
        return 0


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def status_table(status: PlatformStatus) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("part", "state", "pid", "memory", "address"):
        table.add_column(column, justify="right" if column in ("pid", "memory") else "left", overflow="fold")
    for name, part in status.parts.items():
        waits = f", waits for {', '.join(part.waiting_for)}" if part.waiting_for else ""
        died = f", died {_times(part.restarts)}" if part.restarts else ""
        table.add_row(
            name,
            Text(part.state + waits + died, style=_COLOURS.get(part.state, "")),
            str(part.pid or ""),
            f"{part.memory_mb} MB" if part.memory_mb else "",
            part.address,
        )
    return table
