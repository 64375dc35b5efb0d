"""When an event, then a command: run once per cause, from now on, never for the past.

A reaction has one consumer group without generations, named after its topics' ids as well: a topic that was
made anew is read from its beginning. Its start is stored as a `recorded_at` and compared
with every event, so that a refilled topic does not replay the past. It is idempotent because the target's
id derives from the cause. Imported events never cause anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka.structs import ConsumerRecord
from faststream.kafka import KafkaBroker

from shared.kernel.decider import Decider
from shared.kernel.errors import Refused, Undecodable
from shared.kernel.events import Event, Occasion, Recorded
from shared.runtime.codec import event_name, incoming
from shared.runtime.ids import derived_id
from shared.runtime.store import TOO_BUSY
from shared.runtime.subscribe import Follower, TopicIds
from shared.runtime.topics import Topic

if TYPE_CHECKING:
    from shared.runtime.service import Service

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reaction:
    """`when(event, recorded)` is pure and answers the command for `decider`, or None. `name` is the
    consumer group."""

    name: str
    events: tuple[type[Event], ...]
    when: Callable[[Event, Recorded], Any | None]
    decider: Decider[Any, Any]
    starts: datetime | None = None


class Reacting:
    """Runs one reaction of a service."""

    def __init__(self, reaction: Reaction, service: "Service", ids: TopicIds) -> None:
        self._reaction = reaction
        self._service = service
        self._follower: Follower | None = None
        self._since = datetime.max.replace(tzinfo=UTC)
        self._names = {event.__name__ for event in reaction.events}
        self._topics = sorted({event.topic for event in reaction.events if event.topic})
        self._ids = ids
        self._bound: dict[str, Topic] = {}

    @property
    def name(self) -> str:
        return self._reaction.name

    async def start(self, broker: KafkaBroker) -> None:
        """Remembers when it began, the first time."""
        starts = self._service.database["reactions"]
        since = self._reaction.starts or datetime.now(UTC)
        await starts.update_one({"_id": self._reaction.name}, {"$setOnInsert": {"since": since}}, upsert=True)
        stored = await starts.find_one({"_id": self._reaction.name})
        assert stored is not None, "it was just written"
        self._since = stored["since"]
        await self._follow(broker)

    async def tend(self, broker: KafkaBroker) -> None:
        """Begins again after a failure, and where a topic was made anew."""
        found = await self._found()
        if self._follower is not None and (self._follower.failed.is_set() or found != self._bound):
            await self._follower.stop()
            self._follower = None
        if self._follower is None:
            await self._follow(broker)

    async def stop(self) -> None:
        if self._follower is not None:
            await self._follower.stop()
            self._follower = None

    async def _follow(self, broker: KafkaBroker) -> None:
        topics = self._service.topics
        self._bound = await self._found(at_once=True)
        if not self._bound:
            # Somebody deleted the topics; the next look finds them when their relay has made them again.
            return
        ids = derived_id(*sorted(topic.id for topic in self._bound.values()))
        group = topics.full_name(f"{self._reaction.name}.{ids[:12]}")
        names = [topics.full_name(name) for name in self._bound]
        follower = Follower(broker, group, names, self._handle)
        await follower.start()
        self._follower = follower

    async def _found(self, *, at_once: bool = False) -> dict[str, Topic]:
        found = await self._ids.current(at_once=at_once)
        return {name: found[name] for name in self._topics if name in found}

    async def _handle(self, records: Sequence[ConsumerRecord]) -> None:
        for record in records:
            headers = dict(record.headers)
            try:
                if event_name(headers)[0] in self._names:
                    recorded = incoming(headers, record.value)
                    await self._react(recorded, recorded.event())
            except Undecodable as error:
                log.error("event cannot be read, no reaction", reaction=self._reaction.name, error=str(error))

    async def _react(self, recorded: Recorded, event: Event) -> None:
        if recorded.imported or recorded.recorded_at < self._since:
            return
        command = self._reaction.when(event, recorded)
        if command is None:
            return
        occasion = Occasion(recorded.by, recorded.correlation_id, causation_id=recorded.id)
        try:
            await self._service.store.handle(self._reaction.decider, command, occasion)
        except Refused as refused:
            if refused.momentary or refused.code == TOO_BUSY:
                raise
            log.info("reaction refused", reaction=self._reaction.name, code=refused.code, cause=recorded.id)
