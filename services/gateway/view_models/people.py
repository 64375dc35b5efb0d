"""What the pages of people want: the directory, one profile, and what members say of themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from services.gateway.view_models.search import Choice, Hit
from services.gateway.view_models.shell import GroupRef, Person, View


@dataclass(frozen=True, slots=True)
class UnitRef:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class PersonCard:
    """Somebody in the directory. `language` is the one that they write of themselves in."""

    person: Person
    title: str = ""
    unit: UnitRef | None = None
    office: str = ""
    country: str = ""
    ask_me_about: Sequence[str] = ()
    languages: Sequence[str] = ()
    language: str = ""
    time_zone: str = ""
    guest: bool = False


@dataclass(frozen=True, slots=True)
class MentionableView(View):
    """Whom a name that is being typed may mean: a fragment, no page."""

    template: ClassVar[str] = "parts/mentionable.html"
    people: Sequence[PersonCard]


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """Choices as links, the first of which takes the filter away. `chosen` is the value in the address."""

    name: Literal["unit", "country", "language"]
    choices: Sequence[Choice]
    chosen: str = ""


@dataclass(frozen=True, slots=True)
class DirectoryView(View):
    """`people` are None while they cannot be asked for. `kept` go along with another question."""

    template: ClassVar[str] = "pages/people.html"
    people: Sequence[PersonCard] | None
    query: str = ""
    filters: Sequence[PeopleFilter] = ()
    kept: Sequence[tuple[str, str]] = ()
    more: str | None = None
    total: int | None = None

    @property
    def filtered(self) -> bool:
        return any(each.chosen for each in self.filters) or bool(self.query)


@dataclass(frozen=True, slots=True)
class ProfileView(View):
    """`shared` is what they said or wrote lately, as far as this reader may see it; None while that is away.
    `above` and `team` are the line up and those who report to them."""

    template: ClassVar[str] = "pages/profile.html"
    card: PersonCard
    units: Sequence[UnitRef] = ()
    about: str = ""
    phone: str = ""
    email: str = ""
    manager: Person | None = None
    team: Sequence[Person] = ()
    groups: Sequence[GroupRef] = ()
    shared: Sequence[Hit] | None = ()
    since: datetime | None = None
    mine: bool = False
    #: All that is known is the name: guests see no more of others.
    name_only: bool = False


@dataclass(frozen=True, slots=True)
class ProfileForm:
    """What stands in the fields, as typed: topics one in each line."""

    time_zone: str
    phone: str = ""
    about: str = ""
    ask_me_about: str = ""
    languages: Sequence[str] = ()
    version: int = 0


@dataclass(frozen=True, slots=True)
class ProfileFormView(View):
    template: ClassVar[str] = "pages/profile_form.html"
    form: ProfileForm
    zones: Sequence[str]
    languages: Sequence[str]
    #: Somebody's own, and their address.
    address: str
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PasswordView(View):
    """Errors by field: `current`, `new`, `again`. Nothing typed is ever sent back."""

    template: ClassVar[str] = "pages/password.html"
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ConsentView(View):
    """`counted` is None while nobody can say."""

    template: ClassVar[str] = "pages/consent.html"
    counted: bool | None
    decided_at: datetime | None = None
