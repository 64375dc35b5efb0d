"""`python -m benchmarks [--json FILE] [names]`: one after the other on engines of its own, then the table."""

import argparse
import asyncio
import importlib
import tempfile
from pathlib import Path

import uvloop

from benchmarks.harness import Run, report, yardstick
from infra.engines.engines import Engines
from infra.engines.settings import EngineSettings
from shared.runtime.collecting import collect_rarely

NAMES = ("append", "rebuild", "visible", "aggregator", "platform", "rooms", "grown")
ALONE = ("platform", "rooms", "grown")
#: Takes most of an hour: only where it is named.
LONG = ("grown",)


async def measure(run: Run, names: list[str]) -> None:
    for name in names:
        print(f"{name}:", flush=True)
        run.note("machine", f"fixed work before {name}", yardstick(), "ms")
        await importlib.import_module(f"benchmarks.{name}").run(run)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", help=f"some of {', '.join(NAMES)}; all but the long ones by default"
    )
    parser.add_argument("--json", type=Path, help="where the figures are written")
    asked = parser.parse_args()
    # as in every process of the platform
    collect_rarely()
    unknown = sorted(set(asked.names) - set(NAMES))
    if unknown:
        parser.error(f"no benchmark is named {', '.join(unknown)}")
    names = asked.names or [name for name in NAMES if name not in LONG]
    with tempfile.TemporaryDirectory(prefix="fikarum-bench-") as folder:
        home = Path(folder)
        engines = Engines(home, EngineSettings(leash=True))
        run = Run(engines.addresses, home)
        together = [name for name in names if name not in ALONE]
        if together:
            with engines:
                engines.start(("mongo", "kafka"))
                uvloop.run(measure(run, together))
        for name in names:
            if name in ALONE:
                asyncio.run(measure(run, [name]))
        report(run, asked.json)


if __name__ == "__main__":
    main()
