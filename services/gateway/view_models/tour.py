"""What the walk through the demonstration company wants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from services.gateway.view_models.shell import GroupRef, View


@dataclass(frozen=True, slots=True)
class Stops:
    """Where the tour leads staff. What is empty is not there, or not for this reader."""

    film: str = ""
    announcement: str = ""
    report: bool = False
    friday: str = ""
    mail_list: str = ""
    lessons: str = ""
    island_unit: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class Planted:
    """Figures of what is to be seen."""

    people: int
    posts: int
    since: datetime
    began_after: int
    began_before: int
    replaced_on: datetime
    mails: int
    announcements: int
    asked: int
    confirmed: int
    islanders: int
    #: Who prefers the language in which hardly anything can be read; empty where nobody does.
    unread: str = ""
    unread_members: int = 0
    unread_english: int = 0


@dataclass(frozen=True, slots=True)
class TourView(View):
    """`sign_ins` are user names with the part that each plays."""

    template: ClassVar[str] = "pages/tour.html"
    stops: Stops
    planted: Planted
    roles: Sequence[str]
    sign_ins: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class GuestTourView(View):
    """What a guest sees of the company, and nothing that is counted of the rest. `groups` are their own."""

    template: ClassVar[str] = "pages/tour_guest.html"
    groups: Sequence[GroupRef]
