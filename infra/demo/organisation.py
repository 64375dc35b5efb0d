"""Who works where: units, their leaders, and everybody's part in the talk."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.demo import calendar
from infra.demo.calendar import BY_CODE, COUNTRIES, Days
from infra.demo.naming import Names
from infra.demo.phrases import phrases
from infra.demo.shapes import FIRST_DAY, Habit, Ledger, Member, SignIn, Unit, chance, weighted

TOP = "demo-nordvik"
#: The unit that talks with itself alone.
ISLAND = "demo-logistics-poznan"
#: The language whose speakers hardly read English, in which most of what is said to all stands; how many of
#: those among them who tell something of themselves do. All others who do read it: a language of few people,
#: in which little is written, would be left behind else without having been planted.
UNREAD = "es"
_UNREAD_ENGLISH = 0.15
#: Of those who say nothing else, how many tell something of themselves; and who reads one more language, of
#: those who have English, and of all others.
_PASSIVE_TELLS = 0.92
_MORE_ENGLISH, _MORE = 0.6, 0.2
_DACH, _WEST, _NORTH = ("DE", "AT", "CH"), ("GB", "IE"), ("SE", "NO", "FI")
_ALL = tuple(country.code for country in COUNTRIES)

UNITS = (
    Unit(TOP, "Nordvik (demo)", None, ("SE",)),
    Unit("demo-shops", "Shops", TOP, ("SE",)),
    Unit("demo-shops-sweden", "Shops Sweden", "demo-shops", ("SE",)),
    Unit("demo-shops-norway", "Shops Norway", "demo-shops", ("NO",)),
    Unit("demo-shops-finland", "Shops Finland", "demo-shops", ("FI",)),
    Unit("demo-shops-dach", "Shops Germany, Austria and Switzerland", "demo-shops", _DACH),
    Unit("demo-shops-france", "Shops France and Belgium", "demo-shops", ("FR", "BE")),
    Unit("demo-shops-spain", "Shops Spain", "demo-shops", ("ES",)),
    Unit("demo-shops-poland", "Shops Poland", "demo-shops", ("PL",)),
    Unit("demo-shops-isles", "Shops Britain and Ireland", "demo-shops", _WEST),
    Unit("demo-logistics", "Logistics", TOP, ("DE",)),
    Unit("demo-logistics-malmo", "Logistics Malmö", "demo-logistics", ("SE",)),
    Unit("demo-logistics-hamburg", "Logistics Hamburg", "demo-logistics", ("DE",)),
    Unit("demo-logistics-valencia", "Logistics Valencia", "demo-logistics", ("ES",)),
    Unit(ISLAND, "Logistics Poznań", "demo-logistics", ("PL",)),
    Unit("demo-service", "Customer service", TOP, ("SE",)),
    Unit("demo-service-north", "Customer service North", "demo-service", _NORTH),
    Unit("demo-service-centre", "Customer service Centre", "demo-service", (*_DACH, "PL")),
    Unit("demo-service-west", "Customer service West", "demo-service", ("FR", "ES", *_WEST)),
    Unit("demo-it", "IT", TOP, ("DE",)),
    Unit("demo-it-platform", "IT Platform", "demo-it", ("DE", "PL", "FI")),
    Unit("demo-it-workplace", "IT Workplace", "demo-it", ("SE", "GB", "FR")),
    Unit("demo-office", "Head office", TOP, ("SE",)),
    Unit("demo-office-finance", "Finance and accounting", "demo-office", ("SE", "DE", "CH")),
    Unit("demo-office-people", "People and culture", "demo-office", ("SE", "NO", "IE")),
    Unit("demo-office-product", "Product and purchasing", "demo-office", ("SE", "FR", "ES", "FI")),
    Unit("demo-office-marketing", "Marketing and communication", "demo-office", ("SE", "GB", "BE", "NO")),
)
BY_ID = {unit.id: unit for unit in UNITS}
#: How long after they came somebody is given their place.
PLACED_AFTER = timedelta(hours=1)
#: Units that others are part of: nobody but their leader works there.
_INNER = {unit.parent for unit in UNITS if unit.parent}
_SEEDED_UNITS = {
    "alva": "demo-it-workplace",
    "eskil": "demo-office-marketing",
    "saga": "demo-shops-sweden",
    "jonas": "demo-logistics-hamburg",
    "leena": "demo-shops-finland",
    "amir": "demo-shops-isles",
    "claire": "demo-office-product",
    "tomasz": "demo-shops-poland",
    "berit": "demo-office-people",
    "olivia": "demo-it-workplace",
}
#: Of a hundred: how many hold each habit. The passive are everybody else.
_HABITS: tuple[tuple[Habit, float], ...] = (
    ("author", 0.18),
    ("commenter", 0.2),
    ("reader", 0.27),
    ("passive", 0.35),
)
_ROLES = (("ambassador", 0.03), ("coach", 0.012), ("editor", 0.016), ("board", 0.01), ("operator", 0.004))
_GUESTS, _LATE = 0.04, 0.12


def path_of(unit_id: str) -> list[str]:
    """From the unit to the top."""
    path, unit = [], BY_ID.get(unit_id)
    while unit is not None:
        path.append(unit.id)
        unit = BY_ID.get(unit.parent) if unit.parent else None
    return path


def units(ledger: Ledger, chief: SignIn) -> None:
    at = FIRST_DAY + timedelta(minutes=10)
    for number, unit in enumerate(UNITS):
        ledger.add(
            "identity",
            "found-unit",
            chief.member_id,
            at + timedelta(seconds=number),
            unit_id=unit.id,
            name=unit.name,
            parent_id=unit.parent,
        )


def members(ledger: Ledger, seed: int, until: datetime, size: int, sign_ins: list[SignIn]) -> list[Member]:
    """Everybody, the seeded first; each unit's leader comes before those who report to them."""
    draw = chance(seed, "members")
    found = [_seeded(one) for one in sign_ins]
    names = Names(draw, {one.name for one in found})
    left = max(0, size - len(found))
    for number in range(left):
        found.append(_new(ledger, draw, names, number, left, until))
    _give_roles(draw, found)
    _give_habits(draw, found, until)
    return found


def _seeded(one: SignIn) -> Member:
    unit = _SEEDED_UNITS.get(one.user_name, TOP) if one.kind == "staff" else ""
    joined = FIRST_DAY
    return Member(
        one.member_id, one.name, one.country, one.language, unit, joined, one.kind, one.roles, seeded=True
    )


def _new(ledger: Ledger, draw: random.Random, names: Names, number: int, of: int, until: datetime) -> Member:
    """The first ones lead the units; the last ones are guests; the others are spread."""
    member_id = ledger.id("member", number)
    if number < len(UNITS):
        unit = UNITS[number]
        country = draw.choice(unit.countries)
        role: tuple[str, ...] = ("leader",)
    else:
        unit, country = _somewhere(draw)
        role = ()
    guest = number >= of - round(of * _GUESTS)
    language = _language(draw, country)
    late = not role and draw.random() < _LATE
    joined = FIRST_DAY + timedelta(hours=1, seconds=number)
    if late:
        joined += timedelta(days=draw.randrange(20, max(21, int(0.7 * (until - FIRST_DAY).days))))
    return Member(
        member_id,
        names.next(language),
        country,
        language,
        "" if guest else unit.id,
        joined,
        "guest" if guest else "staff",
        role,
    )


def _somewhere(draw: random.Random) -> tuple[Unit, str]:
    country = weighted(draw, COUNTRIES, (one.weight for one in COUNTRIES)).code
    there = [unit for unit in UNITS if country in unit.countries and unit.id not in _INNER]
    weights = [3.0 if unit.id.startswith("demo-shops") or unit.id == ISLAND else 1.0 for unit in there]
    return weighted(draw, there, weights), country


def _language(draw: random.Random, country: str) -> str:
    if country == "CH" and draw.random() < 0.4:
        return "fr"
    if country == "FI" and draw.random() < 0.15:
        return "sv"
    return BY_CODE[country].language


def _give_roles(draw: random.Random, found: list[Member]) -> None:
    free = [m for m in found if m.staff and not m.seeded and not m.roles and m.unit != ISLAND]
    draw.shuffle(free)
    for role, share in _ROLES:
        for _ in range(max(1, round(share * len(found)))):
            if free:
                free.pop().roles = (role,)
    for language in sorted({member.language for member in free}):
        speaker = next(member for member in free if member.language == language)
        free.remove(speaker)
        speaker.roles = ("translator",)


def _give_habits(draw: random.Random, found: list[Member], until: datetime) -> None:
    """Who has a role says something; others begin bit by bit, in the first two thirds of the time."""
    all_days = calendar.days(until)
    early = all_days[: max(10, len(all_days) * 2 // 3)]
    of_country = {country.code: Days(country, early) for country in COUNTRIES}
    for member in found:
        member.habit = weighted(draw, [h for h, _ in _HABITS], (share for _, share in _HABITS))
        if member.roles and member.habit in ("passive", "reader"):
            member.habit = "author" if draw.random() < 0.5 else "commenter"
        if member.unit == ISLAND:
            member.habit = "author" if draw.random() < 0.5 else "commenter"
        if member.seeded:
            member.habit = "author" if member.staff else "commenter"
        if member.habit == "passive":
            continue
        since = max(member.joined.date(), FIRST_DAY.date() + timedelta(days=1))
        day = of_country[member.country].draw(draw, since) or since
        member.begins = datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
        if member.seeded or (member.roles and draw.random() < 0.6):
            member.begins = member.joined + timedelta(days=1)


def enrolled(ledger: Ledger, seed: int, chief: SignIn, everybody: list[Member]) -> None:
    """Registers, places and describes everybody, as whoever brings them in."""
    draw = chance(seed, "places")
    leaders = {m.unit: m for m in reversed(everybody) if "leader" in m.roles and not m.seeded and m.unit}
    for member in everybody:
        if not member.seeded:
            ledger.add("identity", "register", chief.member_id, member.joined, **_registration(member))
    for member in everybody:
        if member.staff:
            place = _place(draw, member, leaders)
            ledger.add("identity", "place", chief.member_id, member.joined + PLACED_AFTER, **place)
    for member in everybody:
        if member.staff and (member.habit != "passive" or draw.random() < _PASSIVE_TELLS):
            at = member.joined + timedelta(days=draw.randrange(1, 15), hours=2)
            ledger.add("identity", "profile", member.id, at, **_profile(draw, member))


def _registration(member: Member) -> dict[str, Any]:
    return {
        "member_id": member.id,
        "kind": member.kind,
        "name": member.name,
        "country": member.country,
        "language": member.language,
        "time_zone": BY_CODE[member.country].zone,
        "roles": list(member.roles),
        "synthetic": True,
    }


def _place(draw: random.Random, member: Member, leaders: dict[str, Member]) -> dict[str, Any]:
    """They report to who leads their unit, or the one above where that is themselves or somebody who comes
    later."""
    above = _above(member, leaders, member.unit)
    if above is None and (parent := BY_ID[member.unit].parent):
        above = _above(member, leaders, parent)
    titles = phrases(member.language).said["titles"]
    title = f"{titles[1]}, {BY_ID[member.unit].name}" if "leader" in member.roles else draw.choice(titles)
    return {
        "member_id": member.id,
        "unit_id": member.unit,
        "title": title,
        "manager_id": above.id if above else None,
        "office": BY_CODE[member.country].office,
        "country": member.country,
    }


def _above(member: Member, leaders: dict[str, Member], unit: str) -> Member | None:
    leader = leaders.get(unit)
    return leader if leader and leader is not member and leader.joined <= member.joined else None


def _profile(draw: random.Random, member: Member) -> dict[str, Any]:
    words = phrases(member.language)
    english = member.language == "en"
    reads = member.language != UNREAD or draw.random() < _UNREAD_ENGLISH
    more = ["en"] if reads and not english else []
    if draw.random() < (_MORE_ENGLISH if english else _MORE):
        more.append(draw.choice(("de", "fr", "sv", "es")))
    return {
        "time_zone": BY_CODE[member.country].zone,
        "about": words.of("about", draw),
        "ask_me_about": draw.sample(words.said["interests"], draw.randrange(1, 4)),
        "languages": [tag for tag in dict.fromkeys(more) if tag != member.language],
    }
