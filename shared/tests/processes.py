"""Real processes to kill and to pause: a role of `shared.tests.running`, watched from the test.

They are forked from a server that has imported everything once: an import costs seconds of a busy machine.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

import psutil

from shared.runtime.forking import FORKING, importing
from shared.tests.eventually import LONG, eventually
from shared.tests.running import run

# pytest: the children import what began this process, as multiprocessing does
importing("pytest", "shared.tests.running")


class Role:
    """One process. What it says is words that its role sends, in order."""

    def __init__(self, *arguments: str, points: str = "") -> None:
        self._hearing, saying = FORKING.Pipe(duplex=False)
        settings = {name: value for name, value in os.environ.items() if name.startswith("FIKARUM_")}
        self._process = FORKING.Process(
            target=run, args=(saying, {**settings, "FIKARUM_POINTS": points}, arguments), daemon=True
        )
        self._saying = saying
        self.said: list[str] = []

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._process.start)
        self._saying.close()
        asyncio.get_running_loop().add_reader(self._hearing.fileno(), self._hear)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        await self._end()
        asyncio.get_running_loop().remove_reader(self._hearing.fileno())
        self._hearing.close()

    async def says(self, word: str) -> None:
        """Waits until it has said `word`; fails where it ends before."""

        async def look() -> bool:
            if word not in self.said and not self._process.is_alive():
                raise RuntimeError(f"it ended ({self._process.exitcode}) after saying {self.said[-5:]}")
            return word in self.said

        await eventually(look)

    async def killed(self) -> None:
        """Waits until it has died of SIGKILL at its point."""
        assert await self._end() == -signal.SIGKILL, f"it ended with {self._process.exitcode}"

    async def ended(self) -> None:
        """Waits until it has ended well."""
        assert await self._end() == 0, f"it ended with {self._process.exitcode}"
        self._hear()

    async def paused(self) -> None:
        """Waits until it has stopped itself at its point."""
        process = psutil.Process(self._process.pid)

        async def look() -> bool:
            return process.status() == psutil.STATUS_STOPPED

        await eventually(look)

    def send(self, number: signal.Signals) -> None:
        assert self._process.pid is not None, "it was started"
        os.kill(self._process.pid, number)

    async def _end(self) -> int | None:
        await asyncio.to_thread(self._process.join, LONG)
        return self._process.exitcode

    def _hear(self) -> None:
        with contextlib.suppress(EOFError, ConnectionError):
            while self._hearing.poll():
                self.said.append(self._hearing.recv())
            return
        asyncio.get_running_loop().remove_reader(self._hearing.fileno())


@contextlib.asynccontextmanager
async def together(*roles: Role) -> AsyncIterator[None]:
    """Several at once."""
    async with contextlib.AsyncExitStack() as stack:
        for role in roles:
            await stack.enter_async_context(role)
        yield
