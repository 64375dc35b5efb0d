"""Waits until services have heard of what was written elsewhere: what is decided next depends on it."""

import time
from collections.abc import Sequence

from infra.cli.faults import Fault
from infra.cli.platform import Platform

#: Services look at their own log and lag about once a second.
_LOOK_SECONDS = 0.4
PATIENCE = 300.0


def settled(platform: Platform, sources: Sequence[str], services: Sequence[str]) -> None:
    """Everything that `sources` hold is in every view of `services`. Raises Fault where it takes too long."""
    deadline = time.monotonic() + PATIENCE
    _sent(platform, sources, deadline)
    since = time.monotonic()
    for service in services:
        # A view that has passed an end of the log which was looked at since then holds all that was sent.
        while _oldest(platform, service) >= time.monotonic() - since:
            _pause(deadline, service)


def _sent(platform: Platform, sources: Sequence[str], deadline: float) -> None:
    """Twice in a row, since the first look may be older than the last write."""
    looks = 0
    while looks < 2:
        unsent = [source for source in sources if _unsent(platform, source)]
        looks = 0 if unsent else looks + 1
        _pause(deadline, ", ".join(unsent or sources))


def _unsent(platform: Platform, source: str) -> bool:
    return bool(platform.insist("GET", f"/operate/{source}/views")["relay_unsent_seconds"])


def _oldest(platform: Platform, service: str) -> float:
    """Seconds by which its slowest view is behind."""
    views = platform.insist("GET", f"/operate/{service}/views")["views"]
    return max((float(view["lag_seconds"]) for view in views), default=0.0)


def _pause(deadline: float, service: str) -> None:
    if time.monotonic() > deadline:
        raise Fault(f"{service} does not catch up. Look at: fikarum generations")
    time.sleep(_LOOK_SECONDS)
