"""How long the engines take to start on this machine, and the memory they hold then."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from infra.engines.engines import Engines
from infra.engines.settings import ENGINES, EngineSettings

Figures = dict[str, float | dict[str, float]]


def measure(settings: EngineSettings) -> Figures:
    """Seconds and MiB: a start on an empty home (all three in parallel), a stop, a second start."""
    with (
        tempfile.TemporaryDirectory(prefix="fikarum-measure-") as home,
        Engines(Path(home), settings) as engines,
    ):
        load = psutil.getloadavg()[0]
        first = _seconds(engines.start)
        stop = _seconds(engines.stop)
        second = _seconds(engines.start)
        status = engines.status()
        cpu = {name: sum(psutil.Process(status[name].pid).cpu_times()[:2]) for name in ENGINES}
        return {
            "first_start_seconds": first,
            "stop_seconds": stop,
            "second_start_seconds": second,
            "second_start_cpu_seconds": {name: round(seconds, 2) for name, seconds in cpu.items()},
            "rss_mib": {name: status[name].rss_mb for name in ENGINES},
            "load_before": round(load, 2),
        }


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return round(time.perf_counter() - start, 2)
