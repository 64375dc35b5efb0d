"""What the log really holds, read back from Kafka as every consumer reads it: committed records only."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo.asynchronous.database import AsyncDatabase

from shared.kernel.events import Recorded
from shared.runtime.codec import COMMITS, PARTITIONS, incoming, recorded_events
from shared.runtime.topics import Topics
from shared.tests.walls import PRIVATE, PUBLIC


class Carried(NamedTuple):
    """An event in the log and where it lies."""

    topic: str
    partition: int
    offset: int
    recorded: Recorded


async def read_log(bootstrap: str, topics: Topics, names: Iterable[str] = (PUBLIC, PRIVATE)) -> list[Carried]:
    """Every committed record of these topics, partition by partition. Raises AssertionError where one of them
    is made anew meanwhile: the end that was looked up is then another topic's, and may never be reached."""
    names = list(names)
    before = await topics.describe(names)
    full = {topics.full_name(name): name for name in names}
    partitions = [TopicPartition(name, number) for name in full for number in range(PARTITIONS)]
    found: list[Carried] = []
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4_194_304,
    ) as consumer:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning(*partitions)
        due = [tp for tp in partitions if ends[tp]]
        while due:
            batches = await consumer.getmany(*due, timeout_ms=100)
            if not batches:
                assert await topics.describe(names) == before, "a topic was made anew while it was read"
            for records in batches.values():
                for r in records:
                    recorded = incoming(dict(r.headers), r.value)
                    found.append(Carried(full[r.topic], r.partition, r.offset, recorded))
            due = [tp for tp in due if await consumer.position(tp) < ends[tp]]
    return found


async def check_log(
    bootstrap: str,
    topics: Topics,
    database: AsyncDatabase[dict[str, Any]],
    names: Iterable[str] = (PUBLIC, PRIVATE),
) -> list[Carried]:
    """Every event that the store holds for a topic is in it exactly once, in the order of its stream, and
    its commit knows where; and the log holds nothing else. Raises AssertionError."""
    carried = await read_log(bootstrap, topics, names)
    commits = database.get_collection("commits", codec_options=COMMITS)
    documents = await commits.find().sort("_id", 1).to_list()
    for name in names:
        _check_topic(name, [c for c in carried if c.topic == name], documents)
    ids = {name: topic.id for name, topic in (await topics.describe(names)).items()}
    places = {c.recorded.id: (c.topic, c.partition, c.offset) for c in carried}
    for document in documents:
        last = {e["topic"]: e["id"] for e in document["events"] if e.get("topic") in ids}
        marked = {s["topic"]: (s["topic"], s["partition"], s["offset"]) for s in document.get("sent", ())}
        assert "unsent" not in document, f"{document['_id']} is not marked as sent"
        assert {name: places[event] for name, event in last.items()} == marked, document["_id"]
        assert {s["id"] for s in document.get("sent", ())} <= set(ids.values()), document["_id"]
    return carried


def _check_topic(name: str, carried: list[Carried], documents: list[dict[str, Any]]) -> None:
    topic_of = {e["id"]: e.get("topic") for document in documents for e in document["events"]}
    stored = [r for document in documents for r in recorded_events(document) if topic_of[r.id] == name]
    sent: dict[str, list[int]] = defaultdict(list)
    kept: dict[str, list[int]] = defaultdict(list)
    for one in carried:
        sent[one.recorded.stream].append(one.recorded.version)
    for recorded in stored:
        kept[recorded.stream].append(recorded.version)
    assert dict(sent) == dict(kept), f"{name}: " + "; ".join(_differences(sent, kept))
    assert {c.recorded for c in carried} == {r._replace(data=_bytes(r.data)) for r in stored}


def _differences(sent: dict[str, list[int]], kept: dict[str, list[int]]) -> list[str]:
    return [
        f"{stream} was sent as {sent.get(stream)} and is stored as {kept.get(stream)}"
        for stream in sorted({*sent, *kept})
        if sent.get(stream) != kept.get(stream)
    ][:5]


def _bytes(data: str | bytes) -> bytes:
    return data if isinstance(data, bytes) else data.encode()
