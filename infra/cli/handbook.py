"""`fikarum import handbook`, and the handbook that a new platform begins with."""

import json
import re
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from infra.cli import importing
from infra.cli.faults import Fault
from infra.cli.home import Home
from infra.cli.platform import Platform
from infra.cli.shown import AsJson, command_group, document
from infra.engines.locks import exclusive
from infra.engines.settings import REPOSITORY

FIRST_HANDBOOK = REPOSITORY / "services/wiki/data/handbook-history.jsonl.xz"
FIRST_SOURCE = "handbook"
_SOURCE = re.compile(r"[a-z0-9][a-z0-9_\-]{0,63}")
_EVERY_SECONDS = 2.0

app = command_group("Bring content in from elsewhere.", no_args_is_help=True)


@app.callback()
def import_() -> None:
    """Keeps `handbook` a word of its own."""


@app.command(name="handbook")
def import_handbook(
    file: Annotated[
        Path,
        typer.Argument(help="A history in JSON Lines, also packed by xz; else our own.", dir_okay=False),
    ] = FIRST_HANDBOOK,
    source: Annotated[
        str, typer.Option(help="What it is called: the same source and line are taken once.")
    ] = FIRST_SOURCE,
    space: Annotated[str | None, typer.Option(help="The space's id; by default the source's own.")] = None,
    as_json: AsJson = False,
) -> None:
    """Bring a handbook's whole history into the wiki; may be broken off and run again."""
    if not _SOURCE.fullmatch(source):
        raise Fault("--source has small letters, digits, - and _ only, at most 64, such as handbook.")
    home = Home.here()
    report = run(home, file, source, space, Console(stderr=True))
    if as_json:
        about = {"source": report.source, "space_id": report.space_id, "pages": report.pages}
        document({**about, **report.counts(), "details": str(_details(home, source))})


def run(home: Home, file: Path, source: str, space: str | None, console: Console) -> importing.Report:
    """One import at a time in a home. The report's details are kept beside the logs."""
    history = importing.read(file, source)
    with exclusive(home.path / "import.lock"), Platform.of(home) as platform:
        started = time.monotonic()
        with Shown(console, f"Importing {file.name}") as shown:
            report = importing.bring(platform, history, space, shown.tell)
        seconds = time.monotonic() - started
        details = _details(home, source)
        report.write(details)
        if file.resolve() == FIRST_HANDBOOK:
            _finished(home).write_text(json.dumps({"sha256": history.digest}) + "\n")
    for line in report.summary():
        console.print(line, highlight=False, soft_wrap=True)
    console.print(
        f"Took {seconds:.0f} s. Every line that is not kept: {details}", highlight=False, soft_wrap=True
    )
    return report


def first_time(home: Home, console: Console) -> None:
    """The project's own handbook, unless it was imported in full before."""
    if not _finished(home).exists():
        run(home, FIRST_HANDBOOK, FIRST_SOURCE, None, console)


def _details(home: Home, source: str) -> Path:
    """What became of each line."""
    return home.log(f"import-{source}").with_suffix(".json")


def _finished(home: Home) -> Path:
    return home.path / "handbook.json"


class Shown:
    """A bar on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console, title: str) -> None:
        self._console, self._title = console, title
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._bar = self._progress.add_task(title, total=None)
        self._said = time.monotonic()

    def __enter__(self) -> "Shown":
        self._progress.start()
        if not self._console.is_terminal:
            self._console.print(self._title)
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def tell(self, through: int, total: int) -> None:
        self._progress.update(self._bar, completed=through, total=total)
        if not self._console.is_terminal and time.monotonic() - self._said > _EVERY_SECONDS:
            self._said = time.monotonic()
            self._console.print(f"{through} of {total}", highlight=False)
