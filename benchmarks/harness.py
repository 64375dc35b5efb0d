"""What every benchmark shares: engines of its own, an event to write, timings, and the table at the end."""

import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import psutil
from pydantic import BaseModel
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from rich.console import Console
from rich.table import Table

from infra.engines.seam import Addresses
from shared.kernel.events import Event, Occasion, Recorded
from shared.kernel.projection import Projection
from shared.runtime.ids import new_id
from shared.runtime.settings import Settings

#: Bytes of an event's text; with the rest of the commit about 1 KB is stored.
TEXT = "x" * 640

#: What the yardstick writes and reads again, so often, in so many rounds: half a second in all.
_PIECE = {f"field-{n}": [n, str(n), n / 7] for n in range(100)}
_REPEATED, _ROUNDS = 50, 40

OCCASION = Occasion(by="member-bench", correlation_id="benchmark")


class BenchNoted(Event):
    """A fact of about 1 KB, as a post or a short page revision is."""

    topic: ClassVar[str | None] = "bench.events"

    thing_id: str
    text: str
    n: int


class NoteView(BaseModel):
    thing_id: str
    text: str
    n: int
    count: int = 0


def _fold(view: NoteView | None, event: Event, recorded: Recorded, key: str) -> NoteView | None:
    assert isinstance(event, BenchNoted)
    return NoteView(thing_id=key, text=event.text, n=event.n, count=(view.count if view else 0) + 1)


def _own_key(event: Event) -> set[str]:
    assert isinstance(event, BenchNoted)
    return {event.thing_id}


def _shared_key(event: Event) -> set[str]:
    assert isinstance(event, BenchNoted)
    return {f"shared-{event.n % 50}"}


#: Each event has a document of its own: new, or its own existing one where the things repeat.
OWN = Projection("bench.own", 1, NoteView, (BenchNoted,), _own_key, _fold)
#: Fifty documents that all events share.
SHARED = Projection("bench.shared", 1, NoteView, (BenchNoted,), _shared_key, _fold)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `goal`: what it should be, with `at_least` saying on which side."""

    group: str
    name: str
    value: float
    unit: str
    goal: float | None = None
    at_least: bool = True
    note: str = ""

    @property
    def met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal


@dataclass
class Run:
    """One run: where the engines are, and what was measured."""

    addresses: Addresses
    home: Path
    figures: list[Figure] = field(default_factory=list)

    def note(
        self,
        group: str,
        name: str,
        value: float,
        unit: str,
        *,
        goal: float | None = None,
        at_least: bool = True,
        note: str = "",
    ) -> None:
        figure = Figure(group, name, value, unit, goal, at_least, note)
        self.figures.append(figure)
        print(f"  {group}: {name} {value:,.1f} {unit}{_verdict(figure)} {note}", flush=True)

    def settings(self, namespace: str) -> Settings:
        return Settings(
            namespace=namespace,
            home=self.home,
            mongo_uri=self.addresses.mongo_uri,
            kafka=self.addresses.kafka_bootstrap,
            log_level="warning",
        )

    @asynccontextmanager
    async def database(self) -> AsyncIterator[AsyncDatabase[dict[str, Any]]]:
        """A database of its own, dropped afterwards."""
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(self.addresses.mongo_uri)
        name = f"bench_{new_id()[-8:]}"
        try:
            yield client[name]
        finally:
            await client.drop_database(name)
            await client.close()


@dataclass(frozen=True, slots=True)
class Timed:
    """Calls a second and their latencies in milliseconds."""

    rate: float
    p50: float
    p99: float
    cpu_us: float


async def callers(number: int, total: int, call: Callable[[int, int], Awaitable[object]]) -> Timed:
    """`number` concurrent callers make `total` calls together; `call(caller, n)`."""
    latencies: list[float] = []

    async def one(caller: int) -> None:
        for n in range(total // number):
            began = time.perf_counter()
            await call(caller, n)
            latencies.append(time.perf_counter() - began)

    cpu, started = time.process_time(), time.perf_counter()
    await asyncio.gather(*(one(caller) for caller in range(number)))
    took = time.perf_counter() - started
    spent = (time.process_time() - cpu) / len(latencies) * 1e6
    p50, p99 = percentiles(latencies)
    return Timed(len(latencies) / took, p50 * 1e3, p99 * 1e3, spent)


def yardstick() -> float:
    """Milliseconds that a fixed piece of Python's work takes on one core right now, the median of some: by it
    runs on one machine, or on different ones, can be told apart from what the code has gained or lost."""
    took: list[float] = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        for _ in range(_REPEATED):
            json.loads(json.dumps(_PIECE, sort_keys=True))
        took.append((time.perf_counter() - began) * 1e3)
    return statistics.median(took)


def percentiles(values: Sequence[float]) -> tuple[float, float]:
    """p50 and p99."""
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[98]


def _verdict(figure: Figure) -> str:
    if figure.met is None:
        return ""
    sign = "≥" if figure.at_least else "≤"
    return f" ({'meets' if figure.met else 'misses'} {sign} {figure.goal:,.0f})"


def report(run: Run, target: Path | None) -> None:
    """The table on the terminal, and the figures as JSON."""
    table = Table(
        title=f"{platform.machine()}, {psutil.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}"
    )
    for column in ("what", "figure", "", "goal", ""):
        table.add_column(column)
    for figure in run.figures:
        goal = "" if figure.goal is None else f"{'≥' if figure.at_least else '≤'} {figure.goal:,.0f}"
        met = {None: "", True: "met", False: "missed"}[figure.met]
        table.add_row(f"{figure.group}: {figure.name}", f"{figure.value:,.1f}", figure.unit, goal, met)
    Console(width=120).print(table)
    if target is not None:
        figures = [{name: getattr(f, name) for name in (*Figure.__slots__, "met")} for f in run.figures]
        target.write_text(json.dumps({"cores": psutil.cpu_count(), "figures": figures}, indent=1) + "\n")
        print(f"figures: {target}")


def fikarum(environment: dict[str, str], *arguments: str) -> str:
    """What the command says, as an operator gives it. Raises RuntimeError where it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "infra.cli", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"fikarum {' '.join(arguments)}: {done.stderr[-2_000:]}")
    return done.stdout
