"""Processes forked from one that has imported what services have in common.

To import it costs a service nearly three seconds of a core, and its memory again; a fork costs neither. The
server that is forked is multiprocessing's own; it ends when whoever began it and all its children are gone.
"""

import ctypes
import gc
import multiprocessing
import os
import runpy
import signal
import sys
import threading
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from shared.runtime import points

_PR_SET_NAME = 15
FORKING = multiprocessing.get_context("forkserver")
#: What every service imports, by itself or through uvicorn once it runs.
_imported = [
    "shared.runtime.serve",
    "shared.runtime.service",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
]


def importing(*modules: str) -> None:
    """Says what the server imports besides; to be said before the first fork."""
    _imported.extend(module for module in modules if module not in _imported)
    FORKING.set_forkserver_preload(_imported)


importing()


def forked(
    module: str, *arguments: str, environment: Mapping[str, str], log: Path, leash: bool = False
) -> ForkServerProcess:
    """As `python -m module arguments` in a session of its own, with what it writes in `log`.

    On a `leash` it is ordered to end when this process is gone, however that went."""
    log.touch()  # whoever looks why it ended finds it, however early that was
    process = FORKING.Process(target=_become, args=(module, arguments, dict(environment), str(log), leash))
    process.start()
    return process


def called(name: str) -> None:
    """What `ps` and `top` call this process; the command line stays that of the one it was forked from."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode()[:15])


def _become(
    module: str, arguments: tuple[str, ...], environment: Mapping[str, str], log: str, leash: bool
) -> None:
    os.setsid()
    _says_to(log)
    os.environ.clear()
    os.environ.update(environment)
    points.arm(environment.get("FIKARUM_POINTS", ""))
    called((*arguments, module)[0])
    if leash:
        threading.Thread(target=_ends_with_parent, daemon=True).start()
    # Before the service's own `collect_rarely` walks through what was imported: its pages stay shared.
    gc.freeze()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _ends_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "a forked process has one"
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _says_to(log: str) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for output in (sys.stdout, sys.stderr):
        output.flush()
        os.dup2(descriptor, output.fileno())
    os.close(descriptor)
