"""Keeping one view alive in a service: serve its active generation, follow it, build the next one, swap
without a pause."""

import asyncio
import contextlib
import time
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

import structlog
from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord
from faststream.kafka import KafkaBroker
from pydantic import BaseModel
from pymongo.asynchronous.database import AsyncDatabase

from shared.kernel.errors import Conflict, NotFound
from shared.kernel.projection import Projection
from shared.runtime import telemetry
from shared.runtime.builders import Builders
from shared.runtime.folding import Fold
from shared.runtime.gathering import delivered
from shared.runtime.generations import Generation, Generations, Offsets, Registry, offset_key
from shared.runtime.lag import LagMeter
from shared.runtime.mirror import Mirror
from shared.runtime.sole import Memory, Sole
from shared.runtime.subscribe import Ascending, Follower, TopicIds, TopicReplaced, same_topics
from shared.runtime.topics import Topic, Topics
from shared.runtime.views import Views

log = structlog.get_logger(__name__)
V = TypeVar("V", bound=BaseModel)

#: A retired generation's documents are dropped this many seconds after the swap: requests under way still
#: read them.
RETIRED_AFTER = 30.0
_BACK_OFF = 2.0
#: Between two builders of one generation, in seconds, at most.
_LONGEST_PAUSE = 60.0
#: A partition that was just assigned has no position yet; the next look finds it. Seconds.
_POSITIONS_WITHIN = 0.2


class Viewing(Generic[V]):
    """One projection of one service."""

    def __init__(
        self,
        projection: Projection[V],
        database: AsyncDatabase[dict[str, Any]],
        registry: Registry,
        topics: Topics,
        ids: TopicIds,
        builders: Builders,
    ) -> None:
        self.projection = projection
        self.views = Views(projection, database)
        #: Set where the service is assembled: what is kept beside the documents.
        self.mirror: Mirror[V] | None = None
        #: Seconds that the view may be behind for the sake of fewer, larger writes; set where the service is
        #: assembled.
        self.gathers = 0.0
        self.sole: Sole[V] = Sole()
        self.lag = LagMeter()
        self._database = database
        self._registry = registry
        self._topics = topics
        self._ids = ids
        self._builders = builders
        self._follower: Follower | None = None
        self._again_at = 0.0
        self._parking_known = False
        self._fold: Fold[V] | None = None
        self._ascending = Ascending()
        self._handled = 0
        self._positions: tuple[int, bool, Offsets] | None = None
        self._reached: tuple[str, Offsets] | None = None
        #: A generation, and what was found saved for it.
        self._saved: tuple[str, Offsets] = "", {}
        self._spawned: tuple[int, float, float] | None = None
        self._swapped_at: float | None = None

    @property
    def name(self) -> str:
        return self.projection.name

    @property
    def fold(self) -> Fold[V] | None:
        """The fold of the generation that serves here."""
        return self._fold

    @property
    def topic_ids(self) -> set[str]:
        """The ids of its topics as the broker said at the last look."""
        return {self._ids.found[name].id for name in self.projection.topics if name in self._ids.found}

    async def start(self, broker: KafkaBroker) -> None:
        """Serves what there is; a fold version that nobody has built yet is built first, while other images
        serve theirs."""
        found = await self._found()
        now = await self._registry.of(self.name, self.projection.version)
        if now.active is None and now.building is None:
            if await self._registry.known(self.name):
                with contextlib.suppress(Conflict):
                    await self._registry.begin(self.name, self.projection.version, found)
            else:
                await self._registry.first(self.name, self.projection.version, found)
        await self.tend(broker)

    async def tend(self, broker: KafkaBroker, now: Generations | None = None) -> None:
        """Called every second: follows the registry, replaces what failed, sees to it that a begun build
        goes on. `now`: what the registry has just said."""
        self.sole.alive()
        now = now or await self._registry.of(self.name, self.projection.version)
        serving = self.views.generation
        if now.active is not None and (serving is None or serving.number != now.active.number):
            await self._serve(now.active, broker)
        if self._follower is not None and self._follower.failed.is_set():
            await self._recover()
        found = await self._found()
        complete = len(found) == len(self.projection.topics)
        if complete and now.active and not now.building and not same_topics(found, now.active.topics):
            await self._rebuild("a topic was made anew")
        serving = self.views.generation
        if self._follower is None and serving is not None and same_topics(found, serving.topics):
            await self._follow(serving, broker)
        if now.building is not None and not now.building.leased:
            await self._build(now.building)
        if self._swapped_at is not None and time.monotonic() - self._swapped_at > RETIRED_AFTER:
            await self._registry.drop_retired(self.name, self.projection.version)
            await self._registry.sweep(self.name, self.mirror)
            self._swapped_at = None
        await self._save_positions()

    def remember(self, most: int) -> None:
        """From now on single documents are read from memory where that says the same; at most `most`."""
        self.views.memory = Memory(self.sole, most)

    async def rebuild(self) -> Generation:
        """Begins a new generation. Raises Conflict where one is being built."""
        found = await self._found(at_once=True)
        return await self._registry.begin(self.name, self.projection.version, found)

    async def give_up(self) -> None:
        """Drops what is being built. Raises NotFound where that is nothing, or serves by now."""
        now = await self._registry.of(self.name, self.projection.version)
        if now.building is None or not await self._registry.give_up(now.building):
            raise NotFound("nothing-being-built", "No generation of this view is being built.")
        await self._registry.sweep(self.name, self.mirror)

    def passed(self, ends: Offsets) -> bool:
        """Whether its documents are known to hold everything up to these ends, of all topics, by topic id and
        partition: as this process folded it, or found it saved before."""
        held = self._held()
        return all(held.get(key, 0) >= end for key, end in self._mine(ends).items())

    def measure(self, ends: Offsets, saved: Offsets | None) -> None:
        """Takes note of the lag. `saved` as it was just found, where it was looked for."""
        generation = self.views.generation
        if saved is not None and generation is not None:
            self._saved = generation.name, saved
        self.lag.look(self._mine(ends), self._held())
        telemetry.VIEW_LAG_EVENTS.labels(self.name).set(self.lag.events)
        telemetry.VIEW_LAG_SECONDS.labels(self.name).set(self.lag.age())

    def _mine(self, ends: Offsets) -> Offsets:
        mine = self.topic_ids
        return {key: end for key, end in ends.items() if key.rpartition("/")[0] in mine}

    def _held(self) -> Offsets:
        generation, (name, saved) = self.views.generation, self._saved
        if generation is None:
            return {}
        here, found = self._registry.reached_here(generation.name), saved if name == generation.name else {}
        return {key: max(here.get(key, 0), found.get(key, 0)) for key in (*here, *found)}

    async def stop(self) -> None:
        """Finishes the batch under way."""
        if self._follower is not None:
            await self._follower.stop()
            self._follower = None

    async def _serve(self, generation: Generation, broker: KafkaBroker) -> None:
        """Readers change over first, in one assignment; then the follower of the old generation ends, and
        the new one's begins."""
        self.sole.lost()
        fold = Fold(
            self.projection,
            generation.name,
            self._database,
            self._registry,
            self.mirror,
            self.sole,
            notes=True,
        )
        await fold.prepare()
        if self.mirror is not None:
            await self.mirror.serve(generation.name)
        swapped = self.views.generation is not None
        self.views.serve(generation)
        self._fold = fold
        if self._follower is not None:
            await self._follower.stop()
            self._follower = None
        self._swapped_at = time.monotonic() if swapped or self._swapped_at is None else self._swapped_at
        self._again_at = 0.0

    async def _follow(self, generation: Generation, broker: KafkaBroker) -> None:
        """Raises KafkaError while the broker is away; the next look tries again."""
        if time.monotonic() < self._again_at:
            return
        names = [self._topics.full_name(name) for name in self.projection.topics]
        self._ascending, self._positions = Ascending(), None
        group = self._topics.full_name(generation.name)
        fold = self._fold
        assert fold is not None, "what is served has a fold"
        # Bound to its generation: at a swap a batch may still come, and the next one begins before it.
        handle = partial(self._handle, fold, generation)
        follower = Follower(broker, group, names, handle, gathers=self.gathers, watched_by=self)
        await follower.start()
        self._follower = follower

    def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """Partitions came from another process, which may have parked some of their streams."""
        self._parking_known = False
        found = [self._ids.found.get(name) for name in self.projection.topics]
        there_are = sum(topic.partitions for topic in found if topic is not None)
        self.sole.assigned(every_partition=None not in found and len(partitions) == there_are)

    def revoked(self) -> None:
        """Partitions go to another process, or come back in a moment."""
        self.sole.lost()

    async def _handle(self, fold: Fold[V], generation: Generation, records: Sequence[ConsumerRecord]) -> None:
        found = await self._found(at_once=self._ascending.runs_back(records))
        if not same_topics(found, generation.topics):
            raise TopicReplaced(self.name)
        ids = {self._topics.full_name(topic.name): topic.id for topic in found.values()}
        if not self._parking_known:
            self._parking_known = True
            await fold.parking.load()
        await fold.apply(delivered(records, ids))
        self._handled += 1

    async def _recover(self) -> None:
        """A follower that failed is begun again after a while; one whose topic was replaced waits for the
        rebuild."""
        assert self._follower is not None, "called when a follower failed"
        failure = self._follower.failure
        await self._follower.stop()
        self._follower = None
        self._again_at = time.monotonic() + _BACK_OFF
        if isinstance(failure, TopicReplaced):
            await self._rebuild("a topic was made anew")

    async def _rebuild(self, why: str) -> None:
        log.warning("view is rebuilt", view=self.name, why=why)
        with contextlib.suppress(Conflict):
            await self.rebuild()

    async def _found(self, *, at_once: bool = False) -> dict[str, Topic]:
        """The topics of this view as the broker knows them."""
        found = await self._ids.current(at_once=at_once)
        return {name: found[name] for name in self.projection.topics if name in found}

    async def _build(self, generation: Generation) -> None:
        """One that ends without a result is begun again, ever more rarely."""
        if self._builders.builds(self.name, generation.number):
            return
        if self._spawned is None or self._spawned[0] != generation.number:
            self._spawned = generation.number, 0.0, 1.0
        _, due, pause = self._spawned
        if time.monotonic() < due:
            return
        self._spawned = generation.number, time.monotonic() + pause, min(2 * pause, _LONGEST_PAUSE)
        log.info("building", view=self.name, generation=generation.name)
        await self._builders.build(self.name, generation.number)

    async def _save_positions(self) -> None:
        """Control records end a log but are never delivered: what the consumer had passed at the look before
        is saved once all that was handed over by then is handled.

        Batches are handled one after another. So it is, when one has been finished since; and also when
        nothing was under way at both looks and nothing moved in between. Silence alone would not do: under
        a steady stream there is none, and a view that is up to date would seem ever older.
        """
        follower, generation = self._follower, self.views.generation
        consumer = getattr(getattr(follower, "_subscriber", None), "consumer", None)
        if follower is None or consumer is None or generation is None:
            self._positions = None
            return
        names = {self._topics.full_name(topic.name): topic for topic in self._ids.found.values()}
        before, quiet = self._positions, not follower.holding
        positions = await _positions(consumer, names)
        now = (self._handled, quiet and not follower.holding, positions)
        self._positions = now
        if before is not None and before[2] and (now[0] > before[0] or (before == now and now[1])):
            reached = (generation.name, before[2])
            if reached != self._reached:
                await self._registry.save(*reached)
                self._reached = reached


async def _positions(consumer: Any, names: Mapping[str, Topic]) -> Offsets:
    found: Offsets = {}
    assigned: set[TopicPartition] = consumer.assignment()
    # One limit for all of them, each of which is known at once as a rule: a limit for each costs a task.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_POSITIONS_WITHIN):
            # A topic that is gone, or about to be made anew, has no positions that mean anything.
            for tp in [tp for tp in assigned if tp.topic in names]:
                found[offset_key(names[tp.topic].id, tp.partition)] = await consumer.position(tp)
    return found
