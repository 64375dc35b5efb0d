"""Waits for what becomes true, so that no test guesses how long it takes."""

import time
from collections.abc import Callable

_POLL = 0.05


def eventually(holds: Callable[[], bool], within: float = 30.0) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(_POLL)
    return holds()
