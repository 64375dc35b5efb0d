"""Starts and ends a home's supervisor, and watches what it does meanwhile."""

import subprocess
import time
from collections.abc import Callable

import psutil

from infra.cli import state
from infra.cli.faults import Fault
from infra.cli.home import Home, from_env
from infra.cli.parts import last_line, python
from infra.cli.state import State
from infra.cli.supervisor import end_leftovers
from infra.engines.engines import Engines
from infra.engines.locks import FolderLock
from infra.engines.process import rotate
from infra.engines.settings import ENGINES, REPOSITORY, EngineSettings

_LOOK_SECONDS = 0.1
#: A first start also fetches the engines and builds every view; what takes longer goes on unwatched.
PATIENCE_SECONDS = 900.0

Watch = Callable[[State], None]


def supervisor_of(home: Home) -> int | None:
    """The pid of whoever watches over the home. Raises Fault where that is not ours."""
    pid = FolderLock(home.path / "supervisor").holder()
    if pid and not _is_ours(home, pid):
        raise Fault(f"pid {pid} runs the engines of {home.path} alone: end it first (kill {pid})")
    return pid


def _is_ours(home: Home, pid: int) -> bool:
    """By what it wrote, or, before it wrote anything, by its command."""
    known = state.read(home.state)
    if known is not None and known.supervisor.pid == pid:
        return True
    try:
        return any("infra.cli.supervisor" in word for word in psutil.Process(pid).cmdline())
    except psutil.NoSuchProcess:
        return True


def start(home: Home) -> bool:
    """Begins a supervisor, detached from this terminal. False: there is one already."""
    home.make()
    from_env(EngineSettings)
    if supervisor_of(home) is not None:
        return False
    log = home.log("supervisor")
    rotate(log)
    with log.open("ab") as output:
        process = subprocess.Popen(
            python("infra.cli.supervisor", str(home.path)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=REPOSITORY,
            start_new_session=True,
        )
    _wait_for_first_word(home, process)
    return True


def _wait_for_first_word(home: Home, process: subprocess.Popen[bytes]) -> None:
    while (now := state.read(home.state)) is None or now.supervisor.pid != process.pid:
        if process.poll() is not None:
            raise Fault(last_line(home.log("supervisor")))
        time.sleep(_LOOK_SECONDS)


def watch_until_up(home: Home, watch: Watch) -> State:
    """The state once every part runs. Raises Fault where the supervisor gives up or is gone."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        now = state.read(home.state)
        if now is not None:
            watch(now)
            if now.phase == "up":
                return now
            if not now.alive:
                raise Fault(now.fault or f"It was ended while it started; see {home.log('supervisor')}")
        if time.monotonic() > deadline:
            raise Fault("It is not up yet, and goes on trying: `fikarum status` says what it waits for.")
        time.sleep(_LOOK_SECONDS)


def stop(home: Home, watch: Watch) -> bool:
    """Ends everything in order, also what a killed supervisor left behind. False: nothing ran."""
    pid = supervisor_of(home)
    if pid:
        supervisor = psutil.Process(pid)
        supervisor.terminate()
        while supervisor.is_running() and supervisor.status() != psutil.STATUS_ZOMBIE:
            if (now := state.read(home.state)) is not None:
                watch(now)
            time.sleep(_LOOK_SECONDS)
        return True
    return _stop_leftovers(home)


def _stop_leftovers(home: Home) -> bool:
    left = [name for name, part in leftovers(home).items() if part]
    if not left:
        return False
    end_leftovers(home)
    if any(name in ENGINES for name in left):
        engines = Engines(home.path, EngineSettings())
        engines.adopt()
        engines.stop()
    return True


def leftovers(home: Home) -> dict[str, psutil.Process | None]:
    """Per part the process that still runs; for when nobody watches over them."""
    known = state.read(home.state)
    found = {name: part.process.process() if part.process else None for name, part in _parts(known)}
    for name in ENGINES:
        lock = home.path / name / "lock"
        if not found.get(name) and (pid := FolderLock(lock).holder()):
            found[name] = psutil.Process(pid)
    return found


def _parts(known: State | None) -> list[tuple[str, state.PartReport]]:
    return list(known.parts.items()) if known else []
