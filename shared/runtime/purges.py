"""Purging plain text of the erased, for services that hold any (an index, text of files): at once, and again.

Events that were under way at the moment of the erasure may bring plain text back after the first purge. So
the ends of the topics at that moment are kept, and once the consumers have passed them the purge is repeated.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.write_concern import WriteConcern

from shared.runtime.codec import CODEC

#: Offsets by topic id and partition, as `LogEnds` answers them and views save them.
Offsets = Mapping[str, int]


class Purges:
    """`purge` removes a member's plain text and may be called any number of times."""

    def __init__(
        self,
        database: AsyncDatabase[dict[str, Any]],
        purge: Callable[[str], Awaitable[None]],
        ends: Callable[[], Awaitable[Offsets]],
    ) -> None:
        self._open = database.get_collection(
            "purges", codec_options=CODEC, write_concern=WriteConcern("majority", j=True)
        )
        self._purge = purge
        self._ends = ends

    async def begin(self, member_id: str, erased_at: datetime) -> None:
        """Given to `KeyRing.on_erased`; written down before it purges, so that a kill loses nothing."""
        ends = [[where, offset] for where, offset in (await self._ends()).items()]
        await self._open.update_one(
            {"_id": member_id}, {"$set": {"erased_at": erased_at, "ends": ends}}, upsert=True
        )
        await self._purge(member_id)

    async def repeat(self, passing: Callable[[], Awaitable[Offsets]]) -> int:
        """Called now and then; `passing` answers what the consumers have passed, and is asked only where a
        purge waits for that. Answers how many purges are still open."""
        waiting = await self._open.find({}).to_list()
        if not waiting:
            return 0
        passed, left = await passing(), 0
        for document in waiting:
            if all(passed.get(where, 0) >= end for where, end in document["ends"]):
                await self._purge(document["_id"])
                await self._open.delete_one({"_id": document["_id"], "ends": document["ends"]})
            else:
                left += 1
        return left
