"""What the service of figures answers, as far as pages show it."""

from collections.abc import Mapping
from datetime import date, datetime

from pydantic import BaseModel, Field

Values = Mapping[str, float | None]


class MeasureSaid(BaseModel):
    name: str
    title: str
    unit: str


class DefinitionSaid(BaseModel):
    name: str
    version: int
    in_force: bool
    title: str
    words: str
    formula: str
    source: str
    measures: list[MeasureSaid]


class CompleteSaid(BaseModel):
    recorded_at: datetime | None
    behind: bool


class GroupSaid(BaseModel):
    group: str
    hidden: bool
    people: int | None
    values: Values | None


class GroupNamed(BaseModel):
    group: str
    name: str | None
    path: list[str]
    may_list: bool


class PeriodSaid(BaseModel):
    period: str
    first: date
    last: date
    complete: bool
    people: int
    values: Values
    tells_groups: bool
    groups: list[GroupSaid]


class SeriesSaid(BaseModel):
    metric: DefinitionSaid
    every: str
    begins: date | None = None
    complete_up_to: CompleteSaid
    may_list: bool
    groups: list[GroupNamed]
    periods: list[PeriodSaid]

    @property
    def told(self) -> int:
        """Where the period is that a page tells: the last that is over, with all days after it that count (of
        groups none is told before), else the last that is over, else the last; -1 for none."""
        over = [at for at, period in enumerate(self.periods) if period.complete]
        whole = [at for at in over if self.periods[at].tells_groups]
        found = whole or over
        return found[-1] if found else len(self.periods) - 1


class EventSaid(BaseModel):
    stream: str


class CountedSaid(BaseModel):
    kind: str
    member_id: str
    at: datetime
    event: EventSaid


class CountedList(BaseModel):
    group_name: str | None = None
    items: list[CountedSaid]
    next: str | None


class MyMonthSaid(BaseModel):
    first: date
    acts: Mapping[str, int]
    rung: str


class MineSaid(BaseModel):
    complete_up_to: CompleteSaid
    periods: list[MyMonthSaid] = Field(default_factory=list)


class MetricListSaid(BaseModel):
    items: list[DefinitionSaid]
