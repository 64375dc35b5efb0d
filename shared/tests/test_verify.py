"""Verifying finds what is not as the events say, and nothing else, also while events keep arriving."""

import asyncio
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.runtime.generations import Offsets
from shared.runtime.refolding import Refolding, scratch
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.runtime.verify import Log, Report, Sent, streams, verify
from shared.tests.assembly import assemble
from shared.tests.eventually import eventually
from shared.tests.rooms import by_ann, serving
from shared.tests.walls import HANDS, PRIVATE, PUBLIC, SERVICE, WALLS, Mark, MarkWhispered, Paint

pytestmark = pytest.mark.timeout(300)
_WALLS = [f"wall-{n}" for n in range(8)]


async def _work(service: Service, number: int, chance: random.Random) -> None:
    """Marks by many hands on shared walls, over both topics, and a wall that is painted over."""
    for n in range(number):
        hand = f"hand{chance.randrange(20)}-{n % 2}"
        walls = tuple(sorted(chance.sample(_WALLS, 2)))
        if n % 2:
            await service.store.handle(HANDS, Mark(hand, walls, kind=MarkWhispered), by_ann())
        else:
            await service.store.handle(HANDS, Mark(hand, walls, times=2), by_ann())
    await service.store.handle(HANDS, Mark("painter", ("painted",)), by_ann())
    await service.store.handle(HANDS, Paint("painter", "painted"), by_ann())


async def _settled(service: Service) -> None:
    """Until the view holds every event."""

    async def look() -> None:
        async for commit in service.store.commits.find({}, {"_id": 1}).sort("_id", -1):
            stream, _, version = commit["_id"].rpartition(":")
            assert not await service.behind(f"{SERVICE}/{stream}/{int(version)}", WALLS), stream

    await eventually(look)


async def _looked(settings: Settings) -> Report:
    return await verify(assemble(settings))


def _said(report: Report) -> list[tuple[str, str, str]]:
    return [(finding.kind, finding.where, finding.says) for finding in report.findings]


def _walls(service: Service) -> Any:
    generation = service.views(WALLS).generation
    assert generation is not None
    return service.database[generation.name]


async def test_where_all_is_well_nothing_is_found_and_nothing_is_left_behind(settings: Settings) -> None:
    async with serving(assemble(settings)) as service:
        await _work(service, 40, random.Random(1))
        await _settled(service)
        before = {*await service.database.list_collection_names()}

        report = await _looked(settings)

        assert _said(report) == []
        assert report.documents[WALLS.name] == len(_WALLS)
        assert report.streams == await _streams(service) and report.events > 40
        assert {*await service.database.list_collection_names()} == before
        assert await service.database["offsets"].count_documents({"generation": {"$regex": "verify"}}) == 0


async def _streams(service: Service) -> int:
    ids = [commit["_id"] async for commit in service.store.commits.find({}, {"_id": 1})]
    return len({_id.rpartition(":")[0] for _id in ids})


async def test_those_who_look_at_once_do_not_disturb_each_other(settings: Settings) -> None:
    async with serving(assemble(settings)) as service:
        await _work(service, 300, random.Random(7))
        await _settled(service)
        before = {*await service.database.list_collection_names()}
        for report in await asyncio.gather(*(_looked(settings) for _ in range(3))):
            assert _said(report) == []
            assert report.documents[WALLS.name] == len(_WALLS)
        assert {*await service.database.list_collection_names()} == before


async def test_what_a_look_left_that_was_killed_is_dropped_once_it_is_old(settings: Settings) -> None:
    async with serving(assemble(settings)) as service:
        generation = service.views(WALLS).generation
        assert generation is not None
        engines = (service.database, service.topics, settings.kafka)
        day = timedelta(days=1)
        now = datetime.now(UTC)
        beside = [scratch(WALLS, at) for at in (now - 2 * day, now - day / 2)]
        other = scratch(replace(WALLS, name=f"{WALLS.name}x"), now - 2 * day)
        for name in (*beside, other):
            await service.database[name].insert_one({"_id": "wall-1", "_live": True})

        await Refolding(WALLS, generation, *engines, lambda batch, names: None).run()

        left = {*await service.database.list_collection_names()}
        assert left & {*beside, other} == {beside[-1], other}


async def test_nothing_is_found_while_events_keep_arriving(settings: Settings) -> None:
    async with serving(assemble(settings)) as service:
        await _work(service, 30, random.Random(2))
        over = asyncio.Event()

        async def always() -> None:
            chance = random.Random(3)
            while not over.is_set():
                await _work(service, 20, chance)

        writing = asyncio.create_task(always())
        try:
            report = await _looked(settings)
        finally:
            over.set()
            await writing
        assert _said(report) == []


class _Overtaken(Refolding):
    """The serving view goes ahead whenever the fresh one has come to the end."""

    service: Service
    tampered = False

    async def _read_to_end(self, *arguments: Any) -> Offsets:
        position = await super()._read_to_end(*arguments)
        await _work(self.service, 40, random.Random(5))
        await _settled(self.service)
        if self.tampered:
            await _walls(self.service).update_one({"_id": "wall-1"}, {"$inc": {"total": 1}})
        return position


@pytest.mark.parametrize("tampered", [False, True])
async def test_a_document_on_the_move_is_compared_as_it_was(settings: Settings, tampered: bool) -> None:
    async with serving(assemble(settings)) as service:
        await _work(service, 40, random.Random(6))
        await _settled(service)
        generation = service.views(WALLS).generation
        assert generation is not None
        engines = (service.database, service.topics, settings.kafka)
        refolding = _Overtaken(WALLS, generation, *engines, lambda batch, names: None)
        refolding.service, refolding.tampered = service, tampered

        compared = await refolding.run()

        assert (compared.documents, compared.behind) == (len(_WALLS), 0)
        assert compared.differs == ({"wall-1": "differs in total"} if tampered else {})


async def test_a_document_that_was_tampered_with_is_named_with_its_field(settings: Settings) -> None:
    async with serving(assemble(settings)) as service:
        await _work(service, 30, random.Random(4))
        await _settled(service)
        await _walls(service).update_one({"_id": "wall-1"}, {"$inc": {"total": 1}})
        await _walls(service).delete_one({"_id": "wall-2"})
        await _walls(service).update_one({"_id": "wall-3"}, {"$unset": {"_live": 1}})
        await _walls(service).insert_one({"_id": "wall-x", "_live": True, "_rev": 1, "_seen": {}, "total": 1})

        assert sorted(_said(await _looked(settings))) == [
            ("view", f"{WALLS.name} wall-1", "differs in total"),
            ("view", f"{WALLS.name} wall-2", "has not seen the events that the log holds for it"),
            ("view", f"{WALLS.name} wall-3", "is gone, and should not be"),
            ("view", f"{WALLS.name} wall-x", "is there, and should not be"),
        ]


async def test_a_gap_in_a_stream_is_named(settings: Settings) -> None:
    async with serving(assemble(settings)) as service:
        for _ in range(4):
            await service.store.handle(HANDS, Mark("ann"), by_ann())
        await _settled(service)
        await service.store.commits.delete_one({"_id": "hand-ann:0000000002"})

        report = await _looked(settings)
        assert ("gap", "hand-ann", "version 3 comes after 1") in _said(report)
        assert json.loads(report.to_json())["found"]["gap"] == 1


async def test_what_came_since_does_not_make_up_for_what_the_log_lacks(settings: Settings) -> None:
    """One that was sent is not in the log; two more come between counting and reading."""
    async with serving(assemble(settings)) as service:
        await service.store.handle(HANDS, Mark("ann"), by_ann())
        await _settled(service)
        # marked, too
        await service.relay.drained()
        report = Report(SERVICE)
        sent = await streams(service.database, report)
        sent[PUBLIC].events += 1
        log = Log(report, sent)
        for _ in range(2):
            await service.store.handle(HANDS, Mark("ann"), by_ann())
        await _settled(service)
        generation = service.views(WALLS).generation
        assert generation is not None
        engines = (service.database, service.topics, settings.kafka)
        await Refolding(WALLS, generation, *engines, log.take).run()
        log.topics |= set(WALLS.topics)
        log.compare()
        assert _said(report) == [("log", PUBLIC, "holds 1 events, 2 were marked as sent")]


def test_a_topic_that_lost_everything_is_named() -> None:
    report = Report(SERVICE)
    log = Log(report, {PUBLIC: Sent(3), PRIVATE: Sent(2)})
    log.topics.add(PUBLIC)
    log.compare()
    assert _said(report) == [("log", PUBLIC, "holds 0 events, 3 were marked as sent")]


async def test_what_is_parked_is_found(settings: Settings) -> None:
    """A stream that cannot be read leaves no mark in any document."""
    async with serving(assemble(settings)) as service:
        await service.store.handle(HANDS, Mark("ann"), by_ann())
        await _settled(service)
        generation = service.views(WALLS).generation
        assert generation is not None
        await service.database["parked"].insert_one({"generation": generation.name, "key": None})
        report = await _looked(settings)
        assert _said(report) == [
            ("parked", WALLS.name, "lacks 1 events that are parked (fikarum parked)"),
        ]
        assert report.parked[WALLS.name] == 1


async def test_a_log_that_lacks_what_was_sent_is_named(settings: Settings) -> None:
    async with serving(assemble(settings)) as service:
        await service.store.handle(HANDS, Mark("ann"), by_ann())
        await _settled(service)
        # marked, too
        await service.relay.drained()
        lost = await service.store.commits.find_one({"_id": "hand-ann:0000000001"})
        assert lost is not None
        await service.relay.stop()
        copy = {**lost, "_id": "hand-bea:0000000001", "commit_id": "another"}
        copy.pop("idempotency", None)
        await service.store.commits.insert_one(copy)

        assert ("log", "proofs.events", "holds 1 events, 2 were marked as sent") in _said(
            await _looked(settings)
        )
