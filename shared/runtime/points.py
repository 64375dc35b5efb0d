"""Named points at which a test kills or stops this very process. Costs one dictionary look-up where nothing
is set.

`FIKARUM_POINTS=relay.committed=kill,view.written=stop:3`: at the third passing of `view.written` the
process stops itself (SIGSTOP, to be continued by whoever watches), at the first of `relay.committed` it
dies (SIGKILL).
"""

import os
import signal

_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


def _configured(text: str) -> dict[str, tuple[signal.Signals, int]]:
    found = {}
    for part in filter(None, text.split(",")):
        name, _, action = part.partition("=")
        what, _, nth = action.partition(":")
        found[name] = (_SIGNALS[what], int(nth or 1))
    return found


_armed = _configured(os.environ.get("FIKARUM_POINTS", ""))


def arm(text: str) -> None:
    """Sets this process's points anew, as after a fork."""
    _armed.clear()
    _armed.update(_configured(text))


def passing(name: str) -> None:
    """The process passes the point `name`."""
    if not _armed or name not in _armed:
        return
    signum, left = _armed[name]
    if left > 1:
        _armed[name] = (signum, left - 1)
        return
    del _armed[name]
    os.kill(os.getpid(), signum)
