"""Reactions: once per cause, from their start on, and never because something was imported."""

from dataclasses import replace

import pytest

from shared.runtime.codec import partition_of
from shared.runtime.ids import derived_id
from shared.runtime.settings import Settings
from shared.tests.assembly import assemble
from shared.tests.eventually import eventually
from shared.tests.log import check_log
from shared.tests.rooms import Room, by_ann, serving
from shared.tests.walls import CALL, HANDS, SERVICE, Mark

pytestmark = pytest.mark.timeout(300)


async def _answered(room: Room, stream: str) -> bool:
    events = await room.store.load(stream)
    return bool(await room.store.load(f"hand-{derived_id('answer', events[-1].id)}"))


async def test_a_call_is_answered_once_however_often_it_is_delivered(settings: Settings, room: Room) -> None:
    """Its topic is made anew and filled again; what comes behind it in its partition is answered, too."""
    async with serving(assemble(settings)) as service:
        done = await service.store.handle(HANDS, Mark("ann", text=CALL), by_ann())
        await eventually(lambda: _answered(room, done.stream), 120)
        cause = (await room.store.load(done.stream))[0]
        before = await service.topics.describe([f"{SERVICE}.events"])
        await service.topics.recreate(f"{SERVICE}.events")
        await eventually(lambda: check_log(service.settings.kafka, service.topics, service.database), 120)
        names = (f"later{n}" for n in range(999))
        behind = next(name for name in names if partition_of(f"hand-{name}") == partition_of(done.stream))
        after = await service.store.handle(HANDS, Mark(behind, text=CALL), by_ann())
        await eventually(lambda: _answered(room, after.stream), 120)
        assert before != await service.topics.describe([f"{SERVICE}.events"])
        answers = await room.store.load(f"hand-{derived_id('answer', cause.id)}")
        assert len(answers) == 1
        assert answers[0].causation_id == cause.id and answers[0].correlation_id == cause.correlation_id


async def test_what_was_imported_or_is_past_causes_nothing(settings: Settings, room: Room) -> None:
    early = await room.do(Mark("early", text=CALL))
    async with serving(assemble(settings)) as service:
        imported = replace(by_ann(), imported=True)
        brought = await service.store.handle(HANDS, Mark("brought", text=CALL), imported)
        now = await service.store.handle(HANDS, Mark("now", text=CALL), by_ann())
        await eventually(lambda: _answered(room, now.stream), 120)
        for done in (early, brought):
            assert not await _answered(room, done.stream), f"{done.stream} was answered"
