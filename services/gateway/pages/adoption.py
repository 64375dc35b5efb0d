"""Adoption in numbers: the board's page, one metric with its past, what it counts, and one's own."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal, cast

from fastapi import APIRouter
from fastapi.responses import Response

from services.gateway import places
from services.gateway.clients import part
from services.gateway.pages import charts
from services.gateway.pages.coaching import my_coaches, tabs_of
from services.gateway.pages.failures import Failures
from services.gateway.pages.figure_answers import (
    CountedList,
    CountedSaid,
    DefinitionSaid,
    MetricListSaid,
    MineSaid,
    PeriodSaid,
    SeriesSaid,
    Values,
)
from services.gateway.pages.visit import Member, Names, Visit
from services.gateway.view_models.adoption import (
    AdoptionView,
    Behind,
    CountedLine,
    CountedView,
    Counting,
    Definition,
    Figure,
    FigureView,
    GroupRow,
    Measure,
    MyFiguresView,
    MyMonth,
    PeriodRow,
    Unit,
    UnitChoice,
)
from shared.kernel.errors import Forbidden, NotFound

routes = APIRouter(include_in_schema=False)

#: The measure that a metric is told by, in the order in which a board reads.
_BOARD = {
    "passive-share": "taking_part",
    "announcement-reach": "acknowledged_share",
    "language-share": "readable_share",
    "cross-unit-talk": "across_share",
    "leaders-participation": "taking_part_share",
    "monthly-active-members": "active_share",
    "mails-replaced": "deliveries",
    "monthly-contributors": "contributors",
}
#: The same for those that only have a page of their own.
_OTHERS = {"weekly-active-members": "active_members", "posts-and-comments": "posts", "ladder": "commenter"}
#: Months of the past that a change is told over, and what of a share or a number is too little to speak of.
_CHANGE_OVER = 3
_STEADY_SHARE, _STEADY_PART = 0.01, 0.03
#: A language that can read less than this, and a unit that talks less across its borders, are left behind.
LEAST_READABLE = 0.6
LEAST_ACROSS = -0.6
#: Fewer ties than this say nothing of how a unit talks.
LEAST_TIES = 10
#: Of languages, and of units, the worst are shown.
_MOST_BEHIND = 5
#: Whoever may see what a figure counts; leaders see that of their own unit.
_LOOKS_BEHIND = frozenset({"board", "admin"})
_TURNS = "_to_"
#: Characters of a period's name: 2026-W10.
_LONGEST_PERIOD = 20

By = Literal["", "unit", "country", "language"]


@routes.get(places.ADOPTION)
async def adoption(visit: Member, as_of: str = "", unit: str = "") -> Response:
    _for_staff(visit)
    failures = Failures(visit)
    found: list[SeriesSaid] = []
    with failures.caught():
        found = await _all(visit, as_of)
    if failures:
        as_of_now = await _all(visit, "")
        view = _board(as_of_now, "", as_of, failures.errors)
        return visit.show(replace(view, tabs=tabs_of(visit)), place="adoption", status=failures.status)
    return visit.show(replace(_board(found, unit, as_of, {}), tabs=tabs_of(visit)), place="adoption")


@routes.get(places.MY_FIGURES)
async def my_figures(visit: Member, cursor: str = "") -> Response:
    mine = (await visit.ask("engagement", "GET", "/figures/mine")).read(MineSaid)
    months = [
        MyMonth(visit.locale.month(each.first), each.acts, each.rung) for each in reversed(mine.periods)
    ]
    complete = mine.complete_up_to
    view = MyFiguresView(
        months,
        complete.recorded_at,
        complete.behind,
        coaches=await my_coaches(visit, cursor),
        tabs=tabs_of(visit),
    )
    return visit.show(view, place="adoption")


@routes.get(places.ADOPTION + "/{name}")
async def figure(name: str, visit: Member, as_of: str = "", by: str = "") -> Response:
    _for_staff(visit)
    failures = Failures(visit)
    chosen: By = cast(By, by) if by in ("unit", "country", "language") else ""
    with failures.caught():
        series = await _series(visit, name, as_of, by)
        return visit.show(_one(visit, series, chosen, as_of, {}), place="adoption")
    series = await _series(visit, name, "", chosen)
    view = _one(visit, series, chosen, as_of, failures.errors)
    return visit.show(view, place="adoption", status=failures.status)


@routes.get(places.ADOPTION + "/{name}/events")
async def counted(
    name: str, visit: Member, period: str = "", group: str = "", as_of: str = "", cursor: str = ""
) -> Response:
    if not 0 < len(period) <= _LONGEST_PERIOD:
        raise NotFound("no-such-address", "There is nothing at this address.")
    asked = {"period": period, "group": group, "as_of": as_of, "cursor": cursor}
    query = {key: value for key, value in asked.items() if value}
    path = f"/figures/{part(name)}/events"
    found = (await visit.ask("engagement", "GET", path, query=query)).read(CountedList)
    known = (await visit.ask("engagement", "GET", "/figures")).read(MetricListSaid)
    definition = next(each for each in known.items if each.name == name and each.in_force)
    names = await visit.named(line.member_id for line in found.items)
    view = CountedView(
        definition=_definition(visit, definition),
        label=period,
        lines=[_line(line, names) for line in found.items],
        back=places.figure(name, as_of=as_of or None),
        next=places.counted(name, **{**query, "cursor": found.next}) if found.next else "",
    )
    return visit.show(view, place="adoption")


def _for_staff(visit: Visit) -> None:
    """Raises Forbidden in the words of the service, before it is asked eight times."""
    if not visit.is_staff:
        raise Forbidden("may-not-read-metrics", "Figures are for staff. You can see your own.")


async def _all(visit: Visit, as_of: str) -> list[SeriesSaid]:
    """Every metric of the board, by unit, and once more by language where that is what it is about."""
    asked = [_series(visit, name, as_of, "unit") for name in _BOARD]
    return list(await asyncio.gather(*asked, _series(visit, "language-share", as_of, "language")))


async def _series(visit: Visit, name: str, as_of: str, by: str) -> SeriesSaid:
    given = {"as_of": as_of, "by": by}
    query = {key: value for key, value in given.items() if value}
    return (await visit.ask("engagement", "GET", f"/figures/{part(name)}", query=query)).read(SeriesSaid)


def _board(found: Sequence[SeriesSaid], unit: str, as_of: str, errors: Mapping[str, str]) -> AdoptionView:
    """Raises NotFound for a unit that there is not."""
    series, by_language = found[:-1], found[-1]
    units = _units(series[0])
    asked = next((each for each in units if each.id == unit), None)
    if unit and asked is None:
        raise NotFound("no-such-unit", "There is no such unit.")
    group = f"unit:{unit}" if unit else ""
    all_behind = [] if unit else [_languages_behind(by_language), _units_behind(series)]
    return AdoptionView(
        figures=[figure_of(each, group) for each in series],
        counting=_counting(series[0], as_of),
        left_behind=[each for behind in all_behind for each in behind[:_MOST_BEHIND]],
        behind=sum(len(behind) for behind in all_behind),
        units=units,
        unit=unit,
        unit_name=asked.name if asked else "",
        too_few=bool(unit) and all(_values(each, each.told, group) is None for each in series),
        errors=errors,
    )


def _units(series: SeriesSaid) -> list[UnitChoice]:
    """Those in which there are enough people, as a tree."""
    told = {
        group.group for period in series.periods[-1:] for group in period.groups if group.values is not None
    }
    return [
        UnitChoice(named.group.partition(":")[2], named.name or named.group, max(len(named.path) - 1, 0))
        for named in sorted(series.groups, key=lambda named: named.path)
        if named.group in told and named.group != "unit:unknown"
    ]


def _counting(series: SeriesSaid, as_of: str) -> Counting:
    complete = series.complete_up_to
    if series.told < 0:
        return Counting(None, False, complete.recorded_at, complete.behind, as_of)
    period = series.periods[series.told]
    return Counting(
        period.first, period.complete, complete.recorded_at, complete.behind, as_of, period.people
    )


def _values(series: SeriesSaid, at: int, group: str) -> Values | None:
    """The measures of a period, of the company or of a group; None where they may not be told."""
    if at < 0:
        return None
    period = series.periods[at]
    if not group:
        return _derived(period.values)
    found = next((each for each in period.groups if each.group == group), None)
    return _derived(found.values) if found is not None and found.values is not None else None


def _derived(values: Values) -> Values:
    """With what the page says the other way round: who takes part instead of who is silent."""
    more: dict[str, float | None] = {}
    if (passive := values.get("passive_share")) is not None:
        more["taking_part"] = 1 - passive
    if (ties := values.get("ties")) and (across := values.get("across_units")) is not None:
        more["across_share"] = across / ties
    return {**values, **more}


def figure_of(series: SeriesSaid, group: str = "") -> Figure:
    main = _main(series.metric)
    past = [_values(series, at, group) or {} for at in range(series.told + 1)]
    values = [each.get(main.name) for each in past]
    value = values[-1] if values else None
    before = values[-1 - _CHANGE_OVER] if len(values) > _CHANGE_OVER else None
    change = None if value is None or before is None else value - before
    return Figure(
        name=series.metric.name,
        unit=main.unit,
        value=value,
        spark=charts.spark(values),
        more=past[-1] if past else {},
        change=change,
        steady=change is None or abs(change) < _least(main.unit, before),
        hidden=_hidden(series, group),
    )


def _hidden(series: SeriesSaid, group: str) -> bool:
    """There is such a group in the month that is told, and nothing may be told of it."""
    period = _last(series)
    return period is not None and any(each.group == group and each.hidden for each in period.groups)


def _least(unit: Unit, before: float | None) -> float:
    return _STEADY_SHARE if unit in ("share", "index") else _STEADY_PART * abs(before or 0) or 1.0


def _main(metric: DefinitionSaid) -> Measure:
    name = _BOARD.get(metric.name) or _OTHERS.get(metric.name) or metric.measures[0].name
    said = next((each for each in metric.measures if each.name == name), None)
    return Measure(name, said.title if said else "", _unit(said.unit if said else "share"))


def _unit(said: str) -> Unit:
    return cast(Unit, said) if said in ("people", "acts", "share", "index", "hours") else "acts"


def _last(series: SeriesSaid) -> PeriodSaid | None:
    return series.periods[series.told] if series.told >= 0 else None


def _languages_behind(series: SeriesSaid) -> list[Behind]:
    """Whose speakers can read least, the worst first."""
    period = _last(series)
    low = [
        Behind("language", code, "", share, group.people or 0)
        for group in (period.groups if period else [])
        if (code := group.group.partition(":")[2]) != "unknown"
        and group.values is not None
        and (share := group.values.get("readable_share")) is not None
        and share < LEAST_READABLE
    ]
    return sorted(low, key=lambda each: each.value)


def _units_behind(found: Sequence[SeriesSaid]) -> list[Behind]:
    """Units that keep to themselves: nearly all their talk stays within."""
    series = next(each for each in found if each.metric.name == "cross-unit-talk")
    names = {named.group: named.name or "" for named in series.groups}
    period = _last(series)
    low = [
        Behind("unit", code, names.get(group.group) or code, index, group.people or 0)
        for group in (period.groups if period else [])
        if (code := group.group.partition(":")[2]) != "unknown"
        and group.values is not None
        and (group.values.get("ties") or 0) >= LEAST_TIES
        and (index := group.values.get("ei_units")) is not None
        and index <= LEAST_ACROSS
    ]
    return sorted(low, key=lambda each: each.value)


def _one(visit: Visit, series: SeriesSaid, by: By, as_of: str, errors: Mapping[str, str]) -> FigureView:
    main = _main(series.metric)
    label = visit.locale.month if series.every == "month" else visit.locale.short_day
    columns = [_column(visit, each) for each in _columns(series.metric, main)]
    rows = [
        PeriodRow(label(period.first), period.period, period.complete, _derived(period.values))
        for period in series.periods
    ]
    short = visit.locale.short_month if series.every == "month" else visit.locale.short_day
    values = [row.values.get(main.name) for row in rows]
    plot = charts.columns(
        values, [short(period.first) for period in series.periods], 1.0 if main.unit == "index" else None
    )
    return FigureView(
        figure=figure_of(series),
        definition=_definition(visit, series.metric),
        counting=_counting(series, as_of),
        plot=plot,
        main=_column(visit, main),
        measures=columns,
        rows=list(reversed(rows)),
        groups=_groups(visit, series, main, by),
        by=by,
        may_look_behind=bool(visit.signed_in.held.roles & _LOOKS_BEHIND),
        errors=errors,
    )


def _columns(metric: DefinitionSaid, main: Measure) -> list[Measure]:
    """The numbers of a table, the telling one first; a ladder's single steps are for the file alone."""
    shown = [
        Measure(each.name, each.title, _unit(each.unit))
        for each in metric.measures
        if _TURNS not in each.name and each.name != main.name
    ]
    return [main, *shown]


def _column(visit: Visit, measure: Measure) -> Measure:
    if measure.name == "taking_part":
        title = visit.locale.gettext("Share who take part")
    elif measure.name == "across_share":
        title = visit.locale.gettext("Share of ties across units")
    else:
        title = visit.locale.gettext(measure.title)
    return Measure(measure.name, title, measure.unit)


def _groups(visit: Visit, series: SeriesSaid, main: Measure, by: By) -> list[GroupRow]:
    """In the order of the tree, else the lowest first: who is left behind is what one looks for."""
    period = _last(series)
    if not by or period is None:
        return []
    named = {each.group: each for each in series.groups}
    most = max(
        (abs(_derived(each.values).get(main.name) or 0) for each in period.groups if each.values), default=0
    )
    rows = []
    for group in period.groups:
        values = _derived(group.values) if group.values is not None else {}
        value, code = values.get(main.name), group.group.partition(":")[2]
        known = named.get(group.group)
        rows.append(
            GroupRow(
                group=group.group,
                code=code,
                name=(known.name if known else None) or _name(visit, by, code),
                depth=max(len(known.path) - 1, 0) if known and by == "unit" else 0,
                people=group.people,
                values=values,
                share=None
                if value is None or not most
                else abs(value) / (1 if main.unit == "share" else most),
            )
        )
    if by == "unit":
        return sorted(rows, key=lambda row: tuple(named[row.group].path) if row.group in named else ())
    return sorted(rows, key=lambda row: (not row.values, row.values.get(main.name) or 0))


def _name(visit: Visit, by: By, code: str) -> str:
    if code == "unknown":
        return visit.locale.gettext("Not known")
    if by == "country":
        return visit.locale.country_name(code)
    return visit.locale.language_name(code) if by == "language" else code


def _definition(visit: Visit, said: DefinitionSaid) -> Definition:
    return Definition(
        name=said.name,
        title=visit.locale.gettext(said.title),
        words=visit.locale.gettext(said.words),
        formula=said.formula,
        source=said.source,
        version=said.version,
    )


def _line(said: CountedSaid, names: Names) -> CountedLine:
    room, _, id_ = said.event.stream.partition("-")
    addresses: Mapping[str, Callable[[str], str]] = {
        "post": places.post,
        "page": places.page,
        "group": places.group,
    }
    address = addresses[room](id_) if room in addresses else ""
    return CountedLine(said.kind, names.of(said.member_id), said.at, address)
