"""The commands. Whatever goes wrong ends as one line that says what to do; `--debug` shows where."""

import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from infra.cli import running, shown, state
from infra.cli.faults import Fault
from infra.cli.home import Home
from infra.cli.shown import AsJson, command_group
from infra.engines.faults import EngineFault

#: Commands, and groups of them, whose code is loaded once somebody asks for it: to load all of it takes as
#: long as `status` does for everything.
_LATER = (
    "prepare",
    "doctor",
    "lag",
    "verify",
    "generations",
    "rebuild",
    "topics",
    "parked",
    "erasures",
    "keys",
    "import",
    "demo",
)


def _loaded(name: str) -> Any:
    """A command's function, or the commands of a group."""
    match name:
        case "prepare":
            from infra.cli import prepare

            return prepare.prepare
        case "doctor":
            from infra.cli import doctor

            return doctor.doctor
        case "lag":
            from infra.cli import lag

            return lag.lag
        case "verify":
            from infra.cli import verifying

            return verifying.verify
        case "topics":
            from infra.cli import topics

            return topics.topics
        case "generations" | "rebuild" | "parked":
            from infra.cli import operate

            return getattr(operate, name)
        case "erasures" | "keys":
            from infra.cli import keeping

            return getattr(keeping, name)
        case "import":
            from infra.cli import handbook

            return handbook.app
        case "demo":
            from infra.cli import company

            return company.app
    raise KeyError(name)


class _Commands(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *_LATER]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _LATER:
            return super().get_command(ctx, cmd_name)
        loaded = _loaded(cmd_name)
        if isinstance(loaded, typer.Typer):
            return typer.main.get_command(loaded)
        alone = command_group("")
        alone.command(cmd_name)(loaded)
        return typer.main.get_command(alone)


app = typer.Typer(
    cls=_Commands,
    help="Starts, stops and looks after Fikarum. FIKARUM_HOME is the folder of its data (else .fikarum).",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show where something went wrong.")] = False,
) -> None:
    """Read by `run` before anything can go wrong."""


@app.command()
def up(
    empty: Annotated[bool, typer.Option("--empty", help="Bring nothing in.")] = False,
    demo: Annotated[bool, typer.Option(help="Bring the demonstration company in.")] = True,
    as_json: AsJson = False,
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
        from infra.cli import company, handbook

        handbook.first_time(home, console)
        if demo:
            company.first_time(home, console)
    gateway, member = now.parts["gateway"].address, _operator(home)
    if as_json:
        sign_in = {name: member[name] for name in ("user_name", "password")} if member else None
        shown.document({"gateway": gateway, "started": begun, "sign_in": sign_in})
    else:
        _welcome(gateway, member)


def _operator(home: Home) -> dict[str, Any] | None:
    """The seeded sign-in that may operate."""
    if not (home.secrets / "demo.json").exists():
        return None
    from infra.cli.platform import operator

    return operator(home)


def _welcome(gateway: str, member: dict[str, Any] | None) -> None:
    """Where to go and how to get in; the only thing that `up` writes to its standard output."""
    print(f"Fikarum is at {gateway}")
    if member:
        print(f"Sign in as {member['user_name']} with the password {member['password']}")
        print("More sign-ins: fikarum demo")
    else:
        print("No sign-ins were seeded (FIKARUM_DEMO).")


@app.command()
def down(as_json: AsJson = False) -> None:
    """End everything in order; data stays."""
    home, console = Home.started_here(), Console(stderr=True)
    with shown.Progress(console).shown() as progress:
        ended = running.stop(home, progress)
    console.print("Everything has ended." if ended else "Nothing was running.")
    if as_json:
        shown.document({"ended": ended})


@app.command()
def status(as_json: AsJson = False) -> None:
    """Addresses, states, pids and memory of every part."""
    home = Home.here()
    now = shown.status_of(home, state.read(home.state))
    if as_json:
        shown.document(now.to_json())
        return
    console = shown.wide()
    console.print(f"{now.home}: {now.state}, {now.memory_mb} MB")
    if now.parts:
        console.print(shown.status_table(now))


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
