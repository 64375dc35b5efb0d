"""How much goes on, on which day, where: weekdays, summers, holidays, and habits that grow."""

import random
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

from infra.demo.shapes import FIRST_DAY, Country

_EVERYWHERE = ((1, 1), (12, 24), (12, 25), (12, 26), (12, 31))
_MAY = (5, 1)

#: `summer` is the month in which a country is on leave.
COUNTRIES = (
    Country("SE", "sv", "Europe/Stockholm", 1, 22, "stockholm-city", 7, (_MAY, (6, 6), (1, 6))),
    Country("DE", "de", "Europe/Berlin", 1, 16, "hamburg-hafen", 8, (_MAY, (10, 3))),
    Country("PL", "pl", "Europe/Warsaw", 1, 11, "poznan-logistics-park", 8, (_MAY, (5, 3), (11, 11))),
    Country("NO", "nb", "Europe/Oslo", 1, 9, "oslo-bjorvika", 7, (_MAY, (5, 17))),
    Country("FI", "fi", "Europe/Helsinki", 2, 9, "helsinki-kamppi", 7, (_MAY, (12, 6), (1, 6))),
    Country("FR", "fr", "Europe/Paris", 1, 9, "lyon-part-dieu", 8, (_MAY, (5, 8), (7, 14), (11, 11))),
    Country("ES", "es", "Europe/Madrid", 1, 8, "valencia-puerto", 8, (_MAY, (10, 12), (1, 6))),
    Country("GB", "en", "Europe/London", 0, 7, "leeds-central", 8),
    Country("AT", "de", "Europe/Vienna", 1, 4, "linz-donau", 8, (_MAY, (10, 26))),
    Country("CH", "de", "Europe/Zurich", 1, 3, "basel-nord", 7, ((8, 1),)),
    Country("BE", "fr", "Europe/Brussels", 1, 2, "liege-guillemins", 7, (_MAY, (7, 21))),
    Country("IE", "en", "Europe/Dublin", 0, 2, "cork-docklands", 8, ((3, 17),)),
)
BY_CODE = {country.code: country for country in COUNTRIES}
_FRIDAY, _SATURDAY = 4, 5
_WEEKEND, _HOLIDAY, _LEAVE = 0.05, 0.04, 0.35


def activity(country: Country, day: date) -> float:
    """Compared with an ordinary weekday."""
    if (day.month, day.day) in country.holidays or (day.month, day.day) in _EVERYWHERE:
        return _HOLIDAY
    share = _WEEKEND if day.weekday() >= _SATURDAY else 1.0
    if day.month == country.summer:
        share *= _LEAVE
    if (day.month, day.day) > (12, 20) or (day.month == 1 and day.day < 7):
        share *= 0.4
    return share


def days(until: datetime) -> list[date]:
    """From the first day to the last whole one."""
    number = (until.date() - FIRST_DAY.date()).days
    return [FIRST_DAY.date() + timedelta(days=n) for n in range(number)]


class Days:
    """Draws days for one country: busy ones more often, later ones more often as the habit grows."""

    def __init__(self, country: Country, all_days: Sequence[date]) -> None:
        self._days = all_days
        grows = [0.5 + min(1.0, 2.0 * n / len(all_days)) for n in range(len(all_days))]
        self._upto = list(
            accumulate(activity(country, day) * more for day, more in zip(all_days, grows, strict=True))
        )

    def draw(self, chance: random.Random, since: date | None = None) -> date | None:
        """Not before `since`; None where nothing is left."""
        first = 0 if since is None else max(0, (since - self._days[0]).days)
        if first >= len(self._days):
            return None
        begin = self._upto[first - 1] if first else 0.0
        at = bisect_right(self._upto, begin + chance.random() * (self._upto[-1] - begin))
        return self._days[min(at, len(self._days) - 1)]


def moment(chance: random.Random, country: Country, day: date) -> datetime:
    """Within the country's working hours, mostly before lunch or after it."""
    hour = chance.choices(range(7, 19), (1, 4, 6, 6, 5, 2, 5, 6, 5, 4, 2, 1))[0]
    local = datetime(
        day.year, day.month, day.day, hour, chance.randrange(60), chance.randrange(60), tzinfo=UTC
    )
    return local - timedelta(hours=country.hours)


def next_weekday(day: date, weekday: int) -> date:
    return day + timedelta(days=(weekday - day.weekday()) % 7)


def fridays(all_days: Sequence[date]) -> list[date]:
    return [day for day in all_days if day.weekday() == _FRIDAY]
