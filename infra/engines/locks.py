"""Locks between processes, held by the kernel: whoever dies lets go, however it died."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# whoever asks for the holder has the lock for a moment; a live engine has it for good
_TRIES, _PAUSE = 10, 0.02


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Wait for the lock on `path` and hold it for the block."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class FolderLock:
    """The mark of the process that runs on a data folder.

    The descriptor is inherited by that process, so the lock lives as long as it does, also when its
    starter is gone; a file left behind by kill -9 locks nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def take(self) -> int | None:
        """A descriptor that holds the lock, or None when a live process has it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        for _ in range(_TRIES):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_PAUSE)
                continue
            os.ftruncate(descriptor, 0)
            return descriptor
        os.close(descriptor)
        return None

    def name_holder(self, descriptor: int, pid: int) -> None:
        os.pwrite(descriptor, str(pid).encode(), 0)

    def holder(self) -> int | None:
        """The pid of the live process on the folder; 0 while it is being started."""
        if not self._path.exists():
            return None
        with self._path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read() or 0)
        return None
