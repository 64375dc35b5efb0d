"""Waits for what becomes true, so that no proof guesses how long it takes."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

#: Seconds. Generous: on a busy machine everything still happens, only later.
LONG = 60.0
#: A factor for all that is waited for: who expects failures does not want to wait so long for them.
PATIENCE_VARIABLE = "FIKARUM_TEST_PATIENCE"
_PATIENCE = float(os.environ.get(PATIENCE_VARIABLE, "1"))


async def eventually(look: Callable[[], Awaitable[T]], within: float = LONG) -> T:
    """What `look` answers once it neither is false nor fails an assertion; raises the last failure when time
    is up."""
    within *= _PATIENCE
    deadline, pause = time.monotonic() + within, 0.01
    while True:
        failure: AssertionError | None = None
        try:
            found = await look()
            if found or found is None:
                return found
        except AssertionError as error:
            failure = error
        if time.monotonic() > deadline:
            raise failure or AssertionError(f"not within {within:g} s: the last look found {found!r}")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.25)
