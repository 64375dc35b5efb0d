"""Ending: a task for certain, and a server that is told before it waits for open answers."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from uvicorn import Server

#: Seconds after which a task that is still there is cancelled again.
AGAIN = 1.0


async def ended(task: asyncio.Task[Any]) -> None:
    """Cancels until it is over: before Python 3.12 `asyncio.wait_for` may swallow a cancellation."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN)
    await asyncio.gather(task, return_exceptions=True)


@contextmanager
def told_of_exit(tell: Callable[[], None]) -> Iterator[None]:
    """Calls when the process is asked to end: the server waits for open answers before it ends the app."""
    kept: dict[signal.Signals, Any] = {}
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        before: Any = signal.getsignal(number)
        if isinstance(getattr(before, "__self__", None), Server):
            kept[number] = before

            def told(at: int, frame: FrameType | None, before: Any = before) -> None:
                loop.call_soon_threadsafe(tell)
                before(at, frame)

            signal.signal(number, told)
    try:
        yield
    finally:
        for number, before in kept.items():
            signal.signal(number, before)
