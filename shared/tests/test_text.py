"""What may be typed: names in which everything shows, prose without overrides, and what looks alike."""

import unicodedata
from importlib.resources import files

import pytest
from babel import Locale, localedata
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel import countries, text
from shared.kernel.errors import Refused
from shared.kernel.languages import CODES

PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
HEART = "\u2764\ufe0f\u200d\U0001f525"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Friday \t fun\n", "Friday fun"),
        ("Cafe\u0301", "Caf\u00e9"),
        (PERSIAN, PERSIAN),
        (f"The {FAMILY} group {HEART}", f"The {FAMILY} group {HEART}"),
        ("\u05d8\u05d9\u05d5\u05dc\u05d9\u05dd", "\u05d8\u05d9\u05d5\u05dc\u05d9\u05dd"),
        ("Ti\u1ebfng Vi\u1ec7t", "Ti\u1ebfng Vi\u1ec7t"),
    ],
)
def test_a_name_is_one_composed_line(typed: str, kept: str) -> None:
    assert text.name(typed, "name", 100) == kept


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "name-missing"),
        (" \u2028\u00a0\u3000", "name-missing"),
        ("\u200b", "text-invisible-character"),
        ("\u3164", "text-invisible-character"),
        ("Fri\u200bday", "text-invisible-character"),
        ("Fri\u00adday", "text-invisible-character"),
        ("Fri\u200cday", "text-invisible-character"),
        ("\u200dFriday", "text-invisible-character"),
        ("invoice\u202efdp.exe", "text-invisible-character"),
        ("\u2066Friday\u2069", "text-invisible-character"),
        ("Friday\ufeff", "text-invisible-character"),
        ("Friday\ue000", "text-invisible-character"),
        ("Friday\U000e0041", "text-invisible-character"),
        ("Fri\x00day", "text-with-control-character"),
        ("half \ud83d", "text-not-unicode"),
        ("Z" + "\u0302" * 9, "text-heaped-marks"),
        ("x" * 101, "text-too-long"),
        (" " * 500 + "x", "text-too-long"),
    ],
)
def test_a_name_that_cannot_be_read_as_it_is_is_refused(typed: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        text.name(typed, "name", 100)
    assert (refused.value.code, refused.value.field) == (code, "name")


def test_prose_keeps_its_lines_its_joiners_and_its_direction_marks() -> None:
    typed = f"\r\nHello\r\n\r\n  {PERSIAN} \u2067\u05d0\u2069\u200f {FAMILY}\rbye \n"
    assert text.prose(typed, "text", 100) == f"Hello\n\n  {PERSIAN} \u2067\u05d0\u2069\u200f {FAMILY}\nbye"


@pytest.mark.parametrize("typed", ["", " \n", "\u200b\u200d\n", "\u3164", "\u2800 \ufeff"])
def test_prose_in_which_nothing_shows_is_no_prose(typed: str) -> None:
    assert text.prose(typed, "text", 100) == ""


@pytest.mark.parametrize("override", ["\u202d", "\u202e"])
def test_prose_does_not_turn_the_text_around(override: str) -> None:
    with pytest.raises(Refused) as refused:
        text.prose(f"pay {override}100", "text", 100)
    assert (refused.value.code, refused.value.params) == ("text-turned-around", {"at": 5})


def test_what_looks_alike_compares_alike() -> None:
    names = ["Friday Fun", " friday  fun", "FRIDAY\u00a0FUN", "Fri\u200bday fun", "\uff26riday fun"]
    assert {text.comparable(name) for name in names} == {"friday fun"}
    assert text.comparable("Stra\u00dfe") == text.comparable("STRASSE")
    assert text.comparable("Friday") != text.comparable("Fridays")


@pytest.mark.parametrize("tag", ["sv", "pt-BR", "zh-Hant-TW", "nb", "yue", "apc", "tlh", "es-419"])
def test_a_language_is_named_by_its_tag(tag: str) -> None:
    assert text.language(tag) == tag


@pytest.mark.parametrize("tag", ["", "Swedish!", "SV", "s", "sv_SE", "sv-"])
def test_what_is_no_tag_names_no_language(tag: str) -> None:
    with pytest.raises(Refused) as refused:
        text.language(tag, stored=(tag,))
    assert refused.value.code == "language-unknown"


@pytest.mark.parametrize("tag", ["zz", "qq", "qaa", "swe", "zz-SE"])
def test_what_nobody_assigned_names_no_language_but_stays_where_it_was_taken(tag: str) -> None:
    with pytest.raises(Refused) as refused:
        text.language(tag, "languages", stored=("sv",))
    assert (refused.value.code, refused.value.field) == ("language-unknown", "languages")
    assert text.language(tag, stored=(tag,)) == tag


def test_the_languages_are_those_of_cldr() -> None:
    """Those that have a name there, or texts."""
    known = [*Locale("en").languages, *localedata.locale_identifiers()]
    wanted = {identifier.partition("_")[0] for identifier in known}
    assert wanted == CODES, f"write into shared/kernel/languages.py: {' '.join(sorted(wanted))}"


def test_the_countries_are_those_of_iso_3166_and_kosovo() -> None:
    lines = files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text("utf-8").splitlines()
    wanted = {line[:2] for line in lines if not line.startswith("#")} | {"XK"}
    assert wanted == countries.CODES, f"write into shared/kernel/countries.py: {' '.join(sorted(wanted))}"
    assert set(Locale("en").territories) > countries.CODES, "each has a name"


@given(st.text())
def test_a_name_is_refused_or_shows_and_stays_as_it_is(typed: str) -> None:
    try:
        kept = text.name(typed, "name", 100)
    except Refused:
        return
    assert text.shows(kept) and len(kept) <= 100
    assert text.name(kept, "name", 100) == kept == unicodedata.normalize("NFC", kept)


@given(st.text())
def test_prose_is_refused_or_stays_as_it_is(typed: str) -> None:
    try:
        kept = text.prose(typed, "text", 100)
    except Refused:
        return
    assert text.prose(kept, "text", 100) == kept
    assert not kept or text.shows(kept)


@given(st.text())
def test_comparing_twice_is_comparing_once(typed: str) -> None:
    once = text.comparable(typed)
    assert text.comparable(once) == once


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (" Pay\u202e roll\u200b\n", "Pay roll"),
        ("\u200b\u3164\u2800", ""),
        ("half \ud83d", "half"),
        ("Z" + "\u0335" * 30, "Z"),
        ("a\u200b\u200dx", "ax"),
        (PERSIAN, PERSIAN),
        (f"The {FAMILY} group", f"The {FAMILY} group"),
    ],
)
def test_a_line_that_nobody_typed_here_is_made_one_in_which_everything_shows(found: str, shown: str) -> None:
    assert text.seen(found) == shown


def test_prose_is_joined_where_one_line_is_shown() -> None:
    assert text.one_line("For\nall \u05d0\u200f\r\n  of us", "purpose", 100) == "For all \u05d0\u200f of us"


@given(st.text() | st.text(alphabet="a \u00e9\u200b\u200d\u0301\u05d0"))
def test_every_line_that_is_shown_may_be_typed(found: str) -> None:
    shown = text.seen(found)
    assert text.seen(shown) == shown
    assert text.line(shown, "title", 10_000) == shown
