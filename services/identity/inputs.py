"""What identity takes and answers over HTTP."""

from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints

from contracts.identity import Kind, Role
from services.identity.domain import access_tokens, accounts, members, profiles, sessions
from services.identity.domain.access_tokens import Scope
from services.identity.domain.members import Standing
from shared.kernel.audience import Classification
from shared.kernel.errors import Refused
from shared.runtime.http import Input

#: Members in one request, asked for or imported.
MOST_ASKED = 100
MOST_IMPORTED = 500

MemberId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Line = Annotated[str, StringConstraints(max_length=1_000)]
#: What is answered as null where there is none may be given back so.
_OrNothing = AfterValidator(lambda given: given or "")

#: Of an address that answers several.
Ids = Annotated[list[str], Query(description="Up to 100 ids: repeated, or joined by commas")]


def ids_of(given: list[str]) -> list[str]:
    """Each once, in their order. Raises Refused."""
    asked = list(dict.fromkeys(part for text in given for part in text.split(",") if part))
    if len(asked) > MOST_ASKED:
        raise Refused(
            "too-many-ids",
            "Ask for at most {most} at once.",
            field="ids",
            params={"most": MOST_ASKED},
        )
    return asked


class Credentials(Input):
    user_name: Annotated[str, Field(max_length=accounts.LONGEST_USER_NAME)]
    password: Annotated[str, Field(max_length=accounts.LONGEST_PASSWORD)]
    #: How the member will recognise the session: browser and system.
    device: Annotated[str, Field(max_length=sessions.LONGEST_DEVICE)] | None = None


class Shown(Input):
    """A session's secret, or a personal access token."""

    secret: Annotated[str, Field(max_length=200)]


class NewMember(Input):
    member_id: MemberId | None = None
    kind: Kind = Kind.STAFF
    name: Annotated[str, Field(max_length=profiles.LONGEST_NAME)]
    email: Annotated[str, Field(max_length=members.LONGEST_EMAIL)] | None = None
    country: Line | None = None
    language: Line
    time_zone: Line
    roles: Annotated[tuple[Role, ...], Field(max_length=len(Role))] = ()
    clearance: Classification | None = None
    signs_in: bool = True
    user_name: Annotated[str, Field(max_length=accounts.LONGEST_USER_NAME)] | None = None
    password: Annotated[str, Field(max_length=accounts.LONGEST_PASSWORD)] | None = None


class ImportedMember(Input):
    """An author whom a source names; the importer derives the same id every time. Of `imported_as` a digest
    is kept."""

    member_id: MemberId
    imported_as: Annotated[str, Field(min_length=1, max_length=members.LONGEST_SOURCE_NAME)]
    name: Annotated[str, Field(max_length=profiles.LONGEST_NAME)]
    country: Line | None = None
    language: Line = "en"
    time_zone: Line = "Etc/UTC"
    occurred_at: AwareDatetime | None = None


class Import(Input):
    members: Annotated[list[ImportedMember], Field(min_length=1, max_length=MOST_IMPORTED)]


class NewRoles(Input):
    roles: Annotated[list[Role], Field(max_length=len(Role))]
    clearance: Classification | None = None


class NewLanguage(Input):
    language: Line


class NewUnit(Input):
    """`unit_id` is chosen for good: small letters, digits and hyphens, such as sales-nordics."""

    unit_id: Annotated[str, Field(max_length=64)]
    name: Line
    parent_id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9\-]{0,59}$")] | None = None


class UnitName(Input):
    name: Line


class NewName(Input):
    name: Annotated[str, Field(max_length=profiles.LONGEST_NAME)]


class NewPlace(Input):
    unit_id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9\-]{0,59}$")] | None = None
    title: Line = ""
    manager_id: MemberId | None = None
    office: Line | None = None
    country: Line | None = None


class NewProfile(Input):
    """What a member says of themselves, all of it."""

    time_zone: Line
    phone: Annotated[Line | None, _OrNothing] = ""
    about: Annotated[Annotated[str, Field(max_length=4_000)] | None, _OrNothing] = ""
    ask_me_about: Annotated[tuple[Line, ...], Field(max_length=50)] = ()
    languages: Annotated[tuple[Line, ...], Field(max_length=50)] = ()


class NewPassword(Input):
    current: Annotated[str, Field(max_length=accounts.LONGEST_PASSWORD)]
    new: Annotated[str, Field(max_length=accounts.LONGEST_PASSWORD)]


class NewAccessToken(Input):
    name: Annotated[str, Field(max_length=access_tokens.LONGEST_NAME)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    expires_at: AwareDatetime


class SessionOpenedAnswer(BaseModel):
    """`secret` is shown this once."""

    secret: str
    session_id: str
    member_id: str
    expires_at: datetime


class TokenAnswer(BaseModel):
    """`token` is good for a minute; `scopes` says what the shown secret is good for."""

    token: str
    expires_in: int
    member_id: str
    session_id: str
    roles: list[str]
    scopes: list[Scope]
    language: str
    time_zone: str


class AccessTokenAnswer(BaseModel):
    """`secret` is shown this once."""

    secret: str
    token_id: str
    expires_at: datetime


class SessionItem(BaseModel):
    session_id: str
    device: str | None
    opened_at: datetime
    last_used: datetime = Field(description="To the hour")
    expires_at: datetime
    current: bool


class AccessTokenItem(BaseModel):
    token_id: str
    name: str
    scopes: list[Scope]
    issued_at: datetime
    last_used: datetime | None = Field(description="To the hour")
    expires_at: datetime


class NameItem(BaseModel):
    """A member's name for display. `erased`: a stand-in. `pending`: a stand-in for a name on its way here."""

    member_id: str
    name: str
    kind: Kind
    state: Standing
    erased: bool = False
    pending: bool = False
    synthetic: bool = Field(
        default=False, description="There is no such person: made up to show the platform"
    )


class MemberItem(NameItem):
    email: str | None
    country: str | None
    language: str
    time_zone: str
    roles: list[Role]
    signs_in: bool
    registered_at: datetime
    version: int = Field(description="For If-Match")
    units: list[str] = Field(description="The way to their unit, from the top")
    title: str
    manager_id: str | None
    office: str | None
    phone: str | None
    about: str | None
    ask_me_about: list[str]
    languages: list[str]


class DirectoryPage(BaseModel):
    items: list[MemberItem]
    next: str | None = Field(description="The cursor of the next items, if there are more")


class Registered(BaseModel):
    member_id: str


class ImportReport(BaseModel):
    registered: int
    already_there: int


class Listed(BaseModel):
    items: list[SessionItem]


class ListedTokens(BaseModel):
    items: list[AccessTokenItem]


class ListedNames(BaseModel):
    items: list[NameItem]


class ListedMembers(BaseModel):
    items: list[MemberItem]
