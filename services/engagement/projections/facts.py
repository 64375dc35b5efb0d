"""A fact: one thing that a member did, as figures count it; and the months that facts are kept by.

Times are whole seconds since 1970, UTC. What happened is never later than its recording: a clock that runs
ahead is set back to that.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, NamedTuple

import msgspec
from pydantic import PlainSerializer, PlainValidator

from shared.kernel.events import Recorded

_EPOCH = datetime(1970, 1, 1)
#: Documents that say what changed in a month; no member is named so.
MONTH = "month:"


class Kind(StrEnum):
    """What was done."""

    POST = "post"
    ANNOUNCEMENT = "announcement"
    COMMENT = "comment"
    REACTION = "reaction"
    ACKNOWLEDGEMENT = "acknowledgement"
    PAGE_STARTED = "page-started"
    PAGE_REVISED = "page-revised"
    PAGE_MOVED = "page-moved"
    PAGE_DELETED = "page-deleted"
    PAGE_RESTORED = "page-restored"
    SPACE_OPENED = "space-opened"
    GROUP_STARTED = "group-started"
    GROUP_JOINED = "group-joined"
    #: Something only a member who is signed in can do, which says nothing else: their consent, their profile.
    HERE = "here"
    #: Under consent only.
    OPENED = "opened"
    READ = "read"


class Fact(NamedTuple):
    """`ref` is what it was done to: the post or comment that was answered, the page, the thing opened.

    `language` is that of the text, where it is known; `others` are members whom the text mentions. Stream and
    version name the event.
    """

    at: int
    stream: str
    version: int
    kind: str
    ref: str
    language: str
    recorded: int
    others: tuple[str, ...]


_PACKER = msgspec.msgpack.Encoder()
_UNPACKER = msgspec.msgpack.Decoder(list[Fact])


def unpacked(kept: bytes | list[Fact]) -> list[Fact]:
    """The facts of a document as the store keeps them: a figure reads tens of thousands at once, and as
    documents of the store's own, field by field, five times as long."""
    return _UNPACKER.decode(kept) if isinstance(kept, bytes) else kept


#: In the order of event time.
Facts = Annotated[list[Fact], PlainValidator(unpacked), PlainSerializer(_PACKER.encode, return_type=bytes)]


class Changes(NamedTuple):
    """What changed in a month (by event time), for whoever kept a figure of it: how often, when the first of
    it happened, and when the first and the last were recorded."""

    times: int
    first_at: int
    first_recorded: int
    last_recorded: int


#: `Changes`, as it is kept: in the documents of months only.
Counted = tuple[int, int, int, int]


def changed(before: Counted | None, told: Sequence[Recorded]) -> Counted:
    """By these events too; `told` is not empty."""
    count, first_at = len(told), seconds(min(happened(recorded) for recorded in told))
    times = [recorded.recorded_utc for recorded in told]
    first, last = seconds(min(times)), seconds(max(times))
    if before is not None:
        count, first_at = before[0] + count, min(before[1], first_at)
        first, last = min(before[2], first), max(before[3], last)
    return Changes(count, first_at, first, last)


def seconds(utc: datetime) -> int:
    """Of a time in UTC that does not say so."""
    since = utc - _EPOCH
    return since.days * 86_400 + since.seconds


def happened(recorded: Recorded) -> datetime:
    """UTC, without saying so; never later than the recording."""
    occurred, known = recorded.occurred_utc, recorded.recorded_utc
    return occurred if occurred <= known else known


def month_of(day: date) -> str:
    """2026-03"""
    return f"{day.year:04d}-{day.month:02d}"


def of_seconds(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)
