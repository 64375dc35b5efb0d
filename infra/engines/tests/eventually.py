"""Waits for what becomes true, so that no test guesses how long it takes. For coroutines: `shared.tests`."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(look: Callable[[], T], what: str = "it", within: float = 40.0) -> T:
    """What `look` answers once it is something; AssertionError after `within` seconds."""
    deadline, pause = time.monotonic() + within, 0.02
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what} did not happen within {within:g} s: {found!r}"
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)
    return found
