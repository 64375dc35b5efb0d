"""What is known of a member beyond being one: their place, which the organisation says, and what they say
themselves."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from contracts.identity import MemberPlaced, MemberRenamed, Place, ProfileChanged
from services.identity.domain.permissions import Acting, Permission, permit
from services.identity.domain.tags import country_of, time_zone_of
from shared.kernel import text
from shared.kernel.errors import Forbidden, Refused
from shared.kernel.events import Event
from shared.kernel.personal import Personal

LONGEST_NAME = 200
LONGEST_TITLE = 120
LONGEST_PHONE = 40
LONGEST_ABOUT = 2_000
LONGEST_INTEREST = 60
MOST_INTERESTS = 20
MOST_LANGUAGES = 10

_OFFICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")
_PHONE = re.compile(r"\+?[0-9][0-9 ()./\-]*")


@dataclass(frozen=True, slots=True)
class PlaceMember:
    """`units` leads from the top to the member's unit; whether manager and units exist is asked before."""

    acting: Acting
    member_id: str
    units: tuple[str, ...] = ()
    title: str = ""
    manager_id: str | None = None
    office: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class RenameMember:
    acting: Acting
    member_id: str
    name: str


@dataclass(frozen=True, slots=True)
class ChangeProfile:
    """Of the acting member's own."""

    acting: Acting
    member_id: str
    time_zone: str
    phone: str = ""
    about: str = ""
    ask_me_about: Sequence[str] = field(default_factory=tuple)
    languages: Sequence[str] = field(default_factory=tuple)


def place(command: PlaceMember, before: Place) -> Sequence[Event]:
    permit(command.acting, Permission.PLACE_MEMBERS)
    if command.manager_id == command.member_id:
        raise Refused("own-manager", "Nobody is their own manager.", field="manager_id")
    if command.office is not None and not _OFFICE.fullmatch(command.office):
        raise Refused(
            "office-form",
            "An office has 1 to 64 letters, digits and . _ - such as stockholm-city.",
            field="office",
        )
    now = Place(
        units=command.units,
        title=text.line(command.title, "title", LONGEST_TITLE),
        manager_id=command.manager_id,
        office=command.office,
        country=country_of(command.country),
    )
    return (
        [] if now == before else [MemberPlaced(member_id=command.member_id, place=now, place_before=before)]
    )


def rename(command: RenameMember) -> Sequence[Event]:
    permit(command.acting, Permission.PLACE_MEMBERS)
    name = text.name(command.name, "name", LONGEST_NAME)
    return [MemberRenamed(member_id=command.member_id, name=Personal(name))]


def change_profile(command: ChangeProfile) -> Sequence[Event]:
    if command.acting.member_id != command.member_id:
        raise Forbidden("not-permitted", "You may not do this. Ask an administrator.")
    phone = command.phone.strip()
    if phone and (len(phone) > LONGEST_PHONE or not _PHONE.fullmatch(phone)):
        raise Refused("phone-form", "Write a telephone number like +46 8 123 456 78.", field="phone")
    about = text.prose(command.about, "about", LONGEST_ABOUT)
    return [
        ProfileChanged(
            member_id=command.member_id,
            phone=Personal(phone) if phone else None,
            about=Personal(about) if about else None,
            ask_me_about=Personal.of_lines(_interests(command.ask_me_about)),
            languages=_languages(command.languages),
            time_zone=time_zone_of(command.time_zone),
        )
    ]


def _interests(given: Sequence[str]) -> tuple[str, ...]:
    found = [text.line(one, "ask_me_about", LONGEST_INTEREST) for one in given]
    once = list({text.comparable(one): one for one in found if one}.values())
    if len(once) > MOST_INTERESTS:
        raise Refused(
            "too-many-interests",
            "Name at most {most} things that people may ask you about.",
            field="ask_me_about",
            params={"most": MOST_INTERESTS},
        )
    return tuple(once)


def _languages(given: Sequence[str]) -> tuple[str, ...]:
    if len(given) > MOST_LANGUAGES:
        raise Refused(
            "too-many-languages",
            "Name at most {most} languages.",
            field="languages",
            params={"most": MOST_LANGUAGES},
        )
    return tuple(dict.fromkeys(text.language(tag, "languages") for tag in given))
