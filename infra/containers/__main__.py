"""`python -m infra.containers`: `check` says whether containers can be used, `compose` runs Compose with the
files that fit this engine and with what builds need, `context` makes what the native engines' image is built
from.
"""

import os
import subprocess
import sys
from typing import Annotated

import typer

from infra.containers import caller, native, reach
from infra.containers.faults import NoContainers
from infra.containers.stack import Stack
from infra.engines.faults import EngineFault
from infra.engines.settings import REPOSITORY

app = typer.Typer(help=__doc__, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


def _say(line: str) -> None:
    typer.echo(line, err=True)


@app.command()
def check() -> None:
    """End with 0 where an engine and Compose answer, and else with one line."""
    reach.engine()
    reach.compose()


@app.command()
def context() -> None:
    """Make what the native engines' image is built from, and keep what the caller's registries need."""
    caller.fill(os.environ)
    print(native.prepare(_say))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def compose(context: typer.Context, arguments: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Run Compose, such as `python -m infra.containers compose up --detach --build`."""
    stack = Stack.fitting(_say)
    command = stack.command(*(arguments or ()), *context.args)
    raise SystemExit(subprocess.run(command, cwd=REPOSITORY).returncode)


if __name__ == "__main__":
    try:
        app()
    except (NoContainers, EngineFault) as fault:
        sys.exit(str(fault))
