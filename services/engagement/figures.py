"""What was a metric, then? Periods are worked out once and kept, for as long as nothing in them changes.

Kept figures are no view: they are a memory of what facts gave, under a label that says of how many changes,
and dropping them changes no answer.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from pymongo import ReplaceOne
from pymongo.asynchronous.database import AsyncDatabase

from services.engagement.factbook import Factbook, Ledger
from services.engagement.metrics.definition import Acts, By, Definition, Window
from services.engagement.metrics.periods import DAY_SECONDS, Period, day_of, midnight, today
from services.engagement.metrics.reckoning import Sums, reckon
from services.engagement.metrics.windows import Reach
from services.engagement.projections import UnitView
from services.engagement.projections.facts import Fact
from shared.runtime.away import reading

#: Counts up when the rule of what is told changes: what was kept by another is worked out anew.
RULE = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """One period of a series; `end` is where counting ended. `whole`: groups may be told of."""

    period: Period
    end: int
    sums: list[Sums]
    whole: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of one metric: up to which day (inclusive) by event time, and what was known on which day
    (inclusive); None: everything."""

    definition: Definition
    by: By | None
    as_of: date
    known_on: date | None = None

    @property
    def until(self) -> int:
        return midnight(self.as_of + timedelta(days=1))

    @property
    def known_until(self) -> int | None:
        """What was recorded then or later was not known."""
        return None if self.known_on is None else midnight(self.known_on + timedelta(days=1))

    def reach(self, period: Period) -> Reach:
        return Reach.of(self.definition, period, self.until, midnight(today()))

    def called(self, unit: UnitView) -> str | None:
        """What the unit was called at the end of the day that is asked for."""
        return unit.called(self.until, self.known_until)

    def known(self, reach: Reach, ledger: Ledger) -> int | None:
        """The first moment that was not known of any more; None where all of it was known by then."""
        if (known := self.known_until) is None:
            return None
        last = ledger.last_recorded(reach.months, reach.last_month)
        return known if last is not None and last >= known else None


class Ahead(NamedTuple):
    """How many metrics of a period were worked out before they were asked for, and whether that was the
    `whole` of what was missing."""

    metrics: int
    whole: bool


@dataclass(slots=True)
class _Library:
    """Months in hand, while several periods are worked out."""

    book: Factbook
    ledger: Ledger
    acts: dict[str, Mapping[str, Sequence[Fact]]] = field(default_factory=dict)

    async def fetch(self, months: Iterable[str]) -> Mapping[str, Acts]:
        for month in months:
            if month not in self.acts:
                self.acts[month] = await self.book.acts(self.ledger, month)
        return self.acts

    def forget(self, keep: Collection[str]) -> None:
        for month in [month for month in self.acts if month not in keep]:
            del self.acts[month]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One period of what is asked, the name that it is kept under (but for what it is told by), and the label
    that it must have."""

    asked: Asked
    reach: Reach
    known: int | None
    name: str
    label: str

    @property
    def key(self) -> str:
        return self.told_by(self.asked.by)

    def told_by(self, by: By | None) -> str:
        return f"{self.name}|{by.value if by is not None else ''}"

    @classmethod
    def of(cls, asked: Asked, period: Period, ledger: Ledger) -> "_Wanted":
        """The name holds everything that a figure depends on, but for the facts; the label those."""
        reach, definition = asked.reach(period), asked.definition
        known = asked.known(reach, ledger)
        parts = (
            f"{definition.name}.v{definition.version}",
            period.name,
            str((reach.end - reach.start) // DAY_SECONDS),
            str((reach.after - reach.end) // DAY_SECONDS),
            "" if known is None else day_of(known).isoformat(),
            "" if reach.whole else "cut",
        )
        label = f"{RULE}/{ledger.label(reach.months, reach.last_month)}"
        return cls(asked, reach, known, "|".join(parts), label)


class Figures:
    """Answers series, from what is kept and from facts."""

    def __init__(self, book: Factbook, database: AsyncDatabase[dict[str, Any]]) -> None:
        self.book = book
        self._kept = database["figures"]
        self._working = asyncio.Lock()

    async def series(self, asked: Asked, periods: Iterable[Period], ledger: Ledger) -> list[Figure]:
        """In the order of the periods."""
        wanted = [_Wanted.of(asked, period, ledger) for period in periods]
        found = await self._find(wanted)
        library = _Library(self.book, ledger)
        for each in wanted:
            if each.key not in found:
                library.forget(each.reach.months)
                found[each.key] = await self._work_out(each, library)
        return [
            Figure(each.reach.period, each.reach.end, found[each.key], each.reach.whole) for each in wanted
        ]

    async def keep(
        self, definitions: Sequence[Definition], period: Period, today: date, ledger: Ledger
    ) -> Ahead:
        """Works out what is not kept yet of a period that is over, in every way it can be asked for, for as
        long as nothing waits to be counted."""
        every = [Asked(definition, by, today) for definition in definitions for by in (None, *By)]
        wanted = [_Wanted.of(asked, period, ledger) for asked in every]
        found = await self._find(wanted)
        library = _Library(self.book, ledger)
        missing = {each.name: each for each in wanted if each.key not in found}
        for done, each in enumerate(missing.values()):
            if done and not self.book.caught_up():
                return Ahead(done, whole=False)
            await self._work_out(each, library)
        return Ahead(len(missing), whole=True)

    async def acts(self, asked: Asked, period: Period, ledger: Ledger) -> Window:
        """A period's acts themselves."""
        window, _ = await self._window(_Wanted.of(asked, period, ledger), _Library(self.book, ledger))
        return window

    async def _find(self, wanted: Sequence[_Wanted]) -> dict[str, list[Sums]]:
        """What is kept and still holds, by name."""
        labels = {each.key: each.label for each in wanted}
        with reading():
            stored = await self._kept.find({"_id": {"$in": list(labels)}}).to_list()
        return {
            document["_id"]: [Sums(tuple(path), people, counts) for path, people, counts in document["sums"]]
            for document in stored
            if document["label"] == labels[document["_id"]]
        }

    async def _work_out(self, wanted: _Wanted, library: _Library) -> list[Sums]:
        """By nothing and by everything at once, one figure at a time: it is work for the processor."""
        async with self._working:
            window, lacking = await self._window(wanted, library)
            found = await asyncio.to_thread(reckon, wanted.asked.definition, window)
        if not lacking and library.ledger.settled(wanted.reach.months, wanted.reach.last_month):
            stored = {
                wanted.told_by(by): [[list(each.path), each.people, each.counts] for each in sums]
                for by, sums in found.items()
            }
            writes = [
                ReplaceOne({"_id": key}, {"label": wanted.label, "sums": sums}, upsert=True)
                for key, sums in stored.items()
            ]
            await self._kept.bulk_write(writes, ordered=False)
        return found[wanted.asked.by]

    async def _window(self, wanted: _Wanted, library: _Library) -> tuple[Window, bool]:
        """And whether something that was answered is lacking: the label does not tell of it where it is of an
        earlier month, and it may be there later."""
        reach = wanted.reach
        months = await library.fetch(reach.months)
        asked: set[str] = set()
        if kinds := wanted.asked.definition.asks_items:
            acts = reach.acts(months, wanted.known).values()
            asked = {fact.ref for facts in acts for fact in facts if fact.kind in kinds}
        items = await self.book.items(asked)
        people = await self.book.people(library.ledger, wanted.known)
        window = await asyncio.to_thread(reach.window, months, people, wanted.known, items)
        return window, len(items) < len(asked)
