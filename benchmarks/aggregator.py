"""Figures over ten years: full rebuild of the facts, lag while events stream in, answers as of any day,
memory.

`FIKARUM_BENCH_EVENTS` says how many events the ten years hold (100,000 by default; five million are
promised).
"""

import asyncio
import multiprocessing
import os
import random
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

import psutil
import uvloop
from aiokafka import AIOKafkaProducer

from benchmarks.harness import Figure, Run, percentiles
from contracts.feed import LanguageSource, PostKind, PostPublished, ReactionChanged, ReactionKind
from contracts.identity import Kind, MemberPlaced, MemberRegistered, Place
from contracts.wiki import PageRevised
from services.engagement import keeping, projections
from services.engagement.api.asking import MOST_PERIODS
from services.engagement.assembly import assemble
from services.engagement.domain.signals import ItemKind, Signal, SignalKind, SignalsGiven
from services.engagement.factbook import Factbook
from services.engagement.figures import Asked, Figures
from services.engagement.metrics import DEFINITIONS
from services.engagement.metrics.definition import By
from services.engagement.metrics.periods import Every, covering
from services.engagement.projections import ActivityView
from services.engagement.projections.activity import activity_key
from services.engagement.projections.facts import month_of
from shared.kernel.audience import Classification
from shared.kernel.events import Event, Occasion
from shared.kernel.personal import Personal, Sealed
from shared.runtime.codec import Commit, encode_commit, outgoing, partition_of
from shared.runtime.collecting import collect_rarely
from shared.runtime.ids import new_id
from shared.runtime.keys import MasterKey
from shared.runtime.rebuild import Builder
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.runtime.views import Views

#: Stream, version, event, when, by whom.
Told = tuple[str, int, Event, datetime, str]
OURS = SignalsGiven.topic
EVENTS = int(os.environ.get("FIKARUM_BENCH_EVENTS", "100000"))
YEARS, MEMBERS, UNITS = 10, 500, 24
COUNTRIES, LANGUAGES = ("SE", "FI", "NO", "DE", "PL", "ES"), ("sv", "fi", "nb", "de", "pl", "es")
FIRST = date(2016, 1, 1)
#: Answers that are timed, each as of another day.
ANSWERS = 200
#: Seconds and events a second of the stream that the lag is measured under.
STREAMED, A_SECOND = 10, 500
FACTS = (projections.activity, projections.people, projections.items, projections.units)


async def run(run: Run) -> None:
    settings = run.settings(f"a{new_id()[-8:]}_")
    MasterKey.create(settings.master_key_path)
    service = assemble(settings)
    async with service.engines():
        await service.topics.ensure(sorted({topic for view in FACTS for topic in view.topics}))
        await _written(service, _history())
        await _rebuilt(run, service)
    run.figures += await _in_a_process_of_its_own(run, settings)


async def _in_a_process_of_its_own(run: Run, settings: Settings) -> list[Figure]:
    """As in life: what writing and rebuilding took is no part of what the service holds."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, _serving, replace(run, figures=[]), settings)


def _serving(run: Run, settings: Settings) -> list[Figure]:
    collect_rarely()
    # What the service's keeper of figures does in its quiet moments is measured here, so it rests.
    keeping.AGAIN = timedelta(days=1).total_seconds()
    uvloop.run(_alive(run, assemble(settings)))
    return run.figures


def _history() -> Iterator[Told]:
    """In the order of time, the same in every run."""
    dice = random.Random(11)
    begin = datetime(FIRST.year, 1, 1, 8, tzinfo=UTC)
    for n in range(MEMBERS):
        yield from _member(n, begin)
    step = timedelta(days=365.25 * YEARS) / max(1, EVENTS - 2 * MEMBERS)
    for n in range(EVENTS - 2 * MEMBERS):
        yield _act(n, begin + step * n, dice)


def _member(n: int, at: datetime) -> Iterator[Told]:
    member_id = f"m{n}"
    event = MemberRegistered(
        member_id=member_id,
        kind=Kind.STAFF,
        name=_sealed(f"member-{member_id}:1", "name", member_id),
        country=COUNTRIES[n % 6],
        language=LANGUAGES[n % 6],
        time_zone="UTC",
        clearance=Classification.CONFIDENTIAL,
        signs_in=True,
    )
    place = Place(units=(f"d{n % 4}", f"u{n % UNITS}"), country=COUNTRIES[n % 6])
    yield f"member-{member_id}", 1, event, at, "admin"
    placed = MemberPlaced(member_id=member_id, place=place, place_before=Place())
    yield f"member-{member_id}", 2, placed, at, "admin"


def _act(n: int, at: datetime, dice: random.Random) -> Told:
    """Of ten acts four are opened, three reactions, one a post, two changes of pages; most by few."""
    who = f"m{int(MEMBERS * dice.random() ** 2)}"
    match n % 10:
        case 0:
            stream = f"post-p{n}"
            return stream, 1, _post(n, who), at, who
        case 1 | 2 | 3:
            item = f"p{n - n % 10}"
            event = ReactionChanged(
                item_id=item, post_id=item, member_id=who, old=None, new=ReactionKind.LIKE
            )
            return f"reaction-{n}", 1, event, at, who
        case 4 | 5:
            page = PageRevised(
                page_id=f"w{n}", space_id="s", revision=2, title="Page", body="x" * 300, note=""
            )
            return f"page-w{n}", 1, page, at, who
    signal = Signal(
        kind=ItemKind.POST, item_id=f"p{n - n % 10}", signal=SignalKind.READ, at=at.replace(microsecond=0)
    )
    given = SignalsGiven(member_id=who, day=at.date(), items=(signal,))
    return f"signals-{who}-{n}", 1, given, at, who


def _post(n: int, who: str) -> PostPublished:
    return PostPublished(
        post_id=f"p{n}",
        kind=PostKind.ANNOUNCEMENT if n % 5_000 == 0 else PostKind.POST,
        author_id=who,
        text=_sealed(f"post-p{n}:1", "text", who),
        language=LANGUAGES[n % 6],
        language_source=LanguageSource.AUTHOR,
        audience=("staff",),
        classification=Classification.INTERNAL,
        mentions=(f"m{n % MEMBERS}",),
    )


def _sealed(event_id: str, field: str, subject: str) -> Personal:
    return Personal(sealed=Sealed(subject, event_id, field, b"x" * 200))


async def _written(service: Service, history: Iterator[Told]) -> None:
    """Into the log: what others tell as their relays write it, our own through our store and relay."""
    producer = AIOKafkaProducer(bootstrap_servers=service.settings.kafka, linger_ms=20, acks="all")
    await service.store.prepare()
    await producer.start()
    try:
        while portion := list(islice(history, 5_000)):
            commits = [(each[2].topic, _commit(*each)) for each in portion]
            theirs = [commit for topic, commit in commits if topic != OURS]
            await asyncio.gather(*[await _sent(service, producer, commit) for commit in theirs])
            ours = [commit.document for topic, commit in commits if topic == OURS]
            if ours:
                await service.store.commits.insert_many(ours)
    finally:
        await producer.stop()
    relaying = asyncio.create_task(service.relay.run())
    await service.relay.drained()
    await service.relay.stop()
    await relaying


def _commit(stream: str, version: int, event: Event, at: datetime, by: str) -> Commit:
    occasion = Occasion(by=by, correlation_id="benchmark", occurred_at=at)
    named = [(f"{stream}:{version}", event)]
    return encode_commit(stream, version, named, occasion, commit_id=new_id(), recorded_at=at)


async def _sent(service: Service, producer: AIOKafkaProducer, commit: Commit) -> Any:
    (record,) = outgoing(_document(commit.document), "bench")
    return await producer.send(
        service.topics.full_name(record.topic),
        record.value,
        record.key,
        partition=partition_of(commit.stream),
        headers=record.headers,
    )


def _document(raw: Mapping[str, Any]) -> dict[str, Any]:
    document = dict(raw)
    document["events"] = [dict(event) for event in document["events"]]
    return document


async def _rebuilt(run: Run, service: Service) -> None:
    """Every view of facts, one after the other: what an event costs in all of them together."""
    spent, worked = 0.0, 0.0
    for projection in FACTS:
        found = await service.topics.describe(projection.topics)
        await service.registry.first(projection.name, projection.version, found)
        generation = await service.registry.begin(projection.name, projection.version, found)
        builder = Builder(projection, generation, service.database, service.topics, service.settings.kafka)
        started, cpu = time.perf_counter(), time.process_time()
        if not await builder.run():
            raise RuntimeError(f"{projection.name} was not built")
        took = time.perf_counter() - started
        spent, worked = spent + took, worked + time.process_time() - cpu
        read = await service.registry.offsets(generation.name)
        run.note("aggregator", f"rebuild of {projection.name}", sum(read.values()) / took, "events/s")
        await service.registry.drop_retired(projection.name, projection.version)
    rate = EVENTS / spent
    run.note("aggregator", "full rebuild, all views of facts", rate, "events/s", goal=30_000)
    run.note("aggregator", "full rebuild, this process", 1e6 * worked / EVENTS, "CPU µs an event")


async def _alive(run: Run, service: Service) -> None:
    async with service.http.router.lifespan_context(service.http):
        await service.up.wait()
        # those that no figure asks, too: what they fold of ten years is work of the first hours, and no part
        # of an answer's
        for viewing in service.viewings.values():
            await viewing.lag.told.wait()
        figures = Figures(
            Factbook(service.registry, *(service.viewings[v.name] for v in FACTS)), service.database
        )
        await _kept(run, figures)
        await _answered(run, figures)
        await _lagging(run, service)
        memory = psutil.Process().memory_info().rss / 1e6
        run.note("aggregator", "memory of the process", memory, "MB", goal=400, at_least=False)


async def _kept(run: Run, figures: Figures) -> None:
    """Every figure of every month, once: what the service does in its quiet moments. Raises RuntimeError
    where something waited to be counted meanwhile: what follows would work out what is taken to be kept."""
    ledger, today, done = await figures.book.ledger(), datetime.now(UTC).date(), 0
    started = time.perf_counter()
    for period in covering(FIRST, FIRST.replace(year=FIRST.year + YEARS), Every.MONTH):
        ahead = await figures.keep(DEFINITIONS, period, today, ledger)
        if not ahead.whole:
            raise RuntimeError(f"figures of {period.name} were not all kept")
        done += ahead.metrics
    took = time.perf_counter() - started
    run.note(
        "aggregator",
        "a metric of a month worked out and kept, by nothing and by each dimension",
        1e3 * took / max(1, done),
        "ms",
        note=f"{done:,} of them",
    )


async def _answered(run: Run, figures: Figures) -> None:
    """Ten years by month up to any day: closed months are kept, the month that is cut is worked out."""
    dice, latencies = random.Random(5), []
    monthly = [each for each in DEFINITIONS if each.every is Every.MONTH]
    for n in range(ANSWERS):
        as_of = FIRST + timedelta(days=dice.randrange(400, 365 * YEARS))
        asked = Asked(monthly[n % len(monthly)], (None, *By)[n % 4], as_of)
        started = time.perf_counter()
        ledger = await figures.book.ledger()
        periods = list(covering(FIRST, as_of, Every.MONTH))[:MOST_PERIODS]
        await figures.series(asked, periods, ledger)
        latencies.append(1e3 * (time.perf_counter() - started))
    p50, p99 = percentiles(latencies)
    run.note("aggregator", "as of any day over ten years, p50", p50, "ms")
    run.note("aggregator", "as of any day over ten years, p99", p99, "ms", goal=300, at_least=False)


async def _lagging(run: Run, service: Service) -> None:
    """How long after it was sent an act is in the facts, while events stream in: of one act in fifty, each by
    a member of its own."""
    views, month = service.views(projections.activity), month_of(datetime.now(UTC).date())
    waiting: dict[str, float] = {}
    took, over = list[float](), asyncio.Event()
    looking = asyncio.create_task(_seen(views, waiting, took, over))
    producer = AIOKafkaProducer(bootstrap_servers=service.settings.kafka, linger_ms=5, acks="all")
    await producer.start()
    dice, began = random.Random(3), time.perf_counter()
    try:
        for n in range(STREAMED * A_SECOND):
            told = _act(10_000_000 + n, datetime.now(UTC), dice)
            if n % 50 == 0:
                who = f"probe{n}"
                told = f"post-p{n}", 1, _post(n, who), datetime.now(UTC), who
                waiting[activity_key(who, month)] = time.perf_counter()
            if told[2].topic == OURS:
                await service.store.queue.append(_commit(*told))
            else:
                await _sent(service, producer, _commit(*told))
            if n % 10 == 0:
                await asyncio.sleep(max(0.0, n / A_SECOND - (time.perf_counter() - began)))
    finally:
        over.set()
        await producer.stop()
    await asyncio.wait_for(looking, 60)
    p50, _ = percentiles([1e3 * each for each in took])
    run.note("aggregator", "an act in the facts at 500 events/s, p50", p50, "ms")
    run.note("aggregator", "worst lag at 500 events/s", max(took), "s", goal=1, at_least=False)


async def _seen(
    views: Views[ActivityView], waiting: dict[str, float], took: list[float], over: asyncio.Event
) -> None:
    """Looks for the acts that are waited for, fifty times a second, until no more come."""
    while waiting or not over.is_set():
        for key in await views.get_many(list(waiting)):
            took.append(time.perf_counter() - waiting.pop(key))
        await asyncio.sleep(0.02)
