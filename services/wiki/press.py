"""Renders and compares pages in a process of its own: a hostile text costs that process its life, and nobody
else a moment.

Requests and answers are JSON behind four bytes of length, one at a time. The process ends itself when a job
takes too long (SIGALRM's default action works in the middle of anything), when it needs too much memory, and
when its owner is gone.
"""

import asyncio
import contextlib
import resource
import signal
import struct
import sys
from collections.abc import AsyncIterator, Callable
from hashlib import sha256

from cachetools import LRUCache, TTLCache
from pydantic import BaseModel, TypeAdapter

from services.wiki.compare import Comparison, compare
from services.wiki.markdown import Prepared, TooComplex, as_written, prepare
from shared.kernel.errors import Unavailable

#: Longest job in seconds, most memory of the process in bytes, jobs that may wait, and bytes of HTML that are
#: kept.
DEADLINE = 5.0
MEMORY = 2_000_000_000
MOST_WAITING = 64
MOST_KEPT = 64_000_000
#: Jobs of one member that wait beside others', and those that wait for these: long texts of somebody's are
#: nobody else's minutes.
AT_ONCE_OF_ONE = 2
MOST_OF_ONE = 16
#: Seconds for which a page is shown as it was written after the process ended on it: that may have been the
#: text's doing, which would cost a process at every reading, or a stalled machine's.
GIVEN_UP_FOR = 60.0

_LENGTH = struct.Struct(">I")


class Job(BaseModel):
    """`prepare(first, second)` or `compare(first, second)`."""

    kind: str
    first: str
    second: str


class _Place:
    """One member's."""

    def __init__(self) -> None:
        self.here = 0
        self.free = asyncio.Semaphore(AT_ONCE_OF_ONE)


_PREPARED: TypeAdapter[Prepared] = TypeAdapter(Prepared)
_COMPARISON: TypeAdapter[Comparison] = TypeAdapter(Comparison)


class Press:
    """`start` is not needed: the process begins with the first job, and again after one that ended it."""

    def __init__(self, deadline: float = DEADLINE, given_up_for: float = GIVEN_UP_FOR) -> None:
        self._deadline = deadline
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._members: dict[str, _Place] = {}
        self._kept: LRUCache[bytes, Prepared] = LRUCache(MOST_KEPT, _size)
        self._given_up: TTLCache[bytes, Prepared] = TTLCache(MOST_KEPT, given_up_for, getsizeof=_size)

    async def prepare(self, body: str, path: str, member_id: str, *, keep: bool = True) -> Prepared:
        """The page as safe HTML; the text as it was written where it is too complex to be read. `keep`: it
        will be asked for again."""
        key = sha256(f"{path}\n{body}".encode()).digest()
        if (found := self._kept.get(key) or self._given_up.get(key)) is not None:
            return found
        answer = await self._do(Job(kind="prepare", first=body, second=path), member_id)
        prepared = _PREPARED.validate_json(answer) if answer else as_written(body)
        if keep or answer is None:
            # One that is larger than all that is kept is not.
            with contextlib.suppress(ValueError):
                (self._given_up if answer is None else self._kept)[key] = prepared
        return prepared

    async def compare(self, before: str, after: str, member_id: str) -> Comparison | None:
        """What changed; None where that takes too long to find out."""
        answer = await self._do(Job(kind="compare", first=before, second=after), member_id)
        return _COMPARISON.validate_json(answer) if answer else None

    async def _do(self, job: Job, member_id: str) -> bytes | None:
        """The answer, empty where the job is too much; None where the process ended before it was done.
        Raises Unavailable where too many wait already."""
        async with self._place(member_id):
            if self._waiting >= MOST_WAITING:
                raise _too_many()
            self._waiting += 1
            try:
                async with self._turn:
                    return await self._ask(job)
            finally:
                self._waiting -= 1

    @contextlib.asynccontextmanager
    async def _place(self, member_id: str) -> AsyncIterator[None]:
        place = self._members.setdefault(member_id, _Place())
        if place.here >= MOST_OF_ONE:
            raise _too_many()
        place.here += 1
        try:
            async with place.free:
                yield
        finally:
            place.here -= 1
            if not place.here:
                del self._members[member_id]

    async def _ask(self, job: Job) -> bytes | None:
        process = self._process = self._process or await self._begin()
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the press has no pipes")
        try:
            request = job.model_dump_json().encode()
            process.stdin.write(_LENGTH.pack(len(request)) + request)
            await process.stdin.drain()
            (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
            return await process.stdout.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            await self.close()
            return None
        except BaseException:
            await self.close()
            raise

    async def _begin(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.wiki.press",
            str(self._deadline),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )

    async def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if process.stdin is not None:
            process.stdin.close()
            with contextlib.suppress(ConnectionError):
                await process.stdin.wait_closed()


def _size(page: Prepared) -> int:
    return sys.getsizeof(page.html)


def _too_many() -> Unavailable:
    return Unavailable("too-many-pages", "Too many pages are being prepared. Try again in a moment.")


def _prepared(job: Job) -> bytes:
    try:
        return _PREPARED.dump_json(prepare(job.first, job.second))
    except (TooComplex, MemoryError, RecursionError):
        return b""


def _compared(job: Job) -> bytes:
    try:
        return _COMPARISON.dump_json(compare(job.first, job.second))
    except MemoryError:
        return b""


def _work(deadline: float) -> None:
    """Answers jobs until the pipe closes."""
    jobs: dict[str, Callable[[Job], bytes]] = {"prepare": _prepared, "compare": _compared}
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    while len(head := sys.stdin.buffer.read(_LENGTH.size)) == _LENGTH.size:
        job = Job.model_validate_json(sys.stdin.buffer.read(_LENGTH.unpack(head)[0]))
        signal.setitimer(signal.ITIMER_REAL, deadline)
        answer = jobs[job.kind](job)
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.stdout.buffer.write(_LENGTH.pack(len(answer)) + answer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    _work(float(sys.argv[1]))
