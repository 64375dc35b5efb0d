"""How far behind a view is: in events, and as the age of the newest broker end that it has passed.

The age is never taken from the last event: in a quiet topic that one may be a week old while nothing is
missing.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.runtime.generations import Offsets, offset_key
from shared.runtime.topics import Topic

#: How many looks at the ends are remembered; one a second, so that a lag of some minutes can be told.
LOOKS = 600


class LogEnds:
    """The ends of topics, asked of the broker."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._consumer: AIOKafkaConsumer | None = None
        self._connecting = asyncio.Lock()

    async def of(self, topics: Iterable[Topic], full_name: Mapping[str, str]) -> Offsets:
        """The next offset of every partition, by topic id and partition. Raises KafkaError."""
        async with self._connecting:
            if self._consumer is None:
                consumer = AIOKafkaConsumer(
                    bootstrap_servers=self._bootstrap, enable_auto_commit=False, request_timeout_ms=5_000
                )
                await consumer.start()
                self._consumer = consumer
        names = {
            TopicPartition(full_name[topic.name], partition): offset_key(topic.id, partition)
            for topic in topics
            for partition in range(topic.partitions)
        }
        ends = await self._consumer.end_offsets(list(names))
        return {names[tp]: offset for tp, offset in ends.items()}

    async def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()


class LagMeter:
    """Remembers when the ends were where; says how old the newest look is that has been passed."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, Offsets]] = deque(maxlen=LOOKS)
        #: Nothing was passed yet: older than can be told.
        self._passed = time.monotonic() - LOOKS
        self.events = 0
        #: Set once an end was passed.
        self.told = asyncio.Event()

    def look(self, ends: Offsets, saved: Mapping[str, int], now: float | None = None) -> None:
        """The ends as they are now, and what the view holds."""
        now = time.monotonic() if now is None else now
        self._looks.append((now, ends))
        self.events = sum(max(0, end - saved.get(key, 0)) for key, end in ends.items())
        while self._looks and all(saved.get(key, 0) >= end for key, end in self._looks[0][1].items()):
            self._passed, _ = self._looks.popleft()
            self.told.set()

    def age(self, now: float | None = None) -> float:
        """Seconds since the newest end that the view has passed was the end."""
        return (time.monotonic() if now is None else now) - self._passed
