"""A service whose builders tell who they are, in a file of the view's name, and stay until told to stop.

One of a view named `short` ends by itself, one of `ill` fails.
"""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil

FOLDER = "FIKARUM_TEST_BUILT"


class Built:
    """As much of a service as a builder asks for first."""

    @contextlib.asynccontextmanager
    async def engines(self) -> AsyncIterator[tuple[None, None]]:
        view, told = psutil.Process().name(), asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
        who = {"pid": os.getpid(), "host": os.getppid(), "nice": os.nice(0)}
        await asyncio.to_thread(_says, view, json.dumps(who))
        if view == "ill":
            raise RuntimeError("it cannot be built")
        if view != "short":
            await told.wait()
            await asyncio.to_thread(_says, f"{view}.stopped", "")
        os._exit(0)
        yield None, None


def _says(name: str, text: str) -> None:
    folder = Path(os.environ[FOLDER])
    (folder / f"{name}.part").write_text(text)
    (folder / f"{name}.part").rename(folder / name)


service = Built()
