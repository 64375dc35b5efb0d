"""What the proofs run as processes of their own, until SIGTERM or until it is done.

relay             carries commits to Kafka
writer            carries commits to Kafka, and goes on making marks itself
hand NAME TIMES   makes marks one by one on one stream, and says the version that each command answered
builder VIEW N    builds generation N of a view, in small batches
service           everything that a service is, without its HTTP port
"""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from itertools import cycle
from multiprocessing.connection import Connection

from shared.kernel.events import Occasion
from shared.runtime import points, rebuild, subscribe
from shared.runtime.ids import new_id
from shared.runtime.settings import Settings
from shared.tests.assembly import assemble
from shared.tests.walls import HANDS, KINDS, Mark


def run(saying: Connection, environment: Mapping[str, str], arguments: Sequence[str]) -> None:
    """The whole life of such a process."""
    os.environ.update(environment)
    points.arm(environment["FIKARUM_POINTS"])
    asyncio.run(_main(saying, Settings.from_env(), *arguments))


def _ordered_to_end() -> asyncio.Event:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    return ended


async def _relay(saying: Connection, settings: Settings) -> None:
    service, ended = assemble(settings), _ordered_to_end()
    async with service.engines():
        relaying = asyncio.create_task(service.relay.run())
        saying.send("up")
        await ended.wait()
        await service.relay.stop()
        await relaying


async def _writer(saying: Connection, settings: Settings) -> None:
    service, ended = assemble(settings), _ordered_to_end()
    kinds = cycle(KINDS)

    async def write(hand: str) -> None:
        while not ended.is_set():
            await service.store.handle(HANDS, Mark(hand, kind=next(kinds)), Occasion("ann", new_id()))

    async with service.engines():
        relaying = asyncio.create_task(service.relay.run())
        await service.relay.drained()
        saying.send("up")
        await asyncio.gather(*(write(f"{number}-{new_id()}") for number in range(3)))
        await service.relay.stop()
        await relaying


async def _hand(saying: Connection, settings: Settings, name: str, times: int) -> None:
    service = assemble(settings)
    async with service.engines():
        saying.send("up")
        for _ in range(times):
            done = await service.store.handle(HANDS, Mark(name), Occasion("ann", new_id()))
            saying.send(str(done.version))


async def _builder(settings: Settings, view: str, number: int) -> None:
    service, rebuild.BATCH = assemble(settings), 7
    async with service.engines() as (database, topics):
        building = (await service.registry.of(view, service.projection(view).version)).building
        assert building is not None and building.number == number, "it was begun"
        await rebuild.Builder(service.projection(view), building, database, topics, settings.kafka).run()


async def _service(saying: Connection, settings: Settings) -> None:
    # Of one that is killed the group gives the partitions away after this; there is more to prove than that.
    subscribe.SESSION_TIMEOUT_MS = 2_000
    service, ended = assemble(settings), _ordered_to_end()
    async with service.http.router.lifespan_context(service.http):
        await service.up.wait()
        saying.send("up")
        await ended.wait()


async def _main(saying: Connection, settings: Settings, role: str, *arguments: str) -> None:
    match role, arguments:
        case "relay", ():
            await _relay(saying, settings)
        case "writer", ():
            await _writer(saying, settings)
        case "hand", (name, times):
            await _hand(saying, settings, name, int(times))
        case "builder", (view, number):
            await _builder(settings, view, int(number))
        case "service", ():
            await _service(saying, settings)
        case _:
            raise SystemExit(f"no such role: {role}")
