"""Reading the views of facts: months of acts, everybody's steps, what was said; and how far all of it
reaches.

A figure that is kept is labelled with how often its months had changed. That is safe only where the views'
saved offsets have passed what those counts tell of: until then a batch may be half written.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cachetools import LRUCache

from services.engagement.metrics.definition import Acts, By
from services.engagement.metrics.people import UNKNOWN, People, Person, person_of
from services.engagement.metrics.reckoning import way
from services.engagement.projections import ActivityView, ItemView, PersonView, UnitView
from services.engagement.projections.facts import MONTH, Changes, Fact, unpacked
from shared.kernel import countries, languages
from shared.runtime.away import reading
from shared.runtime.generations import Reached, Registry
from shared.runtime.viewing import Viewing
from shared.runtime.views import Views

#: Items asked for in one query.
PORTION = 1_000
#: Everybody's steps, made ready for this many days 'as known on'.
PEOPLE_KEPT = 3
#: Events of a view that may wait where it is called caught up: there is hardly a moment without any.
FEW_WAIT = 50
#: Facts of whole months that stay in hand for the next question, some 350 bytes each: a board asks eight
#: figures of the same month at once. One of more is read each time.
FACTS_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class Month:
    """What changed in a month, and the offsets that tell of it."""

    changes: Changes
    seen: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Ledger:
    """How much had changed in each month when it was looked at, and how far the views had come."""

    activity: Mapping[str, Month]
    people: Mapping[str, Month]
    reached: Mapping[str, Mapping[str, Reached]]
    topics: Mapping[str, Collection[str]]
    generations: str

    @property
    def first_at(self) -> int | None:
        """When the first thing happened that figures know of."""
        return min((month.changes.first_at for month in self._months), default=None)

    @property
    def first_recorded(self) -> int | None:
        """When figures could know of anything first: what was brought in happened long before."""
        return min((month.changes.first_recorded for month in self._months), default=None)

    @property
    def _months(self) -> tuple[Month, ...]:
        return (*self.activity.values(), *self.people.values())

    def label(self, months: Iterable[str], until: str) -> str:
        """What a figure of these months was made of, and of the people up to the month `until`."""
        acts = sum(self.activity[m].changes.times for m in months if m in self.activity)
        steps = sum(month.changes.times for name, month in self.people.items() if name <= until)
        return f"{self.generations}/{acts}/{steps}"

    def last_recorded(self, months: Iterable[str], until: str) -> int | None:
        """When the latest of what the figure is made of was recorded."""
        found = [self.activity[m].changes for m in months if m in self.activity]
        found += [month.changes for name, month in self.people.items() if name <= until]
        return max((changes.last_recorded for changes in found), default=None)

    def settled(self, months: Iterable[str], until: str) -> bool:
        """Whether every view holds whole what the label tells of."""
        acts = [self.activity[m].seen for m in months if m in self.activity]
        steps = [month.seen for name, month in self.people.items() if name <= until]
        return all(self._holds("activity", seen) and self._holds("items", seen) for seen in acts) and all(
            self._holds("people", seen) for seen in steps
        )

    def _holds(self, view: str, seen: Mapping[str, int]) -> bool:
        reached, topics = self.reached[view], self.topics[view]
        mine = ((key, offset) for key, offset in seen.items() if key.rpartition("/")[0] in topics)
        return all(key in reached and reached[key].offset > offset for key, offset in mine)


@dataclass(frozen=True, slots=True)
class Completeness:
    """Everything recorded up to then is counted. `behind`: there is more that waits; None then: nothing is
    certain yet."""

    recorded_at: datetime | None
    behind: bool


class Factbook:
    """The views that figures are made of."""

    def __init__(
        self,
        registry: Registry,
        activity: Viewing[ActivityView],
        people: Viewing[PersonView],
        items: Viewing[ItemView],
        units: Viewing[UnitView],
    ) -> None:
        self._registry = registry
        self._viewings: dict[str, Viewing[Any]] = {
            "activity": activity,
            "people": people,
            "items": items,
            "units": units,
        }
        self._items: Views[ItemView] = items.views
        self._people: dict[tuple[str, int | None], People] = {}
        self._acts: LRUCache[tuple[str, str], Acts] = LRUCache(FACTS_KEPT, _size)

    async def ledger(self) -> Ledger:
        """Counts first, offsets after: what is read behind this holds at least as much."""
        for viewing in self._viewings.values():
            await viewing.views.fresh()
        activity, people = await asyncio.gather(self._months("activity"), self._months("people"))
        generations = {name: viewing.views.generation for name, viewing in self._viewings.items()}
        served = {name: each for name, each in generations.items() if each is not None}
        found = await asyncio.gather(*(self._registry.reached(each.name) for each in served.values()))
        reached = dict(zip(served, found, strict=True))
        topics = {name: frozenset(each.topics.values()) for name, each in served.items()}
        names = [f"{each.fold}.{each.number}" for each in served.values()]
        return Ledger(activity, people, reached, topics, "-".join(names))

    async def completeness(self) -> Completeness:
        """Up to when all that was recorded is in every figure, as of the last look at the log's ends, which
        is at most a second old. Asked before figures are: they hold at least as much."""
        behind, times = False, list[datetime | None]()
        waiting: list[datetime | None] = []
        for viewing in self._viewings.values():
            generation = viewing.views.generation
            if generation is None:
                return Completeness(None, behind=True)
            found = [
                reached.recorded_at for reached in (await self._registry.reached(generation.name)).values()
            ]
            times += found
            if viewing.lag.events or not viewing.lag.told.is_set():
                behind = True
                waiting += found or [None]
        known = [at for at in times if at is not None]
        if not behind:
            return Completeness(max(known, default=None), behind=False)
        certain = [at for at in waiting if at is not None]
        return Completeness(min(certain) if len(certain) == len(waiting) else None, behind=True)

    def caught_up(self) -> bool:
        """Whether nothing waits, as of the last look, but for what is folded in a moment."""
        return all(v.lag.told.is_set() and v.lag.events <= FEW_WAIT for v in self._viewings.values())

    async def acts(self, ledger: Ledger, month: str) -> Acts:
        """What every member did in the month, in the order of event time. Nobody changes it."""
        if month not in ledger.activity:
            return {}
        key = (month, ledger.label((month,), ""))
        if (kept := self._acts.get(key)) is not None:
            return kept
        found = await self._stored_acts(month)
        if ledger.settled((month,), "") and _size(found) <= FACTS_KEPT:
            self._acts[key] = found
        return found

    async def _stored_acts(self, month: str) -> dict[str, list[Fact]]:
        collection = self._viewings["activity"].views.collection
        with reading():
            found = await collection.find(
                {"month": month, "_live": True}, {"_id": 0, "member_id": 1, "facts": 1}
            ).to_list()
        return {
            document["member_id"]: unpacked(document["facts"])
            for document in found
            if document["member_id"] is not None
        }

    async def people(self, ledger: Ledger, known: int | None) -> People:
        """Everybody, as known before that moment."""
        key = (ledger.label((), "~"), known)
        if key not in self._people:
            collection = self._viewings["people"].views.collection
            where = {"_live": True, "member_id": {"$ne": None}}
            with reading():
                found = await collection.find(where, {"_id": 0, "member_id": 1, "steps": 1}).to_list()
            people = People(((d["member_id"], d["steps"]) for d in found), known)
            if not ledger.settled((), "~"):
                return people
            while len(self._people) >= PEOPLE_KEPT:
                self._people.pop(next(iter(self._people)))
            self._people[key] = people
        return self._people[key]

    async def person(self, member_id: str) -> Person:
        """One member, as known now."""
        view = await self._viewings["people"].views.get(member_id)
        return person_of(member_id, () if view is None else view.steps, None)

    async def items(self, ids: Collection[str]) -> dict[str, ItemView]:
        """The posts and comments among these."""
        found: dict[str, ItemView] = {}
        asked = sorted(ids)
        for first in range(0, len(asked), PORTION):
            found |= await self._items.get_many(asked[first : first + PORTION])
        return found

    async def units(self) -> dict[str, UnitView]:
        """All of them: what they are called."""
        collection = self._viewings["units"].views.collection
        with reading():
            found = await collection.find({"_live": True}).to_list()
        return {d["unit_id"]: UnitView(unit_id=d["unit_id"], path=d["path"], names=d["names"]) for d in found}

    async def is_group(self, by: By, name: str) -> bool:
        """Whether there is such a group, or somebody was ever in it: units of earlier times were not founded
        here, and codes were taken before it was asked who assigned them. It tells of nothing hidden: figures
        name every group that has members, and what a unit is called everybody can look up."""
        if name == UNKNOWN or await self._exists(by, name):
            return True
        people = await self.people(await self.ledger(), None)
        return any(name in way(state, by) for person in people for state in person.states)

    async def _exists(self, by: By, name: str) -> bool:
        match by:
            case By.UNIT:
                return await self._viewings["units"].views.get(name) is not None
            case By.COUNTRY:
                return name in countries.CODES
        return name.partition("-")[0] in languages.CODES

    async def _months(self, view: str) -> dict[str, Month]:
        collection = self._viewings[view].views.collection
        where = {"_id": {"$gte": MONTH, "$lt": f"{MONTH}~"}, "_live": True}
        with reading():
            found = await collection.find(where, {"changes": 1, "_seen": 1}).to_list()
        return {
            document["_id"].removeprefix(MONTH): Month(Changes(*document["changes"]), document["_seen"])
            for document in found
        }


def _size(acts: Acts) -> int:
    return sum(map(len, acts.values()))
