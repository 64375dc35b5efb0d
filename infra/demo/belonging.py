"""Groups: who started them, who joined when, whom they asked in; and a space in the wiki for each."""

import random
from datetime import datetime, timedelta
from typing import Literal

from infra.demo.organisation import ISLAND
from infra.demo.phrases import phrases
from infra.demo.shapes import FIRST_DAY, LANGUAGES, Group, Ledger, Member, chance

Openness = Literal["open", "closed"]

#: Groups that carry a planted story; the others are each language's own.
LIST, FRIDAY, ISLAND_GROUP, SUPPLIERS, LESSONS = "list", "friday", "island", "suppliers", "lessons"
_STORIES: tuple[tuple[str, str, str, str, Openness], ...] = (
    (
        LIST,
        "All-staff list (closed)",
        "Everybody got these mails until the list closed. Announcements have taken its place.",
        "en",
        "open",
    ),
    (
        FRIDAY,
        "Friday fun",
        "One riddle, one picture, one song. Every Friday, in every language.",
        "en",
        "open",
    ),
    (ISLAND_GROUP, "Logistyka Poznań", "Nasze sprawy: zmiany, rampy i wyniki.", "pl", "closed"),
    (
        SUPPLIERS,
        "Supplier portal, with our partners",
        "Questions and answers between us and those who deliver to us.",
        "en",
        "closed",
    ),
    (
        LESSONS,
        "Lessons learned from projects",
        "What we would do again and what we would not, with links to the pages.",
        "en",
        "open",
    ),
)
_ASIDE: tuple[tuple[str, str, str], ...] = (
    ("Board and leaders", "What is decided next, before it is announced.", "en"),
    ("Coaches and ambassadors", "Whom do we help next, and how?", "en"),
    ("Translation desk", "What waits for which language.", "en"),
)
_SMALLEST = 4


def groups(
    ledger: Ledger, seed: int, until: datetime, everybody: list[Member], size: int
) -> dict[str, Group]:
    """By what they are called here. Small companies have fewer of them."""
    draw = chance(seed, "groups")
    span = (until - FIRST_DAY).days
    found = {said[0]: _story(ledger, draw, everybody, said) for said in _STORIES}
    many = max(1, min(3, size // 100))
    for language in LANGUAGES:
        for number, (title, purpose) in enumerate(phrases(language).said["groups"][:many]):
            speakers = [m for m in everybody if m.language == language and _joins(m)]
            if len(speakers) < _SMALLEST:
                continue
            started = FIRST_DAY + timedelta(days=draw.randrange(2, max(3, span // 2)), hours=2)
            group = _started(
                ledger, draw, f"{language}-{number}", title, purpose, language, "open", started, speakers
            )
            _join(draw, group, speakers, 0.4, span)
            found[f"{language}-{number}"] = group
    for number, (title, purpose, language) in enumerate(_ASIDE):
        roles = ({"board", "leader"}, {"coach", "ambassador"}, {"translator", "editor"})[number]
        asked = [m for m in everybody if roles & set(m.roles) and _joins(m)]
        group = _started(
            ledger,
            draw,
            f"aside-{number}",
            title,
            purpose,
            language,
            "closed",
            FIRST_DAY + timedelta(days=3),
            asked,
        )
        _join(draw, group, asked, 0.8, 20)
        found[f"aside-{number}"] = group
    for group in found.values():
        group.members = {who: since for who, since in group.members.items() if since < until}
        _told(ledger, group)
    return found


def _joins(member: Member) -> bool:
    return member.staff and member.unit != ISLAND


def _story(
    ledger: Ledger, draw: random.Random, everybody: list[Member], said: tuple[str, str, str, str, Openness]
) -> Group:
    name, title, purpose, language, openness = said
    staff = [member for member in everybody if _joins(member)]
    started = FIRST_DAY + timedelta(days=1, hours=3)
    match name:
        case "island":
            inside = [member for member in everybody if member.unit == ISLAND]
            group = _started(ledger, draw, name, title, purpose, language, openness, started, inside)
            _join(draw, group, inside, 1.0, 10)
        case "suppliers":
            inside = [m for m in staff if m.unit in ("demo-office-product", "demo-it-platform")][:14]
            group = _started(ledger, draw, name, title, purpose, language, openness, started, inside)
            _join(draw, group, inside, 1.0, 10)
            _join(draw, group, [member for member in everybody if not member.staff], 1.0, 40)
        case "list":
            group = _started(
                ledger,
                draw,
                name,
                title,
                purpose,
                language,
                openness,
                started,
                [m for m in staff if "editor" in m.roles],
            )
            _join(draw, group, [m for m in staff if m.roles], 0.9, 10)
        case _:
            group = _started(
                ledger, draw, name, title, purpose, language, openness, started, staff[10:40] or staff
            )
            _join(draw, group, staff, 0.45 if name == FRIDAY else 0.12, 200)
    return group


def _started(
    ledger: Ledger,
    draw: random.Random,
    key: str,
    title: str,
    purpose: str,
    language: str,
    openness: Openness,
    started: datetime,
    by: list[Member],
) -> Group:
    """By somebody of those who was there by then."""
    there = [member for member in by if member.joined < started and member.staff] or by[:1]
    owner = draw.choice(there)
    started = max(started, owner.joined + timedelta(hours=3))
    return Group(
        ledger.id("group", key), title, purpose, language, openness, started, owner, {owner.id: started}
    )


def _join(draw: random.Random, group: Group, those: list[Member], share: float, within: int) -> None:
    """A share of those, each some days after the group began and after they came."""
    for member in those:
        if member.id in group.members or draw.random() >= share:
            continue
        begin = max(group.started, member.joined + timedelta(hours=3))
        group.members[member.id] = begin + timedelta(
            days=draw.randrange(max(1, within // 2)), minutes=_minute(member)
        )


def _minute(member: Member) -> int:
    """Spreads people over an hour without drawing for it."""
    return int(member.id[:4], 16) % 60 + 1


def _told(ledger: Ledger, group: Group) -> None:
    about = {"name": group.name, "purpose": group.purpose, "language": group.language}
    ledger.add(
        "groups", "start", group.owner.id, group.started, group_id=group.id, openness=group.openness, **about
    )
    token = f"group:{group.id}"
    ledger.add(
        "spaces",
        "open",
        group.owner.id,
        group.started,
        space_id=group.id,
        audience=[token] if group.openness == "closed" else [token, "staff"],
        classification="open",
        **about,
    )
    for member_id, since in group.members.items():
        if member_id == group.owner.id:
            continue
        if group.openness == "open":
            ledger.add("groups", "join", member_id, since, group_id=group.id)
            continue
        asked = since - timedelta(minutes=1)
        ledger.add("groups", "invite", group.owner.id, asked, group_id=group.id, member_id=member_id)
        ledger.add("groups", "accept", member_id, since, group_id=group.id)
