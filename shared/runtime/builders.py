"""The builders of one service: each a process, since folding a long history would starve the requests.

They are forked from a process that has imported the service, which takes three seconds of a core: an upgrade
builds all of a service's views at once. It is begun with the first builder and ends with the last.
"""

import asyncio
import contextlib
import ctypes
import gc
import importlib
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, NoReturn

import structlog

from shared.runtime.collecting import collect_rarely
from shared.runtime.forking import called

log = structlog.get_logger(__name__)

#: A builder takes what the requests leave of the cores: a third of one that they want as well.
BUILDER_NICENESS = 5
#: How long builders that are told to stop may take for the batch under way, in seconds.
PATIENCE = 10.0

_PR_SET_PDEATHSIG = 1

_Build = Callable[[str, str, int], Coroutine[Any, Any, None]]


@dataclass(slots=True)
class _Host:
    """`building`: the orders that are under way, as they were written."""

    process: asyncio.subprocess.Process
    writer: asyncio.StreamWriter
    building: set[str] = field(default_factory=set)


class Builders:
    """Begins builders of the views of the service that `module` assembles, and knows which are at work."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._host: _Host | None = None
        self._hearing: set[asyncio.Task[None]] = set()
        self._beginning = asyncio.Lock()

    def builds(self, view: str, number: int) -> bool:
        """Whether a builder of this generation is at work, or about to be."""
        return self._host is not None and _order(view, number) in self._host.building

    async def build(self, view: str, number: int) -> None:
        """Begins one; returns before it has done anything."""
        async with self._beginning:
            host = self._host or await self._begin()
            host.building.add(_order(view, number))
            host.writer.write(_order(view, number).encode() + b"\n")

    async def stop(self) -> None:
        """Tells all to stop after their batch, and waits for them; the next start goes on with them."""
        host, self._host = self._host, None
        if host is not None:
            host.writer.close()
            try:
                await asyncio.wait_for(host.process.wait(), PATIENCE)
            except TimeoutError:
                log.warning("builders do not stop", building=sorted(host.building))
                host.process.kill()
                await host.process.wait()
        await asyncio.gather(*self._hearing, return_exceptions=True)

    async def _begin(self) -> _Host:
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                __name__,
                self._module,
                str(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                preexec_fn=as_builder(),
            )
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        self._host = host = _Host(process, writer)
        task = asyncio.create_task(self._hear(host, reader))
        self._hearing.add(task)
        task.add_done_callback(self._hearing.discard)
        return host

    async def _hear(self, host: _Host, reader: asyncio.StreamReader) -> None:
        """Of every builder that ended, until none is left."""
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                host.building.discard(line.decode().rstrip("\n"))
                if not host.building:
                    break
        if self._host is host:
            self._host = None
        host.writer.close()
        await host.process.wait()


def _order(view: str, number: int) -> str:
    return f"{view} {number}"


def as_builder() -> Callable[[], None]:
    """For the child, before it becomes what forks builders: whoever asks goes before it, and it ends with its
    parent, however that went (Linux)."""
    parent = os.getpid()

    def arm() -> None:
        os.nice(BUILDER_NICENESS)
        _end_with(parent)

    return arm


def _end_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


def serve(module: str, asking: socket.socket) -> None:
    """Forks a builder for each line `view number` that comes, and says the line again when it has ended. Ends
    when nobody is there to ask any more, with all of them."""
    importlib.import_module(module)
    build: _Build = importlib.import_module("shared.runtime.rebuild").build
    collect_rarely()
    # the pages of what was imported stay shared
    gc.freeze()
    woken, waking = socket.socketpair()
    waking.setblocking(False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, _woken)
    signal.set_wakeup_fd(waking.fileno())
    at_work: dict[int, bytes] = {}
    heard = b""
    while True:
        ready, _, _ = select.select([asking, woken], [], [])
        try:
            if woken in ready:
                woken.recv(4096)
                for order in [at_work.pop(pid) for pid in _ended(at_work)]:
                    asking.sendall(order + b"\n")
            more = asking.recv(65_536) if asking in ready else None
        except ConnectionError:
            break
        if more is not None:
            if not more:
                break
            *orders, heard = (heard + more).split(b"\n")
            at_work.update((_forked(build, module, order.decode()), order) for order in orders)
    for pid in at_work:
        os.kill(pid, signal.SIGTERM)
    for pid in at_work:
        os.waitpid(pid, 0)


def _woken(signum: int, frame: FrameType | None) -> None:
    """What wakes is the byte that Python writes."""


def _ended(at_work: dict[int, bytes]) -> list[int]:
    return [pid for pid in at_work if os.waitpid(pid, os.WNOHANG)[0]]


def _forked(build: _Build, module: str, order: str) -> int:
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if not pid:
        _become(parent, build, module, order)
    return pid


def _become(parent: int, build: _Build, module: str, order: str) -> NoReturn:
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for signum, usual in (
            (signal.SIGCHLD, signal.SIG_DFL),
            (signal.SIGINT, signal.default_int_handler),
        ):
            signal.signal(signum, usual)
        _end_with(parent)
        view, _, number = order.partition(" ")
        called(view)
        asyncio.run(build(module, view, int(number)))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1], socket.socket(fileno=int(sys.argv[2])))
