"""From the command to the view in an idle service, one at a time; and through HTTP at 16 callers."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, Response
from pymongo.write_concern import WriteConcern

from benchmarks.harness import OCCASION, OWN, TEXT, BenchNoted, Run, callers, percentiles
from shared.kernel.decider import Decider
from shared.kernel.events import Event
from shared.runtime.auth import Actor, TokenSigner, TokenVerifier
from shared.runtime.http import Caller, Doing, Input, answer_commit
from shared.runtime.ids import new_id
from shared.runtime.service import Service
from shared.runtime.topics import Topics

#: Seconds between two looks at the view.
POLL = 0.002


@dataclass(frozen=True, slots=True)
class Note:
    thing_id: str
    text: str


def _decide(command: Note, count: int) -> Sequence[Event]:
    return [BenchNoted(thing_id=command.thing_id, text=command.text, n=count)]


def _evolve(count: int, event: Event) -> int:
    return count + 1


notes = Decider(lambda command: f"thing-{command.thing_id}", 0, _decide, _evolve)


class NoteInput(Input):
    text: str


async def run(run: Run) -> None:
    signer = TokenSigner(Ed25519PrivateKey.generate())
    settings = run.settings(f"b{new_id()[-8:]}_")
    service = Service(
        "bench", settings, module=__name__, projections=[OWN], verifier=TokenVerifier.by(signer)
    )
    service.http.include_router(_router(service))
    async with service.http.router.lifespan_context(service.http):
        await _visible(run, service)
        await _engines_alone(run, service.database)
        await _through_http(run, service, signer)


def _router(service: Service) -> APIRouter:
    api = APIRouter()

    @api.post("/notes/{thing_id}", status_code=201)
    async def note(thing_id: str, new: NoteInput, caller: Caller, doing: Doing, response: Response) -> None:
        answer_commit(response, await service.store.handle(notes, Note(thing_id, new.text), doing))

    return api


async def _visible(run: Run, service: Service) -> None:
    """Append to visible: polls the view, so the figure includes at most one pause and one read. Polling
    without a pause would take the core that the work needs."""
    views = service.views(OWN)
    appended, visible = [], []
    for n in range(320):
        thing = f"visible-{n}"
        began = time.perf_counter()
        await service.store.handle(notes, Note(thing, TEXT), OCCASION)
        appended.append((time.perf_counter() - began) * 1e3)
        while await views.get(thing) is None:  # noqa: ASYNC110 - it is the reader who looks
            await asyncio.sleep(POLL)
        visible.append((time.perf_counter() - began) * 1e3)
        await asyncio.sleep(0.005)
    p50, p99 = percentiles(visible[20:])
    run.note("idle", "command acknowledged p50", percentiles(appended[20:])[0], "ms")
    run.note("idle", "append to visible p50", p50, "ms", goal=15, at_least=False)
    run.note("idle", "append to visible p99", p99, "ms", goal=60, at_least=False)


async def _engines_alone(run: Run, database: Any) -> None:
    """The same way by hand: a journalled insert, a transaction to Kafka, what a waiting consumer gets, a
    journalled insert. Nothing is decided, marked, folded or looked for."""
    bootstrap, topic = run.addresses.kafka_bootstrap, f"alone-{new_id()[-8:]}"
    async with Topics(bootstrap) as topics:
        await topics.ensure([topic], partitions=1)
    durable = database.get_collection("alone", write_concern=WriteConcern("majority", j=True))
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=topic) as producer, consumer:
        took = []
        for n in range(320):
            began = time.perf_counter()
            await durable.insert_one({"_id": f"commit-{n}", "data": TEXT})
            async with producer.transaction():
                await producer.send_and_wait(topic, TEXT.encode())
            await consumer.getone()
            await durable.insert_one({"_id": f"view-{n}", "data": TEXT})
            took.append((time.perf_counter() - began) * 1e3)
            await asyncio.sleep(0.005)
    p50, p99 = percentiles(took[20:])
    run.note("idle", "the engines alone, by hand p50", p50, "ms")
    run.note("idle", "the engines alone, by hand p99", p99, "ms")


async def _through_http(run: Run, service: Service, signer: TokenSigner) -> None:
    """Decide, load and append behind the HTTP face, in one process, everything running."""
    token = signer.sign(Actor("member-bench", frozenset(), "session"))
    transport = httpx.ASGITransport(app=service.http)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://bench", headers=headers) as client:

        async def call(caller: int, n: int) -> None:
            answer = await client.post(f"/notes/{caller}-{n}", json={"text": TEXT})
            answer.raise_for_status()

        timed = await callers(16, 4_000, call)
    run.note("through HTTP", "16 callers, decide and load, all running", timed.rate, "commands/s")
    run.note("through HTTP", "16 callers p99", timed.p99, "ms")
    run.note("through HTTP", "client and service, this process", timed.cpu_us, "CPU µs a command")
