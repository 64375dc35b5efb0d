"""Countries and time zones by their codes."""

import zoneinfo
from functools import cache

from shared.kernel import countries
from shared.kernel.errors import Refused


def country_of(code: str | None) -> str | None:
    """An ISO 3166-1 code of two letters that a country has. Raises Refused."""
    if code is not None and code not in countries.CODES:
        raise Refused(
            "country-unknown", "No country has this code. Give its two letters, such as SE.", field="country"
        )
    return code


#: In the database, but nowhere: what the server's own clock shows, and what nobody has set.
_NOWHERE = {"localtime", "Factory"}


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones() - _NOWHERE)


def time_zone_of(name: str) -> str:
    """A name of the IANA time zone database. Raises Refused."""
    if name not in _time_zones():
        raise Refused(
            "time-zone-unknown",
            "Give the time zone by its name, such as Europe/Stockholm.",
            field="time_zone",
        )
    return name
