"""The one process that watches over a home's engines; it ends before them, or it would revive them."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from infra.engines.faults import FolderInUse, NotReady
from infra.engines.locks import FolderLock

_POLL = 0.05


@contextmanager
def supervising(home: Path) -> Iterator[None]:
    """Be the supervisor of the home for the block; raise `FolderInUse` when it has one."""
    lock = FolderLock(home / "supervisor")
    descriptor = lock.take()
    if descriptor is None:
        raise FolderInUse(f"the engines of {home} are watched over by pid {lock.holder()}; stop it first")
    try:
        lock.name_holder(descriptor, os.getpid())
        yield
    finally:
        os.close(descriptor)


def end_supervisor(home: Path, within_seconds: float) -> None:
    """Ask it to end, as it does after it has ended its engines, and wait until it lets go of the home."""
    lock = FolderLock(home / "supervisor")
    pid = lock.holder()
    if not pid:
        return
    psutil.Process(pid).terminate()
    deadline = time.monotonic() + within_seconds
    while lock.holder():
        if time.monotonic() > deadline:
            raise NotReady(f"the supervisor of {home}, pid {pid}, did not end within {within_seconds:g} s")
        time.sleep(_POLL)
