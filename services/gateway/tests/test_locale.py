"""Which language a reader gets, how dates and numbers look in it, and that every text is translated."""

import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from services.gateway import catalogues
from services.gateway.locale import Locale, choices, direction, endonym, negotiate, offered, translate_refusal

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SWEDISH = Locale("sv", zone="Europe/Stockholm")
ENGLISH = Locale("en", zone="Europe/Stockholm")


# -- choosing --


@pytest.mark.parametrize(
    ("cookie", "preferred", "accept", "language"),
    [
        ("sv", "en", "en", "sv"),
        (None, "sv", "en", "sv"),
        (None, None, "sv-FI, en;q=0.8", "sv"),
        (None, None, "en;q=0.5, sv;q=0.9", "sv"),
        (None, None, "tlh, *;q=0.1", "en"),
        (None, None, "sv;q=0, en", "en"),
        (None, None, "sv;q=high, en;q=0.1", "en"),
        ("xx", "", None, "en"),
        ("../../etc", None, ",,;q=,", "en"),
        ("sv_SE", None, None, "sv"),
    ],
)
def test_the_device_goes_before_the_profile_and_the_profile_before_the_browser(
    cookie: str | None, preferred: str | None, accept: str | None, language: str
) -> None:
    assert negotiate(cookie=cookie, preferred=preferred, accept_language=accept).language == language


def test_formats_follow_the_country_that_the_browser_names() -> None:
    american = negotiate(accept_language="en-US, sv", zone="America/New_York")
    assert american.moment(NOW).replace("\u202f", " ") == "November 21, 2026, 4:30 AM"
    assert negotiate(cookie="en", accept_language="sv-SE").moment(NOW) == "21 November 2026, 09:30"


def test_an_unknown_time_zone_is_utc() -> None:
    for zone in ("Mars/Olympus", "../../etc/passwd", "", "a" * 10_000):
        assert Locale("en", zone=zone).time(NOW) == "09:30"


def test_arabic_runs_from_right_to_left_although_its_texts_are_still_english() -> None:
    arabic = Locale("ar")
    assert arabic.dir == "rtl"
    assert arabic.gettext("Sign in") == "Sign in"
    assert [direction(tag) for tag in ("sv", "he", "fa-IR", "nonsense")] == ["ltr", "rtl", "rtl", "ltr"]


# -- formats --


@pytest.mark.parametrize(
    ("past", "english", "swedish"),
    [
        (timedelta(seconds=20), "just now", "nyss"),
        (timedelta(minutes=5), "5 minutes ago", "för 5 minuter sedan"),
        (timedelta(hours=4), "today 06:30", "i dag 06:30"),
        (timedelta(hours=14), "yesterday 20:30", "i går 20:30"),
        (timedelta(days=10), "11 November", "11 november"),
        (timedelta(days=500), "9 July 2025", "9 juli 2025"),
        (timedelta(minutes=-90), "today 12:00", "i dag 12:00"),
        (timedelta(days=-3), "24 November", "24 november"),
    ],
)
def test_when_is_said_as_people_say_it(past: timedelta, english: str, swedish: str) -> None:
    assert ENGLISH.ago(NOW - past, NOW) == english
    assert SWEDISH.ago(NOW - past, NOW) == swedish


def test_days_change_at_the_readers_midnight() -> None:
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert SWEDISH.ago(late, NOW) == "i dag 00:30"
    assert Locale("sv").ago(late, NOW) == "i går 23:30"


@pytest.mark.parametrize(
    ("share", "said"),
    [(1 / 34, 3), (0.645, 65), (0.29, 29), (0.5, 50), (0.001, 1), (0.0, 0), (0.996, 99), (1.0, 100)],
)
def test_a_share_is_rounded_to_the_nearest_but_all_is_all_and_none_is_none(share: float, said: int) -> None:
    assert ENGLISH.percent(share) == f"{said}%"


def test_figures_are_written_as_the_language_writes_them() -> None:
    assert (ENGLISH.number(1_234_567), SWEDISH.number(1_234_567)) == ("1,234,567", "1\xa0234\xa0567")
    assert (ENGLISH.percent(0.618), SWEDISH.percent(0.9999)) == ("62%", "99\xa0%")
    assert (ENGLISH.size(412_345_678), SWEDISH.size(1_240_000_000)) == ("412 MB", "1,2 GB")
    assert (SWEDISH.span(0.23), SWEDISH.span(42.4), SWEDISH.span(671)) == ("0,2 s", "42 s", "11 min")


def test_languages_and_countries_have_names_in_the_readers_language() -> None:
    assert (SWEDISH.language_name("ar"), SWEDISH.language_name("x-unknown")) == ("arabiska", "x-unknown")
    assert (SWEDISH.language_name("sh"), SWEDISH.language_name("zz")) == ("serbokroatiska", "zz")
    assert (ENGLISH.country_name("se"), ENGLISH.country_name("??")) == ("Sweden", "??")
    assert [endonym(tag) for tag in ("sv", "en", "ar", "??")] == ["Svenska", "English", "العربية", "??"]
    assert choices(["sv", "de", "en"], SWEDISH) == [("en", "Engelska"), ("sv", "Svenska"), ("de", "Tyska")]


def test_no_sentence_needs_an_article_before_a_country() -> None:
    """In the United Kingdom, of the Netherlands: names come without one, whatever they are."""
    sentences = [str(message.id) for message in catalogues.source_texts() if message.id]
    assert [each for each in sentences if re.search(r"\b(?:[Ii]n|of|from|to|for) %\(country\)s", each)] == []


def test_plurals_follow_the_language() -> None:
    texts = [SWEDISH.ngettext("%(shown)s page", "%(shown)s pages", n) for n in (0, 1, 2)]
    assert texts == ["%(shown)s sidor", "%(shown)s sida", "%(shown)s sidor"]


# -- refusals --


def test_a_refusal_is_said_in_the_readers_language_with_its_figures_in_place() -> None:
    message = "An audience has at most 20 parts. Choose fewer, or a wider one."
    said = translate_refusal("audience-too-long", message, SWEDISH)
    assert said != message and "20" in said and "{" not in said
    assert translate_refusal("audience-too-long", message, ENGLISH) == message


def test_a_refusal_without_a_translation_stays_as_it_is() -> None:
    assert translate_refusal("brand-new", "Say it again.", SWEDISH) == "Say it again."
    assert (
        translate_refusal("audience-too-long", "Quite another sentence.", SWEDISH)
        == "Quite another sentence."
    )


def test_refusals_are_found_in_the_code_of_services(tmp_path: Path) -> None:
    room = tmp_path / "services"
    (room / "wiki" / "tests").mkdir(parents=True)
    (room / "wiki" / "domain.py").write_text(
        'raise Conflict("path-taken", "The path {path} is taken. " "Choose another.", params={"path": p})\n'
        'raise Refused(code, message)\nraise ValueError("not-one", "Not a refusal.")\n'
        'raise Away("service-away", "It does not answer.", service=name)\n'
    )
    (room / "wiki" / "tests" / "test_domain.py").write_text('Refused("only-here", "Not said to anybody.")')
    found = {(m.context, m.id): m.locations for m in catalogues.source_refusals([room]) if m.id}
    assert found == {
        ("path-taken", "The path {path} is taken. Choose another."): [("services/wiki/domain.py", 1)],
        ("service-away", "It does not answer."): [("services/wiki/domain.py", 4)],
    }


def test_every_refusal_says_its_code_and_sentence_where_it_is_raised() -> None:
    """Else nothing can translate it. What is left hands on what somebody else has said."""
    assert sorted(place.partition("(")[0] for place in catalogues.unread_refusals()) == [
        "services/gateway/clients.py: Away",
        "services/gateway/pages/keeping.py: Conflict",
        "services/gateway/pages/writing.py: Refused",
        "shared/runtime/problems.py: _problem",
        "shared/runtime/problems.py: _problem",
        "shared/runtime/problems.py: _problem",
    ]


# -- completeness --


@pytest.fixture(scope="module")
def sources() -> list[Catalog]:
    """The texts of the interface, read once."""
    return [catalogues.source_texts()]


def test_every_text_of_the_interface_is_translated(sources: list[Catalog]) -> None:
    assert offered() == ("en", "sv")
    assert [str(gap) for gap in catalogues.gaps(sources=sources)] == []


def test_texts_of_templates_and_of_code_are_found(sources: list[Catalog]) -> None:
    texts = {m.id: m.locations[0][0] for m in sources[0] if m.id}
    assert texts["Skip to content"] == "templates/layout.html"
    assert texts["just now"] == "locale.py"
    assert texts[("%(shown)s page", "%(shown)s pages")] == "templates/parts/words.html"


def test_whatever_a_definition_of_a_figure_says_is_found_however_the_code_makes_it(
    tmp_path: Path, sources: list[Catalog]
) -> None:
    texts = {m.id: m.locations[0][0] for m in sources[0] if m.id}
    for made in ("Passive share", "Commenters", "From new to reader", "Ties across units"):
        assert texts[made] == "metrics.md"
    document = tmp_path / "metrics.md"
    lines = [
        *("# Metrics", "## Rules", "`x`, as a rule", "Of all.", "<!-- definitions: begin -->"),
        *("## Cups a day", "`cups-a-day`, version 1; by day.", "How many there were.", "- Formula: cups."),
        "| measure | what | unit |\n| --- | --- | --- |\n| `cups` | Cups of coffee | acts |",
        "<!-- definitions: end -->",
    ]
    document.write_text("\n\n".join(lines))
    found = catalogues.source_texts(tmp_path, document)
    said = {str(m.id): m.locations[0] for m in found if m.id}
    assert said == {
        "Cups a day": ("metrics.md", 11),
        "How many there were.": ("metrics.md", 15),
        "Cups of coffee": ("metrics.md", 21),
    }


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A copy of the catalogues, to be spoilt."""
    shutil.copytree(catalogues.LOCALES, tmp_path / "locales")
    return tmp_path / "locales"


@pytest.mark.parametrize(
    ("whole", "spoilt", "why"),
    [
        ('msgstr "Logga in"', 'msgstr ""', "not translated"),
        ('msgid "Sign in"', 'msgid "Sign up"', "not translated"),
        ('msgid "Sign in"', '#, fuzzy\nmsgid "Sign in"', "fuzzy"),
        ('msgstr[1] "%(shown)s sidor"', 'msgstr[1] ""', "not translated"),
        ('msgstr "i dag %(time)s"', 'msgstr "i dag %(tid)s"', "names in the translation differ"),
        ('msgstr "i dag %(time)s"', 'msgstr "i dag"', "names in the translation differ"),
    ],
)
def test_the_check_names_what_is_missing_fuzzy_or_wrong(
    broken: Path, sources: list[Catalog], whole: str, spoilt: str, why: str
) -> None:
    file = broken / "sv" / "interface.po"
    before, text = set(catalogues.gaps(broken, sources)), file.read_text()
    assert whole in text
    file.write_text(text.replace(whole, spoilt))
    (gap,) = set(catalogues.gaps(broken, sources)) - before
    assert gap.why == why
    assert str(gap).startswith("sv: ")


def test_a_language_without_a_catalogue_of_refusals_lacks_them_all(broken: Path) -> None:
    (broken / "sv" / "refusals.po").unlink()
    source = Catalog(domain="refusals")
    source.add("Say it again.", context="again", locations=[("services/wiki/domain.py", 7)])
    assert [str(gap) for gap in catalogues.gaps(broken, [source])] == [
        "sv: services/wiki/domain.py:7: not translated: Say it again."
    ]


def test_bringing_the_catalogues_up_to_date_keeps_translations_and_adds_what_is_new(broken: Path) -> None:
    file = broken / "sv" / "interface.po"
    catalogues.extract(broken)
    before = file.read_text()
    signs_out, never_said = 'msgid "Sign out"\nmsgstr "Logga ut"', 'msgid "Never said"\nmsgstr "Aldrig"'
    file.write_text(before.replace(signs_out, never_said))
    catalogues.extract(broken)
    after = file.read_text()
    assert 'msgid "Sign out"\nmsgstr ""' in after
    assert "Never said" not in after
    assert after.replace('msgid "Sign out"\nmsgstr ""', 'msgid "Sign out"\nmsgstr "Logga ut"') == before


def test_a_new_language_begins_with_an_empty_catalogue(broken: Path) -> None:
    (broken / "fi").mkdir()
    catalogues.extract(broken)
    text = (broken / "fi" / "interface.po").read_text()
    assert 'msgid "Sign in"\nmsgstr ""' in text
    assert "nplurals=2" in text


def test_the_command_refuses_what_it_does_not_know() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services.gateway.locale", "guess"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("usage:")
