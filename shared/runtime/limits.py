"""How often somebody may ask: a token bucket per caller, in this process, with bounded memory.

Algorithm: the generic cell rate algorithm (ITU-T I.371): one number per caller, the time at which the bucket
is full again. Libraries of windows keep a record per caller and window until it expires, without a ceiling.
"""

import math
import time
from collections.abc import Callable

from cachetools import LRUCache

from shared.kernel.errors import TooMany
from shared.runtime import telemetry


class RateLimit:
    """At most `a_minute` on average and `burst` at once, per key; the `most` latest keys are remembered."""

    def __init__(
        self,
        name: str,
        *,
        a_minute: int,
        burst: int,
        most: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._interval = 60 / a_minute
        self._tolerance = self._interval * (burst - 1)
        self._clock = clock
        self._full_at: LRUCache[str, float] = LRUCache(most)

    def take(self, key: str) -> None:
        """Raises TooMany with the seconds to wait in `params["seconds"]`; what is refused costs nothing."""
        now = self._clock()
        full_at = max(self._full_at.get(key, now), now)
        wait = full_at - self._tolerance - now
        if wait > 0:
            telemetry.REFUSED_RATE.labels(self.name).inc()
            raise TooMany(
                "too-many-requests",
                "That was a lot at once. Try again in {seconds} s.",
                params={"seconds": max(1, math.ceil(wait))},
            )
        self._full_at[key] = full_at + self._interval

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._full_at)
