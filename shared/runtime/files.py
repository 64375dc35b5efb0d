"""Uploaded files: bytes first, immutable and durable; then the event that refers to them. Kept in GridFS.

An upload may be referred to while it is fresh, and is swept once it is an orphan: the hours between keep a
sweep from taking a file that an event is just about to name.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bson.codec_options import CodecOptions
from fastapi import Request
from gridfs import NoFile
from gridfs.asynchronous import AsyncGridFSBucket, AsyncGridOut
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern
from starlette.responses import Response, StreamingResponse

from shared.kernel.errors import Conflict, NotFound, Refused, TooLarge, Unavailable
from shared.runtime import problems, telemetry
from shared.runtime.away import reading
from shared.runtime.ids import new_id
from shared.runtime.logging import get_logger
from shared.runtime.media import HEAD_BYTES, disposition, media_type, safe_name
from shared.runtime.ranges import Span, Unsatisfiable, span_of
from shared.runtime.settings import Limits

BUCKET = "uploads"
CHUNK_BYTES = 1024 * 1024
SWEPT_AT_ONCE = 500

log = get_logger(__name__)

#: Which of these ids some event still refers to.
Referenced = Callable[[Sequence[str]], Awaitable[Collection[str]]]
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is stored: what an event keeps of it. `media_type` was found in its content."""

    file_id: str
    name: str
    media_type: str
    size: int
    sha256: str
    uploaded_by: str
    uploaded_at: datetime


def _now() -> datetime:
    return datetime.now(UTC)


class Files:
    """The files of one service. `clock` tells ages; tests pass their own."""

    def __init__(self, database: AsyncDatabase[Any], limits: Limits, *, clock: Clock = _now) -> None:
        self._limits = limits
        self._clock = clock
        durable: AsyncDatabase[Any] = database.with_options(
            codec_options=CodecOptions(tz_aware=True, tzinfo=UTC),
            write_concern=WriteConcern(w="majority", j=True),
            read_concern=ReadConcern("majority"),
        )
        self._bucket = AsyncGridFSBucket(durable, BUCKET)
        self._files = durable[f"{BUCKET}.files"]
        self._chunks = durable[f"{BUCKET}.chunks"]

    async def prepare(self) -> None:
        """Makes the indexes that uploads and sweeps need."""
        await self._files.create_index("uploadDate")
        await self._files.create_index("metadata.by")
        await self._chunks.create_index([("files_id", 1), ("n", 1)], unique=True)

    async def store(self, parts: AsyncIterator[bytes], *, name: str, by: str) -> Stored:
        """Stores what arrives, a chunk in memory at a time. Raises TooLarge or Refused, leaving nothing."""
        stored = Stored(new_id(), safe_name(name), "", 0, "", by, self._clock())
        try:
            # Written, not read; but where the outcome is unknown nobody has heard of the file.
            with reading():
                stored = await self._write(parts, stored)
                if not stored.size:
                    raise Refused("file-empty", "This file is empty. Choose another one.", field="file")
                await self._files.insert_one(_document(stored))
        except BaseException:
            # Also when the client leaves or the process stops.
            await self.discard(stored.file_id)
            raise
        telemetry.FILES_STORED.inc(stored.size)
        return stored

    async def _write(self, parts: AsyncIterator[bytes], file: Stored) -> Stored:
        """The chunks, in GridFS's form; its own writer keeps up to 48 MB of every upload in memory."""
        digest, size, number, head, chunk = hashlib.sha256(), 0, 0, b"", bytearray()
        async for part in parts:
            size += len(part)
            if size > self._limits.upload_bytes:
                raise TooLarge(
                    "file-too-large",
                    "A file has at most {most} MB. Make it smaller or split it.",
                    field="file",
                    params={"most": self._limits.upload_bytes // 1024**2},
                )
            digest.update(part)
            head += part[: HEAD_BYTES - len(head)]
            chunk += part
            while len(chunk) >= CHUNK_BYTES:
                await self._write_chunk(file, number, chunk[:CHUNK_BYTES])
                number += 1
                del chunk[:CHUNK_BYTES]
        if chunk:
            await self._write_chunk(file, number, chunk)
        return replace(file, size=size, sha256=digest.hexdigest(), media_type=media_type(head))

    async def _write_chunk(self, file: Stored, number: int, data: bytearray) -> None:
        await self._chunks.insert_one({"files_id": file.file_id, "n": number, "data": bytes(data)})

    async def about(self, file_id: str) -> Stored:
        """Raises NotFound."""
        with reading():
            document = await self._files.find_one({"_id": file_id})
        if document is None:
            raise _gone()
        return _stored(document)

    async def referable(self, file_id: str, by: str) -> Stored:
        """The file, if `by` uploaded it recently enough for a new event. Raises NotFound or Conflict."""
        found = await self.about(file_id)
        if found.uploaded_by != by:
            raise _gone()
        if self._clock() - found.uploaded_at >= timedelta(hours=self._limits.upload_fresh_hours):
            raise Conflict(
                "upload-too-old", "This upload is too old to be used. Upload the file again.", field="file"
            )
        return found

    async def open(self, file_id: str, span: Span | None = None) -> AsyncIterator[bytes]:
        """The bytes of `span`, or all. Raises NotFound before the first of them."""
        try:
            with reading():
                out = await self._bucket.open_download_stream(file_id)
        except NoFile:
            raise _gone() from None
        return _read(out, span or Span(0, out.length, out.length))

    async def answer(self, file_id: str, request: Request, name: str | None = None) -> Response:
        """The file as a response, whole or the range asked for. The caller has checked who may read it."""
        found = await self.about(file_id)
        headers = {
            "Accept-Ranges": "bytes",
            "ETag": f'"{found.sha256}"',
            "Content-Disposition": disposition(name or found.name, found.media_type),
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": _policy(found.media_type),
            "Cache-Control": "private, no-cache",
        }
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        wanted = request.headers.get("range")
        if request.headers.get("if-range", headers["ETag"]) != headers["ETag"]:
            wanted = None
        try:
            span = span_of(wanted, found.size)
        except Unsatisfiable:
            return problems.answer(problems.of_range(), {"Content-Range": f"bytes */{found.size}"})
        headers["Content-Length"] = str(span.length if span else found.size)
        if span:
            headers["Content-Range"] = span.content_range
        return StreamingResponse(
            await self.open(file_id, span), 206 if span else 200, headers, found.media_type
        )

    async def delete(self, file_id: str) -> None:
        """Deletes the bytes; once the event that says so is stored. Deleting twice is as good as once."""
        with reading():
            await self._files.delete_one({"_id": file_id})
            await self._chunks.delete_many({"files_id": file_id})

    async def discard(self, *file_ids: str) -> None:
        """Deletes what nothing refers to. What cannot be deleted now the sweep takes; nobody is told."""
        try:
            for file_id in file_ids:
                await self.delete(file_id)
        except (Unavailable, PyMongoError) as error:
            log.warning("files are left to the sweep", error=repr(error)[:300])

    async def delete_of(self, by: str) -> None:
        """Deletes everything that a member uploaded."""
        with reading():
            found = await self._files.find({"metadata.by": by}, {"_id": 1}).to_list()
        for document in found:
            await self.delete(str(document["_id"]))

    async def sweep(self, referenced: Referenced) -> int:
        """Deletes uploads older than `upload_orphan_hours` that nothing refers to; answers how many."""
        before = self._clock() - timedelta(hours=self._limits.upload_orphan_hours)
        swept, after = 0, ""
        while True:
            old = self._files.find({"_id": {"$gt": after}, "uploadDate": {"$lt": before}}, {"_id": 1})
            with reading():
                ids = [str(document["_id"]) async for document in old.sort("_id", 1).limit(SWEPT_AT_ONCE)]
            if not ids:
                with reading():
                    return swept + await self._sweep_chunks(before)
            kept = set(await referenced(ids))
            for file_id in ids:
                if file_id not in kept:
                    await self.delete(file_id)
                    swept += 1
            after = ids[-1]

    async def _sweep_chunks(self, before: datetime) -> int:
        """Chunks of uploads that were cut off have no file document; their ids tell when they began."""
        unfinished = await self._chunks.aggregate(
            [
                {"$match": {"n": 0, "files_id": {"$lt": _first_id_at(before)}}},
                {
                    "$lookup": {
                        "from": self._files.name,
                        "localField": "files_id",
                        "foreignField": "_id",
                        "as": "of",
                    }
                },
                {"$match": {"of": []}},
                {"$project": {"files_id": 1}},
            ]
        )
        ids = [str(chunk["files_id"]) async for chunk in unfinished]
        for file_id in ids:
            await self._chunks.delete_many({"files_id": file_id})
        return len(ids)


def _first_id_at(moment: datetime) -> str:
    """The least id of that `moment`: ids begin with 48 bits of milliseconds (UUID version 7)."""
    return f"{int(moment.timestamp() * 1000):012x}".ljust(32, "0")


async def _read(out: AsyncGridOut, span: Span) -> AsyncIterator[bytes]:
    await out.seek(span.start)
    left = span.length
    while left > 0:
        part = await out.read(min(left, CHUNK_BYTES))
        if not part:
            raise OSError(f"file {out._id} ends {left} bytes early")
        left -= len(part)
        yield part


def _policy(kind: str) -> str:
    """Nothing runs and nothing is fetched. Browsers show no PDF in a sandbox, and run none of its scripts."""
    return "default-src 'none'" if kind == "application/pdf" else "default-src 'none'; sandbox"


def _gone() -> NotFound:
    return NotFound("no-such-file", "This file does not exist, or not for you.", field="file")


def _document(file: Stored) -> dict[str, Any]:
    """As GridFS keeps it, so that its tools and drivers read it too."""
    return {
        "_id": file.file_id,
        "filename": file.name,
        "length": file.size,
        "chunkSize": CHUNK_BYTES,
        "uploadDate": file.uploaded_at,
        "metadata": {"by": file.uploaded_by, "sha256": file.sha256, "media_type": file.media_type},
    }


def _stored(document: dict[str, Any]) -> Stored:
    about = document["metadata"]
    return Stored(
        document["_id"],
        document["filename"],
        about["media_type"],
        document["length"],
        about["sha256"],
        about["by"],
        document["uploadDate"],
    )
