"""What identity tells the rest of the house: who is a member, and which tokens and clearance that gives them.

Names and addresses are personal fields: sealed under the member's own key, readable for as long as it exists.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict

from shared.kernel.audience import EVERYONE, STAFF, Classification, TokenChange
from shared.kernel.events import Event, upcaster
from shared.kernel.personal import Personal, Subject

TOPIC = "identity.events"


class Kind(StrEnum):
    """Staff belong to the organisation; guests belong to the groups that invited them."""

    STAFF = "staff"
    GUEST = "guest"


class Role(StrEnum):
    """What a member is trusted with beyond being one."""

    EDITOR = "editor"
    TRANSLATOR = "translator"
    AMBASSADOR = "ambassador"
    COACH = "coach"
    LEADER = "leader"
    BOARD = "board"
    OPERATOR = "operator"
    ADMIN = "admin"


def role_tokens(roles: Iterable[Role]) -> frozenset[str]:
    return frozenset(f"role:{role.value}" for role in roles)


def language_token(language: str) -> str:
    return f"language:{language}"


class MemberRegistered(Event):
    """Somebody became a member. One who does not sign in (the author of imported pages) holds no tokens.

    `author_digest` stands for what the source calls them, where they came with an import: a digest that
    nobody makes without identity's key. Version 1 had it in plain text; of those it is empty. `synthetic`:
    there is no such person; they were made up for a demonstration.
    """

    topic: ClassVar[str | None] = TOPIC
    version: ClassVar[int] = 2

    member_id: str
    kind: Kind
    name: Annotated[Personal, Subject("member_id")]
    email: Annotated[Personal | None, Subject("member_id")] = None
    country: str | None = None
    language: str
    time_zone: str
    roles: tuple[Role, ...] = ()
    clearance: Classification
    signs_in: bool
    author_digest: str | None = None
    synthetic: bool = False

    def token_changes(self) -> Sequence[TokenChange]:
        if not self.signs_in:
            return ()
        tokens = {
            EVERYONE,
            f"member:{self.member_id}",
            language_token(self.language),
            *role_tokens(self.roles),
        }
        if self.kind is Kind.STAFF:
            tokens.add(STAFF)
        if self.country is not None:
            tokens.add(f"country:{self.country}")
        return [TokenChange(self.member_id, grant=frozenset(tokens), clearance=self.clearance)]


@upcaster(MemberRegistered, from_version=1)
def _without_what_the_source_called_them(data: dict[str, Any]) -> dict[str, Any]:
    """A name, as a rule, that would outlive its member in every view."""
    imported = data.get("imported_as") is not None
    left = {name: value for name, value in data.items() if name != "imported_as"}
    return {**left, "author_digest": "" if imported else None}


class RolesChanged(Event):
    """The member is trusted with other things than before."""

    topic: ClassVar[str | None] = TOPIC

    member_id: str
    old: tuple[Role, ...]
    new: tuple[Role, ...]

    def token_changes(self) -> Sequence[TokenChange]:
        old, new = role_tokens(self.old), role_tokens(self.new)
        return [TokenChange(self.member_id, grant=new - old, revoke=old - new)]


class ClearanceChanged(Event):
    """How far information may travel to this member was decided anew."""

    topic: ClassVar[str | None] = TOPIC

    member_id: str
    old: Classification
    new: Classification

    def token_changes(self) -> Sequence[TokenChange]:
        return [TokenChange(self.member_id, clearance=self.new)]


class LanguageChanged(Event):
    """The member reads and writes in another language by preference."""

    topic: ClassVar[str | None] = TOPIC

    member_id: str
    old: str
    new: str

    def token_changes(self) -> Sequence[TokenChange]:
        old, new = frozenset({language_token(self.old)}), frozenset({language_token(self.new)})
        return [TokenChange(self.member_id, grant=new - old, revoke=old - new)]


class UnitFounded(Event):
    """A part of the organisation; `path` leads to it from the top, itself included."""

    topic: ClassVar[str | None] = TOPIC

    unit_id: str
    name: str
    parent_id: str | None
    path: tuple[str, ...]


class UnitRenamed(Event):
    """The unit is called otherwise."""

    topic: ClassVar[str | None] = TOPIC

    unit_id: str
    name: str


def unit_tokens(path: Iterable[str]) -> frozenset[str]:
    """Who belongs to a unit belongs to all above it."""
    return frozenset(f"unit:{unit_id}" for unit_id in path)


class Place(BaseModel):
    """Where somebody is in the organisation. `units` leads to theirs from the top."""

    model_config = ConfigDict(frozen=True)

    units: tuple[str, ...] = ()
    title: str = ""
    manager_id: str | None = None
    office: str | None = None
    country: str | None = None

    def tokens(self) -> frozenset[str]:
        found = set(unit_tokens(self.units))
        if self.office is not None:
            found.add(f"office:{self.office}")
        if self.country is not None:
            found.add(f"country:{self.country}")
        return frozenset(found)


class MemberPlaced(Event):
    """The member's place in the organisation is another one."""

    topic: ClassVar[str | None] = TOPIC

    member_id: str
    place: Place
    place_before: Place

    def token_changes(self) -> Sequence[TokenChange]:
        old, new = self.place_before.tokens(), self.place.tokens()
        return [TokenChange(self.member_id, grant=new - old, revoke=old - new)]


class MemberRenamed(Event):
    """The member is called otherwise."""

    topic: ClassVar[str | None] = TOPIC

    member_id: str
    name: Annotated[Personal, Subject("member_id")]


class ProfileChanged(Event):
    """What a member says of themselves. `languages` are those they read, the preferred one not repeated.

    `ask_me_about` is a text in each line. Version 1 had it as a list that everybody could read.
    """

    topic: ClassVar[str | None] = TOPIC
    version: ClassVar[int] = 2

    member_id: str
    phone: Annotated[Personal | None, Subject("member_id")] = None
    about: Annotated[Personal | None, Subject("member_id")] = None
    ask_me_about: Annotated[Personal | None, Subject("member_id")] = None
    languages: tuple[str, ...] = ()
    time_zone: str


@upcaster(ProfileChanged, from_version=1)
def _what_was_not_sealed(data: dict[str, Any]) -> dict[str, Any]:
    """It cannot be sealed any more: who reads it keeps it apart, and drops it when its member is erased."""
    return {**data, "ask_me_about": Personal.of_lines(data.get("ask_me_about", ()))}


class MemberReactivated(Event):
    """The member is back, with what they held when they left."""

    topic: ClassVar[str | None] = TOPIC

    member_id: str

    def token_changes(self) -> Sequence[TokenChange]:
        return [TokenChange(self.member_id, gone=False)]


class MemberDeactivated(Event):
    """The member left. What they shared stays, under their name; they hold nothing and sign in no more."""

    topic: ClassVar[str | None] = TOPIC

    member_id: str

    def token_changes(self) -> Sequence[TokenChange]:
        return [TokenChange(self.member_id, gone=True)]


class MemberErased(Event):
    """The member is forgotten: their key is destroyed. Whoever holds plain text of theirs purges it."""

    topic: ClassVar[str | None] = TOPIC

    member_id: str

    def token_changes(self) -> Sequence[TokenChange]:
        return [TokenChange(self.member_id, gone=True)]


#: What the fold of members' tokens reads from identity.
CHANGES_TOKENS: tuple[type[Event], ...] = (
    MemberRegistered,
    RolesChanged,
    ClearanceChanged,
    LanguageChanged,
    MemberPlaced,
    MemberDeactivated,
    MemberReactivated,
    MemberErased,
)
