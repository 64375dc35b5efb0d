"""What is planted: Friday fun, a leader's film and what followed, a list that was replaced, announcements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from infra.demo import calendar
from infra.demo.belonging import FRIDAY, LIST
from infra.demo.calendar import COUNTRIES, next_weekday
from infra.demo.organisation import ISLAND, PLACED_AFTER, TOP, path_of
from infra.demo.phrases import phrases
from infra.demo.shapes import FIRST_DAY, LANGUAGES, Member
from infra.demo.talk import Talk, at_hour, share_of

#: Days after the film in which somebody's first contribution counts as having followed it.
FILM_DAYS = 14
_TUESDAY = 1
#: Mondays and Thursdays.
_MAIL_DAYS = (0, 3)
#: Of a hundred of those asked, how many confirm, by language: English texts reach fewer in some of them.
_CONFIRM = {"sv": 86, "en": 88, "nb": 81, "fi": 74, "de": 77, "fr": 66, "es": 63, "pl": 47}
_FILM = (
    "Three minutes from my phone, from the loading ramp in the rain (the film itself comes when the platform"
    " shows films; here is what I say in it): I make mistakes every week, and learn of most of them too"
    " late, because nobody writes them down. So I begin. In May I ordered the wrong shelves for two shops."
    " What did you learn this week? One line is enough. #film"
)
_CLOSING = (
    "This list closes today. What everybody must know comes as an announcement from now on: in your language,"
    " and we see whether it was read. Everything else belongs into the groups. Thank you for nine years of"
    " mails."
)


@dataclass(frozen=True, slots=True)
class Announced:
    """An announcement, for the truths: whom it asked, and who confirmed."""

    post_id: str
    title: str
    at: datetime
    audience: str
    author: Member
    asked: Sequence[Member]
    confirmed: Sequence[Member]


@dataclass(frozen=True, slots=True)
class Planted:
    """What the truths are told about."""

    film_id: str
    film_at: datetime
    film_by: Member
    drawn_in: Sequence[Member]
    replaced_on: date
    mails: int
    announcements: Sequence[Announced]
    fridays: int


def plant(talk: Talk) -> Planted:
    film_id, film_at, leader, drawn_in = _film(talk)
    replaced_on, mails = _mail_list(talk)
    return Planted(
        film_id=film_id,
        film_at=film_at,
        film_by=leader,
        drawn_in=drawn_in,
        replaced_on=replaced_on,
        mails=mails,
        announcements=_announcements(talk, replaced_on),
        fridays=_fun(talk),
    )


def _film(talk: Talk) -> tuple[str, datetime, Member, list[Member]]:
    """Somebody who leads all says something; of those who were silent, some begin within two weeks."""
    seeded = (m for m in talk.everybody if "leader" in m.roles and m.seeded)
    leader = next(seeded, None) or next(m for m in talk.everybody if m.unit == TOP)
    at = at_hour(next_weekday(share_of(talk.until, 0.45), _TUESDAY), 12, 30)
    circle = talk.staff
    post = talk.post(circle, leader, at, _FILM, "en")
    silent = [
        m
        for m in circle.people
        if m.habit in ("passive", "reader") and m.joined < at and not m.roles and not m.seeded
    ]
    drawn_in = sorted(
        talk.draw.sample(silent, min(len(silent), max(3, round(0.05 * len(talk.everybody))))),
        key=lambda m: m.id,
    )
    for number, member in enumerate(drawn_in):
        when = at + timedelta(
            hours=2 + number * (FILM_DAYS - 3) * 24 // max(1, len(drawn_in)), minutes=number % 60
        )
        words = phrases(member.language)
        if number % 3 == 0:
            said = talk.post(circle, member, when, words.of("first", talk.draw), member.language)
            talk.follows(said, comments=2, reactions=8)
        else:
            talk.comment(post, member, when, words.of("first", talk.draw), words)
        member.habit = "commenter"
        member.begins = when + timedelta(days=1)
    talk.follows(post, comments=12, reactions=max(10, len(talk.everybody) // 6))
    return post.id, at, leader, drawn_in


def _mail_list(talk: Talk) -> tuple[date, int]:
    """Twice a week to everybody, until it closes after a third of the time: by mail, so that of all of them
    only the last stands here."""
    closes = next_weekday(share_of(talk.until, 0.3), _TUESDAY)
    circle = talk.circle(LIST)
    assert circle.group is not None, "it is a group"
    first = FIRST_DAY.date() + timedelta(days=15)
    sent = sum((first + timedelta(days=n)).weekday() in _MAIL_DAYS for n in range((closes - first).days))
    said = talk.post(circle, circle.group.owner, at_hour(closes, 8), _CLOSING, "en")
    talk.follows(said, comments=6, reactions=15)
    return closes, sent + 1


def _fun(talk: Talk) -> int:
    """Each Friday but the holidays' somebody begins, and many laugh."""
    circle, number = talk.circle(FRIDAY), 0
    assert circle.group is not None, "it is a group"
    sweden = COUNTRIES[0]
    for day in calendar.fridays(calendar.days(talk.until)):
        at = at_hour(day, 12, 15)
        there = [
            m
            for m in circle.people
            if circle.group.members[m.id] < at
            and m.habit == "author"
            and m.begins is not None
            and m.begins < at
        ]
        if not there or calendar.activity(sweden, day) < 0.3:
            continue
        author = talk.draw.choice(there)
        language = LANGUAGES[number % len(LANGUAGES)] if number % 3 == 0 else "en"
        text = phrases(language).said["friday"][number % 4]
        talk.follows(talk.post(circle, author, at, text, language, fun=True), comments=4, reactions=12)
        number += 1
    return number


def _announcements(talk: Talk, since: date) -> list[Announced]:
    """From the day on which the list closes: to all staff each month, to countries and units between."""
    found: list[Announced] = []
    senders = [m for m in talk.everybody if {"editor", "leader", "board"} & set(m.roles) and m.unit != ISLAND]
    senders = [m for m in senders if m.joined < at_hour(since, 6)]
    day, number = since + timedelta(days=6), 0
    last = talk.until.date() - timedelta(days=20)
    while day < last:
        workday = next_weekday(day, number % 4)
        sender = talk.draw.choice(senders)
        found.append(_announce(talk, sender, at_hour(workday, 8, 30), number))
        number += 1
        day += timedelta(days=24)
    return found


def _announce(talk: Talk, sender: Member, at: datetime, number: int) -> Announced:
    kind = number % 3
    if kind == 0:
        audience, language = "staff", "en"
    elif kind == 1:
        audience, language = f"country:{sender.country}", sender.language
    else:
        unit = sender.unit.rsplit("-", 1)[0] if sender.unit.count("-") > 1 else sender.unit
        audience, language = f"unit:{unit}", "en"
    said = phrases(language).said["announcements"][number % 3]
    post_id = talk.next_id("post")
    talk.ledger.add(
        "feed",
        "post",
        sender.id,
        at,
        post_id=post_id,
        kind="announcement",
        title=said["title"],
        text=said["text"],
        language=language,
        audience=[audience],
        must_acknowledge=True,
    )
    asked = [
        m for m in talk.everybody if m is not sender and within(m, audience) and _since(m, audience) <= at
    ]
    confirmed = [m for m in asked if _confirms(talk, m, at, language, post_id)]
    return Announced(post_id, said["title"], at, audience, sender, asked, confirmed)


def within(member: Member, audience: str) -> bool:
    """Whether somebody is in the audience: units hold those of the units below them."""
    kind, _, value = audience.partition(":")
    if not member.staff:
        return False
    if kind == "unit":
        return value in path_of(member.unit)
    return kind == "staff" or member.country == value


def _since(member: Member, audience: str) -> datetime:
    """When somebody came into the audience: into a unit they are placed an hour after they came."""
    return member.joined + PLACED_AFTER if audience.startswith("unit:") else member.joined


def _confirms(talk: Talk, member: Member, at: datetime, language: str, post_id: str) -> bool:
    share = 90 if language == member.language else _CONFIRM[member.language]
    if member.habit == "passive":
        share //= 2
    if talk.draw.randrange(100) >= share:
        return False
    when = at + timedelta(
        hours=talk.draw.choice((1, 2, 5, 24, 30, 49, 120, 200)), minutes=talk.draw.randrange(60)
    )
    if when >= talk.until:
        return False
    talk.ledger.add("feed", "acknowledge", member.id, when, post_id=post_id)
    return True


def told(one: Announced) -> dict[str, Any]:
    """For the manifest."""
    languages: dict[str, dict[str, int]] = {}
    for member in one.asked:
        shares = languages.setdefault(member.language, {"people": 0, "acknowledged": 0})
        shares["people"] += 1
        shares["acknowledged"] += member in one.confirmed
    return {
        "post_id": one.post_id,
        "title": one.title,
        "published_at": one.at.isoformat(),
        "audience": one.audience,
        "author_id": one.author.id,
        "people": len(one.asked),
        "acknowledged": len(one.confirmed),
        "languages": dict(sorted(languages.items())),
    }
