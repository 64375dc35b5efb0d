"""What is written down: a space for each language and pages in it, each by several hands over the year."""

import random
from datetime import datetime, timedelta

from infra.demo import calendar
from infra.demo.calendar import BY_CODE, Days, moment
from infra.demo.organisation import ISLAND
from infra.demo.phrases import phrases
from infra.demo.shapes import FIRST_DAY, LANGUAGES, Ledger, Member, chance

_NAMES = {
    "sv": ("Handbok", "Så gör vi, på svenska."),
    "en": ("Handbook", "How we do things, in English."),
    "de": ("Handbuch", "Wie wir arbeiten, auf Deutsch."),
    "fr": ("Manuel", "Comment nous faisons, en français."),
    "fi": ("Käsikirja", "Näin me toimimme, suomeksi."),
    "es": ("Manual", "Cómo lo hacemos, en español."),
    "pl": ("Podręcznik", "Jak to robimy, po polsku."),
    "nb": ("Håndbok", "Slik gjør vi det, på norsk."),
}
#: What each page is about, in the path alone: titles repeat, paths do not.
_PLACES = ("counter", "warehouse", "help-desk", "office", "night-shift", "summer")


def write(ledger: Ledger, seed: int, until: datetime, everybody: list[Member], pages: int) -> None:
    """As many pages in each language; fewer where few write it."""
    draw = chance(seed, "knowledge")
    for language in LANGUAGES:
        writers = [
            m
            for m in everybody
            if m.language == language and m.staff and m.habit == "author" and m.unit != ISLAND and m.begins
        ]
        if writers:
            _space(ledger, draw, language, writers, until, pages)


def _space(
    ledger: Ledger, draw: random.Random, language: str, writers: list[Member], until: datetime, pages: int
) -> None:
    owner = min(writers, key=lambda member: (member.joined, member.id))
    space_id = ledger.id("space", language)
    name, purpose = _NAMES[language]
    opened = max(owner.joined, FIRST_DAY) + timedelta(days=2)
    ledger.add(
        "spaces",
        "open",
        owner.id,
        opened,
        space_id=space_id,
        name=f"{name} (demo)",
        purpose=purpose,
        language=language,
        audience=["staff"],
        classification="internal",
    )
    changes: list[tuple[datetime, int, str, Member, str]] = []
    for number in range(pages):
        changes += _page(draw, language, writers, number, opened, until)
    for at, number, op, by, body in sorted(changes, key=lambda change: (change[0], change[1])):
        path = f"{_PLACES[number % len(_PLACES)]}/page-{number + 1}"
        ledger.add(
            "wiki",
            op,
            by.id,
            at,
            space_id=space_id,
            owner_id=owner.id,
            language=language,
            page_id=ledger.id("page", language, number),
            path=path,
            body=body,
        )


def _page(
    draw: random.Random,
    language: str,
    writers: list[Member],
    number: int,
    opened: datetime,
    until: datetime,
) -> list[tuple[datetime, int, str, Member, str]]:
    """Begun by one, revised by others: each revision adds a line that somebody learned."""
    words, found = phrases(language), []
    title, text = words.page(draw, number)
    body, since, op = f"# {title}\n\n{text}\n", opened.date(), "start"
    for _ in range(1 + draw.choices(range(6), (2, 4, 4, 3, 2, 1))[0]):
        by = draw.choice(writers)
        assert by.begins is not None, "they are chosen so"
        country = BY_CODE[by.country]
        day = Days(country, calendar.days(until)).draw(draw, max(since, by.begins.date()) + timedelta(days=1))
        if day is None:
            break
        found.append((moment(draw, country, day), number, op, by, body))
        since, op = day, "revise"
        body = f"{body}\n- {words.post(draw, draw.choice(('shop', 'stock', 'it', 'customers', 'team')))}\n"
    return found
