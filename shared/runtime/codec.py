"""How a commit lies in MongoDB and how its events travel through Kafka. The one place that knows either form.

MongoDB: one document per commit, its `_id` is `<stream>:<first version>`, zero-padded so that it sorts by
version. Kafka: one record per event, CloudEvents 1.0 in binary mode with the extensions `sequence`,
`recordedtime` and `correlation`.
"""

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pydantic_core import PydanticSerializationError

from shared.kernel.errors import Refused, TooLarge, Undecodable
from shared.kernel.events import Event, Occasion, Recorded

#: An event's data as JSON, in bytes; what is larger belongs in a file that the event refers to.
LARGEST_EVENT = 900_000
#: All events of one commit together, in bytes: MongoDB takes 16 MB a document, Kafka 4 MB a request.
LARGEST_COMMIT = 3_000_000
#: Streams are spread over this many partitions of their service's topics, for ever: more would break the
#: order per stream.
PARTITIONS = 4

#: View documents: times say that they are UTC.
CODEC: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True, tzinfo=UTC)
#: Commits: times are UTC and do not say so, which is decoded several times as fast.
COMMITS: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=False)
_STREAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,119}")
_TYPE_PREFIX = "fikarum."

Header = tuple[str, bytes]
#: W3C Trace Context, in a record of an event that a traced request caused.
TRACEPARENT = "traceparent"


def partition_of(stream: str) -> int:
    """The partition that all events of a stream go to."""
    return zlib.crc32(stream.encode()) % PARTITIONS


def commit_key(stream: str, version: int) -> str:
    """The `_id` of the commit that begins with `version`: the optimistic lock of the stream."""
    return f"{stream}:{version:010d}"


def stream_range(stream: str, first: int = 1) -> dict[str, str]:
    """The `_id`s of a stream's commits that begin at `first` or later (';' follows ':')."""
    return {"$gte": commit_key(stream, first), "$lt": f"{stream};"}


def check_stream(stream: str) -> None:
    if not _STREAM.fullmatch(stream):
        raise Refused("bad-stream-name", "An id has letters, digits, '-' and '_' only, at most 120.")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, encoded and checked by its caller, ready to join a batch."""

    key: str
    stream: str
    first: int
    size: int
    commit_id: str
    recorded_at: datetime
    document: RawBSONDocument
    idempotency: str | None = None

    @property
    def tail(self) -> int:
        return self.first + self.size - 1

    @property
    def partition(self) -> int:
        return partition_of(self.stream)


def encode_commit(
    stream: str,
    first: int,
    events: Sequence[tuple[str, Event]],
    occasion: Occasion,
    *,
    commit_id: str,
    recorded_at: datetime,
    idempotency: tuple[str, str] | None = None,
    traceparent: str | None = None,
) -> Commit:
    """The commit of `events` (each with its id) at version `first`. Raises Refused for what cannot be
    stored."""
    check_stream(stream)
    occurred = occasion.occurred_at or recorded_at
    stored = [_stored(event_id, event, occurred) for event_id, event in events]
    document: dict[str, Any] = {
        "_id": commit_key(stream, first),
        "commit_id": commit_id,
        "recorded_at": recorded_at,
        "by": occasion.by,
        "correlation_id": occasion.correlation_id,
        "causation_id": occasion.causation_id,
        "partition": partition_of(stream),
        "events": stored,
    }
    if occasion.imported:
        document["imported"] = True
    if traceparent is not None:
        document["traceparent"] = traceparent
    if idempotency is not None:
        document["idempotency"], document["request_hash"] = idempotency
    if any(event.topic for _, event in events):
        document["unsent"] = True
    try:
        encoded = bson.encode(document)
    except (bson.errors.InvalidStringData, bson.errors.InvalidDocument, OverflowError, UnicodeError) as error:
        raise Refused("not-storable", "This holds text or numbers that cannot be stored.") from error
    if len(encoded) > LARGEST_COMMIT:
        raise TooLarge("commit-too-large", "This is too much at once. Do it in smaller steps.")
    return Commit(
        key=document["_id"],
        stream=stream,
        first=first,
        size=len(stored),
        commit_id=commit_id,
        recorded_at=recorded_at,
        document=RawBSONDocument(encoded),
        idempotency=idempotency[0] if idempotency else None,
    )


def _stored(event_id: str, event: Event, occurred_at: datetime) -> dict[str, Any]:
    try:
        data = event.model_dump_json()
    except (PydanticSerializationError, UnicodeError) as error:
        raise Refused(
            "not-storable", "This holds text that cannot be stored: remove broken characters and try again."
        ) from error
    if len(data) > LARGEST_EVENT or len(data.encode()) > LARGEST_EVENT:
        raise TooLarge(
            "event-too-large",
            "This is larger than {most} bytes. Attach it as a file instead.",
            params={"most": LARGEST_EVENT},
        )
    stored = {"id": event_id, "type": type(event).__name__, "schema": event.version, "data": data}
    stored["occurred_at"] = occurred_at
    if event.topic is not None:
        stored["topic"] = event.topic
    return stored


def split_key(key: str) -> tuple[str, int]:
    """Stream and first version of a commit's `_id`."""
    stream, _, version = key.rpartition(":")
    return stream, int(version)


def recorded_events(document: Mapping[str, Any]) -> Iterator[Recorded]:
    """The events of a stored commit."""
    stream, version = split_key(document["_id"])
    recorded_at, commit_id = document["recorded_at"], document["commit_id"]
    correlation, causation = document["correlation_id"], document["causation_id"]
    by, imported = document["by"], document.get("imported", False)
    for event in document["events"]:
        yield Recorded(
            event["id"],
            event["type"],
            event["schema"],
            event["data"],
            stream,
            version,
            event["occurred_at"],
            recorded_at,
            commit_id,
            correlation,
            causation,
            by,
            imported,
        )
        version += 1


def _iso(utc: datetime) -> bytes:
    """RFC 3339, as CloudEvents want it."""
    return f"{utc.isoformat()}Z".encode()


def _utc(text: bytes) -> datetime:
    """Raises ValueError. Our own times end in Z; another offset is understood too."""
    if text.endswith(b"Z"):
        return datetime.fromisoformat(text[:-1].decode())
    at = datetime.fromisoformat(text.decode())
    return at.astimezone(UTC).replace(tzinfo=None)


class Outgoing(NamedTuple):
    """One record for Kafka: topic without namespace, key, value and headers."""

    topic: str
    key: bytes
    value: bytes
    headers: list[Header]


def outgoing(document: Mapping[str, Any], service: str) -> list[Outgoing]:
    """The records of a stored commit; events that stay in their stream have none."""
    stream, first = split_key(document["_id"])
    shared: list[Header] = [
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_source", f"/{service}".encode()),
        ("ce_subject", stream.encode()),
        ("ce_recordedtime", _iso(document["recorded_at"])),
        ("ce_correlationid", document["correlation_id"].encode()),
        ("ce_commitid", document["commit_id"].encode()),
        ("ce_commitversion", str(first).encode()),
    ]
    if document["causation_id"]:
        shared.append(("ce_causationid", document["causation_id"].encode()))
    if document["by"]:
        shared.append(("ce_memberid", document["by"].encode()))
    if document.get("imported"):
        shared.append(("ce_imported", b"true"))
    if "traceparent" in document:
        # CloudEvents' extension for distributed tracing; the bare name is what tracing libraries look for.
        shared.append((TRACEPARENT, document["traceparent"].encode()))
    key = stream.encode()
    return [
        Outgoing(
            event["topic"],
            key,
            event["data"].encode(),
            [
                *shared,
                ("ce_id", event["id"].encode()),
                ("ce_type", f"{_TYPE_PREFIX}{event['type']}.v{event['schema']}".encode()),
                ("ce_time", _iso(event["occurred_at"])),
                ("ce_sequence", str(first + at).encode()),
            ],
        )
        for at, event in enumerate(document["events"])
        if "topic" in event
    ]


def event_name(headers: Mapping[str, bytes]) -> tuple[str, int]:
    """Name and schema version of the event in a record. Raises Undecodable."""
    try:
        return _event_name(headers["ce_type"])
    except (KeyError, ValueError) as error:
        raise Undecodable(f"no CloudEvents type: {error}") from error


@lru_cache(1_024)
def _event_name(ce_type: bytes) -> tuple[str, int]:
    name, _, version = ce_type.decode().removeprefix(_TYPE_PREFIX).rpartition(".v")
    return name, int(version)


def incoming(headers: Mapping[str, bytes], value: bytes | None) -> Recorded:
    """The event that a record carries, its data not yet read. Raises Undecodable."""
    name, schema = event_name(headers)
    try:
        causation, by = headers.get("ce_causationid"), headers.get("ce_memberid")
        time, recordedtime = headers["ce_time"], headers["ce_recordedtime"]
        recorded_utc = _utc(recordedtime)
        return Recorded(
            headers["ce_id"].decode(),
            name,
            schema,
            value or b"",
            headers["ce_subject"].decode(),
            int(headers["ce_sequence"]),
            recorded_utc if time == recordedtime else _utc(time),
            recorded_utc,
            headers["ce_commitid"].decode(),
            headers["ce_correlationid"].decode(),
            causation.decode() if causation else None,
            by.decode() if by else None,
            "ce_imported" in headers,
        )
    except (KeyError, ValueError) as error:
        raise Undecodable(f"not one of our CloudEvents: {error!r}") from error
