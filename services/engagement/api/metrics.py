"""Figures over HTTP: definitions, series as JSON and CSV, two versions beside each other, what a figure
counts, and a member's own. The gateway calls these addresses `/metrics`."""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from services.engagement.api import asking
from services.engagement.api.access import Engagement
from services.engagement.api.answers import (
    Comparison,
    CompleteUpTo,
    DefinitionAnswer,
    Difference,
    GroupFigure,
    GroupName,
    MeasureAnswer,
    MetricList,
    PeriodFigure,
    Series,
    as_csv,
    subtract,
)
from services.engagement.api.asking import First, Last, Question
from services.engagement.api.counted import counted_events, my_figures, units_asked
from services.engagement.domain.permissions import Asker, demand, may
from services.engagement.figures import Asked, Figure
from services.engagement.metrics import DEFINITIONS, versions
from services.engagement.metrics.definition import By, Definition, Values
from services.engagement.metrics.periods import DAY_SECONDS, day_of, midnight, today
from services.engagement.metrics.privacy import COMPANY, FLOOR, Path
from services.engagement.metrics.reckoning import Sums
from services.engagement.projections import UnitView
from shared.kernel.errors import NotFound, Refused
from shared.runtime.http import After, Caller, answer_behind

_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


class Form(StrEnum):
    JSON = "json"
    CSV = "csv"


class Groups(StrEnum):
    ALL = "all"
    LAST = "last"


ByWhat = Annotated[str | None, Query(description="unit, country or language; nothing: the whole company")]
OneGroup = Annotated[
    str | None,
    Query(
        description="Of groups this one alone, such as unit:sales. `by` can be left out then; another "
        "dimension than the group's is refused"
    ),
]
WhichGroups = Annotated[
    Groups,
    Query(description="last: those of the last period of which groups are told, as all are told"),
]
EveryWhat = Annotated[
    str | None, Query(description="day, week (ISO) or month; else as the metric is defined")
]
AsOf = Annotated[str | None, Query(description="Count what happened up to this day, inclusive; else today")]
KnownOn = Annotated[
    str | None,
    Query(
        description="Count what was recorded up to this day only, inclusive: nothing that is later, whatever "
        "`as_of` says"
    ),
]
Version = Annotated[int | None, Query(ge=1, le=1_000, description="Else the one in force")]


def router(room: Engagement) -> APIRouter:
    api = APIRouter(prefix="/figures")
    _definitions(api, room)
    my_figures(api, room)
    _series(api, room)
    _comparison(api, room)
    counted_events(api, room)
    return api


def _definitions(api: APIRouter, room: Engagement) -> None:
    @api.get("")
    async def list_metrics(caller: Caller, response: Response, after: After) -> MetricList:
        """What is measured and how; every version of every definition."""
        demand("metrics:read", await room.asker(caller))
        answer_behind(response, await room.facts_behind(after))
        complete = await complete_up_to(room)
        first = (await room.figures.book.ledger()).first_at
        return MetricList(
            items=[DefinitionAnswer.of(definition) for definition in DEFINITIONS],
            begins=None if first is None else day_of(first),
            floor=FLOOR,
            complete_up_to=complete,
        )


def _series(api: APIRouter, room: Engagement) -> None:
    @api.get("/{name}", response_model=Series, responses=_CSV)
    async def read_metric(
        caller: Caller,
        response: Response,
        after: After,
        name: str,
        first: First = None,
        last: Last = None,
        by: ByWhat = None,
        group: OneGroup = None,
        groups: WhichGroups = Groups.ALL,
        every: EveryWhat = None,
        as_of: AsOf = None,
        known_on: KnownOn = None,
        version: Version = None,
        form: Annotated[Form | None, Query(alias="format", description="Else as Accept says")] = None,
        accept: Annotated[str, Header(include_in_schema=False)] = "",
    ) -> Series | Response:
        """A metric over time: of the company, and of its groups as far as they may be told. Asking for fewer
        groups changes nothing of what is told of them."""
        asker = await room.asker(caller)
        demand("metrics:read", asker)
        definition, one = asking.definition_of(name, version), asking.group_of(group)
        answer_behind(response, await room.facts_behind(after))
        if one is not None and not await room.figures.book.is_group(*one):
            raise NotFound("no-such-group", "There is no such unit, country or language.", field="group")
        complete = await complete_up_to(room)
        ledger = await room.figures.book.ledger()
        asked = asking.question(
            ledger,
            definition,
            first=first,
            last=last,
            by=asking.dimension_of(one, by),
            every=every,
            as_of=as_of,
            known_on=known_on,
        )
        figures = await room.figures.series(asked.asked, asking.bounded(asked), ledger)
        figures = _narrowed(figures, one[1] if one else None, groups)
        units = await room.figures.book.units() if asked.asked.by is By.UNIT else {}
        series = _told(asked, figures, units, complete, asker)
        if form is Form.CSV or (form is None and accept.strip().lower().startswith("text/csv")):
            return as_csv(series)
        return series


def _comparison(api: APIRouter, room: Engagement) -> None:
    @api.get("/{name}/versions")
    async def compare_versions(
        caller: Caller,
        response: Response,
        after: After,
        name: str,
        first: First = None,
        last: Last = None,
        every: EveryWhat = None,
        as_of: AsOf = None,
        known_on: KnownOn = None,
        version: Version = None,
    ) -> Comparison:
        """Two versions of a definition beside each other, of the company: `version` (else the newest) and the
        one before it."""
        demand("metrics:read", await room.asker(caller))
        older, newer = _two(name, version)
        answer_behind(response, await room.facts_behind(after))
        complete = await complete_up_to(room)
        ledger = await room.figures.book.ledger()
        asked = [
            asking.question(
                ledger,
                each,
                first=first,
                last=last,
                by=None,
                every=every,
                as_of=as_of,
                known_on=known_on,
            )
            for each in (older, newer)
        ]
        series = [await room.figures.series(each.asked, asking.bounded(each), ledger) for each in asked]
        explaining = [measure for measure in newer.measures if measure.name == newer.explains]
        return Comparison(
            older=DefinitionAnswer.of(older),
            newer=DefinitionAnswer.of(newer),
            changed=newer.changed,
            explained_by=MeasureAnswer.of(explaining[0]) if explaining else None,
            every=asked[0].every,
            from_=asked[0].first,
            to=asked[0].last,
            as_of=asked[0].asked.as_of,
            known_on=asked[0].asked.known_on,
            begins=asked[0].begins,
            complete_up_to=complete,
            periods=[_difference(older, newer, *pair) for pair in zip(*series, strict=True)],
        )


def _two(name: str, version: int | None) -> tuple[Definition, Definition]:
    """Raises NotFound, or Refused where there is nothing to compare with."""
    newer = versions(name)[-1] if version is None and versions(name) else asking.definition_of(name, version)
    older = [each for each in versions(name) if each.version < newer.version]
    if not older:
        raise Refused("nothing-to-compare", "This definition has no earlier version.", field="version")
    return older[-1], newer


def _difference(older: Definition, newer: Definition, before: Figure, now: Figure) -> Difference:
    first, second = _company(older, before), _company(newer, now)
    both = [measure.name for measure in older.columns if measure.name in second]
    explained = second.get(newer.explains) if newer.explains is not None else None
    return Difference(
        period=now.period.name,
        complete=_complete(now),
        older=first,
        newer=second,
        difference=subtract(second, first, both),
        explained=int(explained) if explained is not None else None,
    )


def _company(definition: Definition, figure: Figure) -> Values:
    return definition.values(figure.sums[0].counts or {})


async def complete_up_to(room: Engagement) -> CompleteUpTo:
    """Asked before the figures are: what is told holds at least as much."""
    found = await room.figures.book.completeness()
    return CompleteUpTo(recorded_at=found.recorded_at, behind=found.behind)


def _complete(figure: Figure) -> bool:
    return figure.end == figure.period.end <= midnight(today())


def _narrowed(figures: Sequence[Figure], group: str | None, groups: Groups) -> list[Figure]:
    """With fewer groups: who looks at one unit's year asks for a dozen of them, not for all."""
    last = _last(figures) if groups is Groups.LAST else None
    return [
        replace(
            figure,
            sums=[
                sums
                for sums in figure.sums
                if not sums.path or ((last in (None, at)) and (group is None or sums.path[-1] == group))
            ],
        )
        for at, figure in enumerate(figures)
    ]


def _last(figures: Sequence[Figure]) -> int:
    """The last that tells of groups, else the last that is over, else the last."""
    over = [at for at, figure in enumerate(figures) if _complete(figure)]
    whole = [at for at, figure in enumerate(figures) if figure.whole]
    return (whole or over or [len(figures) - 1])[-1]


def _told(
    question: Question,
    figures: Sequence[Figure],
    units: dict[str, UnitView],
    complete: CompleteUpTo,
    asker: Asker,
) -> Series:
    asked = question.asked
    paths = sorted({sums.path for figure in figures for sums in figure.sums if sums.path})
    return Series(
        metric=DefinitionAnswer.of(asked.definition),
        by=asked.by,
        every=question.every,
        from_=question.first,
        to=question.last,
        as_of=asked.as_of,
        known_on=asked.known_on,
        begins=question.begins,
        complete_up_to=complete,
        may_list=may("metrics:events", asker),
        groups=[_name(asked, asked.by, path, units, asker) for path in paths if asked.by is not None],
        periods=[_period(asked.definition, asked.by, figure) for figure in figures],
    )


def _period(definition: Definition, by: By | None, figure: Figure) -> PeriodFigure:
    company, *groups = figure.sums
    return PeriodFigure(
        period=figure.period.name,
        first=figure.period.first,
        last=day_of(max(figure.end - DAY_SECONDS, figure.period.start)),
        complete=_complete(figure),
        people=company.people or 0,
        values=definition.values(company.counts or {}),
        tells_groups=figure.whole,
        groups=[_group(definition, by, sums) for sums in groups if by is not None],
    )


def _group(definition: Definition, by: By, sums: Sums) -> GroupFigure:
    return GroupFigure(
        group=token(by, sums.path),
        hidden=sums.counts is None,
        people=sums.people,
        values=None if sums.counts is None else definition.values(sums.counts),
    )


def token(by: By, path: Path) -> str:
    """How a group is named."""
    return f"{by.value}:{path[-1]}" if path != COMPANY else ""


def _name(asked: Asked, by: By, path: Path, units: dict[str, UnitView], asker: Asker) -> GroupName:
    unit = units.get(path[-1]) if by is By.UNIT else None
    return GroupName(
        group=token(by, path),
        name=None if unit is None else asked.called(unit),
        path=list(path),
        may_list=may("metrics:events", asker, units_asked(by, path)),
    )
