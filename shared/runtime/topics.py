"""The topics: made on purpose and never by accident, kept for ever, and known by id, since a re-created one
is another.

Uses kafka-python's admin client in a thread: it is the one that tells a topic's id.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from shared.kernel.errors import Unavailable
from shared.runtime.codec import PARTITIONS

FOREVER: Mapping[str, str] = {
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "cleanup.policy": "delete",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": "4194304",
}
#: The latest record of each key is kept; an erased key's old records are gone within about an hour.
COMPACTED: Mapping[str, str] = {
    "cleanup.policy": "compact",
    "max.compaction.lag.ms": "3600000",
    "segment.ms": "600000",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "message.timestamp.type": "LogAppendTime",
}
#: How long a fresh topic may take until the broker describes it, in seconds.
SETTLES = 15.0


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as the broker knows it now. `id` changes when it is deleted and made again."""

    name: str
    id: str
    partitions: int


class Topics:
    """The topics of one namespace. Names given and answered are without the namespace."""

    def __init__(self, bootstrap: str, namespace: str = "") -> None:
        self._bootstrap = bootstrap
        self._namespace = namespace
        self._admin: KafkaAdminClient | None = None
        self._lock = asyncio.Lock()

    def full_name(self, name: str) -> str:
        """The name that the broker knows."""
        return f"{self._namespace}{name}"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        async with self._lock:
            admin, self._admin = self._admin, None
            if admin is not None:
                await asyncio.to_thread(admin.close)

    async def ensure(
        self, names: Iterable[str], config: Mapping[str, str] = FOREVER, partitions: int = PARTITIONS
    ) -> dict[str, Topic]:
        """Makes what is missing and answers all. Raises Unavailable where one has another number of
        partitions."""
        wanted = list(names)
        found = await self.describe(wanted)
        missing = [name for name in wanted if name not in found]
        if missing:
            await self._call(self._create, missing, dict(config), partitions)
            found = await self._settled(wanted)
        for topic in found.values():
            if topic.partitions != partitions:
                raise Unavailable(
                    "topic-partitions",
                    "Topic {topic} has {has} partitions, not {wanted}. Its number is fixed when it is made.",
                    params={"topic": topic.name, "has": topic.partitions, "wanted": partitions},
                )
        return found

    async def describe(self, names: Iterable[str]) -> dict[str, Topic]:
        """What exists of `names`."""
        found: dict[str, Topic] = await self._call(self._describe, list(names))
        return found

    async def recreate(
        self, name: str, config: Mapping[str, str] = FOREVER, partitions: int = PARTITIONS
    ) -> Topic:
        """Deletes the topic with all it holds and makes it again, empty, under a new id."""
        before = (await self.describe([name])).get(name)
        if before is not None:
            await self._call(self._delete, name)
        deadline = time.monotonic() + SETTLES
        while True:
            with contextlib.suppress(TopicAlreadyExistsError):
                await self._call(self._create, [name], dict(config), partitions)
            now = (await self._settled([name]))[name]
            if before is None or now.id != before.id:
                return now
            if time.monotonic() > deadline:
                raise Unavailable("topic-stuck", "Topic {topic} does not go away.", params={"topic": name})
            await asyncio.sleep(0.05)

    async def alter(self, name: str, config: Mapping[str, str]) -> None:
        """Sets configuration of an existing topic."""
        await self._call(self._alter, name, dict(config))

    async def _settled(self, names: list[str]) -> dict[str, Topic]:
        deadline = time.monotonic() + SETTLES
        while True:
            found = await self.describe(names)
            if len(found) == len(names):
                return found
            if time.monotonic() > deadline:
                raise Unavailable("topics-missing", "Kafka does not make the topics. Look at its log.")
            await asyncio.sleep(0.02)

    async def _call(self, function: Any, *arguments: Any) -> Any:
        async with self._lock:
            return await asyncio.to_thread(self._guarded, function, *arguments)

    def _guarded(self, function: Any, *arguments: Any) -> Any:
        try:
            if self._admin is None:
                self._admin = KafkaAdminClient(bootstrap_servers=self._bootstrap, request_timeout_ms=10_000)
            return function(self._admin, *arguments)
        except TopicAlreadyExistsError:
            raise
        except KafkaError as error:
            admin, self._admin = self._admin, None
            if admin is not None:
                with contextlib.suppress(KafkaError, OSError):
                    admin.close()
            raise Unavailable(
                "kafka-away", "Kafka does not answer: {error}", params={"error": str(error)}
            ) from error

    def _create(
        self, admin: KafkaAdminClient, names: list[str], config: dict[str, str], partitions: int
    ) -> None:
        for name in names:
            new = NewTopic(self.full_name(name), partitions, 1, topic_configs=config)
            with contextlib.suppress(TopicAlreadyExistsError):
                admin.create_topics([new])

    def _delete(self, admin: KafkaAdminClient, name: str) -> None:
        with contextlib.suppress(UnknownTopicOrPartitionError):
            admin.delete_topics([self.full_name(name)])

    def _alter(self, admin: KafkaAdminClient, name: str, config: dict[str, str]) -> None:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, self.full_name(name), configs=config)])

    def _describe(self, admin: KafkaAdminClient, names: list[str]) -> dict[str, Topic]:
        full = {self.full_name(name): name for name in names}
        found = {}
        for topic in admin.describe_topics(list(full)):
            if topic["error_code"] == UnknownTopicOrPartitionError.errno:
                continue
            if topic["error_code"]:
                # Whoever took that for a missing topic would give up a log that is there.
                raise for_code(topic["error_code"])(topic["name"])
            name = full[topic["name"]]
            found[name] = Topic(name, str(topic["topic_id"]), len(topic["partitions"]))
        return found
