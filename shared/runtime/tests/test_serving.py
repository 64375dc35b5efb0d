"""The same application behind the real server: what only sockets show."""

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.runtime.http import Api, uvicorn_options
from shared.runtime.settings import Settings
from shared.runtime.tests.notes import ANN, Doors

#: Below the range that outgoing connections take theirs from.
PORTS = range(21_000, 32_000)


class Served(uvicorn.Server):
    """A server within the test's loop, on a port of its own."""

    def __init__(self, app: ASGIApp, settings: Settings | None = None, patience: float = 5) -> None:
        self.listening = _listening()
        options = {**uvicorn_options(settings or Settings()), "timeout_graceful_shutdown": patience}
        super().__init__(uvicorn.Config(app, **options))
        self.running = asyncio.get_running_loop().create_task(self.serve([self.listening]))

    @property
    def port(self) -> int:
        port: int = self.listening.getsockname()[1]
        return port

    async def stop(self) -> None:
        self.should_exit = True
        await self.running


def _listening() -> socket.socket:
    for port in PORTS:
        listening = socket.socket()
        try:
            listening.bind(("127.0.0.1", port))
        except OSError:
            listening.close()
        else:
            return listening
    raise OSError("no port is free")


@pytest.fixture
async def served(notes: Api) -> AsyncIterator[Served]:
    server = Served(notes)
    yield server
    await server.stop()


@pytest.fixture
async def over_sockets(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{served.port}") as client:
        for _ in range(100):
            try:
                await client.get("/health/live")
                break
            except httpx.ConnectError:
                await asyncio.sleep(0.05)
        yield client


async def _raw(served: Served, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(request)
    async with asyncio.timeout(10):
        answer = await reader.read(65_536)
    writer.close()
    await writer.wait_closed()
    return answer


async def test_an_answer_that_breaks_off_is_seen_to_be_broken(over_sockets: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await over_sockets.get("/half")
    assert (await over_sockets.get("/health/live")).status_code == 200


async def test_requests_on_one_connection_do_not_share_their_ids(over_sockets: httpx.AsyncClient) -> None:
    first = await over_sockets.post(
        "/notes", json={"title": "a"}, headers={**ANN, "X-Causation-ID": "event-1"}
    )
    second = await over_sockets.post("/notes", json={"title": "a"}, headers=ANN)
    assert first.json()["causation_id"] == "event-1" and second.json()["causation_id"] is None
    assert first.headers["x-correlation-id"] != second.headers["x-correlation-id"]


async def test_an_announced_body_past_the_limit_is_refused_before_it_is_sent(
    served: Served, over_sockets: httpx.AsyncClient
) -> None:
    answer = await _raw(
        served,
        b"POST /notes HTTP/1.1\r\nHost: notes\r\nAuthorization: Bearer ann\r\n"
        b"Content-Type: application/json\r\nContent-Length: 9000000000\r\nExpect: 100-continue\r\n\r\n",
    )
    assert answer.startswith(b"HTTP/1.1 413 ") and b"application/problem+json" in answer


STRANGE = [b"%00", b"%ff%fe", b"..%2f..%2fetc", b"%ed%a0%80", b"1?limit=%ff&cursor=%00"]


@pytest.mark.parametrize("target", STRANGE)
async def test_strange_addresses_are_answered_in_words(
    served: Served, over_sockets: httpx.AsyncClient, target: bytes
) -> None:
    head = b"Host: notes\r\nAuthorization: Bearer ann\r\nConnection: close\r\n\r\n"
    answer = await _raw(served, b"DELETE /notes/" + target + b" HTTP/1.1\r\n" + head)
    status = int(answer.split(b" ", 2)[1])
    assert 400 <= status < 500 and b"Traceback" not in answer


NO_HTTP = [b"\x16\x03\x01\x00", b"GET / HTTP/9.9\r\n\r\n", b"GET \xff HTTP/1.1\r\n\r\n"]


@pytest.mark.parametrize("request_line", NO_HTTP)
async def test_what_is_no_http_ends_without_a_trace(
    served: Served, over_sockets: httpx.AsyncClient, request_line: bytes
) -> None:
    answer = await _raw(served, request_line + b"\r\n\r\n")
    assert b"Traceback" not in answer and (answer == b"" or answer.startswith(b"HTTP/1.1 4"))
    assert (await over_sockets.get("/health/live")).status_code == 200


async def test_a_request_under_way_is_finished_when_the_process_is_asked_to_stop(
    served: Served, over_sockets: httpx.AsyncClient, doors: Doors
) -> None:
    waiting = asyncio.create_task(over_sockets.get("/wait"))
    await asyncio.wait_for(doors.reached.wait(), 10)
    stopping = asyncio.create_task(served.stop())
    await asyncio.sleep(0)
    doors.gate.set()
    assert (await waiting).status_code == 200
    await asyncio.wait_for(stopping, 10)


async def _where(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope)
    seen = [request.client.host if request.client else None, request.url.scheme]
    await JSONResponse(seen)(scope, receive, send)


@pytest.mark.parametrize(
    ("trusted", "seen"),
    [
        ("[]", ["127.0.0.1", "http"]),
        ('["10.0.0.0/8"]', ["127.0.0.1", "http"]),
        ('["127.0.0.0/8", "10.0.0.0/8"]', ["198.51.100.7", "https"]),
    ],
)
async def test_only_a_trusted_proxy_says_where_a_request_came_from(
    trusted: str, seen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIKARUM_TRUSTED_PROXIES", trusted)
    server = Served(_where, Settings.from_env())
    said = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7, 10.1.2.3", "X-Forwarded-Proto": "https"}
    patient = httpx.AsyncHTTPTransport(retries=5)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{server.port}", transport=patient, trust_env=False
    ) as client:
        answer = await client.get("/", headers=said)
    await server.stop()
    assert answer.json() == seen
