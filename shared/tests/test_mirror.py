"""What is kept beside a view: handed over after the documents and before the offsets, and again after a
redelivery."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

from aiokafka.structs import ConsumerRecord

from shared.kernel.errors import Unavailable
from shared.runtime.codec import outgoing, partition_of
from shared.runtime.folding import Fold
from shared.runtime.gathering import Delivered
from shared.runtime.generations import Registry
from shared.runtime.mirror import Kept
from shared.tests.eventually import eventually
from shared.tests.rooms import Room
from shared.tests.walls import PUBLIC, SERVICE, WALLS, Paint, Wall

GENERATION = "proofs.walls.v1.g1"


class Shelf:
    """Keeps what it is handed; may be away."""

    def __init__(self) -> None:
        self.away = False
        self.asked = 0
        self.taken: list[tuple[str, int, int | None]] = []

    async def prepare(self, generation: str) -> None:
        assert generation == GENERATION

    async def take(self, generation: str, documents: Sequence[Kept[Wall]]) -> None:
        self.asked += 1
        if self.away:
            raise Unavailable("shelf-away", "Not now.")
        self.taken += [(key, rev, view.total if view is not None else None) for key, rev, view in documents]

    async def serve(self, generation: str) -> None:
        """Nobody reads it."""

    async def sweep(self, known: Callable[[], Awaitable[Collection[str]]]) -> None:
        """One generation is all there is."""


async def _log(room: Room) -> list[Delivered]:
    """The commits as one partition would hold them."""
    found: list[Delivered] = []
    for document in await room.store.commits.find().sort([("recorded_at", 1), ("_id", 1)]).to_list():
        for record in outgoing(document, SERVICE):
            key, value = record.key, record.value
            consumed: ConsumerRecord = ConsumerRecord(
                record.topic,
                0,
                len(found),
                0,
                0,
                key,
                value,
                None,
                len(key),
                len(value),
                tuple(record.headers),
            )
            found.append(Delivered(consumed, f"{PUBLIC}/{partition_of(key.decode())}", len(found)))
    return found


async def _fold(room: Room, shelf: Shelf) -> Fold[Wall]:
    fold = Fold(WALLS, GENERATION, room.database, Registry(room.database), shelf)
    await fold.prepare()
    return fold


async def test_what_is_kept_beside_is_handed_each_document_as_it_is_stored(room: Room) -> None:
    shelf = Shelf()
    fold = await _fold(room, shelf)
    await room.mark("ann", 2, walls=("north",))
    log = await _log(room)
    await fold.apply(log[:1])
    await fold.apply(log[1:])
    assert shelf.taken == [("north", 1, 1), ("north", 2, 2)]
    await room.do(Paint("ann", "north"))
    await fold.apply((await _log(room))[2:])
    assert shelf.taken[2:] == [("north", 3, None)]


async def test_a_batch_that_comes_again_is_handed_over_again(room: Room) -> None:
    shelf = Shelf()
    fold = await _fold(room, shelf)
    await room.mark("ann", 3, walls=("north",))
    log = await _log(room)
    await fold.apply(log)
    await fold.apply(log[:1])
    assert shelf.taken == [("north", 1, 3), ("north", 1, 3)], "as it is now, not as it was then"


async def test_offsets_are_saved_only_when_both_hold_the_batch(room: Room) -> None:
    shelf = Shelf()
    fold = await _fold(room, shelf)
    registry = Registry(room.database)
    await room.mark("ann", 1, walls=("north",))
    shelf.away = True
    folding = asyncio.create_task(fold.apply(await _log(room)))

    async def tried_again() -> bool:
        return shelf.asked > 2

    await eventually(tried_again)
    assert await room.database[GENERATION].count_documents({"_id": "north"}) == 1
    assert await registry.offsets(GENERATION) == {}, "whoever follows next must hand it over"
    shelf.away = False
    await folding
    assert shelf.taken == [("north", 1, 1)]
    assert len(await registry.offsets(GENERATION)) == 1
