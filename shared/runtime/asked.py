"""What the request under way should be after. Apart from the waiting for it, which needs views."""

import time
from contextvars import ContextVar
from dataclasses import dataclass, field

#: Seconds that a read waits for the reader's own write before it answers and says that it may be behind.
PATIENCE = 2.0

Place = tuple[str, int]


@dataclass(slots=True)
class Asked:
    """What one request should be after, and which views were waited for already: they hold it, or not."""

    after: str
    until: float = field(default_factory=lambda: time.monotonic() + PATIENCE)
    held: dict[str, bool] = field(default_factory=dict)
    #: Where it lies in the log, once somebody looked; None where it was not sent in time.
    places: list[Place] | None = None
    looked: bool = False


#: Of the request under way.
ASKED: ContextVar[Asked | None] = ContextVar("asked_after", default=None)
