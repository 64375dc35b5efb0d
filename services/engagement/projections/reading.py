"""What is known of adoption: who lets themselves be counted, and what each of them opened and read.

Who opened what is for figures and for the members themselves; it is read by member, never by what was opened,
in anything that a person is shown.
"""

from collections.abc import Collection
from datetime import datetime

from pydantic import BaseModel

from contracts.engagement import ConsentChanged
from contracts.identity import MemberErased
from services.engagement.domain.signals import ItemKind, Signal, SignalKind, SignalsGiven
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Index, Projection


class ConsentView(BaseModel):
    """What a member decided, and when last; `version` is the stream's. Who is erased is counted no more."""

    member_id: str
    counted: bool = False
    decided_at: datetime | None = None
    version: int = 0
    erased: bool = False


class OpenedView(BaseModel):
    """A thing that a member opened: first and last, and on how many days it was opened and read."""

    member_id: str
    kind: ItemKind
    item_id: str
    first_at: datetime
    last_at: datetime
    days_opened: int = 0
    days_read: int = 0


def opened_key(member_id: str, kind: ItemKind, item_id: str) -> str:
    return f"{member_id}:{kind.value}:{item_id}"


def _consent_keys(event: Event) -> Collection[str]:
    match event:
        case ConsentChanged(member_id=member_id) | MemberErased(member_id=member_id):
            return (member_id,)
    return ()


def _evolve_consent(
    view: ConsentView | None, event: Event, recorded: Recorded, key: str
) -> ConsentView | None:
    now = view or ConsentView(member_id=key)
    match event:
        case ConsentChanged(counted=counted):
            change = {
                "counted": counted and not now.erased,
                "decided_at": recorded.occurred_at,
                "version": recorded.version,
            }
            return now.model_copy(update=change)
        case MemberErased():
            return now.model_copy(update={"counted": False, "erased": True})
    return now


def _opened_keys(event: Event) -> Collection[str]:
    match event:
        case SignalsGiven(member_id=member_id, items=items):
            return {opened_key(member_id, item.kind, item.item_id) for item in items}
    return ()


def _evolve_opened(view: OpenedView | None, event: Event, recorded: Recorded, key: str) -> OpenedView | None:
    if not isinstance(event, SignalsGiven):
        return view
    for item in event.items:
        if opened_key(event.member_id, item.kind, item.item_id) == key:
            view = _seen(view, event.member_id, item)
    return view


def _seen(view: OpenedView | None, member_id: str, item: Signal) -> OpenedView:
    """The same in whatever order days arrive. Each tells of a thing and signal once: so days are counted."""
    now = view or OpenedView(
        member_id=member_id, kind=item.kind, item_id=item.item_id, first_at=item.at, last_at=item.at
    )
    counted = "days_read" if item.signal is SignalKind.READ else "days_opened"
    return now.model_copy(
        update={
            "first_at": min(now.first_at, item.at),
            "last_at": max(now.last_at, item.at),
            counted: getattr(now, counted) + 1,
        }
    )


consents: Projection[ConsentView] = Projection(
    "engagement.consents", 1, ConsentView, (ConsentChanged, MemberErased), _consent_keys, _evolve_consent
)
opened: Projection[OpenedView] = Projection(
    "engagement.opened",
    1,
    OpenedView,
    (SignalsGiven,),
    _opened_keys,
    _evolve_opened,
    (Index((("member_id", 1), ("last_at", -1), ("_id", -1))),),
)
