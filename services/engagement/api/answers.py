"""How figures are told: definitions, series, the difference of two versions, and the events behind
a figure."""

import csv
import io
from collections.abc import Iterable
from datetime import date, datetime

from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.engagement.metrics.definition import By, Definition, Measure, Privacy
from services.engagement.metrics.periods import Every

ValueOf = dict[str, int | float | None]
#: Periods are told whole, whichever day within them was asked for.
_FROM = "The first day of the first period that is told"
_TO = "The last day of the last period that is told; at most `as_of`, or today"
_AS_OF = "The day up to which is counted; at most `known_on`, or today"


class MeasureAnswer(BaseModel):
    """A column. `unit`: people, acts, share (0 to 1), index (-1 to 1) or hours."""

    name: str
    title: str
    unit: str

    @classmethod
    def of(cls, measure: Measure) -> "MeasureAnswer":
        return cls(name=measure.name, title=measure.title, unit=measure.unit)


class DefinitionAnswer(BaseModel):
    """One version of a metric. `in_force`: it answers where no version is asked for."""

    name: str
    version: int
    in_force: bool
    title: str
    words: str
    formula: str
    source: str
    events: list[str]
    every: Every
    by: list[By]
    privacy: Privacy
    changed: str
    measures: list[MeasureAnswer]

    @classmethod
    def of(cls, definition: Definition) -> "DefinitionAnswer":
        return cls(
            name=definition.name,
            version=definition.version,
            in_force=definition.in_force,
            title=definition.title,
            words=definition.words,
            formula=definition.formula,
            source=definition.source,
            events=sorted(kind.value for kind in definition.kinds),
            every=definition.every,
            by=list(By),
            privacy=definition.privacy,
            changed=definition.changed,
            measures=[MeasureAnswer.of(measure) for measure in definition.columns],
        )


class CompleteUpTo(BaseModel):
    """Everything that was recorded up to then is counted. `behind`: more is waiting to be counted; null then:
    nothing is certain yet. Null and not behind: nothing has been recorded."""

    recorded_at: datetime | None
    behind: bool


class MetricList(BaseModel):
    items: list[DefinitionAnswer]
    begins: date | None = Field(description="The day of the first event that figures know of")
    floor: int = Field(description="Of groups of fewer people nothing is told")
    time_zone: str = "UTC"
    complete_up_to: CompleteUpTo


class GroupName(BaseModel):
    """A group as a token (`unit:sales`, `country:SE`, `language:sv`; `unit:unknown` for those of whom it is
    not known), what a unit is called, and its way from the top."""

    group: str
    name: str | None
    path: list[str]
    may_list: bool = Field(description="Whether the caller may list the events that are counted here")


class GroupFigure(BaseModel):
    """`hidden`: too few people, or others could be told by subtracting; then there are no values."""

    group: str
    hidden: bool
    people: int | None
    values: ValueOf | None


class PeriodFigure(BaseModel):
    """`complete`: the period was over at the end of the day that was asked for, and is over. `last`: the last
    day that is counted. `tells_groups`: of groups, whole periods of the metric's own length are told."""

    period: str
    first: date
    last: date
    complete: bool
    people: int = Field(description="How many people the figure is about")
    values: ValueOf
    tells_groups: bool
    groups: list[GroupFigure]


class Series(BaseModel):
    """A metric over time, the oldest period first."""

    metric: DefinitionAnswer
    by: By | None
    every: Every
    from_: date | None = Field(serialization_alias="from", description=_FROM)
    to: date = Field(description=_TO)
    as_of: date = Field(description=_AS_OF)
    known_on: date | None
    begins: date | None
    time_zone: str = "UTC"
    complete_up_to: CompleteUpTo
    may_list: bool = Field(
        description="Whether the caller may list the events that the whole company's count"
    )
    groups: list[GroupName]
    periods: list[PeriodFigure]


class Difference(BaseModel):
    """Two versions of a metric in one period: the measure that they differ in, and how many people or acts
    are the reason."""

    period: str
    complete: bool
    older: ValueOf
    newer: ValueOf
    difference: ValueOf
    explained: int | None = Field(description="How many the newer version leaves out for its stated reason")


class Comparison(BaseModel):
    """Two versions of one definition for the same periods, and what makes the difference."""

    older: DefinitionAnswer
    newer: DefinitionAnswer
    changed: str
    explained_by: MeasureAnswer | None
    every: Every
    from_: date | None = Field(serialization_alias="from", description=_FROM)
    to: date = Field(description=_TO)
    as_of: date = Field(description=_AS_OF)
    known_on: date | None
    begins: date | None
    time_zone: str = "UTC"
    complete_up_to: CompleteUpTo
    periods: list[Difference]


class EventRef(BaseModel):
    """The event itself: `post-...`, version 1."""

    stream: str
    version: int


class CountedEvent(BaseModel):
    """One act that the figure counts. What members opened or read is never listed, to nobody."""

    kind: str
    member_id: str
    at: datetime
    recorded_at: datetime
    language: str | None
    event: EventRef


class CountedEvents(BaseModel):
    """`group_name`: a unit's, as the figure has it: at the end of the day that was asked for. `kinds`: which
    of the metric's events are listed here; `never_listed`: the others, which it counts all the same."""

    metric: str
    version: int
    period: str
    group: str | None
    group_name: str | None
    kinds: list[str]
    never_listed: list[str]
    words: str = Field(description="Why fewer are listed than the figure counts, or none")
    complete_up_to: CompleteUpTo
    items: list[CountedEvent]
    next: str | None


class MyPeriod(BaseModel):
    """What I did in a period, by kind, and the rung of the ladder that it reaches. `last`: the last day that
    is counted."""

    period: str
    first: date
    last: date
    acts: dict[str, int]
    rung: str


class MyFigures(BaseModel):
    """The caller's own, which nobody else is shown."""

    member_id: str
    every: Every
    from_: date | None = Field(serialization_alias="from", description=_FROM)
    to: date = Field(description=_TO)
    begins: date | None = Field(
        description="The day of my registration, or of the first that I did where that is earlier; null: "
        "nothing is known of me yet"
    )
    time_zone: str = "UTC"
    complete_up_to: CompleteUpTo
    periods: list[MyPeriod]


def as_csv(series: Series) -> Response:
    """A line for each period and group; the company's own has no group. Ids and codes only, so no cell can
    begin a formula."""
    out = io.StringIO()
    columns = [measure.name for measure in series.metric.measures]
    told = ["period", "first", "last", "complete", "group", "hidden", "people", *columns]
    writer = csv.DictWriter(out, told, restval="")
    writer.writeheader()
    for period in series.periods:
        shared = {
            "period": period.period,
            "first": period.first,
            "last": period.last,
            "complete": str(period.complete).lower(),
        }
        writer.writerow({**shared, "hidden": "false", "people": period.people, **period.values})
        for group in period.groups:
            line = {"group": group.group, "hidden": str(group.hidden).lower(), "people": group.people}
            writer.writerow({**shared, **line, **(group.values or {})})
    headers = {
        "Content-Disposition": f'attachment; filename="{_file_name(series)}"',
        "Fikarum-Complete-Up-To": _said(series.complete_up_to),
    }
    return Response(out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _file_name(series: Series) -> str:
    """What the lines do not say: `ladder-v1-as-of-2026-03-31-known-on-2026-06-30.csv`."""
    name = f"{series.metric.name}-v{series.metric.version}-as-of-{series.as_of.isoformat()}"
    known = "" if series.known_on is None else f"-known-on-{series.known_on.isoformat()}"
    return f"{name}{known}.csv"


def _said(complete: CompleteUpTo) -> str:
    at = complete.recorded_at.isoformat() if complete.recorded_at is not None else "unknown"
    return f"{at}; behind" if complete.behind else at


def subtract(newer: ValueOf, older: ValueOf, columns: Iterable[str]) -> ValueOf:
    """What each column of both has become more or less."""
    found: ValueOf = {}
    for name in columns:
        now, before = newer.get(name), older.get(name)
        found[name] = None if now is None or before is None else round(now - before, 4)
    return found
