"""Read your writes: where a commit lies in the log, and waiting until a view has passed it.

`after` names either a commit of this service (`wiki/page-1/7`) or its places in the log (`<topic
id>:<partition>:<offset>`, joined by commas), which the gateway asks its owner for.

Every view that is read while a request is answered waits for what the request should be after, whether its
route thought of that view or not: a page is found by one view and shown with the help of another.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Any, Protocol

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.read_concern import ReadConcern

from shared.kernel.errors import NotFound, Refused
from shared.runtime.asked import ASKED, PATIENCE, Asked, Place
from shared.runtime.away import reading
from shared.runtime.codec import COMMITS, check_stream, commit_key, split_key
from shared.runtime.generations import Registry, offset_key
from shared.runtime.viewing import Viewing


class Relaying(Protocol):
    """What the relay of this process knows before the store does."""

    #: Set, and another one put in its place, when something was sent.
    sent: asyncio.Event

    def places(self, stream: str, version: int) -> Sequence[dict[str, Any]] | None: ...

    def is_due(self, stream: str, version: int) -> bool: ...


class Freshness:
    """One service's answers to 'have you seen what I just did?'."""

    def __init__(
        self,
        service: str,
        database: AsyncDatabase[dict[str, Any]],
        registry: Registry,
        relay: Relaying | None = None,
    ) -> None:
        """`relay`: of this process, where it has one."""
        self._service = service
        self._relay = relay
        self._registry = registry
        self._commits = database.get_collection(
            "commits", codec_options=COMMITS, read_concern=ReadConcern("majority")
        )

    async def places(self, stream: str, version: int) -> list[dict[str, Any]] | None:
        """Where the commit that holds this version was sent; None where the relay has not sent it within
        2 s, empty where it stays in its stream.

        Raises NotFound where there is no such commit.
        """
        check_stream(stream)
        deadline, pause = time.monotonic() + PATIENCE, 0.01
        where = {"_id": {"$gte": commit_key(stream, 1), "$lte": commit_key(stream, version)}}
        while True:
            sent = asyncio.Event() if self._relay is None else self._relay.sent
            if self._relay is not None and (known := self._relay.places(stream, version)) is not None:
                return list(known)
            if self._relay is None or not self._relay.is_due(stream, version):
                with reading():
                    found = await self._commits.find_one(
                        where, {"sent": 1, "unsent": 1, "events.id": 1}, sort=[("_id", -1)]
                    )
                if found is None or split_key(found["_id"])[1] + len(found["events"]) - 1 < version:
                    raise NotFound("no-such-commit", "There is no such version.")
                if not found.get("unsent"):
                    return list(found.get("sent", ()))
            if time.monotonic() > deadline:
                return None
            # Another process may relay: then only looking again tells.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(sent.wait(), pause)
            pause = min(pause * 2, 0.1)

    async def behind(self, after: str | None, *viewings: Viewing[Any], key: str | None = None) -> bool:
        """Waits at most 2 s in all; True where one of the views may not hold `after` yet, or its document
        `key` is parked."""
        if not after:
            return False
        asked = ASKED.get()
        if asked is None or asked.after != after:
            asked = Asked(after)
        for viewing in viewings:
            if not await self._holds(viewing, asked):
                return True
            if key is not None and await viewing.views.is_parked(key):
                return True
        return False

    async def reached(self, viewing: Viewing[Any]) -> None:
        """Waits until the view holds what the request under way should be after, or its time is over."""
        asked = ASKED.get()
        if asked is not None:
            await self._holds(viewing, asked)

    async def _holds(self, viewing: Viewing[Any], asked: Asked) -> bool:
        name = viewing.views.projection.name
        if name not in asked.held:
            if not asked.looked:
                # Once for a request: what is not sent by then is not waited for again by the next view.
                asked.places = await self._places(asked.after)
                asked.looked = True
            places = asked.places
            asked.held[name] = places is not None and await self._covers(viewing, places, asked.until)
        return asked.held[name]

    async def _covers(self, viewing: Viewing[Any], places: Sequence[Place], deadline: float) -> bool:
        generation = viewing.views.generation
        if generation is None:
            return False
        mine, current = set(generation.topics.values()), viewing.topic_ids
        for where, offset in places:
            topic_id = where.rpartition("/")[0]
            if topic_id not in mine:
                if topic_id in current:
                    # A topic was made anew and the view follows the old one until it is rebuilt.
                    return False
                continue
            left = max(0.0, deadline - time.monotonic())
            if not await self._registry.covers(generation.name, where, offset, left):
                return False
        return True

    async def _places(self, after: str) -> list[Place] | None:
        """None: not sent yet."""
        try:
            if "/" in after:
                service, stream, version = after.split("/")
                if service != self._service:
                    raise Refused(
                        "after-of-another",
                        "Ask the owner of that commit for its places first.",
                        field="after",
                    )
                entries = await self.places(stream, int(version))
                if entries is None:
                    return None
                return [(offset_key(e["id"], e["partition"]), e["offset"]) for e in entries]
            return [_place(part) for part in after.split(",")]
        except ValueError as error:
            raise Refused("bad-after", "'after' is not what a command answered.", field="after") from error


def _place(text: str) -> Place:
    topic_id, partition, offset = text.split(":")
    return offset_key(topic_id, int(partition)), int(offset)


def encode_places(places: Sequence[dict[str, Any]]) -> str:
    """What other services understand as `after`."""
    return ",".join(f"{place['id']}:{place['partition']}:{place['offset']}" for place in places)
