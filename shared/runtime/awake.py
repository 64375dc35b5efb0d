"""Whether this process went on all the time. Whoever was stopped, or whose machine slept, may have been
replaced meanwhile; who merely waits for a slow engine goes on.
"""

import asyncio
import time
from collections.abc import Callable

#: Seconds without a sign of life that are no mere business.
LONGEST_STANDSTILL = 2.0
_TICK = 0.25


class Awake:
    """Ticks as long as its process runs."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ticked = clock()
        self._woke = float("-inf")

    async def keep_ticking(self) -> None:
        """Meant to be a task."""
        while True:
            self._tick()
            await asyncio.sleep(_TICK)

    def since(self, moment: float) -> bool:
        """Whether there was no standstill since `moment`, nor around it."""
        self._tick()
        return moment > self._woke

    def _tick(self) -> None:
        """Whoever asks first after a standstill learns of it, be it before the task wakes up."""
        now = self._clock()
        if now - self._ticked > LONGEST_STANDSTILL:
            self._woke = now
        self._ticked = now
