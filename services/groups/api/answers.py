"""What groups say over HTTP. Members appear by id: their names are identity's to tell."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from contracts.groups import Openness, Standing
from services.groups.domain.memberships import Membership
from services.groups.domain.permissions import RULES, Asker, Place, may
from services.groups.projections import GroupView, InvitationView, MembershipView

#: Permissions that no answer about a group tells of.
_ELSEWHERE = frozenset({"groups:start", "groups:appoint", "groups:import"})


class Mine(BaseModel):
    """What the caller is in the group; `since` when they joined or were asked in."""

    standing: Literal["owner", "member", "invited"] | None = None
    since: datetime | None = None
    invited_by: str | None = None

    @classmethod
    def of(cls, inside: MembershipView | None, asked: InvitationView | None) -> "Mine":
        if inside is not None:
            return cls(standing=inside.standing.value, since=inside.joined_at, invited_by=inside.invited_by)
        if asked is not None:
            return cls(standing="invited", since=asked.invited_at, invited_by=asked.invited_by)
        return cls()


def _allowed(asker: Asker, openness: Openness, mine: Mine) -> dict[str, bool]:
    """By permission, without those that are about no group, or about one that nobody answers for."""
    inside = Standing(mine.standing) if mine.standing in ("owner", "member") else None
    here = Place(openness, Membership(inside, mine.invited_by if mine.standing == "invited" else None))
    return {name.removeprefix("groups:"): may(name, asker, here) for name in RULES if name not in _ELSEWHERE}


class GroupAnswer(BaseModel):
    """A group. `version` is for If-Match; `members` counts who is in it."""

    id: str
    name: str
    purpose: str
    openness: Openness
    language: str
    audience: list[str] = Field(description="Who may read what is said in the group")
    members: int
    started_by: str
    started_at: datetime | None
    version: int
    mine: Mine
    may: dict[str, bool] = Field(description="What the caller may do here, by permission")

    @classmethod
    def of(cls, view: GroupView, mine: Mine, asker: Asker) -> "GroupAnswer":
        said = view.model_dump(exclude={"group_id", "sorted_by", "classification"})
        return cls(id=view.group_id, **said, mine=mine, may=_allowed(asker, view.openness, mine))


class GroupOffer(BaseModel):
    """All that somebody sees of a group who is asked in and not in yet."""

    id: str
    name: str
    purpose: str
    mine: Mine

    @classmethod
    def of(cls, view: GroupView, asked: InvitationView) -> "GroupOffer":
        return cls(id=view.group_id, name=view.name, purpose=view.purpose, mine=Mine.of(None, asked))


class GroupList(BaseModel):
    items: list[GroupAnswer]
    total: int
    next: str | None = Field(description="The cursor of the next items, if there are more")


class OwnerlessItem(BaseModel):
    """A group whose owners have all left the organisation, with nobody in it who could follow them."""

    id: str
    name: str
    language: str
    openness: Openness
    members: int

    @classmethod
    def of(cls, view: GroupView) -> "OwnerlessItem":
        return cls(id=view.group_id, **view.model_dump(include=set(cls.model_fields) - {"id"}))


class OwnerlessList(BaseModel):
    items: list[OwnerlessItem]


class MemberItem(BaseModel):
    member_id: str
    standing: Standing
    joined_at: datetime
    invited_by: str | None

    @classmethod
    def of(cls, view: MembershipView) -> "MemberItem":
        return cls(**view.model_dump(include=set(cls.model_fields)))


class MemberList(BaseModel):
    """Owners first, then by when they joined."""

    items: list[MemberItem]
    total: int
    next: str | None = Field(description="The cursor of the next items, if there are more")


class InvitationItem(BaseModel):
    """Somebody who is asked in and has not answered."""

    member_id: str
    invited_by: str
    invited_at: datetime

    @classmethod
    def of(cls, view: InvitationView) -> "InvitationItem":
        return cls(**view.model_dump(include=set(cls.model_fields)))


class InvitationList(BaseModel):
    items: list[InvitationItem]
    next: str | None = Field(description="The cursor of the next items, if there are more")


class OfferList(BaseModel):
    """The groups that the caller is asked into, the newest invitation first."""

    items: list[GroupOffer]
    total: int
    next: str | None = Field(description="The cursor of the next items, if there are more")


class Done(BaseModel):
    """What a command changed. `version` is the new one."""

    id: str
    version: int


class GroupDone(Done):
    """`same_name`: other groups that the caller can see and that are called alike. Allowed; worth a look."""

    same_name: list[str]


class MembershipDone(BaseModel):
    """Who is what in the group now. `in_effect` is false while this service still acts on what was before;
    others follow within moments."""

    id: str
    member_id: str
    standing: Literal["owner", "member", "invited"] | None
    version: int
    in_effect: bool
