"""Adoption in numbers: the board's page, one metric with its past, what it counts, and one's own."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, NamedTuple, cast

from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.gateway import places
from services.gateway.clients import Answer, part
from services.gateway.pages import figures
from services.gateway.pages.coaching import my_coaches, tabs_of
from services.gateway.pages.failures import Failures
from services.gateway.pages.figure_answers import (
    CountedList,
    CountedSaid,
    GroupNamed,
    MetricListSaid,
    MineSaid,
    SeriesSaid,
)
from services.gateway.pages.left_behind import languages_behind, months_told, units_behind
from services.gateway.pages.member_answers import UNIT_ID
from services.gateway.pages.visit import Member, Names, Visit
from services.gateway.view_models.adoption import (
    AdoptionView,
    Behind,
    CountedLine,
    CountedView,
    MyFiguresView,
    MyMonth,
    UnitChoice,
)
from shared.kernel.errors import Forbidden, Refused

routes = APIRouter(include_in_schema=False)

#: Of languages, and of units, the worst are shown.
_MOST_BEHIND = 5
#: A first day, as addresses say it.
Since = Annotated[str, Query(alias="from")]


@routes.get(places.ADOPTION)
async def adoption(visit: Member, as_of: str = "", unit: str = "") -> Response:
    _for_staff(visit)
    _check(unit)
    as_of = _as_of(as_of)
    failures = Failures(visit)
    with failures.caught():
        view = _board(await _all(visit, as_of, unit), unit, as_of, {})
        return visit.show(replace(view, tabs=tabs_of(visit)), place="adoption")
    view = _board(await _all(visit, "", ""), "", as_of, failures.errors)
    return visit.show(replace(view, tabs=tabs_of(visit)), place="adoption", status=failures.status)


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
async def figure(
    name: str, visit: Member, since: Since = "", to: str = "", as_of: str = "", by: str = "", unit: str = ""
) -> Response:
    _for_staff(visit)
    _check(unit)
    as_of, since, to = _as_of(as_of), figures.as_day(since), figures.as_day(to, end=True)
    failures = Failures(visit, {"every": "from"})
    chosen: figures.By = cast(figures.By, by) if by in ("unit", "country", "language") else ""
    with failures.caught():
        series = await _series(visit, name, as_of, by, unit, since, to)
        earlier = await _earlier(visit, series, as_of, unit)
        view = figures.one(visit.locale, series, chosen, as_of, {}, unit, earlier)
        return visit.show(replace(view, since=since, until=to), place="adoption")
    series = await _series(visit, name, "", chosen, unit)
    view = figures.one(visit.locale, series, chosen, as_of, failures.errors, unit)
    return visit.show(replace(view, since=since, until=to), place="adoption", status=failures.status)


@routes.get(places.ADOPTION + "/{name}/events")
async def counted(
    name: str,
    visit: Member,
    period: str = "",
    group: str = "",
    as_of: str = "",
    cursor: str = "",
    since: Since = "",
    to: str = "",
) -> Response:
    """The days that the figure was shown for are kept for the way back."""
    label = figures.period_name(visit.locale, period)
    as_of = _as_of(as_of)
    asked = {"period": period, "group": group, "as_of": as_of, "cursor": cursor}
    by, _, code = group.partition(":")
    unit = code if by == "unit" and code != "unknown" else ""
    query = {key: value for key, value in asked.items() if value}
    span = {"from": since or None, "to": to or None}
    path = f"/figures/{part(name)}/events"
    found = (await _of_address(visit.ask("engagement", "GET", path, query=query))).read(CountedList)
    known = (await visit.ask("engagement", "GET", "/figures")).read(MetricListSaid)
    definition = next(each for each in known.items if each.name == name and each.in_force)
    names = await visit.named(line.member_id for line in found.items)
    view = CountedView(
        definition=figures.definition(visit.locale, definition),
        label=label,
        of=figures.group_counted(visit.locale, group, found.group_name) if group else None,
        as_of=figures.period_name(visit.locale, as_of) if as_of else "",
        lines=[_line(line, names) for line in found.items],
        back=places.figure(
            name, as_of=as_of or None, unit=unit or None, by=None if unit else by or None, **span
        ),
        next=places.counted(name, **{**query, "cursor": found.next, **span}) if found.next else "",
    )
    return visit.show(view, place="adoption")


def _as_of(text: str) -> str:
    """Of a month its last day, of this one today."""
    today = datetime.now(UTC).date().isoformat()
    day = figures.as_day(text, end=True)
    return today if day[:7] == text == today[:7] else day


async def _of_address(asked: Awaitable[Answer]) -> Answer:
    """Raises NotFound where what only an address can say is refused: there is no field to mend it in."""
    try:
        return await asked
    except Refused as refused:
        if type(refused) is Refused:
            raise places.nowhere() from refused
        raise


def _for_staff(visit: Visit) -> None:
    """Raises Forbidden in the words of the service, before it is asked eight times."""
    if visit.is_guest:
        raise Forbidden("may-not-read-metrics", "Figures are for staff. You can see your own.")


def _check(unit: str) -> None:
    """Raises NotFound for what is no unit's id."""
    if unit and not UNIT_ID.fullmatch(unit):
        raise figures.no_such_unit()


class _Found(NamedTuple):
    """The board's metrics in its order, one of them by unit for which there are, and who is left behind."""

    figures: Sequence[SeriesSaid]
    by_unit: SeriesSaid
    behind: Sequence[Sequence[Behind]] = ()


async def _all(visit: Visit, as_of: str, unit: str) -> _Found:
    """There may be a thousand units: all are asked for only of the months that are looked at."""
    asked = [_series(visit, name, as_of, "", unit) for name in figures.BOARD]
    *found, by_unit = await asyncio.gather(*asked, _series(visit, "passive-share", as_of, "unit"))
    behind = [] if unit else await _behind(visit, found, as_of)
    return _Found(found, by_unit, behind)


async def _earlier(visit: Visit, series: SeriesSaid, as_of: str, unit: str) -> SeriesSaid | None:
    """The period that a change is told over, where the page was asked for later ones alone."""
    first = figures.to_compare_with(series)
    if first is None:
        return None
    day = first.isoformat()
    return await _series(visit, series.metric.name, as_of, "", unit, since=day, to=day)


async def _behind(visit: Visit, found: Sequence[SeriesSaid], as_of: str) -> list[list[Behind]]:
    """Asked when it is known which months are told."""

    async def months(name: str, by: str) -> SeriesSaid:
        series = next(each for each in found if each.metric.name == name)
        span = months_told(series)
        if span is None:
            return series
        first, last = (day.isoformat() for day in span)
        return await _series(visit, name, as_of, by, since=first, to=last, every_month=True)

    languages, talk = await asyncio.gather(
        months("language-share", "language"), months("cross-unit-talk", "unit")
    )
    return [languages_behind(languages), units_behind(talk)]


async def _series(
    visit: Visit,
    name: str,
    as_of: str,
    by: str,
    unit: str = "",
    since: str = "",
    to: str = "",
    *,
    every_month: bool = False,
) -> SeriesSaid:
    """Of groups the unit alone, else those of the period that is told, or of each."""
    groups = {"group": f"unit:{unit}"} if unit else {"by": by, "groups": "all" if every_month else "last"}
    given = {"as_of": as_of, "from": since, "to": to, **groups}
    query = {key: value for key, value in given.items() if value}
    return (await visit.ask("engagement", "GET", f"/figures/{part(name)}", query=query)).read(SeriesSaid)


def _board(found: _Found, unit: str, as_of: str, errors: Mapping[str, str]) -> AdoptionView:
    """Raises NotFound for a unit that there is not."""
    series = found.figures
    asked = next(filter(None, (figures.unit_named(each, unit) for each in series)), None) if unit else None
    if unit and asked is None:
        raise figures.no_such_unit()
    group = f"unit:{unit}" if unit else ""
    return AdoptionView(
        figures=[figures.figure_of(each, group) for each in series],
        counting=figures.counting(series[0], as_of),
        left_behind=[each for behind in found.behind for each in behind[:_MOST_BEHIND]],
        behind=sum(len(behind) for behind in found.behind),
        units=units(found.by_unit, asked),
        unit=unit,
        unit_name=(asked.name or unit) if asked else "",
        too_few=bool(unit) and all(_too_few(each, group) for each in series),
        nobody=bool(unit) and not any(_anybody(each, group) for each in series),
        errors=errors,
    )


def _too_few(series: SeriesSaid, group: str) -> bool:
    """And not only that the period is not told of any group yet."""
    period = figures.told_period(series)
    open_ = period is not None and not period.tells_groups
    return not open_ and figures.values_of(series, series.told, group) is None


def _anybody(series: SeriesSaid, group: str) -> bool:
    """Or it is not told yet. That a group is there is said of small ones too."""
    period = figures.told_period(series)
    return period is None or not period.tells_groups or figures.there(period, group)


def units(series: SeriesSaid, chosen: GroupNamed | None = None) -> list[UnitChoice]:
    """Those that there are, told or not, and the one that is chosen, as a tree."""
    period = figures.told_period(series)
    there = {group.group: group.hidden for group in (period.groups if period else [])}
    offered = {each.group: each for each in series.groups if each.group in there}
    if chosen is not None:
        offered[chosen.group] = chosen
    return [
        UnitChoice(
            named.group.partition(":")[2],
            named.name or named.group,
            max(len(named.path) - 1, 0),
            hidden=period is not None and period.tells_groups and there.get(named.group, False),
        )
        for named in sorted(offered.values(), key=lambda named: named.path)
        if named.group != "unit:unknown"
    ]


def _line(said: CountedSaid, names: Names) -> CountedLine:
    room, _, id_ = said.event.stream.partition("-")
    addresses: Mapping[str, Callable[[str], str]] = {
        "post": places.post,
        "page": places.page,
        "group": places.group,
    }
    address = addresses[room](id_) if room in addresses else ""
    return CountedLine(said.kind, names.of(said.member_id), said.at, address)
