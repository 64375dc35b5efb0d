"""Histories from elsewhere, taken in by the same commands as everybody's: one way for every service.

Lines come in batches, in the order of their source, with the original authors and times. Each is taken once,
however often it is sent: its idempotency key is the source and the line, bound to what the line says. Lines
that do not concern each other are under way together; nothing that is imported notifies anybody.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Generic, Protocol, TypeVar

from fastapi import Response
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from shared.kernel.audience import Reader
from shared.kernel.errors import Refused, Unavailable
from shared.kernel.events import Occasion
from shared.runtime.auth import Actor
from shared.runtime.http import COMMIT_HEADER
from shared.runtime.inputs import Input
from shared.runtime.readers import Readers
from shared.runtime.store import TOO_BUSY, Committed, EventStore, Idempotency

#: Lines of one request, at most.
MOST_LINES = 500
#: Lines of one batch that are under way at once.
AT_ONCE = 32
#: How far the clock of where a history comes from may be ahead of ours.
CLOCKS_APART = timedelta(minutes=5)
#: What says to be older has a wrong clock; and at the edge of the calendar no time zone fits around it.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
#: Stands for the session of a member in whose name something is imported.
SESSION = "import"
_ROLE = "role:"

#: What a history is called: the same source and line are taken once.
Source = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_\-]{0,63}$")]
LineNumber = Annotated[int, Field(ge=1, description="Its place in the source")]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,40}$")]
Member = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,63}$")]


class ImportedLine(Input):
    """What every line says: its number, who did it and when."""

    line: LineNumber
    by: Member
    at: AwareDatetime


#: The lines of one request where they are several commands, told apart by `op`.
C = TypeVar("C")
Commands = Annotated[
    list[Annotated[C, Field(discriminator="op")]], Field(min_length=1, max_length=MOST_LINES)
]


class LineResult(BaseModel):
    """What became of one line of an import: done, already (in an earlier run), or refused with the reason."""

    line: int
    outcome: str
    code: str | None = None
    detail: str | None = None


class ImportResult(BaseModel):
    results: list[LineResult]
    commit: str | None = Field(
        description="The last commit, for `Fikarum-After`; others may follow a moment later"
    )


class Line(Protocol):
    """What a line must say to be taken."""

    @property
    def line(self) -> int: ...
    @property
    def by(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    def model_dump_json(self) -> str: ...


L = TypeVar("L", bound=Line)


@dataclass(frozen=True, slots=True)
class Order:
    """A line waits for those before it that gave what it `needs`, and gives something to those behind it."""

    needs: Sequence[str]
    gives: Sequence[str]


@dataclass(frozen=True, slots=True)
class Rules(Generic[L]):
    """How a service takes a line: what must come before it, and the command that it is."""

    order: Callable[[L], Order]
    do: Callable[[L, Occasion, Idempotency], Awaitable[Committed]]


class Batch(Generic[L]):
    """One batch of a source. `scope` tells apart where a source's lines go: a space, or a service."""

    def __init__(self, store: EventStore, doing: Occasion, scope: str, source: str, rules: Rules[L]) -> None:
        self._store = store
        self._doing = doing
        self._scope = scope
        self._source = source
        self._rules = rules
        self._free = asyncio.Semaphore(AT_ONCE)
        self._last: Committed | None = None

    async def taken(self, lines: Sequence[L]) -> ImportResult:
        """Raises Unavailable where the outcome of a line is not known, or it could not be done now: then the
        batch is sent again."""
        keys = {line.line: self._key(line) for line in lines}
        done = await self._store.repeated(keys.values())
        before: dict[str, asyncio.Task[LineResult]] = {}
        tasks: list[asyncio.Task[LineResult]] = []
        try:
            async with asyncio.TaskGroup() as group:
                for line in lines:
                    if keys[line.line] in done:
                        answer = LineResult(line=line.line, outcome="already")
                        tasks.append(group.create_task(_at_once(answer)))
                        continue
                    order = self._rules.order(line)
                    waits_for = {before[need] for need in order.needs if need in before}
                    task = group.create_task(self._one(line, waits_for))
                    before |= dict.fromkeys(order.gives, task)
                    tasks.append(task)
        except ExceptionGroup as failed:
            # Not `except*`: what is raised there is put into a group again, which is no answer of ours.
            away, others = failed.split(Unavailable)
            if away is None or others is not None:
                raise
            raise _first(away) from None
        commit = str(self._last) if self._last else None
        return ImportResult(results=[task.result() for task in tasks], commit=commit)

    def _key(self, line: L) -> Idempotency:
        """Bound to the source and the line, not to whoever runs the import."""
        asked = f"{self._scope}\n{line.model_dump_json()}"
        source = f"import:{self._scope}:{self._source}"
        return Idempotency(source, str(line.line), hashlib.sha256(asked.encode()).hexdigest())

    async def _one(self, line: L, waits_for: set[asyncio.Task[LineResult]]) -> LineResult:
        if waits_for:
            await asyncio.wait(waits_for)
        async with self._free:
            try:
                _check_time(line.at)
                self._last = await self._rules.do(
                    line, self._occasion(line), replace(self._key(line), looked_up=True)
                )
            except Refused as refused:
                if refused.momentary:
                    raise
                if refused.code == TOO_BUSY:
                    # Of the moment, not of the line.
                    raise Unavailable(
                        "too-busy", "There is too much to do right now. Try again shortly."
                    ) from None
                return LineResult(line=line.line, outcome="refused", code=refused.code, detail=str(refused))
        return LineResult(line=line.line, outcome="done")

    def _occasion(self, line: L) -> Occasion:
        return Occasion(
            by=line.by,
            correlation_id=self._doing.correlation_id,
            occurred_at=line.at,
            causation_id=self._doing.causation_id,
            imported=True,
        )


async def answered(batch: Batch[L], lines: Sequence[L], response: Response) -> ImportResult:
    """What became of each line; the answer's headers name the last commit, for who reads what was brought in.
    Raises Unavailable."""
    result = await batch.taken(lines)
    if result.commit is not None:
        response.headers[COMMIT_HEADER] = result.commit
    return result


def _check_time(at: datetime) -> None:
    """A line dated ahead would stand first among the latest until its day has come."""
    if at > datetime.now(UTC) + CLOCKS_APART:
        raise Refused("line-time-future", "The line's time is in the future.", field="at")
    if at < EARLIEST:
        raise Refused("line-time-early", "The line's time is before 1970: correct its year.", field="at")


async def _at_once(answer: LineResult) -> LineResult:
    return answer


def _first(group: BaseExceptionGroup[Unavailable]) -> Unavailable:
    """One of them: they all say to try later."""
    for error in group.exceptions:
        return error if isinstance(error, Unavailable) else _first(error)
    raise AssertionError("a group holds something")


class InNames:
    """The members in whose names a batch's lines are, as they are now; each is looked up once."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._known: dict[str, tuple[Actor, Reader]] = {}

    async def of(self, member_id: str) -> tuple[Actor, Reader]:
        """With the roles that their tokens give them. Raises Refused."""
        if member_id not in self._known:
            reader = await self._read(Actor(member_id, frozenset(), SESSION))
            roles = {token.removeprefix(_ROLE) for token in reader.tokens if token.startswith(_ROLE)}
            self._known[member_id] = Actor(member_id, frozenset(roles), SESSION), reader
        return self._known[member_id]

    async def _read(self, actor: Actor) -> Reader:
        try:
            return await self._readers.of(actor)
        except Unavailable as away:
            if away.code == "member-not-here-yet":
                raise member_unknown() from None
            raise


def member_unknown() -> Refused:
    """Of a line whose member this service has not heard of."""
    return Refused(
        "line-member-unknown",
        "The line's member is not known here. Import members first, and wait until they are known.",
        field="by",
    )
