"""When the garbage collector looks for cycles: rarely, because a service makes many objects and few cycles.

Python's own threshold of 700 objects makes every decoded batch pay for several full passes; measured, replays
gain a third and rebuilds up to a half.
"""

import gc

#: New objects before a pass over the youngest, and passes of each generation before one over the next.
THRESHOLDS = (50_000, 20, 50)


def collect_rarely() -> None:
    """When a process has loaded what it keeps for ever, which is never looked at again; does so once."""
    if gc.get_threshold() == THRESHOLDS:
        return
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
