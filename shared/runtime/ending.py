"""Ending a task for certain."""

import asyncio
from typing import Any

#: Seconds after which a task that is still there is cancelled again.
AGAIN = 1.0


async def ended(task: asyncio.Task[Any]) -> None:
    """Cancels until it is over: before Python 3.12 `asyncio.wait_for` may swallow a cancellation."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN)
    await asyncio.gather(task, return_exceptions=True)
