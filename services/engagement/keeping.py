"""Figures of months that are over are worked out before anybody asks, one month at a time, while nothing else
waits to be counted."""

import asyncio

import structlog

from services.engagement.figures import Figures
from services.engagement.metrics import DEFINITIONS
from services.engagement.metrics.periods import Every, Period, named, today
from shared.runtime.ending import ended
from shared.runtime.looking import tried

log = structlog.get_logger(__name__)

#: Seconds between two looks, and between two months.
AGAIN, PAUSE = 30.0, 0.05


class Keeper:
    """Looks again and again which months have changed."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._looked: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            await ended(self._task)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(AGAIN)
            if self._figures.book.caught_up():
                await tried("figures ahead", self.look())

    async def look(self) -> int:
        """Every month that is over and has changed, the newest first, until something waits to be counted:
        then the rest at the next look. Answers how many figures were worked out."""
        day, done = today(), 0
        ledger = await self._figures.book.ledger()
        for month in sorted({*ledger.activity, *ledger.people}, reverse=True):
            period = named(month)
            near = (period.before.name, month, Period(Every.MONTH, period.after).name)
            label = ledger.label(near, near[-1])
            if period.after <= day and self._looked.get(month) != label:
                ahead = await self._figures.keep(DEFINITIONS, period, day, ledger)
                done += ahead.metrics
                if not ahead.whole:
                    break
                self._looked[month] = label
                await asyncio.sleep(PAUSE)
        return done
