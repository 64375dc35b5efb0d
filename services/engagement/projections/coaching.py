"""What was decided for countries, who was shown to coaches, and what they were offered.

Notes and reasons stay sealed here. What a member is told of themselves is kept whatever is decided later.
"""

from collections.abc import Collection
from datetime import datetime

from pydantic import BaseModel, Field

from contracts.engagement import CountryPolicyChanged, Naming
from services.engagement.domain.coaching import CoachListShown, Offer, OfferMade, Purpose
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Index, Projection


class PolicyView(BaseModel):
    """What holds in a country, who decided it, when and why."""

    country: str
    naming: Naming
    decided_by: str
    decided_at: datetime
    reason: str


class OfferGiven(BaseModel):
    offer: Offer
    at: datetime


class ShownView(BaseModel):
    """That a member was on a coach's list, or was named on it as somebody who could invite; and what they
    were offered then."""

    member_id: str
    list_id: str
    coach_id: str
    purpose: Purpose
    note: str
    at: datetime
    could_invite: bool = False
    offers: list[OfferGiven] = Field(default_factory=list)


class OfferView(BaseModel):
    """An offer, for the coach who made it."""

    list_id: str
    coach_id: str
    member_id: str
    offer: Offer
    at: datetime


def shown_key(list_id: str, member_id: str) -> str:
    return f"{list_id}:{member_id}"


def offer_key(list_id: str, member_id: str, offer: Offer) -> str:
    return f"{list_id}:{member_id}:{offer.value}"


def _policy_keys(event: Event) -> Collection[str]:
    match event:
        case CountryPolicyChanged(country=country):
            return (country,)
    return ()


def _evolve_policy(view: PolicyView | None, event: Event, recorded: Recorded, key: str) -> PolicyView | None:
    match event:
        case CountryPolicyChanged():
            return PolicyView(
                country=key,
                naming=event.new,
                decided_by=event.decided_by,
                decided_at=recorded.occurred_at,
                reason=str(event.reason.sealed),
            )
    return view


def _shown_keys(event: Event) -> Collection[str]:
    match event:
        case CoachListShown(list_id=list_id, member_ids=listed, inviter_ids=inviters):
            return {shown_key(list_id, member_id) for member_id in (*listed, *inviters)}
        case OfferMade(list_id=list_id, member_id=member_id):
            return (shown_key(list_id, member_id),)
    return ()


def _evolve_shown(view: ShownView | None, event: Event, recorded: Recorded, key: str) -> ShownView | None:
    match event:
        case CoachListShown():
            member_id = key.removeprefix(f"{event.list_id}:")
            return ShownView(
                member_id=member_id,
                list_id=event.list_id,
                coach_id=event.coach_id,
                purpose=event.purpose,
                note=str(event.note.sealed),
                at=recorded.occurred_at,
                could_invite=member_id not in event.member_ids,
            )
        case OfferMade(offer=offer) if view is not None:
            given = OfferGiven(offer=offer, at=recorded.occurred_at)
            return view.model_copy(update={"offers": [*view.offers, given]})
    return view


def _offer_keys(event: Event) -> Collection[str]:
    match event:
        case OfferMade(list_id=list_id, member_id=member_id, offer=offer):
            return (offer_key(list_id, member_id, offer),)
    return ()


def _evolve_offer(view: OfferView | None, event: Event, recorded: Recorded, key: str) -> OfferView | None:
    match event:
        case OfferMade():
            return OfferView(**event.model_dump(), at=recorded.occurred_at)
    return view


policies: Projection[PolicyView] = Projection(
    "engagement.policies", 1, PolicyView, (CountryPolicyChanged,), _policy_keys, _evolve_policy
)
shown: Projection[ShownView] = Projection(
    "engagement.shown",
    1,
    ShownView,
    (CoachListShown, OfferMade),
    _shown_keys,
    _evolve_shown,
    (Index((("member_id", 1), ("at", -1), ("_id", -1))),),
)
offers: Projection[OfferView] = Projection(
    "engagement.offers",
    1,
    OfferView,
    (OfferMade,),
    _offer_keys,
    _evolve_offer,
    (Index((("coach_id", 1), ("at", -1), ("_id", -1))),),
)
