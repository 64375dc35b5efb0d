"""`python -m infra.cli` is `fikarum`."""

from infra.cli.main import run

run()
