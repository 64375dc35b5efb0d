"""The service of notes, and a client of it, for the tests of HTTP."""

from collections.abc import AsyncIterator

import httpx
import pytest

from shared.runtime.http import Api
from shared.runtime.tests.notes import Doors, notes_app


@pytest.fixture
def doors() -> Doors:
    return Doors()


@pytest.fixture
def notes(doors: Doors) -> Api:
    return notes_app(doors)


@pytest.fixture
async def client(notes: Api) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(notes), base_url="http://notes") as client:
        yield client
