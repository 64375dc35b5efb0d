"""Who is left behind: languages that cannot read, units that keep to themselves."""

from collections.abc import Sequence

from services.gateway.pages.figure_answers import SeriesSaid
from services.gateway.pages.figures import told_period
from services.gateway.view_models.adoption import Behind

#: A language that can read less than this, and less than this part of what all of us can, is left behind:
#: where everybody can read little, that is the figure's to say. So is a unit that talks less across its
#: borders.
LEAST_READABLE = 0.6
LEAST_OF_ALL = 0.75
LEAST_ACROSS = -0.6
#: Fewer ties than this say nothing of how a unit talks.
LEAST_TIES = 10


def languages_behind(series: SeriesSaid) -> list[Behind]:
    """Whose speakers can read least, the worst first."""
    period = told_period(series)
    of_all = period.values.get("readable_share") if period else None
    least = LEAST_READABLE if of_all is None else min(LEAST_READABLE, LEAST_OF_ALL * of_all)
    low = [
        Behind("language", code, "", share, group.people or 0)
        for group in (period.groups if period else [])
        if (code := group.group.partition(":")[2]) != "unknown"
        and group.values is not None
        and (share := group.values.get("readable_share")) is not None
        and share < least
    ]
    return sorted(low, key=lambda each: each.value)


def units_behind(found: Sequence[SeriesSaid]) -> list[Behind]:
    """Units that keep to themselves: nearly all their talk stays within."""
    series = next(each for each in found if each.metric.name == "cross-unit-talk")
    names = {named.group: named.name or "" for named in series.groups}
    period = told_period(series)
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
