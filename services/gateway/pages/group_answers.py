"""What the groups answer, as far as pages show it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from services.gateway.clients import part
from services.gateway.pages.visit import Names, Visit
from services.gateway.view_models import GroupCard, GroupRef, GroupRights, Offer, Openness, Standing


class Mine(BaseModel):
    standing: Standing | None = None
    since: datetime | None = None
    invited_by: str | None = None


class Group(BaseModel):
    """A group, or without `openness` all that somebody sees who is asked in."""

    id: str
    name: str
    purpose: str
    mine: Mine
    openness: Openness | None = None
    language: str = ""
    members: int = 0
    started_by: str = ""
    started_at: datetime | None = None
    version: int = 0
    may: dict[str, bool] = {}

    @property
    def ref(self) -> GroupRef:
        return GroupRef(self.id, self.name, self.language)

    @property
    def rights(self) -> GroupRights:
        return GroupRights(**{name: self.may.get(name, False) for name in GroupRights.__dataclass_fields__})

    @property
    def card(self) -> GroupCard:
        openness = self.openness or "closed"
        joins = self.may.get("join", False)
        return GroupCard(self.ref, self.purpose, self.members, openness, self.mine.standing, joins)

    def offer(self, names: Names) -> Offer:
        return Offer(self.ref, self.purpose, names.of(self.mine.invited_by), self.mine.since)


class GroupList(BaseModel):
    items: list[Group]
    total: int = 0
    next: str | None = None


class Inside(BaseModel):
    member_id: str
    standing: Literal["owner", "member"]
    joined_at: datetime


class InsideList(BaseModel):
    items: list[Inside]
    total: int = 0
    next: str | None = None


class Invitation(BaseModel):
    member_id: str
    invited_by: str
    invited_at: datetime


class InvitationList(BaseModel):
    items: list[Invitation]
    next: str | None = None


class Started(BaseModel):
    id: str
    version: int
    same_name: list[str] = []


async def group_of(visit: Visit, group_id: str) -> Group:
    """Raises NotFound."""
    return (await visit.ask("groups", "GET", f"/groups/{part(group_id)}")).read(Group)
