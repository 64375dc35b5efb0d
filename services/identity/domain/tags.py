"""Countries, languages and time zones by their codes."""

import re
import zoneinfo
from functools import cache

from shared.kernel.errors import Refused

_COUNTRY = re.compile(r"[A-Z]{2}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


def country_of(code: str | None) -> str | None:
    """An ISO 3166-1 code of two letters. Raises Refused."""
    if code is not None and not _COUNTRY.fullmatch(code):
        raise Refused("country-unknown", "Give the country by its two letters, such as SE.", field="country")
    return code


def language_tag(tag: str) -> str:
    """Raises Refused where `tag` has not the form of a language tag (BCP 47)."""
    if not _LANGUAGE.fullmatch(tag):
        raise Refused("language-unknown", "Give the language by its tag, such as sv.", field="language")
    return tag


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def time_zone_of(name: str) -> str:
    """A name of the IANA time zone database. Raises Refused."""
    if name not in _time_zones():
        raise Refused(
            "time-zone-unknown",
            "Give the time zone by its name, such as Europe/Stockholm.",
            field="time_zone",
        )
    return name
