"""What the pages of groups want: the list, starting one, one group, its people, its administration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from services.gateway.view_models.shell import GroupRef, Person, SpaceRef, View
from services.gateway.view_models.talk import Composer, FeedPart
from services.gateway.view_models.writing import PAGE_LANGUAGES

Openness = Literal["open", "closed"]
Standing = Literal["owner", "member", "invited"]


@dataclass(frozen=True, slots=True)
class GroupCard:
    """A group in a list. `standing` is the reader's own."""

    group: GroupRef
    purpose: str
    members: int
    openness: Openness
    standing: Standing | None = None
    may_join: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """A group that the reader is asked into; its language is not told yet."""

    group: GroupRef
    purpose: str
    by: Person
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class GroupsView(View):
    """`mine` and `offers` are only shown without a question. None: that part could not be asked for.

    `more`, `more_mine` and `more_offers` are where the others, the reader's own and what they are asked into
    go on; `only_rest`: that of the two last and nothing else.
    """

    template: ClassVar[str] = "pages/groups.html"
    mine: Sequence[GroupCard]
    found: Sequence[GroupCard]
    offers: Sequence[Offer] = ()
    query: str = ""
    total: int = 0
    more: str | None = None
    more_mine: str | None = None
    more_offers: str | None = None
    only_rest: bool = False
    finds_owners: bool = False


@dataclass(frozen=True, slots=True)
class GroupForm:
    """What stands in the fields, as typed."""

    key: str
    name: str = ""
    purpose: str = ""
    language: str = "en"
    openness: Openness = "open"
    version: int = 0


@dataclass(frozen=True, slots=True)
class GroupFormView(View):
    """Starting a group; with `group`, describing one that is there."""

    template: ClassVar[str] = "pages/group_form.html"
    form: GroupForm
    group: GroupRef | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    languages: Sequence[str] = PAGE_LANGUAGES


@dataclass(frozen=True, slots=True)
class GroupRights:
    """What this reader may do in this group."""

    join: bool = False
    leave: bool = False
    describe: bool = False
    invite: bool = False
    remove: bool = False
    standing: bool = False


@dataclass(frozen=True, slots=True)
class GroupHead:
    """What every page of a group shows. `wiki` is its space, where there is one for this reader."""

    group: GroupRef
    purpose: str
    openness: Openness
    members: int
    may: GroupRights
    standing: Standing | None = None
    faces: Sequence[Person] = ()
    wiki: SpaceRef | None = None


@dataclass(frozen=True, slots=True)
class GroupView(View):
    """`composer` is for those who are in it."""

    template: ClassVar[str] = "pages/group.html"
    head: GroupHead
    owners: Sequence[Person]
    started_at: datetime | None
    feed: FeedPart = field(default_factory=FeedPart)
    composer: Composer | None = None


@dataclass(frozen=True, slots=True)
class GroupOfferView(View):
    """All that somebody sees who is asked in and not in yet."""

    template: ClassVar[str] = "pages/group_offer.html"
    offer: Offer


@dataclass(frozen=True, slots=True)
class InGroup:
    person: Person
    standing: Standing
    joined_at: datetime
    me: bool = False


@dataclass(frozen=True, slots=True)
class Invited:
    person: Person
    by: Person
    at: datetime


@dataclass(frozen=True, slots=True)
class GroupPeopleView(View):
    """`invited` is for owners: who is asked in and has not answered. `more` and `more_invited`: where people
    and invitations go on."""

    template: ClassVar[str] = "pages/group_people.html"
    head: GroupHead
    people: Sequence[InGroup]
    invited: Sequence[Invited] = ()
    more: str | None = None
    more_invited: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be asked in; `standing` is what they are in the group already, if that is known."""

    person: Person
    title: str = ""
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class OwnerlessGroup:
    """For whoever finds an owner; they need not be able to read it."""

    group: GroupRef
    openness: Openness
    members: int


@dataclass(frozen=True, slots=True)
class OwnerlessView(View):
    """The groups for which nobody answers any more."""

    template: ClassVar[str] = "pages/groups_ownerless.html"
    groups: Sequence[OwnerlessGroup]


@dataclass(frozen=True, slots=True)
class OwnerView(View):
    """Choosing an owner for a group that has none. `found` as in `InviteView`."""

    template: ClassVar[str] = "pages/group_owner.html"
    ownerless: OwnerlessGroup
    query: str = ""
    found: Sequence[Candidate] | None = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class InviteView(View):
    """Found by name. None: people cannot be looked for right now."""

    template: ClassVar[str] = "pages/group_invite.html"
    head: GroupHead
    query: str = ""
    found: Sequence[Candidate] | None = ()
    problem: str = ""
