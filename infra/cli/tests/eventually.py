"""Waits for what must become so, and says what it was instead."""

import time
from collections.abc import Callable


def eventually(condition: Callable[[], object], what: str = "it", within: float = 40.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {within:g} s"
        time.sleep(0.02)
