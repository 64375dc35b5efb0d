"""A coach's list: one stream each, begun with who was shown and for what, then the offers that followed.

Nobody's name leaves without it: what a coach is answered is read from here, and only for as long as the list
lasts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar

from shared.kernel import text
from shared.kernel.decider import Decider
from shared.kernel.errors import Conflict, NotFound, Refused
from shared.kernel.events import Event
from shared.kernel.personal import Personal, Subject

#: People on one list: more than a coach can talk to, and not a whole country.
MOST_LISTED = 50
#: How long a list may be looked at again: a working day.
LIST_LASTS = timedelta(hours=10)
MOST_NOTE = 300
_PRIVATE = "engagement.private"


class Purpose(StrEnum):
    """What a coach may need names for."""

    INVITE = "invite-to-group"
    HELP = "help-to-start"
    LISTEN = "hear-why"


class Offer(StrEnum):
    """What a coach offered."""

    INVITATION = "invitation-to-group"
    HELP = "help-to-start"
    TALK = "talk"


class CoachListShown(Event):
    """A coach was told who in a country, or in a unit there, is passive or new, and which of their colleagues
    could invite them. The note is read by everybody who is named."""

    topic: ClassVar[str | None] = _PRIVATE

    list_id: str
    coach_id: str
    purpose: Purpose
    note: Annotated[Personal, Subject("coach_id")]
    country: str
    unit_id: str | None = None
    member_ids: tuple[str, ...]
    inviter_ids: tuple[str, ...]
    until: datetime


class OfferMade(Event):
    """A coach made an offer to somebody on a list of theirs."""

    topic: ClassVar[str | None] = _PRIVATE

    list_id: str
    coach_id: str
    member_id: str
    offer: Offer


@dataclass(frozen=True, slots=True)
class ShowList:
    """Purpose and note as `purpose_of` and `note_of` made them."""

    list_id: str
    coach_id: str
    purpose: Purpose
    note: str
    country: str
    unit_id: str | None
    member_ids: tuple[str, ...]
    inviter_ids: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class MakeOffer:
    list_id: str
    coach_id: str
    member_id: str
    offer: Offer
    at: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """A list as it was shown; without a coach: there is none."""

    coach_id: str = ""
    country: str = ""
    unit_id: str | None = None
    purpose: Purpose = Purpose.HELP
    member_ids: tuple[str, ...] = ()
    inviter_ids: frozenset[str] = frozenset()
    until: datetime | None = None
    offers: frozenset[tuple[str, Offer]] = frozenset()

    def check(self, coach_id: str, at: datetime) -> None:
        """That it is this coach's, and lasts. Raises NotFound, Conflict."""
        if self.until is None or self.coach_id != coach_id:
            raise NotFound("no-such-list", "You have no such list.")
        if at >= self.until:
            raise Conflict("list-is-over", "This list was shown for a day. Ask for it anew.")


def list_stream(list_id: str) -> str:
    return f"coachlist-{list_id}"


def purpose_of(said: str | None) -> Purpose:
    """Raises Refused."""
    try:
        return Purpose(said or "")
    except ValueError:
        raise Refused("purpose-needed", "Choose what you need the names for.", field="purpose") from None


def note_of(said: str) -> str:
    """Raises Refused."""
    if note := text.line(said, "note", MOST_NOTE):
        return note
    raise Refused(
        "purpose-note-needed", "Say in a few words why: everybody on the list can read it.", field="note"
    )


def offer_of(said: str | None) -> Offer:
    """Raises Refused."""
    try:
        return Offer(said or "")
    except ValueError:
        raise Refused("no-such-offer", "Choose what you offer.", field="offer") from None


def decide(command: ShowList | MakeOffer, shown: Shown) -> Sequence[Event]:
    match command:
        case ShowList():
            return _show(command, shown)
        case MakeOffer():
            return _offer(command, shown)


def _show(command: ShowList, shown: Shown) -> Sequence[Event]:
    """Once. Raises ValueError for more than may be shown: that is ours to keep."""
    if len(command.member_ids) > MOST_LISTED:
        raise ValueError(f"a list holds {MOST_LISTED} people at most")
    if shown.until is not None:
        return []
    return [
        CoachListShown(
            list_id=command.list_id,
            coach_id=command.coach_id,
            purpose=command.purpose,
            note=Personal(plain=command.note),
            country=command.country,
            unit_id=command.unit_id,
            member_ids=command.member_ids,
            inviter_ids=command.inviter_ids,
            until=command.at + LIST_LASTS,
        )
    ]


def _offer(command: MakeOffer, shown: Shown) -> Sequence[Event]:
    shown.check(command.coach_id, command.at)
    if command.member_id not in shown.member_ids:
        raise NotFound("not-on-this-list", "They are not on this list.")
    if (command.member_id, command.offer) in shown.offers:
        return []
    return [
        OfferMade(
            list_id=command.list_id,
            coach_id=command.coach_id,
            member_id=command.member_id,
            offer=command.offer,
        )
    ]


def evolve(shown: Shown, event: Event) -> Shown:
    match event:
        case CoachListShown():
            return Shown(
                coach_id=event.coach_id,
                country=event.country,
                unit_id=event.unit_id,
                purpose=event.purpose,
                member_ids=event.member_ids,
                inviter_ids=frozenset(event.inviter_ids),
                until=event.until,
            )
        case OfferMade(member_id=member_id, offer=offer):
            return replace(shown, offers=shown.offers | {(member_id, offer)})
    return shown


lists: Decider[ShowList | MakeOffer, Shown] = Decider(
    lambda c: list_stream(c.list_id), Shown(), decide, evolve
)
