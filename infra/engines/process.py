"""One engine as a supervised process: started on its own folder, ready when it answers, ended by pid."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import psutil

from infra.engines import reasons
from infra.engines.faults import DiskFull, FolderInUse, NotReady
from infra.engines.locks import FolderLock
from infra.engines.ports import require_free
from infra.engines.settings import EngineName, EngineSettings

KEPT_LOGS = 3
_POLL = 0.02


class Engine(Protocol):
    """What differs between the engines."""

    @property
    def name(self) -> EngineName: ...
    @property
    def ports(self) -> dict[str, int]: ...
    @property
    def folder(self) -> Path: ...
    @property
    def needed_mb(self) -> int:
        """Memory that the process takes at most when it works as set."""
        ...

    def prepare(self) -> list[str]:
        """Write configuration and format the folder where it is new; the command that runs the engine."""
        ...

    def answers(self) -> bool:
        """Whether clients are served now."""
        ...


class EngineProcess:
    def __init__(self, engine: Engine, log: Path, settings: EngineSettings) -> None:
        self.engine, self.log, self._settings = engine, log, settings
        self._lock = FolderLock(engine.folder / "lock")
        self._process: psutil.Process | None = None
        self._ordered_to_end = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self.running else None

    @property
    def running(self) -> bool:
        if self._process is None:
            return False
        if _alive(self._process):
            return True
        if isinstance(self._process, psutil.Popen):
            self._process.wait()  # a child that ended: the kernel keeps it until its end was taken note of
        return False

    @property
    def died(self) -> bool:
        """Ended although nobody ordered it."""
        return self._process is not None and not self._ordered_to_end and not self.running

    def holder(self) -> int | None:
        return self._lock.holder()

    def start(self) -> None:
        """Return when the engine answers; raise an `EngineFault` that says in one line why it does not."""
        if self.running:
            return
        descriptor = self._lock.take()
        if descriptor is None:
            pid = self._lock.holder() or "unknown yet"
            raise FolderInUse(
                f"{self.engine.name}: pid {pid} already runs on {self.engine.folder}; stop it first"
            )
        try:
            self._check_room()
            require_free(self.engine.name, self.engine.ports, self._settings.listen)
            self._spawn(self.engine.prepare(), descriptor)
        finally:
            os.close(descriptor)
        self._wait_until_ready()

    def adopt(self) -> bool:
        """Take over the process that runs on the folder, if there is one."""
        pid = self._lock.holder()
        if not pid:
            return False
        if self._process is None or self._process.pid != pid:
            self._process, self._ordered_to_end = psutil.Process(pid), False
        return True

    def stop(self) -> None:
        """Order a clean end; after the time that the settings allow, a hard one."""
        self._end(lambda process: process.terminate())

    def kill(self) -> None:
        self._end(lambda process: process.kill())

    def pause(self) -> None:
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None and self.running:
            self._process.send_signal(number)

    def _end(self, order: Callable[[psutil.Process], None]) -> None:
        self._ordered_to_end = True
        if self._process is None or not self.running:
            return
        order(self._process)
        if not self._ended_within(self._settings.stop_timeout):
            self._process.kill()
            self._ended_within(self._settings.stop_timeout)

    def _ended_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.running:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL)
        return True

    def _check_room(self) -> None:
        free = shutil.disk_usage(self.engine.folder).free // 2**20
        if free < self._settings.minimum_free_mb:
            raise DiskFull(
                f"{self.engine.name}: {free} MB free at {self.engine.folder}, "
                f"{self._settings.minimum_free_mb} MB needed (FIKARUM_MINIMUM_FREE_MB)"
            )

    def _spawn(self, command: list[str], lock: int) -> None:
        rotate(self.log)
        with self.log.open("ab") as log:
            # a session of its own: Ctrl-C in a terminal is for the supervisor, which stops engines in order
            self._process = psutil.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.engine.folder,
                start_new_session=True,
                pass_fds=(lock,),
            )
        self._lock.name_holder(lock, self._process.pid)
        self._ordered_to_end = False

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self._settings.start_timeout
        while not self.engine.answers():
            if not self.running:
                raise reasons.of_end(self.engine.name, self.log)
            if time.monotonic() > deadline:
                self.kill()
                raise NotReady(
                    f"{self.engine.name}: no answer within {self._settings.start_timeout:g} s; see {self.log}"
                )
            time.sleep(_POLL)


def rotate(log: Path) -> None:
    """Make room for a fresh log, keeping the last few as .1, .2 and so on."""
    log.parent.mkdir(parents=True, exist_ok=True)
    for age in range(KEPT_LOGS, 0, -1):
        older = log.with_name(f"{log.name}.{age}")
        newer = log.with_name(f"{log.name}.{age - 1}") if age > 1 else log
        if newer.exists():
            newer.replace(older)


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
