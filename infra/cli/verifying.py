"""`fikarum verify`: is everything that is kept what its events say? Each service's own code looks, in a
process of its own, while the platform runs."""

import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from infra.cli.faults import Fault
from infra.cli.home import HOLDERS, Home
from infra.cli.places import places
from infra.cli.shown import AsJson, document, table, wide
from shared.runtime.forking import forked

#: Services that are looked at side by side: a look reads and folds all that the service holds.
_AT_ONCE = 2


def verify(
    services: Annotated[
        list[str] | None, typer.Argument(help="Only these, such as wiki; by default all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look at every stream for gaps, compare every view with a fresh fold; 1 where all is not well."""
    chosen = services or list(HOLDERS)
    if unknown := sorted(set(chosen) - set(HOLDERS)):
        raise Fault(f"No service {', '.join(unknown)} holds events. These do: {', '.join(HOLDERS)}")
    home, console = Home.here(), Console(stderr=True)
    environment = os.environ | places(home).environment()
    environment |= {"FIKARUM_HOME": str(home.path), "FIKARUM_LOG_LEVEL": "error"}

    def look(service: str) -> dict[str, Any]:
        console.print(f"Looking at {service}", highlight=False)
        return of_service(service, environment)

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as lookers:
        reports = list(lookers.map(look, chosen))
    if as_json:
        document(reports)
    else:
        _show(reports)
    if any(report["findings"] for report in reports):
        raise typer.Exit(1)


def of_service(service: str, environment: dict[str, str]) -> dict[str, Any]:
    """The report that the service's code writes. Raises Fault where it cannot look."""
    with tempfile.TemporaryDirectory(prefix="fikarum-verify-") as folder:
        file, log = Path(folder) / "report.json", Path(folder) / "log"
        forked(
            "shared.runtime.verify",
            f"services.{service}.app",
            str(file),
            environment=environment,
            log=log,
            leash=True,
        ).join()
        if not file.exists():
            said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise Fault(f"{service} could not be looked at: {(said or ['it did not say why'])[-1][:300]}")
        return dict(json.loads(file.read_text(encoding="utf-8")))


def _show(reports: list[dict[str, Any]]) -> None:
    shown = table("service", "streams", "events", "views", "documents", "parked", "found")
    for report in reports:
        documents, parked = report["documents"], report["parked"]
        row = (report["service"], f"{report['streams']:,}", f"{report['events']:,}", str(len(documents)))
        counts = (
            f"{sum(documents.values()):,}",
            str(sum(parked.values())),
            str(sum(report["found"].values())),
        )
        shown.add_row(*row, *counts)
    console = wide()
    console.print(shown)
    for report in reports:
        for finding in report["findings"]:
            console.print(
                f"{report['service']}: {finding['kind']}: {finding['where']} {finding['says']}", markup=False
            )
        left = sum(report["found"].values()) - len(report["findings"])
        if left:
            console.print(f"{report['service']}: and {left:,} more")
