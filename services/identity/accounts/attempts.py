"""How often sign-in failed lately: for an account from an address, for an account, and from an address. In
MongoDB, so that no restart forgets it.

The first is the limit that matters: it locks out who guesses and nobody else, neither the colleagues behind
the same proxy nor the account's owner elsewhere. What it refuses counts against neither of the others.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING, ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase

from services.identity.settings import SignIns
from shared.kernel.errors import TooMany


@dataclass(frozen=True, slots=True)
class Counted:
    """An attempt that was counted, and may be taken back when it turns out right."""

    pair: str
    account: str
    address: str | None


class Attempts:
    """Counts before the password is looked at, so that many at once do not slip through."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]], limits: SignIns) -> None:
        self._counts = database.get_collection("attempts")
        self._limits = limits

    async def prepare(self) -> None:
        await self._counts.create_index([("ends_at", ASCENDING)], name="ends_at", expireAfterSeconds=0)

    async def count(self, account: str, address: str | None, now: datetime) -> Counted:
        """Both are digests. Raises TooMany with the seconds until the window ends."""
        window = self._limits.window.total_seconds()
        start = now.timestamp() // window * window
        ends_at = datetime.fromtimestamp(start + window, UTC)
        of_pair = f"pair:{account}:{address or 'here'}:{start:.0f}"
        of_account = f"account:{account}:{start:.0f}"
        of_address = None if address is None else f"address:{address}:{start:.0f}"
        await self._count(of_pair, self._limits.failures_per_pair, ends_at, now)
        if of_address is not None:
            await self._count(of_address, self._limits.failures_per_address, ends_at, now)
        await self._count(of_account, self._limits.failures_per_account, ends_at, now)
        return Counted(of_pair, of_account, of_address)

    async def succeeded(self, counted: Counted) -> None:
        """The account begins anew; the address gets this one attempt back, and no more."""
        await self._counts.delete_many({"_id": {"$in": [counted.pair, counted.account]}})
        if counted.address is not None:
            await self._counts.update_one({"_id": counted.address}, {"$inc": {"count": -1}})

    async def _count(self, key: str, most: int, ends_at: datetime, now: datetime) -> None:
        found = await self._counts.find_one_and_update(
            {"_id": key},
            {"$inc": {"count": 1}, "$setOnInsert": {"ends_at": ends_at}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        if found is not None and found["count"] > most:
            raise TooMany(
                "too-many-sign-ins",
                "Signing in failed too often. Try again in {seconds} s.",
                params={"seconds": max(1, math.ceil((ends_at - now).total_seconds()))},
            )
