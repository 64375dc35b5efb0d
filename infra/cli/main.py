"""The commands. Whatever goes wrong ends as one line that says what to do; `--debug` shows where."""

import json
import sys
from typing import Annotated

import typer
from rich.console import Console

from infra.cli import (
    company,
    doctor,
    handbook,
    keeping,
    lag,
    operate,
    platform,
    prepare,
    running,
    shown,
    state,
    verifying,
)
from infra.cli.faults import Fault
from infra.cli.home import Home
from infra.engines.faults import EngineFault

app = typer.Typer(
    help="Starts, stops and looks after Fikarum. FIKARUM_HOME is the folder of its data (else .fikarum).",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show where something went wrong.")] = False,
) -> None:
    """Read by `run` before anything can go wrong."""


@app.command()
def up(
    empty: Annotated[bool, typer.Option("--empty", help="Bring nothing in.")] = False,
    demo: Annotated[bool, typer.Option(help="Bring the demonstration company in.")] = True,
) -> None:
    """Start everything that does not run yet, and say where it is. The first time it imports the handbook
    and brings the demonstration company in."""
    home, console = Home.started_here(), Console(stderr=True)
    begun = running.start(home)
    if not begun:
        console.print("It is running already.")
    with shown.Progress(console).shown() as progress:
        now = running.watch_until_up(home, progress)
    if not empty and (home.secrets / "demo.json").exists():
        handbook.first_time(home, console)
        if demo:
            company.first_time(home, console)
    _welcome(home, now.parts["gateway"].address)


def _welcome(home: Home, gateway: str) -> None:
    """Where to go and how to get in; the only thing that `up` writes to its standard output."""
    print(f"Fikarum is at {gateway}")
    if (home.secrets / "demo.json").exists():
        member = platform.operator(home)
        print(f"Sign in as {member['user_name']} with the password {member['password']}")
        print("More sign-ins: fikarum demo")
    else:
        print("No sign-ins were seeded (FIKARUM_DEMO).")


@app.command()
def down() -> None:
    """End everything in order; data stays."""
    home, console = Home.started_here(), Console(stderr=True)
    with shown.Progress(console).shown() as progress:
        ended = running.stop(home, progress)
    console.print("Everything has ended." if ended else "Nothing was running.")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Addresses, states, pids and memory of every part."""
    home = Home.here()
    now = shown.status_of(home, state.read(home.state))
    if as_json:
        print(json.dumps(now.to_json(), indent=2))
        return
    console = operate.wide()
    console.print(f"{now.home}: {now.state}, {now.memory_mb} MB")
    if now.parts:
        console.print(shown.status_table(now))


app.command()(prepare.prepare)
app.command()(doctor.doctor)
app.command()(lag.lag)
app.command()(verifying.verify)
app.command()(operate.generations)
app.command()(operate.rebuild)
app.command()(operate.topics)
app.add_typer(operate.parked, name="parked")
app.add_typer(keeping.erasures, name="erasures")
app.add_typer(keeping.keys, name="keys")
app.add_typer(handbook.app, name="import")
app.add_typer(company.app, name="demo")


def run() -> None:
    """The command, with every fault as one line."""
    debug = "--debug" in sys.argv
    try:
        app(prog_name="fikarum")
    except (Fault, EngineFault) as fault:
        if debug:
            raise
        sys.exit(f"fikarum: {fault}")
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if debug:
            raise
        sys.exit(f"fikarum: {type(error).__name__}: {error} (a bug; --debug before the command shows where)")
