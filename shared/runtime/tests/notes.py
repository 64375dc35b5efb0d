"""A service of notes that the tests of HTTP talk to: every kind of route, and every way to go wrong."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import httpx
from fastapi import Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from shared.kernel import errors
from shared.kernel.errors import Unauthenticated
from shared.runtime.auth import Actor
from shared.runtime.http import (
    After,
    Api,
    Caller,
    Cursor,
    Doing,
    IdempotencyKey,
    IfMatch,
    Input,
    PageSize,
    Permissions,
    Unsigned,
    answer_behind,
    answer_commit,
    build_app,
)
from shared.runtime.settings import Limits, Settings
from shared.runtime.store import Committed

LIMITS = Limits(body_bytes=20_000, requests_at_once=4, page_size_most=50)


class Line(Input):
    text: Annotated[str, Field(min_length=1, max_length=1_000)]
    rank: int = 0


class Note(Input):
    title: Annotated[str, Field(max_length=200)]
    lines: Annotated[tuple[Line, ...], Field(max_length=50)] = ()
    pinned: bool = False
    weight: float | None = None
    anything: dict[str, Any] | None = None


MEMBERS = {
    "ann": Actor("ann", frozenset({"member"}), "s1"),
    "boss": Actor("boss", frozenset({"admin"}), "s2"),
}


class Doorkeeper:
    """Knows two members by name."""

    async def verify(self, token: str) -> Actor:
        if token in MEMBERS:
            return MEMBERS[token]
        raise Unauthenticated("token-invalid", "This sign-in is not valid. Sign in again.")


ANN = {"Authorization": "Bearer ann"}
BOSS = {"Authorization": "Bearer boss"}
may = Permissions({"notes.read": {"member", "admin"}, "notes.delete": {"admin"}})


class Doors:
    """What a test opens and closes: the gate that `/wait` waits at, and what readiness waits for."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.reached = asyncio.Event()
        self.waiting: list[str] = []

    async def ready(self) -> Sequence[str]:
        return self.waiting


def notes_app(doors: Doors) -> Api:
    app = build_app("notes", Settings(limits=LIMITS), verifier=Doorkeeper(), ready=doors.ready)
    _routes(app, doors)
    return app


def _routes(app: Api, doors: Doors) -> None:
    @app.post("/notes")
    async def write_note(note: Note, doing: Doing, response: Response) -> dict[str, Any]:
        answer_commit(response, Committed("notes", "note-1", 7, "c1"))
        return {"by": doing.by, "correlation_id": doing.correlation_id, "causation_id": doing.causation_id}

    @app.put("/notes/{note_id}")
    async def revise_note(
        note_id: str, note: Note, if_match: IfMatch, key: IdempotencyKey, quietly: bool = False
    ) -> dict[str, Any]:
        return {"if_match": if_match, "key": key and [key.member_id, key.key, key.request_hash]}

    @app.get("/notes")
    async def list_notes(
        response: Response,
        caller: Caller,
        limit: PageSize,
        cursor: Cursor,
        after: After,
        q: str = "",
        kind: Annotated[list[str] | None, Query()] = None,
    ) -> dict[str, Any]:
        answer_behind(response, after is not None)
        return {"limit": limit, "cursor": cursor, "after": after} | ({"kind": kind} if kind else {})

    @app.delete("/notes/{note_id}")
    async def delete_note(note_id: str, actor: Annotated[Actor, may.require("notes.delete")]) -> str:
        return actor.member_id

    @app.post("/sign-in")
    async def sign_in(doing: Unsigned) -> dict[str, str | None]:
        return {"by": doing.by}

    @app.get("/refusals/{kind}")
    async def refuse(kind: str) -> None:
        raise getattr(errors, kind)(
            "some-code", "There are {count} of {what}.", params={"count": 3, "what": kind}
        )

    @app.get("/bug")
    async def bug() -> None:
        raise RuntimeError("dear diary")

    @app.get("/half")
    async def half() -> Response:
        async def parts() -> AsyncIterator[bytes]:
            yield b"half"
            raise RuntimeError("too late")

        return StreamingResponse(parts())

    @app.get("/wait")
    async def wait() -> str:
        doors.reached.set()
        await doors.gate.wait()
        return "done"


def problem_of(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem: dict[str, Any] = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"urn:fikarum:problem:{code}"
    assert problem["correlation_id"] == answer.headers["x-correlation-id"]
    assert problem["title"] and problem["detail"]
    return problem
