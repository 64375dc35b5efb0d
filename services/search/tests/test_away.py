"""OpenSearch killed, lost or rebuilt: nothing is lost, and readers are told or notice nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from opensearchpy import AsyncOpenSearch

from infra.engines import Engines, EngineSettings
from services.search.projections import items
from services.search.tests.world import House
from services.search.tests.world import house as a_house
from shared.runtime.ids import new_id
from shared.runtime.settings import Settings
from shared.tests.eventually import eventually
from shared.tests.rooms import drop_all, settings_for

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400), pytest.mark.slow]
#: Seconds: a rebuild begins a process, and an engine starts again, slowly on a busy machine.
PATIENCE = 150.0


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """An OpenSearch of these proofs alone."""
    with Engines(tmp_path_factory.mktemp("engine"), EngineSettings(leash=True)) as engines:
        engines.start(("opensearch",))
        yield engines


@pytest.fixture(scope="module")
def away_settings(
    own: Engines, mongo_uri: str, kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    home: Path = tmp_path_factory.mktemp("away")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("FIKARUM_OPENSEARCH_URL", own.addresses.opensearch_url)
        settings = settings_for(mongo_uri, kafka_bootstrap, home, monkeypatch)
        yield settings
        drop_all(settings)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(away_settings: Settings) -> AsyncIterator[House]:
    async with a_house(away_settings) as built:
        yield built


def word() -> str:
    return "zq" + new_id()[-10:].translate(str.maketrans("0123456789", "ghijklmnop"))


async def found(house: House, own_word: str, ids: set[str]) -> None:
    async def look() -> None:
        there, cursor = set[str](), ""
        while True:
            answer = await house.ask("bob", "/search", q=own_word, limit=100, cursor=cursor, sort="newest")
            assert answer.status_code == 200, answer.text
            there |= {item["id"] for item in answer.json()["items"]}
            if not (cursor := answer.json()["next"] or ""):
                break
        assert there == ids

    await eventually(look, PATIENCE)


async def test_an_engine_that_was_killed_gets_everything_once_it_is_back(house: House, own: Engines) -> None:
    own_word = word()
    before = await house.world.post(f"{own_word} before")
    edited = await house.world.post(f"{own_word} to be deleted")
    await found(house, own_word, {before.id, edited.id})
    await asyncio.to_thread(own.kill, "opensearch")
    answer = await house.ask("bob", "/search", q=own_word)
    assert (answer.status_code, answer.json()["code"]) == (503, "search-away")
    during = [await house.world.post(f"{own_word} during {n}") for n in range(5)]
    own_member = new_id()
    await house.world.member(own_member, own_word)
    erased = new_id()
    await house.world.member(erased, f"{own_word} erased")
    said = await house.world.post(f"{own_word} by the erased", erased)
    await house.world.erase(erased)
    await asyncio.to_thread(own.start, ("opensearch",))
    there = {before.id, edited.id, own_member, *(one.id for one in during)}
    assert said.id not in there
    await found(house, own_word, there)


async def test_an_index_that_somebody_deleted_is_filled_again(house: House, away_settings: Settings) -> None:
    own_word = word()
    said = await house.world.post(own_word)
    await found(house, own_word, {said.id})
    generation = house.service.views(items).generation
    assert generation is not None
    async with AsyncOpenSearch(hosts=[away_settings.opensearch_url]) as client:
        await client.indices.delete(index=away_settings.named(generation.name))
    await found(house, own_word, {said.id})
    more = await house.world.post(f"{own_word} again")
    await found(house, own_word, {said.id, more.id})


async def test_a_rebuild_swaps_the_alias_and_readers_notice_nothing(
    house: House, away_settings: Settings
) -> None:
    own_word = word()
    post = await house.world.post(f"{own_word} first")
    comment = await house.world.comment(post.id, f"{own_word} answered")
    said = {post.id, comment.id} | {(await house.world.post(f"{own_word} {n}")).id for n in range(20)}
    await found(house, own_word, said)
    before = house.service.views(items).generation
    assert before is not None
    gaps: list[str] = []
    reading = asyncio.create_task(_read_always(house, own_word, said, gaps))
    await house.service.viewings[items.name].rebuild()
    during = set()

    async def swapped() -> None:
        during.add((await house.world.post(f"{own_word} while it is built")).id)
        now = house.service.views(items).generation
        assert now is not None and now.number > before.number, "not swapped yet"

    try:
        await eventually(swapped, PATIENCE)
        await found(house, own_word, said | during)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    assert not gaps
    after = house.service.views(items).generation
    assert after is not None
    async with AsyncOpenSearch(hosts=[away_settings.opensearch_url]) as client:
        aliased = await client.indices.get_alias(name=away_settings.named(f"{items.name}.v*"))
    assert set(aliased) == {away_settings.named(after.name)}


async def _read_always(house: House, own_word: str, said: set[str], gaps: list[str]) -> None:
    while True:
        answer = await house.ask("bob", "/search", q=f"{own_word} -built", limit=100)
        ids = {item["id"] for item in answer.json().get("items", ())}
        if not said <= ids:
            gaps.append(answer.text[:300])
        await asyncio.sleep(0.05)
