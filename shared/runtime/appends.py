"""Group commit: appends that arrive while a write is under way share the next one, each with its own outcome.

A duplicate key, a lost reply or a write-concern error is an unknown outcome: what is stored is read back by
commit id first.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    ConnectionFailure,
    ExecutionTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.kernel.errors import Unavailable
from shared.runtime import telemetry
from shared.runtime.codec import COMMITS, Commit

DURABLE = WriteConcern(w="majority", j=True)
#: Commits in one write, and their bytes together: a command to MongoDB holds 16 MiB and a little more.
LARGEST_BATCH = 1_000
LARGEST_BATCH_BYTES = 16_000_000
#: Commits that may wait for their turn; past that the caller is told to try later.
MOST_WAITING = 5_000
#: How long an unknown outcome is pursued, in seconds, before the caller is told that it is unknown.
PATIENCE = 10.0

_UNKNOWN = (ConnectionFailure, ExecutionTimeout, NotPrimaryError, WTimeoutError)
_DUPLICATE = 11000

#: Told of commits that are stored, and when the write that stored them began, on the monotonic clock; of
#: none, where only the store knows.
OnAppend = Callable[[Sequence[Commit], float], None]


class LostRace(Exception):
    """Another commit has this version of the stream."""


class Repeated(Exception):
    """A commit with this idempotency key is stored already."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(document["_id"])
        self.document = document


@dataclass(slots=True, eq=False)
class _Waiting:
    commit: Commit
    outcome: "asyncio.Future[None]"
    stored: bool = False

    def settle(self, error: Exception | None = None) -> None:
        self.stored = error is None
        if not self.outcome.done():
            if error is None:
                self.outcome.set_result(None)
            else:
                self.outcome.set_exception(error)


class AppendQueue:
    """One write under way at a time; whoever comes meanwhile waits for the next."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]], collection: str, on_append: OnAppend) -> None:
        self._database = database
        self._name = collection
        self._majority = database.get_collection(
            collection, codec_options=COMMITS, read_concern=ReadConcern("majority")
        )
        self._on_append = on_append
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def append(self, commit: Commit) -> None:
        """Returns when the commit is journalled. Raises LostRace, Repeated or Unavailable (outcome
        unknown)."""
        if len(self._waiting) >= MOST_WAITING:
            raise Unavailable("store-busy", "Too much is being written right now. Try again in a moment.")
        waiting = _Waiting(commit, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        await waiting.outcome

    async def close(self) -> None:
        """Waits until everything that was accepted has its outcome."""
        while self._writer is not None and not self._writer.done():
            await asyncio.wait([self._writer])

    async def stored(self, commit: Commit) -> bool:
        """Whether this very commit is stored; waits out an engine that is away. Raises Unavailable."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                found = await self._majority.find_one({"_id": commit.key}, {"commit_id": 1})
                return found is not None and found["commit_id"] == commit.commit_id
            except PyMongoError as error:
                if time.monotonic() > deadline:
                    raise unknown_outcome() from error
                await asyncio.sleep(0.1)

    async def _write_all(self) -> None:
        while self._waiting:
            batch, size = 0, 0
            for waiting in self._waiting[:LARGEST_BATCH]:
                size += len(waiting.commit.document.raw)
                if batch and size > LARGEST_BATCH_BYTES:
                    break
                batch += 1
            taken, self._waiting = self._waiting[:batch], self._waiting[batch:]
            began = time.monotonic()
            with telemetry.APPEND_SECONDS.time():
                try:
                    await self._settle(taken)
                except Exception as error:
                    for waiting in taken:
                        waiting.settle(error)
            telemetry.APPEND_BATCH.observe(batch)
            self._on_append([waiting.commit for waiting in taken if waiting.stored], began)

    async def _settle(self, batch: Sequence[_Waiting]) -> None:
        """Writes until every commit of the batch has an outcome, or patience ends."""
        deadline, pause = time.monotonic() + PATIENCE, 0.001
        pending = list(batch)
        while pending:
            try:
                pending = await self._attempt(pending)
                pending = await self._read_back(pending) if pending else []
            except _UNKNOWN:
                pass
            except OperationFailure as error:
                if not error.has_error_label("RetryableWriteError") and error.code not in _PASSING:
                    raise
            if pending:
                if time.monotonic() > deadline:
                    for waiting in pending:
                        waiting.settle(unknown_outcome())
                    return
                await asyncio.sleep(pause)
                pause = min(pause * 2, 0.25)

    async def _attempt(self, pending: Sequence[_Waiting]) -> list[_Waiting]:
        """One insert; settles what certainly went in, answers those whose outcome is unknown."""
        answer = await self._database.command(
            {
                "insert": self._name,
                "documents": [waiting.commit.document for waiting in pending],
                "ordered": False,
                "writeConcern": DURABLE.document,
            }
        )
        if "writeConcernError" in answer:
            return list(pending)
        failed: dict[int, dict[str, Any]] = {e["index"]: e for e in answer.get("writeErrors", ())}
        unknown = []
        for at, waiting in enumerate(pending):
            error = failed.get(at)
            if error is None:
                waiting.settle()
            elif error["code"] == _DUPLICATE:
                unknown.append(waiting)
            else:
                waiting.settle(OperationFailure(error.get("errmsg", "write failed"), error["code"]))
        telemetry.APPENDED.inc(len(pending) - len(failed))
        return unknown

    async def _read_back(self, pending: Sequence[_Waiting]) -> list[_Waiting]:
        """Settles by what the majority holds; answers those that are not there (yet)."""
        by_key = {waiting.commit.key: waiting for waiting in pending}
        keys = [w.commit.idempotency for w in pending if w.commit.idempotency is not None]
        where: dict[str, Any] = {"_id": {"$in": list(by_key)}}
        if keys:
            where = {"$or": [where, {"idempotency": {"$in": keys}}]}
        found = await self._majority.find(where, {"events.data": 0}).to_list()
        stored = {document["_id"]: document for document in found}
        repeated = {document["idempotency"]: document for document in found if "idempotency" in document}
        missing = []
        for waiting in pending:
            there = stored.get(waiting.commit.key)
            first = repeated.get(waiting.commit.idempotency or "")
            if there is not None and there["commit_id"] == waiting.commit.commit_id:
                waiting.settle()
            elif first is not None and first["commit_id"] != waiting.commit.commit_id:
                waiting.settle(Repeated(first))
            elif there is not None:
                waiting.settle(LostRace(waiting.commit.key))
            else:
                missing.append(waiting)
        return missing


#: Server errors that pass by themselves: interrupted, stepping down, shutting down.
_PASSING = frozenset({11600, 11602, 91, 189, 10107, 13435, 13436})


def unknown_outcome() -> Unavailable:
    return Unavailable(
        "outcome-unknown",
        "The store does not answer, so it is not known whether this was saved. Look before you try again.",
    )
