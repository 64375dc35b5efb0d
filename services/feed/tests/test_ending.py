"""The feed behind its real server, told to end while somebody follows it."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from services.feed.assembly import assemble
from services.feed.tests.world import Person, world
from shared.runtime.settings import Settings
from shared.runtime.tests.test_serving import Served
from shared.tests.eventually import eventually
from shared.tests.rooms import drop_all, settings_for

#: Seconds in which it ends; the server waits twice as long for answers that are open.
SOON = 5.0


@pytest.fixture
def settings(
    mongo_uri: str, kafka_bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    settings = settings_for(mongo_uri, kafka_bootstrap, tmp_path, monkeypatch)
    yield settings
    drop_all(settings)


@pytest.fixture
def survives() -> Iterator[None]:
    """What the server is told goes on to who had the signal before, which would be the end of the tests."""
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    yield
    signal.signal(signal.SIGTERM, before)


async def test_whoever_listens_keeps_nobody_waiting_for_its_end(settings: Settings, survives: None) -> None:
    async with world(settings) as made:
        await made.member("ann", Person())
        service = assemble(settings, made.door)
        server = Served(service.http, settings, patience=2 * SOON)
        address, bearer = f"http://127.0.0.1:{server.port}", {"Authorization": "Bearer ann"}
        patient = httpx.AsyncHTTPTransport(retries=8)
        async with httpx.AsyncClient(base_url=address, headers=bearer, transport=patient) as client:

            async def known() -> bool:
                return (await client.get("/feed")).status_code == 200

            await eventually(known)
            async with client.stream("GET", "/feed/live") as told:
                pieces = told.aiter_text()
                assert "welcome" in await anext(pieces)
                os.kill(os.getpid(), signal.SIGTERM)
                async with asyncio.timeout(SOON):
                    assert [piece async for piece in pieces] == []
        await asyncio.wait_for(server.running, 30)
