"""Countries and time zones by their codes."""

import re
import zoneinfo
from functools import cache

from shared.kernel.errors import Refused

_COUNTRY = re.compile(r"[A-Z]{2}")


def country_of(code: str | None) -> str | None:
    """An ISO 3166-1 code of two letters. Raises Refused."""
    if code is not None and not _COUNTRY.fullmatch(code):
        raise Refused("country-unknown", "Give the country by its two letters, such as SE.", field="country")
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
