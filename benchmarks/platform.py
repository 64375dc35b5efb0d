"""The whole platform as an operator starts it: first and second start, the import, memory at rest."""

import json
import os
import time
from typing import Any

from benchmarks.harness import Run, fikarum


async def run(run: Run) -> None:
    """Three starts in a home of its own; each ends what it began."""
    home = run.home / "platform"
    environment = {**os.environ, "FIKARUM_HOME": str(home)}
    try:
        run.note("platform", "first start, everything ready", _timed(environment, "up", "--empty"), "s")
        fikarum(environment, "down")
        again = _timed(environment, "up", "--empty")
        run.note("platform", "second start, everything ready", again, "s", goal=20, at_least=False)
        imported = _timed(environment, "import", "handbook", HANDBOOK)
        note = "5,843 changes, until the last page is readable"
        run.note("platform", "handbook import", imported, "s", goal=120, at_least=False, note=note)
        status: dict[str, Any] = json.loads(fikarum(environment, "status", "--json"))
        for name, part in status["parts"].items():
            run.note("memory", name, part["memory_mb"], "MB")
        total = status["memory_mb"]
        run.note("memory", "everything, after the import", total, "MB", goal=3_000, at_least=False)
    finally:
        fikarum(environment, "down")


HANDBOOK = "services/wiki/data/handbook-history.jsonl.xz"


def _timed(environment: dict[str, str], *arguments: str) -> float:
    started = time.perf_counter()
    fikarum(environment, *arguments)
    return time.perf_counter() - started
