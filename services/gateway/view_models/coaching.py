"""What the pages of coaching want: a purpose before names, names with what helps, and who looked at whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from services.gateway.view_models.people import UnitRef
from services.gateway.view_models.shell import Person, View

PURPOSES = ("invite-to-group", "help-to-start", "hear-why")
OFFERS = ("invitation-to-group", "help-to-start", "talk")
NAMED, AGGREGATES = "names-to-coaches", "aggregates-only"


@dataclass(frozen=True, slots=True)
class Tabs:
    """Between the pages of adoption, for those who have more of them than figures."""

    coach: bool = False
    decides: bool = False

    def __bool__(self) -> bool:
        return self.coach or self.decides


@dataclass(frozen=True, slots=True)
class CoachForm:
    key: str
    country: str = ""
    unit: str = ""
    purpose: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class MadeLine:
    """An offer of the reader's; `who` is None where they may not be named now. `week` is (year, week) in
    which they came back."""

    offer: str
    at: datetime
    who: Person | None = None
    week: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class CoachView(View):
    """`countries` are those in which coaches are told names."""

    template: ClassVar[str] = "pages/coach.html"
    form: CoachForm
    tabs: Tabs
    countries: Sequence[str] = ()
    units: Sequence[UnitRef] = ()
    purposes: Sequence[str] = PURPOSES
    made: Sequence[MadeLine] = ()
    older: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class LikedLine:
    """`language` is empty where it is not known."""

    kind: str
    language: str
    things: int


@dataclass(frozen=True, slots=True)
class ListedLine:
    """`joined` is a day, `silent_since` a month or nothing, in the reader's words. `likes` is None where they
    did not let that be seen. `offered` are offers made from this list."""

    who: Person
    new: bool
    joined: str
    silent_since: str
    longer: bool
    rung: str
    unit: str = ""
    likes: Sequence[LikedLine] | None = None
    inviters: Sequence[Person] = ()
    offered: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CoachListView(View):
    """`more`: others are passive or new there, too. `wrong`: beside whom the error stands."""

    template: ClassVar[str] = "pages/coach_list.html"
    list_id: str
    tabs: Tabs
    country: str
    unit: str
    purpose: str
    until: datetime
    lines: Sequence[ListedLine] = ()
    more: bool = False
    offers: Sequence[str] = OFFERS
    wrong: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """`by` is None where nobody has decided yet."""

    country: str
    named: bool
    by: Person | None = None
    at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PolicyForm:
    key: str
    country: str = ""
    naming: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PoliciesView(View):
    """`form` is None for those who only read."""

    template: ClassVar[str] = "pages/coach_policies.html"
    lines: Sequence[PolicyLine]
    tabs: Tabs
    form: PolicyForm | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class LookLine:
    """A coach was told the reader's name. `note` is empty where the coach is erased."""

    coach: Person
    at: datetime
    purpose: str
    note: str
    could_invite: bool = False
    offers: Sequence[tuple[str, datetime]] = ()


@dataclass(frozen=True, slots=True)
class MyCoaches:
    """What coaches may see of the reader, and what they were shown. `country` is empty where it is not
    known."""

    country: str
    named: bool
    listed: bool
    likes: bool
    looks: Sequence[LookLine] = ()
    older: str = ""
