"""The one process that watches over a home's engines; it ends before them, or it would revive them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from infra.engines.faults import FolderInUse
from infra.engines.locks import FolderLock


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


def end_supervisor(home: Path) -> None:
    """Ask it to end, as it does after it has ended its engines, and wait for that."""
    pid = FolderLock(home / "supervisor").holder()
    if pid:
        supervisor = psutil.Process(pid)
        supervisor.terminate()
        supervisor.wait()
