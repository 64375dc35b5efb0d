"""`python -m shared.runtime.serve wiki` runs one service in the foreground, set by the environment.

An image holds one service and names it in `SERVICE`.
"""

import os
import sys

import uvicorn

from shared.runtime.http import uvicorn_options
from shared.runtime.settings import Settings


def main(service: str) -> None:
    uvicorn.run(f"services.{service}.app:app", **uvicorn_options(Settings.from_env()))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.environ["SERVICE"])
