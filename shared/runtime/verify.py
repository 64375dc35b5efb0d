"""Is everything that a service keeps what its events say? `python -m shared.runtime.verify MODULE REPORT`.

Every stream is looked at for gaps, the log for events that are missing, doubled or swapped, and every view is
compared with a fresh fold of the same events, while the service goes on. The fresh fold is written beside the
view, by the code that writes views, and dropped when it was compared; nothing else is changed.
"""

import asyncio
import importlib
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.read_concern import ReadConcern

from shared.kernel.errors import Undecodable
from shared.runtime.codec import COMMITS, incoming, split_key
from shared.runtime.collecting import collect_rarely
from shared.runtime.gathering import Delivered
from shared.runtime.generations import Registry
from shared.runtime.parking import Mending
from shared.runtime.refolding import Refolding
from shared.runtime.service import Service
from shared.runtime.topics import Topics

#: What is told of each kind; the rest is counted.
MOST_TOLD = 20
#: How often a view is compared anew because another generation of it was swapped in meanwhile.
_TRIES = 3
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be. `where`: a stream, a topic, or a view and a document's key."""

    kind: str
    where: str
    says: str


@dataclass(slots=True)
class Report:
    """What was looked at, and what was found; `documents`, and events that are `parked`, by view."""

    service: str
    streams: int = 0
    events: int = 0
    documents: dict[str, int] = field(default_factory=dict)
    parked: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def to_json(self) -> str:
        return json.dumps(asdict(self)) + "\n"

    def add(self, kind: str, where: str, says: str) -> None:
        self.found[kind] = self.found.get(kind, 0) + 1
        if self.found[kind] <= MOST_TOLD:
            self.findings.append(Finding(kind, where, says))


@dataclass(slots=True)
class Sent:
    """How many events of a topic were marked as sent, and when the newest of them was recorded."""

    events: int = 0
    until: datetime = _NEVER

    def add(self, recorded_at: datetime) -> None:
        self.events += 1
        self.until = max(self.until, recorded_at)


async def streams(database: AsyncDatabase[dict[str, Any]], report: Report) -> dict[str, Sent]:
    """Every stream has the versions 1 to its tail, each once, and its times never run back. Answers what was
    sent, by topic."""
    commits = database.get_collection("commits", codec_options=COMMITS, read_concern=ReadConcern("majority"))
    fields = {"events.topic": 1, "events.type": 1, "recorded_at": 1, "unsent": 1}
    sent: defaultdict[str, Sent] = defaultdict(Sent)
    stream, tail, at = "", 0, None
    async for commit in commits.find({}, fields).sort("_id", 1):
        of, first = split_key(commit["_id"])
        if of != stream:
            stream, tail, at = of, 0, None
            report.streams += 1
        if first != tail + 1:
            report.add("gap", stream, f"version {first} comes after {tail}")
        if at is not None and commit["recorded_at"] < at:
            report.add("time", stream, f"version {first} was recorded before the one before it")
        tail, at = first + len(commit["events"]) - 1, commit["recorded_at"]
        report.events += len(commit["events"])
        if "unsent" not in commit:
            for topic in [event["topic"] for event in commit["events"] if "topic" in event]:
                sent[topic].add(commit["recorded_at"].replace(tzinfo=UTC))
    return sent


class Log:
    """What was read of the log: how many events of those that `sent` tells of, and that each stream's come in
    order, once."""

    def __init__(self, report: Report, sent: Mapping[str, Sent]) -> None:
        self._report = report
        self._sent = sent
        self._last: dict[tuple[str, bytes], int] = {}
        self._ends: dict[str, int] = {}
        self._read: Counter[str] = Counter()
        #: The topics that were read to their end.
        self.topics: set[str] = set()

    def take(self, batch: list[Delivered], names: dict[str, str]) -> None:
        """Batches come in the order of each partition; what was looked at already is passed over."""
        for delivered in batch:
            if delivered.offset < self._ends.get(delivered.where, 0):
                continue
            self._ends[delivered.where] = delivered.offset + 1
            topic, key = names[delivered.record.topic], delivered.record.key or b""
            try:
                recorded = incoming(dict(delivered.record.headers), delivered.record.value)
            except Undecodable as error:
                self._read[topic] += 1
                self._report.add("unreadable", f"{topic} {delivered.where} {delivered.offset}", str(error))
                continue
            # What came since would make up for what is missing.
            if topic in self._sent and recorded.recorded_at <= self._sent[topic].until:
                self._read[topic] += 1
            version = recorded.version
            before = self._last.get((topic, key), 0)
            if version <= before:
                says = f"{key.decode(errors='replace')}: version {version} comes after {before}"
                self._report.add("log", topic, says)
            self._last[topic, key] = max(version, before)

    def compare(self) -> None:
        """With what the store had marked as sent before the log was read."""
        for topic in sorted(self._sent.keys() & self.topics):
            read, sent = self._read[topic], self._sent[topic].events
            if read < sent:
                self._report.add("log", topic, f"holds {read} events, {sent} were marked as sent")


async def verify(service: Service) -> Report:
    """Looks at everything that the service keeps. Raises Unavailable, PyMongoError and KafkaError."""
    report = Report(service.name)
    async with service.engines() as (database, topics):
        log = Log(report, await streams(database, report))
        for viewing in service.viewings.values():
            await _view(service, viewing.name, (database, topics), report, log)
        log.compare()
    return report


async def _view(
    service: Service,
    name: str,
    engines: tuple[AsyncDatabase[dict[str, Any]], Topics],
    report: Report,
    log: Log,
) -> None:
    database, topics = engines
    projection, registry = service.projection(name), Registry(database)
    for _ in range(_TRIES):
        active = (await registry.of(name, projection.version)).active
        if active is None:
            report.add("view", name, f"no generation of fold {projection.version} serves")
            return
        refolding = Refolding(projection, active, database, topics, service.settings.kafka, log.take)
        compared = await refolding.run()
        log.topics |= set(projection.topics)
        parked = await Mending(database).counts([active.name])
        report.parked[name] = parked[active.name]
        now = (await registry.of(name, projection.version)).active
        if now is not None and now.number == active.number:
            break
    report.documents[name] = compared.documents
    if report.parked[name]:
        report.add("parked", name, f"lacks {report.parked[name]} events that are parked (fikarum parked)")
    for key, says in compared.differs.items():
        report.add("view", f"{name} {key}", says)
    if compared.behind:
        says = f"is behind the log: {compared.behind} documents could not be compared (fikarum lag)"
        report.add("behind", name, says)


def main(module: str, file: str) -> int:
    """Writes the report as JSON; 1 where something was found."""
    service: Service = importlib.import_module(module).service
    collect_rarely()
    report = asyncio.run(verify(service))
    Path(file).write_text(report.to_json(), encoding="utf-8")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
