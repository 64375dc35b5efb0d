"""The commands. Whatever goes wrong ends as one line that says what to do; `--debug` shows where."""

import json
import sys
from typing import Annotated

import typer
from rich.console import Console

from infra.cli import operate, running, shown, state
from infra.cli.faults import Fault
from infra.cli.home import Home, HomeSettings
from infra.engines.faults import EngineFault

app = typer.Typer(
    help="Starts, stops and looks after Fikarum. FIKARUM_HOME is the folder of its data (else .fikarum).",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def this_home() -> Home:
    return Home.of(HomeSettings.from_env())


@app.callback()
def options(debug: Annotated[bool, typer.Option("--debug", help="Show where something went wrong.")] = False) -> None:
    """Read by `run` before anything can go wrong."""


@app.command()
def up() -> None:
    """Start everything that does not run yet, and say where it is."""
    home, console = this_home(), Console(stderr=True)
    begun = running.start(home)
    if not begun:
        console.print("It is running already.")
    with shown.Progress(console).shown() as progress:
        now = running.watch_until_up(home, progress)
    console.print(f"Fikarum is at {now.parts['gateway'].address}")


@app.command()
def down() -> None:
    """End everything in order; data stays."""
    home, console = this_home(), Console(stderr=True)
    with shown.Progress(console).shown() as progress:
        ended = running.stop(home, progress)
    console.print("Everything has ended." if ended else "Nothing was running.")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Addresses, states, pids and memory of every part."""
    home = this_home()
    now = shown.status_of(home, state.read(home.state))
    if as_json:
        print(json.dumps(now.to_json(), indent=2))
        return
    console = operate.wide()
    console.print(f"{now.home}: {now.state}, {now.memory_mb} MB")
    if now.parts:
        console.print(shown.status_table(now))


app.command()(operate.generations)
app.command()(operate.rebuild)
app.command()(operate.topics)
app.add_typer(operate.parked, name="parked")


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
