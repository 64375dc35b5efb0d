"""The engines from a shell: `start`, `stop` and `status` of a home, `install`, `lock`."""

import json
import signal
import sys
import time
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from infra.engines.engines import Engines
from infra.engines.faults import EngineFault, NotReady
from infra.engines.install import installed, write_lock
from infra.engines.measure import measure as measured
from infra.engines.settings import ENGINES, EngineName, EngineSettings
from infra.engines.supervisor import end_supervisor, supervising
from infra.engines.training import train

app = typer.Typer(help=__doc__, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

_WATCH_SECONDS = 0.5
_DEATHS, _DEATHS_WITHIN_SECONDS = 5, 600.0
Home = Annotated[Path, typer.Argument(help="folder of data, logs and ports")]


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _stop_on(number: int, _frame: object) -> None:
    raise SystemExit(0)


@app.command()
def start(home: Home, names: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Run in the foreground; prints the addresses as JSON when all answer, stops on SIGTERM or Ctrl-C."""
    chosen = _chosen(names)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop_on)
    with supervising(home), Engines(home, report=_say) as engines:
        addresses = engines.start(chosen)
        (engines.home / "addresses.json").write_text(addresses.to_json() + "\n")
        print(addresses.to_json(), flush=True)
        _watch(engines)


@app.command()
def stop(home: Home) -> None:
    """End whatever engines run in this home, whoever started them, and their supervisor first."""
    engines = Engines(home, report=_say)
    # each of its engines may take as long as the settings allow, and the kill after that as long again
    end_supervisor(home, within_seconds=2 * engines.settings.stop_timeout)
    engines.adopt()
    engines.stop()


@app.command()
def status(home: Home) -> None:
    print(
        json.dumps(
            {
                name: asdict(state) | {"log": str(state.log)}
                for name, state in Engines(home, report=_say).status().items()
            }
        )
    )


@app.command()
def answers(home: Home) -> None:
    """Ends with 0 where every engine that was started here answers: a health check."""
    states = [status.state for status in Engines(home, report=_say).status().values()]
    raise SystemExit(set(states) - {"stopped"} != {"running"})


@app.command()
def install() -> None:
    """Fetch, compile and train; does nothing when that was done."""
    settings = EngineSettings()
    train(installed(settings.tools, _say), settings, _say)


@app.command()
def measure() -> None:
    """Start times and memory on this machine, as JSON."""
    print(json.dumps(measured(EngineSettings()), indent=2))


@app.command()
def lock() -> None:
    """Record the checksums of the jars that pom.xml resolves to."""
    write_lock(EngineSettings().tools, _say)


def _watch(engines: Engines) -> None:
    """Start again what ends by itself, until it does so too often."""
    deaths: deque[float] = deque(maxlen=_DEATHS)
    while True:
        time.sleep(_WATCH_SECONDS)
        for name in engines.died():
            now = time.monotonic()
            if len(deaths) == _DEATHS and now - deaths[0] < _DEATHS_WITHIN_SECONDS:
                raise NotReady(
                    f"{name}: ended by itself for the {_DEATHS + 1}th time; see {engines.home / 'logs'}"
                )
            deaths.append(now)
            _say(f"{name} ended by itself; starting it again")
            engines.start((name,))


def _chosen(names: list[str] | None) -> list[EngineName]:
    unknown = set(names or ()) - set(ENGINES)
    if unknown:
        raise typer.BadParameter(f"no such engine: {', '.join(sorted(unknown))}")
    return [name for name in ENGINES if not names or name in names]


if __name__ == "__main__":
    try:
        app()
    except EngineFault as fault:
        sys.exit(str(fault))
