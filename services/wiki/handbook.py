"""Reads the history of a handbook (JSON Lines, also xz) and says what it means for the wiki, line by line.

Pure planning, in one pass and in bounded memory: a put on a path where nothing lives starts a page, whose id
derives from the source's name and the line. Lines that cannot be kept are named with the reason; the rest
goes on.
"""

import hashlib
import json
import lzma
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Literal

from services.wiki.domain.paths import checked_path
from services.wiki.domain.writing import checked_body
from shared.kernel.errors import Refused

#: Longest line and longest history once unpacked, in bytes; memory that unpacking may take.
LONGEST_LINE = 4_000_000
LONGEST_HISTORY = 1_000_000_000
#: Most lines, and most that cannot be kept: each of those is remembered and reported.
MOST_LINES = 2_000_000
MOST_PROBLEMS = 100_000
UNPACKING_MEMORY = 256_000_000
LONGEST_AUTHOR = 100

_NAMESPACE = uuid.UUID("0d5a0b52-3f6e-4e38-9d0d-52a2d4a0f3c7")
_XZ = b"\xfd7zXZ\x00"
#: How other archives begin, which are told from texts so that somebody hears what to do.
_OTHER_ARCHIVES = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd"}
_CHUNK = 1 << 16
_FIELDS = {
    "put": {"at", "author", "op", "path", "body"},
    "move": {"at", "author", "op", "path", "body", "from"},
    "delete": {"at", "author", "op", "path"},
}

Op = Literal["start", "revise", "move", "delete"]


class BrokenHistory(Exception):
    """The file as a whole cannot be read any further."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line as the wiki understands it. `author` is the history's own name for somebody."""

    line: int
    op: Op
    page_id: str
    path: str
    author: str
    at: datetime
    from_path: str | None = None
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that is not kept, and why."""

    line: int
    code: str
    message: str


def page_id(source: str, line: int) -> str:
    """The id of the page that this line of this source starts, the same in every run."""
    return uuid.uuid5(_NAMESPACE, f"{source}\n{line}").hex


def lines(file: BinaryIO) -> Iterator[bytes]:
    """The file's lines, unpacked where it is xz, one at a time in memory. Raises BrokenHistory."""
    rest, total, count = b"", 0, 0
    for chunk in _chunks(file):
        total += len(chunk)
        if total > LONGEST_HISTORY:
            raise BrokenHistory(f"The history is longer than {LONGEST_HISTORY} bytes. Split the file.")
        *whole, rest = (rest + chunk).split(b"\n")
        count += len(whole)
        if count > MOST_LINES:
            raise BrokenHistory(f"The history has more than {MOST_LINES} lines. Split the file.")
        yield from whole
        if len(rest) > LONGEST_LINE:
            raise BrokenHistory(
                f"Line {count + 1} is longer than {LONGEST_LINE} bytes. Is this a history at all?"
            )
    if rest:
        yield rest


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    chunk = file.read(_CHUNK)
    for begin, name in _OTHER_ARCHIVES.items():
        if chunk.startswith(begin):
            raise BrokenHistory(f"This is a {name} archive. Unpack it, or pack it with xz.")
    if not chunk.startswith(_XZ):
        while chunk:
            yield chunk
            chunk = file.read(_CHUNK)
        return
    unpacker: lzma.LZMADecompressor | None = None
    while True:
        try:
            if unpacker is None:
                unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, UNPACKING_MEMORY)
            unpacked = unpacker.decompress(chunk, _CHUNK)
        except lzma.LZMAError as error:
            raise BrokenHistory(f"The xz archive is broken ({error}). Copy the file again.") from error
        if unpacked:
            yield unpacked
        chunk, unpacker = _next(file, unpacker)
        if unpacker is None and not chunk:
            return


def _next(file: BinaryIO, unpacker: lzma.LZMADecompressor) -> tuple[bytes, lzma.LZMADecompressor | None]:
    """What is to be unpacked next and by whom; archives may stand one after another."""
    if unpacker.eof:
        more = unpacker.unused_data.lstrip(b"\x00") or file.read(_CHUNK).lstrip(b"\x00")
        return more, None
    if not unpacker.needs_input:
        return b"", unpacker
    if not (chunk := file.read(_CHUNK)):
        raise BrokenHistory("The xz archive ends too early. Copy the file again.")
    return chunk, unpacker


@dataclass(slots=True)
class _Live:
    page_id: str
    digest: bytes


def plan(history: Iterable[bytes], source: str) -> Iterator[Change | Problem]:
    """What each line means, given the lines before it. Raises BrokenHistory where too few make sense."""
    live: dict[str, _Live] = {}
    problems = 0
    for number, raw in enumerate(history, 1):
        if not raw.strip():
            continue
        try:
            yield _change(number, _checked(raw), live, source)
        except Refused as refused:
            yield Problem(number, refused.code, str(refused))
            problems += 1
            if problems > MOST_PROBLEMS:
                raise BrokenHistory(
                    f"More than {MOST_PROBLEMS} lines cannot be kept, the last one because: {refused} "
                    "Is this a history at all?"
                ) from None


def _checked(raw: bytes) -> dict[str, Any]:
    """The line's fields, each of the right kind. Raises Refused."""
    if len(raw) > LONGEST_LINE:
        raise Refused("line-too-long", "The line is too long.")
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        raise Refused("line-not-json", "The line is no JSON object in UTF-8.") from None
    if not isinstance(said, dict) or not isinstance(said.get("op"), str) or said["op"] not in _FIELDS:
        raise Refused("line-op-unknown", "The line's op is none of put, move and delete.")
    if wrong := set(said) ^ _FIELDS[said["op"]]:
        raise Refused(
            "line-fields", "These fields are missing or unknown: {names}.", params={"names": _named(wrong)}
        )
    if wrong := {name for name, value in said.items() if not isinstance(value, str)}:
        raise Refused(
            "line-not-text", "These fields are not texts: {names}.", params={"names": _named(wrong)}
        )
    return {**said, "at": _time(said["at"]), "author": _author(said["author"])}


def _named(names: set[str]) -> str:
    return ", ".join(sorted(ascii(name)[1:-1][:40] for name in names)[:10])


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refused("line-time", "The line's time is not ISO 8601.") from None
    if at.tzinfo is None:
        raise Refused("line-time-local", "The line's time says no offset from UTC.")
    return at


def _author(name: str) -> str:
    if not name.isprintable() or not 1 <= len(name.strip()) <= LONGEST_AUTHOR:
        raise Refused("line-author", "The line's author is empty, too long or not printable.")
    return name.strip()


def _change(line: int, said: dict[str, Any], live: dict[str, _Live], source: str) -> Change:
    path = checked_path(said["path"])
    at, author = said["at"], said["author"]
    match said["op"]:
        case "delete":
            gone = _living(live, path)
            del live[path]
            return Change(line, "delete", gone.page_id, path, author, at)
        case "move":
            from_path, body = checked_path(said["from"]), checked_body(said["body"])
            page = _living(live, from_path)
            if path in live and path != from_path:
                raise Refused("line-path-taken", "The line moves a page onto another one.")
            del live[from_path]
            live[path] = _Live(page.page_id, _digest(body))
            return Change(line, "move", page.page_id, path, author, at, from_path, body)
    body = checked_body(said["body"])
    if path not in live:
        live[path] = _Live(page_id(source, line), _digest(body))
        return Change(line, "start", live[path].page_id, path, author, at, body=body)
    if live[path].digest == _digest(body):
        raise Refused("line-changes-nothing", "The line puts the text that is there already.")
    live[path].digest = _digest(body)
    return Change(line, "revise", live[path].page_id, path, author, at, body=body)


def _living(live: dict[str, _Live], path: str) -> _Live:
    if path not in live:
        raise Refused("line-path-not-live", "There is no page at the path that the line changes.")
    return live[path]


def _digest(body: str) -> bytes:
    return hashlib.sha256(body.encode()).digest()


def request(change: Change, by: str) -> dict[str, Any]:
    """The change as the wiki's import takes it, with its author as a member."""
    return {
        "line": change.line,
        "op": change.op,
        "page_id": change.page_id,
        "path": change.path,
        "from_path": change.from_path,
        "body": change.body,
        "by": by,
        "at": change.at.isoformat(),
    }
