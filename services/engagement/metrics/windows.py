"""What one period of a metric is made of: which times, which months of facts, and what of them was known."""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.engagement.metrics.definition import Acts, Definition, Window
from services.engagement.metrics.people import People
from services.engagement.metrics.periods import Period, day_of, months
from services.engagement.projections.facts import Fact, month_of
from services.engagement.projections.items import ItemView


@dataclass(frozen=True, slots=True)
class Reach:
    """The times that one period's figure is made of: [first, start) before it, [start, end) itself, [end,
    after) behind it.

    `whole`: it is one of the metric's own length, and over, with what is behind it. Of groups nothing else is
    told: a month less its days, or what it was on one day less what it was on the day before, is about those
    who were there then, who may be fewer than five, or others than the month's rules look at.
    """

    period: Period
    first: int
    start: int
    end: int
    after: int
    whole: bool = True

    @classmethod
    def of(cls, definition: Definition, period: Period, until: int, over: float = math.inf) -> "Reach":
        """`until`: nothing that happened then or later is counted; `over`: the beginning of today."""
        end = max(period.start, min(period.end, until))
        first = period.before.start if definition.looks_back else period.start
        ahead = int(definition.looks_ahead.total_seconds())
        whole = period.every is definition.every and period.end + ahead <= min(until, over)
        return cls(period, first, period.start, end, max(end, min(end + ahead, until)), whole)

    @property
    def months(self) -> list[str]:
        """The months of facts that it needs."""
        return months(self.first, self.after)

    @property
    def last_month(self) -> str:
        return month_of(day_of(max(self.after - 1, self.start)))

    def window(
        self,
        months: Mapping[str, Acts],
        people: People,
        known: int | None,
        items: Mapping[str, ItemView],
    ) -> Window:
        """`known`: what was recorded then or later does not count; `people` are as known then, too."""
        return Window(
            period=self.period,
            end=self.end,
            people=people,
            acts=self.acts(months, known),
            before=between(months, self.first, self.start, known),
            after=between(months, self.end, self.after, known),
            items=items,
            whole=self.whole,
        )

    def acts(self, months: Mapping[str, Acts], known: int | None) -> dict[str, Sequence[Fact]]:
        return between(months, self.start, self.end, known)


def between(
    months_of: Mapping[str, Acts], first: int, end: int, known: int | None
) -> dict[str, Sequence[Fact]]:
    """What everybody did in [first, end), as known."""
    found: dict[str, Sequence[Fact]] = {}
    for month in months(first, end):
        for member_id, facts in months_of.get(month, {}).items():
            within = facts[bisect_left(facts, (first,)) : bisect_left(facts, (end,))]
            if known is not None:
                within = [fact for fact in within if fact.recorded < known]
            if within:
                found[member_id] = [*found[member_id], *within] if member_id in found else within
    return found
