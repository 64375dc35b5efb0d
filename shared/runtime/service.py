"""A service, assembled: its store and relay, its views and their followers, its HTTP face, and how all of
it starts and stops."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

import httpx
import structlog
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker
from pydantic import BaseModel
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from shared.kernel.audience import MemberTokens, conjunctions_projection, tokens_projection
from shared.kernel.errors import NotFound, Unavailable
from shared.kernel.events import Event
from shared.kernel.projection import Projection
from shared.runtime import logging, operate, telemetry
from shared.runtime.auth import TokenVerifier, Verifier
from shared.runtime.builders import Builders
from shared.runtime.codec import PARTITIONS
from shared.runtime.ending import ended, told_of_exit
from shared.runtime.freshness import Freshness
from shared.runtime.generations import Offsets, Registry
from shared.runtime.http import build_app
from shared.runtime.keycopy import KeyCopy
from shared.runtime.keys import KeyRing, MasterKey
from shared.runtime.lag import LogEnds
from shared.runtime.looking import tried
from shared.runtime.mirror import Mirror
from shared.runtime.parking import Mending
from shared.runtime.reactions import Reacting, Reaction
from shared.runtime.readers import Readers
from shared.runtime.relay import Lane, Relay
from shared.runtime.settings import Settings
from shared.runtime.sole import Sole
from shared.runtime.store import EventStore
from shared.runtime.subscribe import TopicIds, make_broker
from shared.runtime.topics import Topics
from shared.runtime.viewing import Viewing
from shared.runtime.views import Views

log = structlog.get_logger(__name__)
V = TypeVar("V", bound=BaseModel)

#: How often views are looked after, in seconds.
TEND_EVERY = 1.0
TEND_AT_START = 0.1
#: How long a start waits for its engines before it answers requests with 503 and goes on trying.
START_PATIENCE = 20.0
#: Members whose tokens are held in memory; about 10 KB each where they are in a hundred groups.
TOKENS_REMEMBERED = 2_000

Hook = Callable[[], Awaitable[None]]


class Service:
    """One room of the house. `module` is where it is assembled, so that a builder can assemble it again;
    `addresses`: members say here whom something is for."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        module: str,
        projections: Sequence[Projection[Any]] = (),
        tokens_from: tuple[type[Event], ...] = (),
        addresses: bool = False,
        conjunctions_from: tuple[type[Event], ...] = (),
        reactions: Sequence[Reaction] = (),
        verifier: Verifier | None = None,
        personal: bool = False,
    ) -> None:
        self.name = name
        self.settings = settings
        self._builders = Builders(module)
        self._client: AsyncMongoClient[dict[str, Any]] = mongo_client(settings)
        self.database: AsyncDatabase[dict[str, Any]] = self._client[settings.named(name)]
        self.topics = Topics(settings.kafka, settings.namespace)
        self.registry = Registry(self.database)
        self.identity = httpx.AsyncClient(timeout=5.0)
        self._keys = KeyRing(self.database, MasterKey.read(settings.master_key_path)) if personal else None
        self._key_copy = KeyCopy(self._keys, self.topics, settings.kafka) if self._keys else None
        self.relay = Relay(
            name,
            self.database,
            self.topics,
            settings.kafka,
            [f"{name}.events", f"{name}.private"],
            Lane(0, tuple(range(PARTITIONS))),
        )
        self.store = EventStore(name, self.database, self._keys, on_append=self.relay.appended)
        tokens = [tokens_projection(name, tokens_from, by_name=addresses)] if tokens_from else []
        self._tokens = tokens[0] if tokens else None
        joined = [conjunctions_projection(name, conjunctions_from)] if conjunctions_from else []
        views = (*projections, *tokens, *joined)
        self._read = frozenset(topic for view in views for topic in view.topics)
        heard = {event.topic for reaction in reactions for event in reaction.events if event.topic}
        self._ids = TopicIds(self.topics, sorted(heard | self._read))
        self.viewings: dict[str, Viewing[Any]] = {
            view.name: Viewing(view, self.database, self.registry, self.topics, self._ids, self._builders)
            for view in views
        }
        self._folds = {view.name: view.version for view in views}
        self.freshness = Freshness(name, self.database, self.registry, self.relay)
        for viewing in self.viewings.values():
            viewing.views.fresh = partial(self.freshness.reached, viewing)
        if tokens:
            self.remember(tokens[0], TOKENS_REMEMBERED)
        self.readers = Readers(
            self.viewings[tokens[0].name] if tokens else None,
            self.freshness,
            self.viewings[joined[0].name] if joined else None,
        )
        self._reacting = [Reacting(reaction, self, self._ids) for reaction in reactions]
        self._ends = LogEnds(settings.kafka)
        self._hooks: list[Hook] = []
        self._closers: list[Hook] = []
        self._told: list[Callable[[], None]] = []
        self._broker: KafkaBroker | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.up = asyncio.Event()
        self.waiting_for = "its start"
        self.http = build_app(
            name,
            settings,
            lifespan=self._lifespan,
            verifier=verifier or TokenVerifier.of(settings.identity_url, self.identity),
            ready=self.not_ready,
            measure=lambda: tried("what is parked", self._count_parked(), service=name),
            digest_keys=self._keys.master.for_digests("requests") if self._keys else (),
        )
        self.http.include_router(operate.router(self))

    @property
    def keys(self) -> KeyRing:
        """Opens personal fields; only for a service that is assembled with `personal=True`."""
        if self._keys is None:
            raise RuntimeError(f"{self.name} is assembled without personal keys")
        return self._keys

    @property
    def has_keys(self) -> bool:
        return self._keys is not None

    @property
    def tokens(self) -> Projection[MemberTokens]:
        """The view of members' tokens; only for a service that is assembled with `tokens_from`."""
        if self._tokens is None:
            raise RuntimeError(f"{self.name} is assembled without members' tokens")
        return self._tokens

    def views(self, projection: Projection[V]) -> Views[V]:
        """For reading a projection of this service."""
        return self.viewings[projection.name].views

    def remember(self, projection: Projection[Any], most: int) -> None:
        """Single documents of this view are read from memory while this process alone follows it; at most
        `most` documents are held."""
        self.viewings[projection.name].remember(most)

    def gather(self, projection: Projection[Any], seconds: float) -> None:
        """Nobody waits for this view: its events are folded together with what follows within so many
        seconds, which costs a fraction and leaves the cores to what somebody waits for."""
        self.viewings[projection.name].gathers = seconds

    def sole(self, projection: Projection[V]) -> Sole[V]:
        """Tells whether this process alone follows the view, and what it writes."""
        return self.viewings[projection.name].sole

    def keep_beside(self, projection: Projection[V], mirror: Mirror[V]) -> None:
        """From its start on the view's documents are handed to `mirror` too."""
        self.viewings[projection.name].mirror = mirror

    def projection(self, name: str) -> Projection[Any]:
        """Raises NotFound where this service has no such view."""
        if name not in self.viewings:
            raise NotFound("no-such-view", "There is no view {view} here.", params={"view": name})
        return self.viewings[name].projection

    async def behind(self, after: str | None, *projections: Projection[Any], key: str | None = None) -> bool:
        """Read your writes: waits until the views hold `after`; True where they may not (after at most 2
        s)."""
        return await self.freshness.behind(after, *(self.viewings[p.name] for p in projections), key=key)

    def on_start(self, hook: Hook) -> None:
        """Run once engines, topics and views are there."""
        self._hooks.append(hook)

    def on_stop(self, hook: Hook) -> None:
        """Run before the engines are let go."""
        self._closers.append(hook)

    def on_exit(self, tell: Callable[[], None]) -> None:
        """Called when the process is asked to end, before the answers that are open have ended."""
        self._told.append(tell)

    async def follow_keys(self) -> None:
        """For a process that opens personal fields and is no server: nothing opens before all are known."""
        if self._key_copy is not None:
            await self._key_copy.start()

    async def not_ready(self) -> list[str]:
        """Why requests should go elsewhere; nothing when all is well."""
        if not self.up.is_set():
            return [f"waits for {self.waiting_for}"]
        if self._keys is not None and not self._keys.caught_up.is_set():
            return ["waits for personal keys"]
        return [f"{v.name} is being built" for v in self.viewings.values() if v.views.generation is None]

    @contextlib.asynccontextmanager
    async def engines(self) -> AsyncIterator[tuple[AsyncDatabase[dict[str, Any]], Topics]]:
        """The database and the topics alone, for a process that does one thing and ends."""
        logging.configure(self.name, self.settings)
        try:
            yield self.database, self.topics
        finally:
            if self._key_copy is not None:
                await self._key_copy.stop()
            for hook in self._closers:
                await hook()
            await self._ends.close()
            await self.identity.aclose()
            await self.topics.close()
            await self._client.close()

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: object) -> AsyncIterator[None]:
        logging.configure(self.name, self.settings)
        starting = asyncio.create_task(self._bring_up())
        try:
            await asyncio.wait([starting], timeout=START_PATIENCE)
            if starting.done():
                starting.result()
            with told_of_exit(self._tell_of_exit):
                yield
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            await self._shut_down()

    def _tell_of_exit(self) -> None:
        for tell in self._told:
            tell()

    async def _bring_up(self) -> None:
        """Tries until the engines are there; what cannot be mended by waiting ends the process."""
        pause = 0.1
        while True:
            try:
                await self._start()
                return
            except (PyMongoError, KafkaError, Unavailable, OSError) as error:
                log.warning("start waits", service=self.name, for_=self.waiting_for, error=repr(error)[:300])
                await self._let_go()
                await asyncio.sleep(pause)
                pause = min(pause * 2, 3.0)

    async def _start(self) -> None:
        self.waiting_for = "MongoDB"
        await self.store.prepare()
        self.waiting_for = "Kafka"
        await self.topics.ensure(sorted({*self._read, f"{self.name}.events", f"{self.name}.private"}))
        broker = self._broker = make_broker(self.settings.kafka)
        await broker.start()
        if self._key_copy is not None:
            self.waiting_for = "personal keys"
            await self._key_copy.start()
        self.waiting_for = "its views"
        await _all(viewing.start(broker) for viewing in self.viewings.values())
        await _all(reacting.start(broker) for reacting in self._reacting)
        self._tasks = [
            asyncio.create_task(self.relay.run()),
            asyncio.create_task(self._tend(broker)),
            asyncio.create_task(self.registry.keep_flushing()),
        ]
        for hook in self._hooks:
            await hook()
        self.waiting_for = "members' tokens"
        await self.readers.certain(START_PATIENCE)
        self.up.set()
        log.info("service is up", service=self.name)

    async def _tend(self, broker: KafkaBroker) -> None:
        while True:
            await tried(self.name, self._look(broker), service=self.name)
            await asyncio.sleep(TEND_EVERY if self.up.is_set() else TEND_AT_START)

    async def _look(self, broker: KafkaBroker) -> None:
        """Once a second: lag, failed followers, generations. One view keeps none of the others waiting."""
        await self._measure()
        now = await self.registry.of_all(self._folds)
        for name, viewing in self.viewings.items():
            await tried(name, viewing.tend(broker, now[name]), service=self.name)
        for reacting in self._reacting:
            await tried(reacting.name, reacting.tend(broker), service=self.name)

    async def ends(self) -> Offsets:
        """Where the topics of the views end now, by topic id and partition. Raises KafkaError."""
        known = await self._ids.current()
        found = {name: topic for name, topic in known.items() if name in self._read}
        if not found:
            return {}
        return await self._ends.of(found.values(), {name: self.topics.full_name(name) for name in found})

    async def _measure(self) -> None:
        ends = await self.ends()
        if not ends:
            return
        serving = {
            viewing.views.generation.name: viewing
            for viewing in self.viewings.values()
            if viewing.views.generation is not None
        }
        # What is known to hold everything need not be looked for again.
        behind = [name for name, viewing in serving.items() if not viewing.passed(ends)]
        saved = await self.registry.offsets_of(behind)
        for name, viewing in serving.items():
            viewing.measure(ends, saved.get(name))

    async def _count_parked(self) -> None:
        """Takes note of what is parked now, whichever process parked it and when. Raises PyMongoError."""
        serving = {
            viewing.views.generation.name: name
            for name, viewing in self.viewings.items()
            if viewing.views.generation is not None
        }
        for generation, parked in (await Mending(self.database).counts(list(serving))).items():
            telemetry.PARKED.labels(serving[generation]).set(parked)

    async def _shut_down(self) -> None:
        """Finishes what is under way, in the order in which it flows: requests have ended; store, relay,
        views, engines."""
        self.up.clear()
        await self.store.queue.close()
        await self.relay.stop()
        for hook in self._closers:
            await hook()
        await self._let_go()
        await self.identity.aclose()
        await self.topics.close()
        await self._client.close()

    async def _let_go(self) -> None:
        if self._tasks:
            relay, tend, flushing = self._tasks
            await ended(tend)
            await asyncio.wait([relay], timeout=10)
            await ended(relay)
            await ended(flushing)
            self._tasks = []
        await asyncio.gather(
            self._builders.stop(),
            *(viewing.stop() for viewing in self.viewings.values()),
            return_exceptions=True,
        )
        with contextlib.suppress(PyMongoError):
            # What is not saved comes again, and changes nothing then.
            await self.registry.flush()
        await asyncio.gather(*(reacting.stop() for reacting in self._reacting), return_exceptions=True)
        if self._key_copy is not None:
            await self._key_copy.stop()
        await self._ends.close()
        broker, self._broker = self._broker, None
        if broker is not None:
            await broker.stop()


def mongo_client(settings: Settings) -> AsyncMongoClient[dict[str, Any]]:
    """A client that gives up in seconds, not minutes: callers retry or say 503."""
    return AsyncMongoClient(
        settings.mongo_uri,
        serverSelectionTimeoutMS=5_000,
        connectTimeoutMS=5_000,
        socketTimeoutMS=30_000,
        maxPoolSize=50,
        tz_aware=True,
        appname="fikarum",
    )


async def _all(starting: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Starts all of them; where one fails the others are broken off before that is told, so that none is left
    to begin beside the next try."""
    tasks = [asyncio.create_task(each) for each in starting]
    try:
        await asyncio.gather(*tasks)
    finally:
        await asyncio.gather(*map(ended, tasks))
