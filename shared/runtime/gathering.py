"""A batch of records as a view's fold wants it: read, and gathered by the documents that it changes.

What cannot be read parks its stream, here; what cannot be folded parks its document, there.
"""

import asyncio
import logging
import traceback
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from aiokafka.structs import ConsumerRecord

from shared.kernel.errors import Undecodable
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Projection
from shared.runtime import telemetry
from shared.runtime.codec import event_name, incoming
from shared.runtime.generations import offset_key
from shared.runtime.parking import Parking

log = structlog.get_logger(__name__)

#: Records read before others get their turn: a large batch takes most of a second.
_AT_A_TIME = 500


class Delivered(NamedTuple):
    """A record and where it lies; `where` is topic id and partition."""

    record: ConsumerRecord
    where: str
    offset: int


class Item(NamedTuple):
    delivered: Delivered
    recorded: Recorded
    event: Event


class Gathered(NamedTuple):
    """`ends`: the next offset of every place; `newest`: when what was recorded last there was recorded."""

    by_key: dict[str, list[Item]]
    ends: dict[str, int]
    newest: dict[str, datetime]
    records: int
    parts: telemetry.Parts


class Gathering:
    """Reads for one generation of one view."""

    def __init__(self, projection: Projection[Any], generation: str, parking: Parking) -> None:
        self._projection = projection
        self._generation = generation
        self._parking = parking
        self._names = {event.__name__ for event in projection.events}

    async def gather(self, batch: Sequence[Delivered]) -> Gathered:
        parts = telemetry.Parts(f"fold {self._projection.name}")
        try:
            return await self._gather(batch, parts)
        except BaseException:
            parts.end()
            raise

    async def _gather(self, batch: Sequence[Delivered], parts: telemetry.Parts) -> Gathered:
        gathered = Gathered({}, {}, {}, len(batch), parts)
        talks = logging.getLogger(__name__).isEnabledFor(logging.DEBUG)
        for number, delivered in enumerate(batch, 1):
            if number % _AT_A_TIME == 0:
                await asyncio.sleep(0)
            where = delivered.where
            gathered.ends[where] = max(delivered.offset + 1, gathered.ends.get(where, 0))
            item = await self._read(delivered)
            if item is None:
                continue
            parts.join(delivered.record.headers)
            if talks:
                recorded = item.recorded
                about = {"event_type": recorded.type, "correlation_id": recorded.correlation_id}
                log.debug("folding", view=self._generation, **about)
            if gathered.newest.get(where, datetime.min) < item.recorded.recorded_utc:
                gathered.newest[where] = item.recorded.recorded_utc
            for key in await self._keys(item):
                gathered.by_key.setdefault(key, []).append(item)
        return gathered

    async def _read(self, delivered: Delivered) -> Item | None:
        """The event, where this view folds it and it can be read; parks its stream where it cannot."""
        headers = dict(delivered.record.headers)
        stream = (delivered.record.key or b"").decode(errors="replace")
        try:
            if not self._parking.streams and event_name(headers)[0] not in self._names:
                return None
            recorded = incoming(headers, delivered.record.value)
            if recorded.type not in self._names:
                return None
            mend = self._parking.mends.get(recorded.id)
            if mend is not None:
                if mend.skip:
                    return None
                recorded = recorded._replace(data=mend.data, schema_version=mend.schema_version)
            event = recorded.event()
        except Undecodable as error:
            await self._parking.park_stream(stream, delivered, str(error), traceback.format_exc())
            return None
        if self._parking.holds(stream, delivered):
            await self._parking.park_stream(stream, delivered, "behind an event that cannot be read", "")
            return None
        return Item(delivered, recorded, event)

    async def _keys(self, item: Item) -> Collection[str]:
        try:
            return self._projection.touched(item.event, item.recorded)
        except Exception as error:
            where = item.recorded.stream
            await self._parking.park_stream(where, item.delivered, repr(error), traceback.format_exc())
            return ()


def delivered(records: Iterable[ConsumerRecord], topic_ids: Mapping[str, str]) -> list[Delivered]:
    """Records with the place that `_seen` knows them by; `topic_ids` by the broker's topic names."""
    return [
        Delivered(record, offset_key(topic_ids[record.topic], record.partition), record.offset)
        for record in records
    ]
