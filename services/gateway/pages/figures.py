"""From what the service of figures answers to what pages show: a metric as a sentence, a chart, a table."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Literal, cast

from services.gateway import places
from services.gateway.locale import Locale
from services.gateway.pages import charts
from services.gateway.pages.figure_answers import DefinitionSaid, GroupNamed, PeriodSaid, SeriesSaid, Values
from services.gateway.view_models.adoption import (
    CountedOf,
    Counting,
    Definition,
    Every,
    Figure,
    FigureView,
    GroupRow,
    Measure,
    PeriodRow,
    Unit,
)
from shared.kernel.errors import NotFound

By = Literal["", "unit", "country", "language"]

_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")

#: The measure that a metric is told by, in the order in which a board reads.
BOARD = {
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
_OTHERS = {
    "weekly-active-members": "active_members",
    "posts-and-comments": "posts",
    "ladder": "say_something",
}
#: The rungs of who says something, from answering to starting something; all from below, and how the ladder
#: names its single steps from one to another, or from nowhere.
_SAYING = ("commenter", "author", "starter")
_RUNGS = ("not_signed_in", "reader", "reactor", *_SAYING)
_STEPS = frozenset(f"{before}_to_{now}" for before in ("new", *_RUNGS) for now in _RUNGS)
#: Periods of the past that a change is told over, and what of a share or a number is too little to speak of.
_CHANGE_OVER = 3
_STEADY_SHARE, _STEADY_PART = 0.01, 0.03


def as_day(text: str, *, end: bool = False) -> str:
    """The first or the last day of a month, which a field of a day would not show, or else what was typed."""
    try:
        first = date.fromisoformat(f"{text}-01") if _MONTH.fullmatch(text) else None
        if first is None or not end:
            return first.isoformat() if first else text
        return (_months_on(first, 1) - timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return text


def _months_on(first: date, number: int) -> date:
    """The first day of a later month, or of an earlier one."""
    months = first.year * 12 + first.month - 1 + number
    return date(months // 12, months % 12 + 1, 1)


def counting(series: SeriesSaid, as_of: str) -> Counting:
    complete = series.complete_up_to
    if series.told < 0:
        return Counting(None, False, complete.recorded_at, complete.behind, as_of)
    period = series.periods[series.told]
    return Counting(
        first=period.first,
        over=period.complete,
        recorded_at=complete.recorded_at,
        behind=complete.behind,
        as_of=as_of,
        people=period.people,
        every=_every(series),
        tells_groups=period.tells_groups,
    )


def values_of(series: SeriesSaid, at: int, group: str) -> Values | None:
    """The measures of a period, of the company or of a group; None where they may not be told."""
    if at < 0:
        return None
    period = series.periods[at]
    if not group:
        return _derived(period.values)
    found = next((each for each in period.groups if each.group == group), None)
    return _derived(found.values) if found is not None and found.values is not None else None


def _derived(values: Values) -> Values:
    """With what the page says the other way round, who takes part instead of who is silent, and with the
    rungs of a ladder that say something as one number."""
    more: dict[str, float | None] = {}
    if "starter" in values:
        said = [values.get(rung) for rung in _SAYING]
        more["say_something"] = None if None in said else sum(number or 0 for number in said)
    if (passive := values.get("passive_share")) is not None:
        more["taking_part"] = 1 - passive
    across, within = values.get("across_units") or 0, values.get("within_units") or 0
    if across + within:
        more["across_share"] = across / (across + within)
    return {**values, **more}


def to_compare_with(series: SeriesSaid) -> date | None:
    """The first day of the period that a change is told over, where it lies before those that were asked for;
    None where it is among them, or nothing was known of that time."""
    period = told_period(series)
    if period is None or series.told >= _CHANGE_OVER or series.begins is None:
        return None
    week = timedelta(days=7 * _CHANGE_OVER)
    first = period.first - week if series.every == "week" else _months_on(period.first, -_CHANGE_OVER)
    after = first + timedelta(days=7) if series.every == "week" else _months_on(first, 1)
    return first if series.begins < after else None


def figure_of(series: SeriesSaid, group: str = "", earlier: SeriesSaid | None = None) -> Figure:
    """`earlier` tells the period to compare with, where `series` does not reach so far."""
    main, period = _main(series.metric), told_period(series)
    past = [values_of(series, at, group) or {} for at in range(series.told + 1)]
    values = [each.get(main.name) for each in past]
    value = values[-1] if values else None
    before = values[-1 - _CHANGE_OVER] if len(values) > _CHANGE_OVER else None
    if earlier is not None:
        before = (values_of(earlier, earlier.told, group) or {}).get(main.name)
    change = None if value is None or before is None else value - before
    return Figure(
        name=series.metric.name,
        unit=main.unit,
        value=value,
        spark=charts.spark(values),
        more=past[-1] if past else {},
        change=change,
        new=len(values) <= _CHANGE_OVER and earlier is None,
        steady=change is None or abs(change) < _least(main.unit, before),
        hidden=period is not None and period.tells_groups and _hidden(period, group),
        later=bool(group) and period is not None and not period.tells_groups,
        first=period.first if period is not None else None,
        every=_every(series),
    )


def _hidden(period: PeriodSaid, group: str) -> bool:
    """There is such a group then, and nothing may be told of it."""
    return any(each.group == group and each.hidden for each in period.groups)


def there(period: PeriodSaid, group: str) -> bool:
    """Whether anybody is counted in that group then, told or not."""
    return any(each.group == group for each in period.groups)


def _every(series: SeriesSaid) -> Every:
    return "week" if series.every == "week" else "month"


def _least(unit: Unit, before: float | None) -> float:
    return _STEADY_SHARE if unit in ("share", "index") else _STEADY_PART * abs(before or 0) or 1.0


def _main(metric: DefinitionSaid) -> Measure:
    name = BOARD.get(metric.name) or _OTHERS.get(metric.name) or metric.measures[0].name
    said = next((each for each in metric.measures if each.name == name), None)
    if name == "say_something":
        return Measure(name, "", "people")
    return Measure(name, said.title if said else "", _unit(said.unit if said else "share"))


def _unit(said: str) -> Unit:
    return cast(Unit, said) if said in ("people", "acts", "share", "index", "hours") else "acts"


def told_period(series: SeriesSaid) -> PeriodSaid | None:
    return series.periods[series.told] if series.told >= 0 else None


def no_such_unit() -> NotFound:
    return NotFound("no-such-unit", "There is no such unit.")


def unit_named(series: SeriesSaid, unit: str) -> GroupNamed | None:
    """Also one of which nothing may be told; not those who are in none."""
    asked = "" if unit == "unknown" else f"unit:{unit}"
    return next((each for each in series.groups if each.group == asked), None)


def one(
    locale: Locale,
    series: SeriesSaid,
    by: By,
    as_of: str,
    errors: Mapping[str, str],
    unit: str = "",
    earlier: SeriesSaid | None = None,
) -> FigureView:
    """Of the whole company by groups, or of one unit; `earlier` is the period to compare with where that was
    not asked for. Raises NotFound for a unit that there is not."""
    group = f"unit:{unit}" if unit else ""
    named = unit_named(series, unit)
    if unit and named is None:
        raise no_such_unit()
    main = _main(series.metric)
    rows = [
        PeriodRow(
            label=period_name(locale, period.period),
            period=period.period,
            complete=period.complete,
            tells_groups=period.tells_groups,
            values=values_of(series, at, group) or {},
            there=not group or there(period, group),
        )
        for at, period in enumerate(series.periods)
    ]
    short = locale.short_month if series.every == "month" else locale.short_day
    bars = [
        charts.Bar(row.values.get(main.name), short(period.first), period.first.year, period.complete)
        for row, period in zip(rows, series.periods, strict=True)
    ]
    part = main.unit in ("index", "share")
    plot = charts.columns(bars, 1.0 if part else None, whole=not part)
    return FigureView(
        figure=figure_of(series, group, earlier),
        definition=definition(locale, series.metric),
        counting=counting(series, as_of),
        plot=plot,
        main=_column(locale, main),
        measures=[_column(locale, each) for each in _columns(series.metric, main)],
        rows=list(reversed(rows)),
        groups=[] if unit else _groups(locale, series, main, by),
        by="" if unit else by,
        unit=unit,
        unit_name=(named.name or unit) if named else "",
        may_look_behind=named.may_list if named else series.may_list,
        errors=errors,
    )


def period_name(locale: Locale, name: str) -> str:
    """2026-10 or 2026-W10 in words, and days. Raises NotFound for what names no period."""
    try:
        if "W" in name:
            year, week, _ = date.fromisocalendar(int(name[:4]), int(name[6:]), 1).isocalendar()
            return locale.gettext("week %(week)s, %(year)s") % {"week": week, "year": year}
        if len(name) == len("2026-10"):
            return locale.month(date.fromisoformat(f"{name}-01"))
        return locale.day(date.fromisoformat(name))
    except ValueError:
        raise places.nowhere() from None


def _columns(metric: DefinitionSaid, main: Measure) -> list[Measure]:
    """The numbers of a table, the telling one first; a ladder's single steps are for the file alone."""
    shown = [
        Measure(each.name, each.title, _unit(each.unit))
        for each in metric.measures
        if each.name not in _STEPS and each.name != main.name
    ]
    return [main, *shown]


def _column(locale: Locale, measure: Measure) -> Measure:
    if measure.name == "taking_part":
        title = locale.gettext("Share who take part")
    elif measure.name == "across_share":
        title = locale.gettext("Share of ties across units")
    elif measure.name == "say_something":
        title = locale.gettext("Commenters, authors and starters")
    else:
        title = locale.gettext(measure.title)
    return Measure(measure.name, title, measure.unit)


def _groups(locale: Locale, series: SeriesSaid, main: Measure, by: By) -> list[GroupRow]:
    """In the order of the tree, else the lowest first: who is left behind is what one looks for."""
    period = told_period(series)
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
                name=(known.name if known else None) or _name(locale, by, code),
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


def _name(locale: Locale, by: str, code: str) -> str:
    if code == "unknown":
        return locale.gettext("Not known")
    if by == "country":
        return locale.country_name(code)
    return locale.language_name(code) if by == "language" else code


def group_counted(locale: Locale, group: str, unit_name: str | None) -> CountedOf:
    """What `unit:sales` or `language:sv` is called, as in tables."""
    by, _, code = group.partition(":")
    return CountedOf(by, "" if code == "unknown" else unit_name or _name(locale, by, code))


def definition(locale: Locale, said: DefinitionSaid) -> Definition:
    return Definition(
        name=said.name,
        title=locale.gettext(said.title),
        words=locale.gettext(said.words),
        formula=said.formula,
        source=said.source,
        version=said.version,
    )
