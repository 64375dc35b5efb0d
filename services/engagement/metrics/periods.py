"""Days, weeks and months in UTC: which a range of dates covers, and how a period is named.

Times are whole seconds since 1970, as facts have them; a period ends before its `end`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

DAY_SECONDS = 86_400
_EPOCH = date(1970, 1, 1)
_NAME = re.compile(r"[0-9]{4}-(?:[0-9]{2}(?:-[0-9]{2})?|W[0-9]{2})")


class Every(StrEnum):
    """How long a period is; weeks are those of ISO 8601 and begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    every: Every
    first: date

    @property
    def after(self) -> date:
        """The first day that is not in it any more."""
        match self.every:
            case Every.DAY:
                return self.first + timedelta(days=1)
            case Every.WEEK:
                return self.first + timedelta(days=7)
        return (self.first.replace(day=1) + timedelta(days=32)).replace(day=1)

    @property
    def before(self) -> "Period":
        return holding(self.first - timedelta(days=1), self.every)

    @property
    def name(self) -> str:
        """2026-03-02, 2026-W10 or 2026-03"""
        match self.every:
            case Every.DAY:
                return self.first.isoformat()
            case Every.WEEK:
                year, week, _ = self.first.isocalendar()
                return f"{year:04d}-W{week:02d}"
        return f"{self.first.year:04d}-{self.first.month:02d}"

    @property
    def start(self) -> int:
        return midnight(self.first)

    @property
    def end(self) -> int:
        return midnight(self.after)


def midnight(day: date) -> int:
    """The moment at which the day begins."""
    return (day - _EPOCH).days * DAY_SECONDS


def day_of(at: int) -> date:
    return datetime.fromtimestamp(at, UTC).date()


def holding(day: date, every: Every) -> Period:
    """The period that the day is in."""
    match every:
        case Every.DAY:
            return Period(every, day)
        case Every.WEEK:
            return Period(every, day - timedelta(days=day.weekday()))
    return Period(every, day.replace(day=1))


def today() -> date:
    return datetime.now(UTC).date()


def named(text: str) -> Period:
    """The period of that name; raises ValueError."""
    if _NAME.fullmatch(text) is None:
        raise ValueError("no period is called that")
    if len(text) == len("2026-03-02"):
        return Period(Every.DAY, date.fromisoformat(text))
    if "W" in text:
        year, _, week = text.partition("-W")
        return Period(Every.WEEK, date.fromisocalendar(int(year), int(week), 1))
    return Period(Every.MONTH, date.fromisoformat(f"{text}-01"))


def covering(first: date, last: date, every: Every) -> Iterator[Period]:
    """Every period that has a day from `first` to `last`."""
    period = holding(first, every)
    while period.first <= last:
        yield period
        period = Period(every, period.after)


def months(first: int, end: int) -> list[str]:
    """The months that facts of [first, end) are kept by."""
    if end <= first:
        return []
    return [period.name for period in covering(day_of(first), day_of(end - 1), Every.MONTH)]
