"""How coaching is asked for and told."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, Field

from contracts.engagement import Naming
from services.engagement.coaching import Listed
from services.engagement.domain.coaching import MOST_LISTED, Offer, Purpose
from services.engagement.metrics.ladder import Rung
from services.engagement.metrics.passive_people import MOST_INVITERS, MOST_LIKED, NEW_DAYS, Liked
from services.engagement.metrics.people import UNKNOWN
from services.engagement.metrics.periods import day_of
from shared.runtime.http import Input

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,63}$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="Two letters (ISO 3166), such as SE")]


class NewPolicy(Input):
    naming: Naming
    reason: Annotated[str, Field(max_length=4_000, description="Read by all staff")]


class PolicyAnswer(BaseModel):
    """What holds in a country. Where nobody has decided yet: aggregates-only, by nobody. The reason is empty
    where whoever gave it is erased."""

    country: str
    naming: Naming
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str = ""


class PolicyList(BaseModel):
    items: list[PolicyAnswer] = Field(description="Where staff are, and other countries that were decided on")


class NewList(Input):
    """Nobody is named without a purpose and a note, which everybody who is named can read."""

    country: Country
    unit_id: Id | None = None
    purpose: Annotated[
        str | None, Field(max_length=40, description=f"One of {', '.join(each.value for each in Purpose)}")
    ] = None
    note: Annotated[str, Field(max_length=4_000, description="Why, in a few words")] = ""


class LikedAnswer(BaseModel):
    """Things of a kind that somebody opened lately; `language` where it is known."""

    kind: str
    language: str | None
    things: int

    @classmethod
    def of(cls, liked: Liked) -> "LikedAnswer":
        return cls(kind=liked.kind, language=liked.language or None, things=liked.things)


class ListedAnswer(BaseModel):
    """Somebody who is new, or passive, or both."""

    member_id: str
    new: bool = Field(description=f"A member for less than {NEW_DAYS} days")
    joined: date
    silent_since: date | None = Field(description="Null: they take part")
    longer: bool = Field(description="Longer than is looked back")
    rung: Rung = Field(
        description="Of what they did in the open; and of what they opened, where they let coaches see that"
    )
    unit_id: str | None
    likes: list[LikedAnswer] | None = Field(
        description=f"The {MOST_LIKED} most at most; null: they did not let it be counted, or seen by coaches"
    )
    inviters: list[str] = Field(
        description=f"{MOST_INVITERS} colleagues who take part, at most; ambassadors first"
    )

    @classmethod
    def of(cls, listed: Listed) -> "ListedAnswer":
        who = listed.who
        return cls(
            member_id=who.member_id,
            new=who.new,
            joined=day_of(who.joined),
            silent_since=None if who.silent_since is None else day_of(who.silent_since),
            longer=who.longer,
            rung=listed.rung,
            unit_id=None if who.state.unit == UNKNOWN else who.state.unit,
            likes=None if listed.likes is None else [LikedAnswer.of(each) for each in listed.likes],
            inviters=listed.inviters,
        )


class MadeAnswer(BaseModel):
    member_id: str
    offer: Offer


class ListAnswer(BaseModel):
    """Who was shown, as far as they may still be; until then it can be read again."""

    id: str
    country: str
    unit_id: str | None
    purpose: Purpose
    until: datetime
    items: list[ListedAnswer] = Field(description=f"At most {MOST_LISTED}: the new, then the longest silent")
    offers: list[MadeAnswer]


class ShownList(BaseModel):
    """`more`: others are passive or new there, too. Ask for a unit."""

    id: str
    people: int
    more: bool


class NewOffer(Input):
    member_id: Id
    offer: Annotated[
        str | None, Field(max_length=40, description=f"One of {', '.join(each.value for each in Offer)}")
    ] = None


class OfferAnswer(BaseModel):
    """An offer of the caller's. Whether its member took part afterwards, and in which week for the first
    time, is told for as long as they may be named: else `member_id` is null, and so is the rest."""

    list_id: str
    offer: Offer
    at: datetime
    member_id: str | None
    came_back: bool | None
    week: str | None = Field(description="As in 2026-W10")


class OfferList(BaseModel):
    items: list[OfferAnswer]
    next: str | None = Field(description="The cursor of the next items, if there are more")


class OfferedAnswer(BaseModel):
    offer: Offer
    at: datetime


class LookAnswer(BaseModel):
    """That the caller was named to a coach: as somebody to help, or (`could_invite`) as somebody who could
    invite others. The note is empty where its coach is erased."""

    list_id: str
    coach_id: str
    at: datetime
    purpose: Purpose
    note: str
    could_invite: bool
    offers: list[OfferedAnswer]


class NewVisibility(Input):
    """`listed`: coaches may be told the caller's name, where the country lets them. `likes`: and what kinds
    of things they open, where they let that be counted."""

    listed: bool
    likes: bool


class MyCoaching(BaseModel):
    """What coaches may see of the caller, and what they were shown, the latest first. `country` is where the
    caller is now, as figures know it."""

    country: str | None
    naming: Naming
    listed: bool
    likes: bool
    items: list[LookAnswer]
    next: str | None = Field(description="The cursor of the next items, if there are more")
