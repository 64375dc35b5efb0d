"""What is true of the company, counted from its commands alone: figures are checked against this.

Definitions stand beside the figures. A contributor of a month (UTC) published a post or a comment, or put a
page, in it. A tie is a comment: from its author to the author of what it answers, unless that is oneself.
E-I is (external - internal) / (external + internal) of a unit's ties, -1 where it only talks with itself.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from infra.demo.organisation import ISLAND, UNREAD
from infra.demo.shapes import FIRST_DAY, Ledger, Member, SignIn, stamp
from infra.demo.stories import FILM_DAYS, Planted, told

_SAYS = ("post", "comment")
_PUTS = ("start", "revise")

DEFINITIONS = {
    "contributors": "Members who in the UTC month published a post or a comment, or started or revised a"
    " page.",
    "first_time": "Members whose first contribution of all lies in the window [from, until).",
    "ei_index": "(external - internal) / (external + internal) over ties. A tie is a comment, from its author"
    " to the author of the comment or post that it answers, but not to oneself; external: another unit.",
    "passive": "Staff who neither contributed nor reacted until the end. Acknowledging and joining does not"
    " count.",
    "unread": "Staff who prefer the language, and all others who do not prefer English: how many, and how"
    " many of them say in their profile that they read English. Those who prefer it can read least of what is"
    " said for them; nobody else is left behind so.",
    "acknowledged": "Of those who were in the audience at publication, without the author, who confirmed"
    " until the end.",
}


@dataclass(frozen=True, slots=True)
class _Act:
    at: str
    by: str
    op: str
    said: Mapping[str, Any]


def manifest(
    ledger: Ledger,
    seed: int,
    until: datetime,
    everybody: list[Member],
    sign_ins: list[SignIn],
    planted: Planted,
) -> dict[str, Any]:
    contributions = _contributions(ledger)
    return {
        "synthetic": True,
        "note": "Nobody in this company exists. Everything they said was put together by a program.",
        "source": ledger.source,
        "seed": seed,
        "since": stamp(FIRST_DAY),
        "until": stamp(until),
        "definitions": DEFINITIONS,
        "counts": _counts(ledger, everybody),
        "months": _months(ledger, contributions),
        "languages": dict(sorted(Counter(one["language"] for one in _feed(ledger, _SAYS)).items())),
        "film": _film(contributions, everybody, planted),
        "island": _island(ledger, everybody),
        "ei_index": _ei_by_unit(ledger, everybody),
        "unread": _unread(ledger, everybody),
        "mails": _list(planted),
        "announcements": [told(one) for one in planted.announcements],
        "fridays": planted.fridays,
        "passive": _passive(ledger, contributions, everybody),
        "roles": {role: [m.id for m in everybody if role in m.roles] for role in _roles(everybody)},
        "guests": [member.id for member in everybody if not member.staff],
        "sign_ins": {one.user_name: one.member_id for one in sign_ins},
    }


def _feed(ledger: Ledger, ops: Iterable[str]) -> list[dict[str, Any]]:
    return [one for one in ledger.rooms["feed"] if one["op"] in ops]


def _roles(everybody: list[Member]) -> list[str]:
    return sorted({role for member in everybody for role in member.roles})


def _contributions(ledger: Ledger) -> list[_Act]:
    acts = [_Act(one["at"], one["by"], one["op"], one) for one in _feed(ledger, _SAYS)]
    acts += [_Act(one["at"], one["by"], one["op"], one) for one in ledger.rooms["wiki"] if one["op"] in _PUTS]
    return sorted(acts, key=lambda act: (act.at, act.by))


def _counts(ledger: Ledger, everybody: list[Member]) -> dict[str, int]:
    feed = Counter(one["op"] for one in ledger.rooms["feed"])
    groups = Counter(one["op"] for one in ledger.rooms["groups"])
    kinds = Counter(one.get("kind", "post") for one in _feed(ledger, ("post",)))
    return {
        "members": len(everybody),
        "staff": sum(member.staff for member in everybody),
        "guests": sum(not member.staff for member in everybody),
        "units": sum(one["op"] == "found-unit" for one in ledger.rooms["identity"]),
        "groups": groups["start"],
        "memberships": groups["start"] + groups["join"] + groups["accept"] - groups["leave"],
        "posts": kinds["post"],
        "announcements": kinds["announcement"],
        "comments": feed["comment"],
        "reactions": feed["react"],
        "acknowledgements": feed["acknowledge"],
        "spaces": len(ledger.rooms["spaces"]),
        "pages": sum(one["op"] == "start" for one in ledger.rooms["wiki"]),
        "page_changes": len(ledger.rooms["wiki"]),
        "commands": sum(map(len, ledger.rooms.values())),
    }


def _months(ledger: Ledger, contributions: list[_Act]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    first: set[str] = set()
    people: dict[str, set[str]] = {}
    for act in contributions:
        month = found.setdefault(act.at[:7], Counter())
        people.setdefault(act.at[:7], set()).add(act.by)
        kind = "page_changes" if act.op in _PUTS else f"{act.op}s"
        month[kind] += 1
        month["first_time"] += act.by not in first
        first.add(act.by)
    for one in _feed(ledger, ("react", "acknowledge")):
        month = found.setdefault(one["at"][:7], Counter())
        month["reactions" if one["op"] == "react" else "acknowledgements"] += 1
    names = ("posts", "comments", "page_changes", "reactions", "acknowledgements", "first_time")
    return [
        {
            "month": month,
            "contributors": len(people.get(month, ())),
            **{name: found[month].get(name, 0) for name in names},
        }
        for month in sorted(found)
    ]


def _film(contributions: list[_Act], everybody: list[Member], planted: Planted) -> dict[str, Any]:
    first: dict[str, str] = {}
    for act in contributions:
        first.setdefault(act.by, act.at)

    def begun(since: datetime) -> int:
        until = since + timedelta(days=FILM_DAYS)
        return sum(stamp(since) <= at < stamp(until) for at in first.values())

    return {
        "post_id": planted.film_id,
        "author_id": planted.film_by.id,
        "published_at": stamp(planted.film_at),
        "window_days": FILM_DAYS,
        "first_time_after": begun(planted.film_at),
        "first_time_before": begun(planted.film_at - timedelta(days=FILM_DAYS)),
        "drawn_in": [member.id for member in planted.drawn_in],
    }


def _ties(ledger: Ledger) -> list[tuple[str, str]]:
    authors = {one["post_id"]: one["by"] for one in _feed(ledger, ("post",))}
    comments = _feed(ledger, ("comment",))
    authors |= {one["comment_id"]: one["by"] for one in comments}
    ties = [(one["by"], authors[one.get("parent_id") or one["post_id"]]) for one in comments]
    return [(one, other) for one, other in ties if one != other]


def _ei(ledger: Ledger, unit_of: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    internal, external = Counter[str](), Counter[str]()
    for one, other in _ties(ledger):
        units = {unit_of[one], unit_of[other]}
        for unit in units:
            (internal if len(units) == 1 else external)[unit] += 1
    return {
        unit: {
            "internal": internal[unit],
            "external": external[unit],
            "ei": round((external[unit] - internal[unit]) / (external[unit] + internal[unit]), 6),
        }
        for unit in sorted({*internal, *external})
    }


def _ei_by_unit(ledger: Ledger, everybody: list[Member]) -> dict[str, dict[str, Any]]:
    return _ei(ledger, {member.id: member.unit or "guests" for member in everybody})


def _island(ledger: Ledger, everybody: list[Member]) -> dict[str, Any]:
    inside = [member.id for member in everybody if member.unit == ISLAND]
    return {"unit": ISLAND, "members": len(inside), **_ei_by_unit(ledger, everybody).get(ISLAND, {})}


def _unread(ledger: Ledger, everybody: list[Member]) -> dict[str, Any]:
    read = {
        one["by"] for one in ledger.rooms["identity"] if one["op"] == "profile" and "en" in one["languages"]
    }
    staff = [member for member in everybody if member.staff and member.language != "en"]
    theirs = [member.id in read for member in staff if member.language == UNREAD]
    others = [member.id in read for member in staff if member.language != UNREAD]
    return {
        "language": UNREAD,
        "members": len(theirs),
        "read_english": sum(theirs),
        "others": len(others),
        "others_read_english": sum(others),
    }


def _list(planted: Planted) -> dict[str, Any]:
    """Mails avoided: each announcement to whom it asked, as the list would have sent it to all of them."""
    return {
        "replaced_on": planted.replaced_on.isoformat(),
        "mails_before": planted.mails,
        "announcements_since": len(planted.announcements),
        "deliveries_avoided": sum(len(one.asked) for one in planted.announcements),
    }


def _passive(ledger: Ledger, contributions: list[_Act], everybody: list[Member]) -> dict[str, Any]:
    active = {act.by for act in contributions} | {one["by"] for one in _feed(ledger, ("react",))}
    staff = [member for member in everybody if member.staff]
    passive = [member for member in staff if member.id not in active]
    units = Counter(member.unit for member in passive)
    return {
        "people": len(passive),
        "staff": len(staff),
        "share": round(len(passive) / len(staff), 6),
        "units": dict(sorted(units.items())),
    }
