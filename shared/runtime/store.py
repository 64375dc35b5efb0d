"""The event store: commands become commits, each one atomic write that is its own outbox.

A commit's `_id` is the stream and its first version, so that two racers cannot both have it. Commits that
arrive while a write is under way share the next one (`appends.py`), each with its own outcome.
"""

import asyncio
import random
import time
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, TypeVar

from cachetools import LRUCache
from pymongo import ASCENDING
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.kernel.decider import Decider
from shared.kernel.errors import Conflict, Forbidden, NotFound, Refused, Unavailable
from shared.kernel.events import Event, Occasion, Recorded
from shared.runtime import telemetry
from shared.runtime.appends import (
    DURABLE,
    PATIENCE,
    AppendQueue,
    LostRace,
    OnAppend,
    Repeated,
    unknown_outcome,
)
from shared.runtime.away import reading
from shared.runtime.codec import (
    COMMITS,
    TRACEPARENT,
    Commit,
    check_stream,
    encode_commit,
    recorded_events,
    split_key,
    stream_range,
)
from shared.runtime.commits import Committed, Idempotency
from shared.runtime.ids import new_id

C = TypeVar("C")
S = TypeVar("S")

#: How often a command that lost a race is decided again before the caller is told to try later.
TRIES = 40
#: The code of that refusal, which stands where it is raised too, for its translation: no rule was broken, and
#: the same command may be decided later.
TOO_BUSY = "too-busy"
#: Folded states kept in memory per process; each is checked against the store whenever it is used.
STATES_KEPT = 2_000

MAJORITY = ReadConcern("majority")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Part(Generic[C, S]):
    """One stream's share of a command whose rule spans streams."""

    decider: Decider[C, S]
    command: C
    if_match: int | None = None


class Sealer(Protocol):
    """Encrypts the personal fields of an event before it is stored."""

    async def seal(self, event: Event, event_id: str) -> Event: ...


@dataclass(frozen=True, slots=True)
class _Known(Generic[S]):
    """A stream's folded state, and the last commit it holds: its first version, id and time, and the tail."""

    state: S
    tail: int = 0
    last_first: int = 0
    last_commit: str = ""
    recorded_at: datetime = _NEVER


class EventStore:
    """The commits of one service, in `<service>.commits` of its database."""

    def __init__(
        self,
        service: str,
        database: AsyncDatabase[dict[str, Any]],
        sealer: Sealer | None = None,
        *,
        on_append: OnAppend = lambda _commits, _began: None,
    ) -> None:
        self.service = service
        self.commits: AsyncCollection[dict[str, Any]] = database.get_collection(
            "commits", codec_options=COMMITS
        )
        self.queue = AppendQueue(database, "commits", on_append)
        self._majority = self.commits.with_options(read_concern=MAJORITY)
        self._sealer = sealer
        self._on_append = on_append
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        # each with its decider, whose id would otherwise pass to another one
        self._states: LRUCache[tuple[int, str], tuple[object, _Known[Any]]] = LRUCache(STATES_KEPT)

    async def prepare(self) -> None:
        """Makes the indexes: what is not sent yet (for the relay), and each member's idempotency keys."""
        await self.commits.create_index(
            [("partition", ASCENDING), ("recorded_at", ASCENDING), ("_id", ASCENDING)],
            name="unsent",
            partialFilterExpression={"unsent": True},
        )
        await self.commits.create_index(
            [("idempotency", ASCENDING)],
            name="idempotency",
            unique=True,
            partialFilterExpression={"idempotency": {"$exists": True}},
        )

    async def load(self, stream: str, after: int = 0) -> list[Recorded]:
        """The stream's events with versions above `after`, which is a commit's last version or 0."""
        check_stream(stream)
        cursor = self._majority.find({"_id": stream_range(stream, after + 1)}).sort("_id", ASCENDING)
        with reading():
            return [event async for document in cursor for event in recorded_events(document)]

    async def state(self, decider: Decider[C, S], stream: str) -> tuple[S, int]:
        """What is known of the stream, and its tail version (0 where there is no such stream)."""
        known = await self._current(decider, stream)
        return known.state, known.tail

    async def handle(
        self,
        decider: Decider[C, S],
        command: C,
        occasion: Occasion,
        *,
        if_match: int | None = None,
        idempotency: Idempotency | None = None,
        begins: bool = False,
    ) -> Committed:
        """Decides `command` on its stream and appends what follows; decided again on the newer history
        after a lost race.

        `begins`: the caller has just made the stream's id, so the stream is not looked for first; one that is
        there after all wins the race, and is decided on then.

        Raises Refused (a rule, an old `if_match`, a key used for another request) and Unavailable (the
        outcome is not known: the same request with the same idempotency key finds out).
        """
        stream, commit_id = decider.stream(command), new_id()
        if idempotency is not None and (done := await self._done_before(idempotency)) is not None:
            return done
        async with self._lock(stream):
            for attempt in range(TRIES):
                if begins and attempt == 0:
                    check_stream(stream)
                    known = _Known(decider.initial)
                else:
                    known = await self._current(decider, stream)
                try:
                    events = _decide(decider, command, known, if_match)
                except Refused:
                    if idempotency is not None and (done := await self._repeated(idempotency)) is not None:
                        return done
                    raise
                if not events:
                    return Committed(self.service, stream, known.tail, known.last_commit)
                commit = await self._commit(stream, known, events, occasion, commit_id, 0, idempotency)
                try:
                    await self.queue.append(commit)
                except LostRace:
                    await asyncio.sleep(random.uniform(0, 0.002 * min(attempt, 10)))  # noqa: S311 - jitter, no secret
                    continue
                except Repeated as repeated:
                    return self._first_outcome(repeated.document, idempotency)
                self._remember(decider, known, commit, events)
                return Committed(self.service, stream, commit.tail, commit_id)
        raise Conflict("too-busy", "Many people are changing this right now. Try again.")

    async def handle_together(
        self,
        plan: Callable[[], Awaitable[Sequence[Part[Any, Any]]]],
        occasion: Occasion,
        *,
        idempotency: Idempotency | None = None,
    ) -> Committed:
        """A rule that spans streams: all parts are appended in one transaction, or none. Answers the first
        part's tail.

        `plan` is asked again after a lost race. No two parts may be of one stream. Raises as `handle` does.
        """
        commit_id = new_id()
        if idempotency is not None and (done := await self._done_before(idempotency)) is not None:
            return done
        tried: list[tuple[Commit, Committed]] = []
        for attempt in range(TRIES):
            try:
                commits, answer = await self._decide_parts(await plan(), occasion, commit_id, idempotency)
                if not commits:
                    return answer
                tried.append((commits[0], answer))
                await self._append_together(commits)
            except (LostRace, Refused) as failure:
                # A transaction whose reply was lost may have gone in after all, and then refuses its own
                # second try.
                for commit, earlier in tried:
                    if await self.queue.stored(commit):
                        return earlier
                if idempotency is not None and (done := await self._repeated(idempotency)) is not None:
                    return done
                if isinstance(failure, Refused):
                    raise
                await asyncio.sleep(random.uniform(0, 0.005 * min(attempt + 1, 10)))  # noqa: S311
                continue
            return answer
        raise Conflict("too-busy", "Many people are changing this right now. Try again.")

    async def append(
        self,
        stream: str,
        first: int,
        events: Sequence[Event],
        occasion: Occasion,
        *,
        recorded_at: datetime | None = None,
    ) -> Commit:
        """Appends `events` at version `first` without deciding. Raises LostRace where that version is
        taken."""
        known: _Known[None] = _Known(None, tail=first - 1)
        if recorded_at is not None:
            known = replace(known, recorded_at=recorded_at)
        commit = await self._commit(stream, known, events, occasion, new_id(), 0, None)
        await self.queue.append(commit)
        return commit

    async def replay(self, batch: int = 2_000) -> AsyncIterator[list[Recorded]]:
        """Every event of the service, stream by stream, in batches of commits."""
        cursor = self._majority.find({}, batch_size=batch).sort("_id", ASCENDING)
        following = asyncio.create_task(cursor.to_list(batch))
        try:
            while documents := await following:
                # The store works on the next batch while the caller works on this one.
                following = asyncio.create_task(cursor.to_list(batch))
                await asyncio.sleep(0)
                yield [event for document in documents for event in recorded_events(document)]
        finally:
            following.cancel()
            await asyncio.wait([following])
            await cursor.close()

    async def _current(self, decider: Decider[C, S], stream: str) -> _Known[S]:
        """The state kept from last time, brought up to date; thrown away when the store no longer holds
        what it was made of."""
        check_stream(stream)
        _, kept = self._states.get((id(decider), stream), (None, None))
        known = kept or _Known(decider.initial)
        cursor = self._majority.find({"_id": stream_range(stream, known.last_first or 1)}).sort(
            "_id", ASCENDING
        )
        with reading():
            documents = await cursor.to_list()
        if kept is not None:
            if not documents or documents[0]["commit_id"] != kept.last_commit:
                self._states.pop((id(decider), stream), None)
                return await self._current(decider, stream)
            documents = documents[1:]
        for document in documents:
            events = list(recorded_events(document))
            known = _Known(
                decider.fold((event.event() for event in events), known.state),
                events[-1].version,
                events[0].version,
                document["commit_id"],
                document["recorded_at"].replace(tzinfo=UTC),
            )
        if known.tail:
            self._keep(decider, stream, known)
        return known

    def _keep(self, decider: Decider[Any, Any], stream: str, known: _Known[Any]) -> None:
        self._states[id(decider), stream] = decider, known

    def _remember(
        self, decider: Decider[C, S], known: _Known[S], commit: Commit, events: Sequence[Event]
    ) -> None:
        state = decider.fold(events, known.state)
        self._keep(
            decider,
            commit.stream,
            _Known(state, commit.tail, commit.first, commit.commit_id, commit.recorded_at),
        )

    async def _commit(
        self,
        stream: str,
        known: _Known[Any],
        events: Sequence[Event],
        occasion: Occasion,
        commit_id: str,
        numbered_from: int,
        idempotency: Idempotency | None,
    ) -> Commit:
        """Encoded and size-checked here, by its caller: a commit that cannot be stored never joins a
        batch."""
        identified = [(f"{commit_id}-{numbered_from + at}", event) for at, event in enumerate(events)]
        if self._sealer is not None:
            identified = [
                (event_id, await self._sealer.seal(event, event_id) if event.personal else event)
                for event_id, event in identified
            ]
        return encode_commit(
            stream,
            known.tail + 1,
            identified,
            occasion,
            commit_id=commit_id,
            recorded_at=max(_now(), known.recorded_at),
            idempotency=idempotency.stored if idempotency else None,
            traceparent=telemetry.trace_headers().get(TRACEPARENT),
        )

    async def _decide_parts(
        self,
        parts: Sequence[Part[Any, Any]],
        occasion: Occasion,
        commit_id: str,
        idempotency: Idempotency | None,
    ) -> tuple[list[Commit], Committed]:
        commits: list[Commit] = []
        answer: Committed | None = None
        numbered = 0
        for part in parts:
            stream = part.decider.stream(part.command)
            known = await self._current(part.decider, stream)
            events = _decide(part.decider, part.command, known, part.if_match)
            if events:
                key = None if commits else idempotency
                commits.append(await self._commit(stream, known, events, occasion, commit_id, numbered, key))
                numbered += len(events)
            if answer is None:
                tail, commit = (commits[-1].tail, commit_id) if events else (known.tail, known.last_commit)
                answer = Committed(self.service, stream, tail, commit)
        if answer is None:
            raise ValueError("a command of several parts has at least one")
        return commits, answer

    async def _append_together(self, commits: Sequence[Commit]) -> None:
        """One transaction. Whatever goes wrong, the truth is read back by commit id before anything is
        said."""
        began = time.monotonic()
        try:
            async with self.commits.database.client.start_session() as session:
                durable = self.commits.with_options(write_concern=DURABLE)
                await session.start_transaction(ReadConcern("snapshot"), DURABLE)
                await durable.insert_many([commit.document for commit in commits], session=session)
                await _commit_surely(session)
        except (PyMongoError, BulkWriteError) as error:
            if await self.queue.stored(commits[0]):
                self._on_append((), began)
                return
            if (
                _transient(error)
                or getattr(error, "code", None) == 11000
                or isinstance(error, BulkWriteError)
            ):
                raise LostRace(commits[0].key) from error
            if error.has_error_label("UnknownTransactionCommitResult"):
                raise unknown_outcome() from error
            raise Unavailable("store-away", "The store does not answer. Try again in a moment.") from error
        self._on_append((), began)

    def _lock(self, stream: str) -> asyncio.Lock:
        """Serialises a hot stream within this process: racers would otherwise decide in vain."""
        lock = self._locks.get(stream)
        if lock is None:
            lock = self._locks[stream] = asyncio.Lock()
        return lock

    async def repeated(self, requests: Collection[Idempotency]) -> set[Idempotency]:
        """Those among `requests` that have been done already, for callers with many of them."""
        asked = {request.stored: request for request in requests}
        found = self._majority.find(
            {"idempotency": {"$in": [key for key, _ in asked]}}, {"idempotency": 1, "request_hash": 1}
        )
        done = [(document["idempotency"], document["request_hash"]) async for document in found]
        return {asked[stored] for stored in done if stored in asked}

    async def done(self, idempotency: Idempotency | None) -> Committed | None:
        """What this request led to when it was sent before; for callers that would refuse it now."""
        return await self._repeated(idempotency) if idempotency is not None else None

    async def _done_before(self, idempotency: Idempotency) -> Committed | None:
        return None if idempotency.looked_up else await self._repeated(idempotency)

    async def _repeated(self, idempotency: Idempotency) -> Committed | None:
        with reading():
            document = await self._majority.find_one(
                {"idempotency": idempotency.stored[0]}, {"events.data": 0}
            )
        return self._first_outcome(document, idempotency) if document is not None else None

    def _first_outcome(self, document: dict[str, Any], idempotency: Idempotency | None) -> Committed:
        if idempotency is None or not idempotency.is_of(document["request_hash"]):
            raise Refused(
                "idempotency-key-reused", "This idempotency key was used for another request. Use a new one."
            )
        stream, first = split_key(document["_id"])
        return Committed(self.service, stream, first + len(document["events"]) - 1, document["commit_id"])


def _decide(decider: Decider[C, S], command: C, known: _Known[S], if_match: int | None) -> list[Event]:
    """An old `if_match` is told only to whoever may do it at all: others would learn whether there is such a
    stream, and how long it is."""
    stale = if_match is not None and if_match != known.tail
    try:
        events = list(decider.decide(command, known.state))
    except Refused as refused:
        if not stale or isinstance(refused, Forbidden | NotFound):
            raise
        events = []
    if stale:
        raise Conflict(
            "edited-meanwhile", "Somebody changed this while you were working on it. Look at the new version."
        )
    return events


async def _commit_surely(session: AsyncClientSession) -> None:
    """Asks again while it is not known whether the transaction was committed: left open, it would hold its
    streams for a minute."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            await session.commit_transaction()
            return
        except PyMongoError as error:
            unknown = error.has_error_label("UnknownTransactionCommitResult")
            if not unknown or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)


def _transient(error: PyMongoError) -> bool:
    return error.has_error_label("TransientTransactionError")


def _now() -> datetime:
    """Milliseconds, as MongoDB keeps them: what is answered now and read later is the same."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


__all__ = ["Committed", "EventStore", "Idempotency", "LostRace", "Part", "Sealer", "WriteConcern"]
