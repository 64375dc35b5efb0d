"""In which language, formats and time zone does this reader read? The choice, and all that depends on it.

`python -m services.gateway.locale check` fails when a text lacks its translation; `... extract` brings the
catalogues up to date.
"""

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import babel
from babel import dates, lists, numbers, units
from babel.support import NullTranslations, Translations

from services.gateway import catalogues

#: The language of the source texts, and of everybody whose own is not offered.
SOURCE = "en"
#: English without a country means Europe's formats: 3 Nov 2026, 14:05.
_FORMATS = {"en": "en_150"}
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_SIZES = ("byte", "kilobyte", "megabyte", "gigabyte", "terabyte")


def offered() -> tuple[str, ...]:
    """The languages of the interface: the source language, then each that has a catalogue."""
    return (SOURCE, *(language for language in catalogues.languages() if language != SOURCE))


@dataclass(frozen=True)
class Locale:
    """One reader's language (of the texts), formats (a CLDR identifier) and time zone."""

    language: str = SOURCE
    formats: str = ""
    zone: str = "UTC"

    @cached_property
    def cldr(self) -> babel.Locale:
        return babel.Locale.parse(self.formats or _FORMATS.get(self.language, self.language))

    @cached_property
    def timezone(self) -> ZoneInfo:
        return _timezone(self.zone)

    @property
    def dir(self) -> Literal["ltr", "rtl"]:
        return direction(self.language)

    @property
    def _texts(self) -> NullTranslations:
        return _translations(self.language)

    def gettext(self, text: str) -> str:
        return str(self._texts.ugettext(text))

    def ngettext(self, one: str, many: str, n: int) -> str:
        return str(self._texts.ungettext(one, many, n))

    def pgettext(self, context: str, text: str) -> str:
        return str(self._texts.upgettext(context, text))

    def npgettext(self, context: str, one: str, many: str, n: int) -> str:
        return str(self._texts.unpgettext(context, one, many, n))

    def local(self, moment: datetime) -> datetime:
        """`moment`, which must say its offset, on the reader's clock."""
        return moment.astimezone(self.timezone)

    def day(self, moment: datetime | date, style: Literal["long", "medium"] = "long") -> str:
        """3 November 2026"""
        local = self.local(moment) if isinstance(moment, datetime) else moment
        return dates.format_date(local, style, self.cldr)

    def month(self, day: date) -> str:
        """November 2026"""
        return str(dates.format_skeleton("yMMMM", day, locale=self.cldr))

    def short_month(self, day: date) -> str:
        """Nov"""
        return dates.format_date(day, "LLL", self.cldr)

    def short_day(self, day: date) -> str:
        """3 Nov"""
        return str(dates.format_skeleton("MMMd", day, locale=self.cldr))

    def time(self, moment: datetime) -> str:
        """08:51"""
        return dates.format_time(self.local(moment), "short", locale=self.cldr)

    def time_in(self, moment: datetime, zone: str) -> str:
        """What the clock says where somebody is: 10:54"""
        return dates.format_time(moment.astimezone(_timezone(zone)), "short", locale=self.cldr)

    def moment(self, moment: datetime) -> str:
        """3 November 2026, 08:51"""
        pattern = str(dates.get_datetime_format("medium", self.cldr)).replace("'", "")
        return pattern.replace("{0}", self.time(moment)).replace("{1}", self.day(moment))

    def ago(self, moment: datetime, now: datetime) -> str:
        """How people say when: 5 minutes ago, today 08:51, yesterday 17:20, 11 November, 3 November 2024."""
        then, today = self.local(moment), self.local(now)
        past = (now - moment).total_seconds()
        days = (today.date() - then.date()).days
        if 0 <= past < _MINUTE:
            return self.gettext("just now")
        if 0 <= past < _HOUR:
            return dates.format_timedelta(
                moment - now, granularity="minute", add_direction=True, locale=self.cldr
            )
        if days == 0:
            return self.gettext("today %(time)s") % {"time": self.time(moment)}
        if days == 1:
            return self.gettext("yesterday %(time)s") % {"time": self.time(moment)}
        if then.year == today.year:
            return dates.format_skeleton("MMMMd", then, locale=self.cldr)
        return self.day(then)

    def span(self, seconds: float) -> str:
        """A stretch of time in words: 0.2 s, 12 s, 11 min, 3 h."""
        if seconds < _MINUTE:
            return units.format_unit(
                round(seconds, 1 if seconds < 10 else 0), "second", "short", locale=self.cldr
            )
        return dates.format_timedelta(
            timedelta(seconds=seconds), granularity="second", threshold=1.5, format="short", locale=self.cldr
        )

    def number(self, number: float) -> str:
        return numbers.format_decimal(number, locale=self.cldr)

    def signed(self, number: float) -> str:
        """+0.30 or -0.78: a place between two ends."""
        return numbers.format_decimal(number, "+0.00;-0.00", self.cldr)

    def percent(self, share: float) -> str:
        """`share` is 0 to 1, to the nearest whole; but 100 % means all, and 0 % means none."""
        nearest = math.floor(share * 100 + 0.5 + 1e-9)
        shown = nearest if share >= 1 else min(max(nearest, int(share > 0)), 99)
        return numbers.format_percent(shown / 100, locale=self.cldr)

    def size(self, count: int) -> str:
        """Bytes in the largest unit that leaves a whole part: 412 MB."""
        value, power = float(count), 0
        while value >= 1_000 and power < len(_SIZES) - 1:
            value, power = value / 1_000, power + 1
        return units.format_unit(
            round(value, 1 if value < 10 else 0), f"digital-{_SIZES[power]}", "short", locale=self.cldr
        )

    def language_name(self, tag: str) -> str:
        """What this reader calls a language; the tag itself where nobody knows it."""
        known = _known(tag)
        # Half of the languages that have a name have nothing else.
        return str((known.get_display_name(self.cldr) if known else self.cldr.languages.get(tag)) or tag)

    def one_of(self, names: Sequence[str]) -> str:
        """Sweden, Finland or Norway"""
        return lists.format_list(names, "or", self.cldr)

    def all_of(self, names: Sequence[str]) -> str:
        """Sweden, Finland and Norway"""
        return lists.format_list(names, "standard", self.cldr)

    def country_name(self, code: str) -> str:
        return str(self.cldr.territories.get(code.upper(), code))


def endonym(tag: str) -> str:
    """What a language calls itself, as its speakers look for it: Svenska, Deutsch."""
    known = _known(tag)
    name = str(known.get_display_name(known) or tag) if known else tag
    return sentence_case(name)


def direction(tag: str) -> Literal["ltr", "rtl"]:
    """Which way text in this language runs."""
    known = _known(tag)
    return "rtl" if known is not None and known.character_order == "right-to-left" else "ltr"


def negotiate(
    *,
    cookie: str | None = None,
    preferred: str | None = None,
    accept_language: str | None = None,
    zone: str | None = None,
) -> Locale:
    """The reader's locale: chosen on this device, else in the profile, else what the browser asks for."""
    asked = list(_by_preference(accept_language or ""))
    wished = [tag for tag in (cookie, preferred, *asked) if tag]
    language = next((found for tag in wished if (found := _language(tag)) in offered()), SOURCE)
    formats = next((str(known) for tag in wished if (known := _with_country(tag, language))), "")
    return Locale(language, formats, zone or "UTC")


def translate_refusal(code: str, message: str, locale: Locale) -> str:
    """A service's refusal in the reader's words; the English message where the catalogue has none."""
    for pattern, translation in catalogues.refusals(locale.language).get(code, ()):
        if found := pattern.fullmatch(message):
            return translation.format(**found.groupdict())
    return message


def _by_preference(header: str) -> Iterator[str]:
    """The tags of an Accept-Language header, best first. What cannot be read is passed over."""
    ranked: list[tuple[float, str]] = []
    for part in header[:500].split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            ranked.append((float(weight or 1), tag.strip()))
        except ValueError:
            continue
    yield from (tag for weight, tag in sorted(ranked, key=lambda pair: -pair[0]) if weight > 0 and tag)


def _language(tag: str) -> str:
    return tag.replace("_", "-").partition("-")[0].lower()


def _with_country(tag: str, language: str) -> babel.Locale | None:
    known = _known(tag) if _language(tag) == language else None
    return known if known is not None and known.territory else None


@lru_cache(maxsize=512)
def _known(tag: str) -> babel.Locale | None:
    try:
        return babel.Locale.parse(tag.replace("-", "_"))
    except (babel.UnknownLocaleError, ValueError):
        return None


@lru_cache(maxsize=128)
def _timezone(name: str) -> ZoneInfo:
    """UTC for a name that this system does not know: a wrong clock is worse than a foreign one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


@lru_cache
def _translations(language: str) -> NullTranslations:
    return (
        Translations(catalogues.compiled(language))
        if language in catalogues.languages()
        else NullTranslations()
    )


def in_order(codes: Iterable[str], named: Callable[[str], str]) -> list[str]:
    """Codes of countries or languages in the alphabetical order of their names."""
    return sorted((code for code in codes if code), key=lambda code: named(code).casefold())


def choices(tags: Iterable[str], reader: Locale) -> list[tuple[str, str]]:
    """Languages to choose from, with this reader's names for them, in alphabetical order."""
    return [(tag, sentence_case(reader.language_name(tag))) for tag in in_order(tags, reader.language_name)]


def sentence_case(text: str) -> str:
    """As the first word of a line; the rest as it is."""
    return text[:1].upper() + text[1:]


if __name__ == "__main__":
    sys.exit(catalogues.main(sys.argv[1:]))
