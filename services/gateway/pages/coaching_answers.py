"""What the service of coaching answers, as far as pages show it."""

from datetime import date, datetime

from pydantic import BaseModel


class PolicySaid(BaseModel):
    country: str
    naming: str
    decided_by: str | None
    decided_at: datetime | None
    reason: str


class PoliciesSaid(BaseModel):
    items: list[PolicySaid]


class ShownSaid(BaseModel):
    id: str
    more: bool


class LikedSaid(BaseModel):
    kind: str
    language: str | None
    things: int


class ListedSaid(BaseModel):
    member_id: str
    new: bool
    joined: date
    silent_since: date | None
    longer: bool
    rung: str
    unit_id: str | None
    likes: list[LikedSaid] | None
    inviters: list[str]


class MadeSaid(BaseModel):
    member_id: str
    offer: str


class ListSaid(BaseModel):
    id: str
    country: str
    unit_id: str | None
    purpose: str
    until: datetime
    items: list[ListedSaid]
    offers: list[MadeSaid]


class OfferSaid(BaseModel):
    offer: str
    at: datetime
    member_id: str | None
    week: str | None


class OffersSaid(BaseModel):
    items: list[OfferSaid]
    next: str | None


class OfferedSaid(BaseModel):
    offer: str
    at: datetime


class LookSaid(BaseModel):
    coach_id: str
    at: datetime
    purpose: str
    note: str
    could_invite: bool
    offers: list[OfferedSaid]


class MyCoachingSaid(BaseModel):
    country: str | None
    naming: str
    listed: bool
    likes: bool
    items: list[LookSaid]
    next: str | None
