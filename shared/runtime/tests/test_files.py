"""Files on a real MongoDB: streamed in, whole or in ranges out, refused, forgotten and swept."""

import hashlib
import uuid
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import Request, Response
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from shared.kernel.errors import Conflict, NotFound, Refused, TooLarge, Unavailable
from shared.runtime.files import CHUNK_BYTES, Files
from shared.runtime.http import build_app
from shared.runtime.settings import Limits, Settings

LIMITS = Limits(upload_bytes=5 * 1024 * 1024)
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 8_000


class Days:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
async def database(mongo_uri: str) -> AsyncIterator[AsyncDatabase[Any]]:
    async with AsyncMongoClient[Any](mongo_uri) as client:
        name = f"files_{uuid.uuid4().hex[:12]}"
        yield client[name]
        await client.drop_database(name)


@pytest.fixture
def clock() -> Days:
    return Days()


@pytest.fixture
async def files(database: AsyncDatabase[Any], clock: Days) -> Files:
    files = Files(database, LIMITS, clock=clock)
    await files.prepare()
    return files


async def _parts(content: bytes, size: int = 70_000) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


async def _all(parts: AsyncIterator[bytes]) -> bytes:
    return b"".join([part async for part in parts])


async def _nothing_is_stored(database: AsyncDatabase[Any]) -> bool:
    return not (
        await database["uploads.files"].count_documents({})
        or await database["uploads.chunks"].count_documents({})
    )


async def test_an_engine_that_is_away_is_said_to_be(caplog: pytest.LogCaptureFixture) -> None:
    async with AsyncMongoClient[Any]("mongodb://127.0.0.1:1", serverSelectionTimeoutMS=20) as client:
        away = Files(client["files"], LIMITS)

        async def none_of(_: Sequence[str]) -> Collection[str]:
            return []

        for asked in (
            away.store(_parts(PDF), name="budget.pdf", by="ann"),
            away.about("f1"),
            away.open("f1"),
            away.delete("f1"),
            away.delete_of("ann"),
            away.sweep(none_of),
        ):
            with pytest.raises(Unavailable):
                await asked
        await away.discard("f1")


async def test_the_files_of_one_member_are_deleted(files: Files, database: AsyncDatabase[Any]) -> None:
    kept = await files.store(_parts(PDF), name="mine.pdf", by="bob")
    for name in ("a.pdf", "b.pdf"):
        await files.store(_parts(PDF), name=name, by="ann")
    await files.delete_of("ann")
    assert [file["_id"] async for file in database["uploads.files"].find({})] == [kept.file_id]
    assert await database["uploads.chunks"].distinct("files_id") == [kept.file_id]
    plan = await database["uploads.files"].find({"metadata.by": "ann"}).explain()
    assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])


async def test_a_file_comes_back_as_it_went_in(files: Files) -> None:
    stored = await files.store(_parts(PDF), name="../budget.html", by="ann")
    assert (stored.name, stored.media_type, stored.size) == ("budget.html", "application/pdf", len(PDF))
    assert stored.sha256 == hashlib.sha256(PDF).hexdigest()
    assert await _all(await files.open(stored.file_id)) == PDF
    found = await files.about(stored.file_id)
    assert abs(found.uploaded_at - stored.uploaded_at) < timedelta(milliseconds=1)
    assert (found.name, found.sha256, found.uploaded_by) == (stored.name, stored.sha256, "ann")


async def test_a_file_past_the_limit_is_refused_and_leaves_nothing(
    files: Files, database: AsyncDatabase[Any]
) -> None:
    with pytest.raises(TooLarge) as refused:
        await files.store(_parts(b"x" * (LIMITS.upload_bytes + 1)), name="big", by="ann")
    assert refused.value.params == {"most": 5}
    assert await _nothing_is_stored(database)


async def test_an_empty_file_is_refused(files: Files, database: AsyncDatabase[Any]) -> None:
    with pytest.raises(Refused, match="empty"):
        await files.store(_parts(b""), name="none", by="ann")
    assert await _nothing_is_stored(database)


async def test_an_upload_that_breaks_off_leaves_nothing(files: Files, database: AsyncDatabase[Any]) -> None:
    async def breaks_off() -> AsyncIterator[bytes]:
        yield b"x" * (3 * CHUNK_BYTES)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await files.store(breaks_off(), name="half", by="ann")
    assert await _nothing_is_stored(database)


async def test_an_upload_is_never_in_memory_as_a_whole(files: Files, database: AsyncDatabase[Any]) -> None:
    written = []

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"x" * CHUNK_BYTES
            written.append(await database["uploads.chunks"].count_documents({}))

    await files.store(parts(), name="big", by="ann")
    assert written == [1, 2, 3, 4]


async def test_only_a_fresh_upload_of_ones_own_may_be_referred_to(files: Files, clock: Days) -> None:
    stored = await files.store(_parts(PDF), name="a.pdf", by="ann")
    assert (await files.referable(stored.file_id, "ann")).file_id == stored.file_id
    with pytest.raises(NotFound):
        await files.referable(stored.file_id, "ben")
    clock.now += timedelta(hours=LIMITS.upload_fresh_hours)
    with pytest.raises(Conflict, match="too old"):
        await files.referable(stored.file_id, "ann")


async def test_a_deleted_file_is_gone_and_deleting_it_again_is_no_error(files: Files) -> None:
    stored = await files.store(_parts(PDF), name="a.pdf", by="ann")
    await files.delete(stored.file_id)
    await files.delete(stored.file_id)
    with pytest.raises(NotFound):
        await files.about(stored.file_id)
    with pytest.raises(NotFound):
        await files.open(stored.file_id)


async def test_the_sweep_takes_old_orphans_and_nothing_else(files: Files, clock: Days) -> None:
    kept = await files.store(_parts(PDF), name="kept.pdf", by="ann")
    orphan = await files.store(_parts(PDF), name="orphan.pdf", by="ann")
    clock.now += timedelta(hours=LIMITS.upload_orphan_hours + 1)
    fresh = await files.store(_parts(PDF), name="fresh.pdf", by="ann")

    async def referenced(ids: Sequence[str]) -> Collection[str]:
        assert fresh.file_id not in ids
        return {kept.file_id}

    assert await files.sweep(referenced) == 1
    assert await files.sweep(referenced) == 0
    assert await _all(await files.open(kept.file_id)) == PDF
    assert await _all(await files.open(fresh.file_id)) == PDF
    with pytest.raises(NotFound):
        await files.about(orphan.file_id)


async def test_the_sweep_takes_what_a_killed_process_left(
    files: Files, database: AsyncDatabase[Any], clock: Days
) -> None:
    stored = await files.store(_parts(PDF), name="a.pdf", by="ann")
    await database["uploads.files"].delete_one({"_id": stored.file_id})

    async def referenced(ids: Sequence[str]) -> Collection[str]:
        return ids

    assert await files.sweep(referenced) == 0
    clock.now += timedelta(hours=LIMITS.upload_orphan_hours + 1)
    assert await files.sweep(referenced) == 1
    assert await _nothing_is_stored(database)


@pytest.fixture
async def client(files: Files) -> AsyncIterator[httpx.AsyncClient]:
    app = build_app("files", Settings(limits=LIMITS))

    @app.post("/files", max_body_size=LIMITS.upload_bytes + 1024)
    async def upload(request: Request, name: str) -> dict[str, str]:
        stored = await files.store(request.stream(), name=name, by="ann")
        return {"file_id": stored.file_id}

    @app.get("/files/{file_id}")
    async def download(file_id: str, request: Request) -> Response:
        return await files.answer(file_id, request)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://files") as client:
        yield client


async def test_a_file_travels_over_http(client: httpx.AsyncClient) -> None:
    put = await client.post("/files", params={"name": "Årsrapport.pdf"}, content=PDF)
    whole = await client.get(f"/files/{put.json()['file_id']}")
    assert whole.status_code == 200 and whole.content == PDF
    assert whole.headers["content-type"] == "application/pdf"
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert "%C3%85rsrapport.pdf" in whole.headers["content-disposition"]
    assert whole.headers["content-length"] == str(len(PDF))


async def test_html_is_never_served_as_html(client: httpx.AsyncClient) -> None:
    put = await client.post("/files", params={"name": "a.html"}, content=b"<script>alert(1)</script>")
    got = await client.get(f"/files/{put.json()['file_id']}")
    assert got.headers["content-type"] == "text/plain; charset=utf-8"
    assert "sandbox" in got.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("bytes=0-9", PDF[:10]),
        (f"bytes={CHUNK_BYTES - 3}-{CHUNK_BYTES + 3}", PDF[CHUNK_BYTES - 3 : CHUNK_BYTES + 4]),
        ("bytes=-7", PDF[-7:]),
        (f"bytes={len(PDF) - 1}-", PDF[-1:]),
    ],
)
async def test_a_range_is_answered_with_just_that(
    client: httpx.AsyncClient, wanted: str, expected: bytes
) -> None:
    put = await client.post("/files", params={"name": "a.pdf"}, content=PDF)
    part = await client.get(f"/files/{put.json()['file_id']}", headers={"Range": wanted})
    assert part.status_code == 206 and part.content == expected
    assert part.headers["content-range"].endswith(f"/{len(PDF)}")
    assert part.headers["content-length"] == str(len(expected))


async def test_ranges_follow_the_version_that_the_browser_has(client: httpx.AsyncClient) -> None:
    put = await client.post("/files", params={"name": "a.pdf"}, content=PDF)
    address = f"/files/{put.json()['file_id']}"
    tag = (await client.get(address, headers={"Range": "bytes=0-1"})).headers["etag"]
    same = await client.get(address, headers={"Range": "bytes=0-1", "If-Range": tag})
    other = await client.get(address, headers={"Range": "bytes=0-1", "If-Range": '"other"'})
    unchanged = await client.get(address, headers={"If-None-Match": tag})
    assert [same.status_code, other.status_code, unchanged.status_code] == [206, 200, 304]
    past = await client.get(address, headers={"Range": f"bytes={len(PDF)}-"})
    assert past.status_code == 416 and past.headers["content-range"] == f"bytes */{len(PDF)}"
    assert past.json()["code"] == "range-not-there"


async def test_an_upload_past_the_limit_is_a_problem(
    client: httpx.AsyncClient, database: AsyncDatabase[Any]
) -> None:
    announced = await client.post(
        "/files", params={"name": "a"}, content=b"x" * (LIMITS.upload_bytes + 5_000)
    )
    streamed = await client.post(
        "/files", params={"name": "a"}, content=_parts(b"x" * (LIMITS.upload_bytes + 1))
    )
    assert announced.json()["code"] == "too-large" and announced.status_code == 413
    assert streamed.json()["code"] == "file-too-large" and streamed.status_code == 413
    assert await _nothing_is_stored(database)
