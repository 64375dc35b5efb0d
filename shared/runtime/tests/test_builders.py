"""Builders are processes beside their service, forked from one that has imported it."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from shared.runtime.builders import BUILDER_NICENESS, Builders
from shared.runtime.tests import built

#: A process that begins builders of two views and stays.
_SERVICE = """
import asyncio
from shared.runtime.builders import Builders

async def main():
    builders = Builders("shared.runtime.tests.built")
    await builders.build("one", 1)
    await builders.build("two", 1)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(built.FOLDER, str(tmp_path))
    return tmp_path


@pytest.fixture
async def builders() -> AsyncIterator[Builders]:
    builders = Builders(built.__name__)
    yield builders
    await builders.stop()


async def becomes(look: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not look():  # noqa: ASYNC110 - processes come and go without an event
            await asyncio.sleep(0.02)


async def who_builds(folder: Path, view: str) -> dict[str, int]:
    await becomes((folder / view).exists)
    said: dict[str, int] = json.loads((folder / view).read_text())
    return said


async def test_they_share_one_import_let_those_who_ask_go_first_and_finish_what_is_under_way(
    builders: Builders, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    await asyncio.gather(*(builders.build(view, 7) for view in ("one", "two", "ill", "short")))
    one, two = await who_builds(folder, "one"), await who_builds(folder, "two")
    assert one["pid"] != two["pid"] and one["host"] == two["host"] != os.getpid()
    assert one["nice"] == two["nice"] == min(19, os.nice(0) + BUILDER_NICENESS)
    await becomes(lambda: not builders.builds("short", 7) and not builders.builds("ill", 7))
    assert "it cannot be built" in capfd.readouterr().err
    assert builders.builds("one", 7) and builders.builds("two", 7) and not builders.builds("one", 8)
    await builders.stop()
    assert not builders.builds("one", 7)
    assert (folder / "one.stopped").exists() and (folder / "two.stopped").exists()
    assert not any(map(psutil.pid_exists, (one["pid"], two["pid"], one["host"])))


async def test_what_they_share_ends_with_the_last_and_comes_again_when_needed(
    builders: Builders, folder: Path
) -> None:
    await builders.build("short", 1)
    said = await who_builds(folder, "short")
    await becomes(lambda: not builders.builds("short", 1))
    await becomes(lambda: not psutil.pid_exists(said["host"]))
    await builders.build("one", 1)
    again = await who_builds(folder, "one")
    os.kill(again["host"], signal.SIGKILL)
    await becomes(lambda: not builders.builds("one", 1))
    await becomes((folder / "one.stopped").exists)
    await becomes(lambda: not psutil.pid_exists(again["pid"]))


async def test_where_the_service_cannot_be_imported_it_is_tried_again(
    capfd: pytest.CaptureFixture[str],
) -> None:
    builders = Builders("shared.runtime.tests.nowhere")
    for _ in range(2):
        await builders.build("one", 1)
        assert builders.builds("one", 1)
        await becomes(lambda: not builders.builds("one", 1))
        assert "No module named 'shared.runtime.tests.nowhere'" in capfd.readouterr().err
    await builders.stop()


async def test_they_end_with_their_service_however_that_went(folder: Path) -> None:
    service = await asyncio.create_subprocess_exec(sys.executable, "-c", _SERVICE)
    pids = [(await who_builds(folder, view))["pid"] for view in ("one", "two")]
    service.kill()
    await service.wait()
    await becomes(lambda: not any(psutil.pid_exists(pid) for pid in pids))
    assert (folder / "one.stopped").exists() and (folder / "two.stopped").exists()


#: A builder that waits for an engine that is away, and says what it is told.
_WAITS = """
import asyncio
from shared.runtime.rebuild import stops_when_told

class Builder:
    def stop(self):
        print("told", flush=True)

async def main():
    stops_when_told(Builder(), 0.3)
    print("waits", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_one_that_waits_for_an_engine_ends_all_the_same() -> None:
    """It would outlive its service, and write into whatever begins in its place."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WAITS, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"waits\n"
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 30) == 1
    assert await process.stdout.read() == b"told\n"
