"""Who is left behind: languages that cannot read, units that keep to themselves.

Three months are looked at together, and nobody is named on little evidence: in one month a dozen ties, or a
dozen posts, say of some unit or language or other whatever chance has it.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from services.gateway.pages.figure_answers import PeriodSaid, SeriesSaid, Values
from services.gateway.pages.figures import told_period
from services.gateway.view_models.adoption import Behind

#: Months that are looked at together, up to the one that is told.
MONTHS = 3
#: A language that can read less than this, and less than this part of what all of us can, is left behind:
#: where everybody can read little, that is the figure's to say.
LEAST_READABLE = 0.6
LEAST_OF_ALL = 0.75
#: What was published for each of its speakers, at least: of thirteen posts one more or less in their language
#: makes the difference.
LEAST_TEXTS = 20
#: A unit keeps to itself where no more than this part of its ties go across (an E-I index of -0.6).
MOST_ACROSS = 0.2
#: So many standard deviations surely. Of a unit without any tie across that takes 16 ties, of one with a
#: tenth across 49. Units that only happen to talk little across for a while are not named by it.
SURELY = 2.0


def months_told(series: SeriesSaid) -> tuple[date, date] | None:
    """The first and the last day of the months that are looked at; None where groups are told of none."""
    months = _months(series)
    return (months[0].first, months[-1].last) if months else None


def languages_behind(series: SeriesSaid) -> list[Behind]:
    """Whose speakers can read least, the worst first. `series` tells the groups of each month."""
    months = _months(series)
    of_all = _readable([month.values for month in months])
    least = LEAST_READABLE if of_all is None else min(LEAST_READABLE, LEAST_OF_ALL * of_all)
    low = []
    for group in months[-1].groups if months else ():
        told = [values for each in _by_group(months) if (values := each.get(group.group)) is not None]
        texts = sum((each.get("to_read") or 0) / (each.get("members") or math.inf) for each in told)
        share, code = _readable(told), group.group.partition(":")[2]
        if code == "unknown" or group.values is None or texts < LEAST_TEXTS:
            continue
        if share is not None and share < least:
            low.append(Behind("language", code, "", share, group.people))
    return sorted(low, key=lambda each: each.value)


def _readable(told: Sequence[Values]) -> float | None:
    to_read = sum(each.get("to_read") or 0 for each in told)
    return sum(each.get("readable") or 0 for each in told) / to_read if to_read else None


class _Talk(NamedTuple):
    """Ties whose ends are both in a unit that is known."""

    within: float
    across: float

    @property
    def outward(self) -> float:
        """The E-I index."""
        return (self.across - self.within) / (self.across + self.within)

    @property
    def stays(self) -> bool:
        """Whether the part that goes across is surely small: the upper end of Wilson's interval for it."""
        ties = self.within + self.across
        if ties <= 0:
            return False
        part, spread = self.across / ties, SURELY**2 / ties
        middle = part + spread / 2
        return (middle + math.sqrt(spread * (part * (1 - part) + spread / 4))) / (1 + spread) <= MOST_ACROSS


def units_behind(series: SeriesSaid) -> list[Behind]:
    """Units that keep to themselves: nearly all their talk stays within. One that others are part of is named
    only for what is left without those that are named themselves. `series` tells the groups of each month."""
    months = _months(series)
    told = _by_group(months)
    known = {each.group: each for each in series.groups}
    there = {
        group.group: group for group in (months[-1].groups if months else []) if group.values is not None
    }
    found: dict[str, Behind] = {}
    for group in sorted(there.keys() & known.keys(), key=lambda each: (-len(known[each].path), each)):
        code, path = group.partition(":")[2], known[group].path
        within = [each for each in found if known[each].path[: len(path)] == path]
        outermost = [
            each
            for each in within
            if not any(
                other != each and known[each].path[: len(known[other].path)] == known[other].path
                for other in within
            )
        ]
        talk = _talk(told, group, outermost)
        if code != "unknown" and talk.stays:
            people = None if outermost else there[group].people
            name = known[group].name or code
            found[group] = Behind("unit", code, name, talk.outward, people, rest=bool(outermost))
    return sorted(found.values(), key=lambda each: each.value)


def _talk(told: Sequence[Mapping[str, Values | None]], group: str, without: Sequence[str]) -> _Talk:
    """Of all months together. One in which a unit that is taken out is not told is left out: its ties are
    among those of the whole."""
    within = across = 0.0
    for month in told:
        whole, parts = month.get(group), [month.get(each, {}) for each in without]
        if whole is None:
            continue
        apart = [part for part in parts if part is not None]
        if len(apart) == len(parts):
            within += (whole.get("within_units") or 0) - sum(part.get("within_units") or 0 for part in apart)
            across += (whole.get("across_units") or 0) - sum(part.get("across_units") or 0 for part in apart)
    return _Talk(within, across)


def _months(series: SeriesSaid) -> list[PeriodSaid]:
    period = told_period(series)
    if period is None or not period.tells_groups:
        return []
    return series.periods[max(0, series.told + 1 - MONTHS) : series.told + 1]


def _by_group(months: Sequence[PeriodSaid]) -> list[Mapping[str, Values | None]]:
    """None: nothing may be told of it then; not there: it was nobody's."""
    return [{group.group: group.values for group in month.groups} for month in months]
