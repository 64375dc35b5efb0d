"""What may be asked of figures: which metric, which days, by what. Each rule refuses in words.

Days name periods: a series begins with the first day of the period that `from` is in and ends with the last
of the one that `to` is in, both told whole: nothing but `as_of` cuts a period. The answer says which days
those are.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Annotated

from fastapi import Query

from services.engagement.factbook import Ledger
from services.engagement.figures import Asked
from services.engagement.metrics import in_force, versions
from services.engagement.metrics.definition import By, Definition
from services.engagement.metrics.periods import Every, Period, covering, day_of, holding, named, today
from shared.kernel.errors import NotFound, Refused

#: Periods of one answer, and how many are told where no first day is asked for.
MOST_PERIODS = 600
USUAL_PERIODS = 13
#: Far enough from both ends of the calendar, where periods end; a day beyond means one of these.
_EARLIEST, _LATEST = date(2, 1, 1), date(9_998, 12, 1)
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2}))?")
_GROUP = re.compile(r"(unit|country|language):([A-Za-z0-9][A-Za-z0-9_.\-]{0,63})")

First = Annotated[
    str | None,
    Query(
        alias="from",
        description="A day or a month (2026-03-02, 2026-03): the first period is the one that it is in, told "
        "whole; one before the first event means the first",
    ),
]
Last = Annotated[
    str | None,
    Query(
        alias="to",
        description="A day or a month: the last period is the one that it is in, told whole (what `as_of` "
        "leaves of it); later than today means today",
    ),
]


@dataclass(frozen=True, slots=True)
class Question:
    """A series that can be answered."""

    asked: Asked
    every: Every
    first: date | None
    last: date
    begins: date | None

    @property
    def periods(self) -> Iterator[Period]:
        return iter(()) if self.first is None else covering(self.first, self.last, self.every)


def definition_of(name: str, version: int | None) -> Definition:
    """Raises NotFound."""
    if not (known := versions(name)):
        raise NotFound("no-such-metric", "There is no such metric. GET /metrics lists them.")
    if version is None:
        return in_force(name)
    for each in known:
        if each.version == version:
            return each
    raise NotFound(
        "no-such-metric-version",
        "This metric has no version {version}. GET /metrics lists them.",
        params={"version": version},
    )


def dimension(by: str | None) -> By | None:
    """Raises Refused."""
    if by is None:
        return None
    try:
        return By(by)
    except ValueError:
        raise Refused(
            "no-such-dimension", "Figures are told by unit, country or language.", field="by"
        ) from None


def dimension_of(group: tuple[By, str] | None, by: str | None) -> By | None:
    """What it is told by: of one group its own dimension. Raises Refused."""
    found = dimension(by)
    if group is None or found is group[0]:
        return found
    if found is not None:
        raise Refused(
            "by-not-of-group",
            "A group is told by its own dimension. Ask by {dimension}, or name none.",
            field="by",
            params={"dimension": group[0].value},
        )
    return group[0]


def length(every: str | None, usual: Every) -> Every:
    """Raises Refused."""
    if every is None:
        return usual
    try:
        return Every(every)
    except ValueError:
        raise Refused(
            "no-such-period-length", "Figures are told by day, week or month.", field="every"
        ) from None


def question(
    ledger: Ledger,
    definition: Definition,
    *,
    first: str | None,
    last: str | None,
    by: By | None,
    every: str | None,
    as_of: str | None,
    known_on: str | None,
    last_is: str = "to",
) -> Question:
    """`last_is`: what the parameter is called that says the last day. Raises Refused."""
    known = _past(known_on, "known_on")
    _check_known(known, ledger)
    # nothing is known before it happened: what was known on a day reaches that day
    counted = min(_past(as_of, "as_of") or today(), known or today())
    begins = None if ledger.first_at is None else day_of(ledger.first_at)
    asked = Asked(definition, by, counted, known)
    kind = length(every, definition.every)
    since, until = _in_order(_past(first, "from"), _day(last, last_is, end=True))
    if since is not None and since > counted:
        raise beyond(asked, "from")
    end = _end_of(until or counted, kind)
    to = min(end, counted)
    if begins is None:
        return Question(asked, kind, None, to, None)
    if to < begins:
        raise _before_the_beginning(last_is if until is not None and end < begins else "as_of", begins)
    return Question(asked, kind, _first(since, to, kind, begins), to, begins)


def _in_order(first: date | None, last: date | None) -> tuple[date | None, date | None]:
    """Raises Refused."""
    if first is not None and last is not None and first > last:
        raise Refused("from-after-to", "The first day is after the last. Turn them round.", field="from")
    return first, last


def _first(since: date | None, to: date, every: Every, begins: date) -> date:
    """The first day that is told, of a whole period; a day before the beginning means that."""
    return holding(max(since or _usual(to, every), begins), every).first


def _end_of(day: date, every: Every) -> date:
    """The last day of the period that the day is in."""
    return holding(day, every).after - timedelta(days=1)


def beyond(asked: Asked, field: str) -> Refused:
    """What is asked for begins later than anything that is counted."""
    if asked.known_on == asked.as_of:
        return Refused(
            "after-known-on",
            "What was known on {known_on} ends on that day. Choose earlier days, or what was known later.",
            field=field,
            params={"known_on": asked.as_of.isoformat()},
        )
    return Refused(
        "after-as-of",
        "Only what happened up to {as_of} is counted. Choose earlier days, or figures as of a later day.",
        field=field,
        params={"as_of": asked.as_of.isoformat()},
    )


def _check_known(known: date | None, ledger: Ledger) -> None:
    """Raises Refused for a day on which nothing had been recorded yet: all would be told as nought."""
    first = ledger.first_recorded
    if known is not None and first is not None and known < day_of(first):
        raise Refused(
            "before-the-beginning",
            "Nothing had been recorded by then: the first that was is of {first}.",
            field="known_on",
            params={"first": day_of(first).isoformat()},
        )


def _before_the_beginning(field: str, begins: date) -> Refused:
    return Refused(
        "before-the-beginning",
        "Nothing is known of that time: the first event is of {first}.",
        field=field,
        params={"first": begins.isoformat()},
    )


def bounded(question: Question) -> list[Period]:
    """Raises Refused for more periods than one answer tells."""
    return few(question.periods)


def span(first: str | None, last: str | None, every: Every, begins: date | None) -> tuple[date | None, date]:
    """The days of a member's own figures: of whole periods, as those of a series. `begins`: the day of the
    first that is known of them; None: nothing is, and nothing is told. Raises Refused."""
    since, until = _in_order(_past(first, "from"), _day(last, "to", end=True))
    to = min(_end_of(until or today(), every), today())
    if begins is None:
        return None, to
    if to < begins:
        raise Refused(
            "before-the-beginning",
            "Nothing is known of you at that time: what is begins on {first}.",
            field="to",
            params={"first": begins.isoformat()},
        )
    return _first(since, to, every, begins), to


def few(periods: Iterator[Period]) -> list[Period]:
    """Raises Refused for more periods than one answer tells."""
    found = list(islice(periods, MOST_PERIODS + 1))
    if len(found) > MOST_PERIODS:
        raise Refused(
            "too-many-periods",
            "That is more than {most} periods at once. Ask for fewer, or for longer ones.",
            field="every",
            params={"most": MOST_PERIODS},
        )
    return found


def period_of(text: str) -> Period:
    """Raises Refused."""
    try:
        period = named(text)
    except (ValueError, OverflowError):
        raise Refused(
            "no-such-period", "Name a period such as 2026-03, 2026-W10 or 2026-03-02.", field="period"
        ) from None
    if period.first > today():
        raise _future("period")
    return holding(_within(period.first), period.every)


def group_of(text: str | None) -> tuple[By, str] | None:
    """Raises Refused."""
    if text is None:
        return None
    if (found := _GROUP.fullmatch(text)) is None:
        raise Refused(
            "no-such-group-name", "Name a group such as unit:sales, country:SE or language:sv.", field="group"
        )
    return By(found[1]), found[2]


def _usual(to: date, every: Every) -> date:
    period = holding(to, every)
    for _ in range(USUAL_PERIODS - 1):
        if period.first <= date.min + timedelta(days=31):
            break
        period = period.before
    return period.first


def _past(text: str | None, field: str) -> date | None:
    """A day that is not after today. Raises Refused."""
    found = _day(text, field, end=field != "from")
    if found is None:
        return None
    begins = _day(text, field, end=False)
    if begins is not None and begins > today():
        raise _future(field)
    return min(found, today())


def _future(field: str) -> Refused:
    return Refused(
        "in-the-future", "That day has not come yet. Ask for today or an earlier day.", field=field
    )


def _day(text: str | None, field: str, *, end: bool) -> date | None:
    """2026-03-02; or 2026-03, for its first day or its last. Raises Refused."""
    if text is None:
        return None
    found = _DAY.fullmatch(text)
    try:
        if found is None:
            raise ValueError("no date")
        year, month, day = found.groups()
        if day is not None:
            return _within(date(int(year), int(month), int(day)))
        period = Period(Every.MONTH, _within(date(int(year), int(month), 1)))
        return period.after - timedelta(days=1) if end else period.first
    except (ValueError, OverflowError):
        raise Refused(
            "no-such-day", "Give a day such as 2026-03-02, or a month such as 2026-03.", field=field
        ) from None


def _within(day: date) -> date:
    """Whoever asks from 0001 or up to 9999 means all that there is."""
    return min(max(day, _EARLIEST), _LATEST)
