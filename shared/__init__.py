"""What every service stands on: the pure kernel and the runtime that executes it."""

#: The release, as `pyproject.toml` says it: nothing is installed as a package that could be asked.
VERSION = "0.1.0"
