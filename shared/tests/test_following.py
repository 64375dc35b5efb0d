"""Following topics on a real broker: what comes while a batch is gathered or handled waits for that alone."""

import asyncio
import time
from collections.abc import Sequence

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

from shared.runtime.settings import Settings
from shared.runtime.subscribe import QUIET_MS, Follower, make_broker
from shared.runtime.topics import Topics
from shared.tests.eventually import eventually

#: Records, and how far apart they come.
RECORDS, APART = 100, 0.02


@pytest.mark.parametrize(("gathers", "takes"), [(0.25, 0.0), (0.0, 0.2)])
async def test_what_comes_meanwhile_waits_for_no_quiet_partition(
    settings: Settings, gathers: float, takes: float
) -> None:
    """Kafka's client asks a broker for the partitions of which it holds nothing unread, for others only after
    the answer: one that waits for quiet partitions would keep what comes in a busy one."""
    seen: dict[bytes, float] = {}

    async def handle(records: Sequence[ConsumerRecord]) -> None:
        await asyncio.sleep(takes)
        seen.update({record.value: time.monotonic() for record in records})

    async with Topics(settings.kafka, settings.namespace) as topics:
        await topics.ensure(["busy.events"])
        topic = topics.full_name("busy.events")
        broker = make_broker(settings.kafka)
        await broker.connect()
        follower = Follower(broker, f"{settings.namespace}follower", [topic], handle, gathers=gathers)
        await follower.start()
        producer = AIOKafkaProducer(bootstrap_servers=settings.kafka)
        await producer.start()
        try:
            sent: dict[bytes, float] = {}
            await producer.send_and_wait(topic, b"first", partition=0)

            async def followed() -> bool:
                return b"first" in seen

            await eventually(followed)
            for number in range(RECORDS):
                value = str(number).encode()
                sent[value] = time.monotonic()
                await producer.send_and_wait(topic, value, partition=0)
                await asyncio.sleep(APART)

            async def all_seen() -> bool:
                return len(seen) > RECORDS

            await eventually(all_seen)
            late = sorted(seen[value] - when for value, when in sent.items())
            assert late[len(late) // 2] < QUIET_MS / 2_000, "it waited for the quiet ones"
        finally:
            await producer.stop()
            await follower.stop()
            await broker.stop()
