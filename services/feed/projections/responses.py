"""What each member did about each item: their reaction, their acknowledgement; and what they have seen.

One view for all three, because a page of the feed asks for its reader's own all at once: one query by key.
"""

from collections.abc import Collection
from datetime import datetime

from pydantic import BaseModel

from contracts.feed import PostAcknowledged, ReactionChanged
from services.feed.domain.seen import FeedSeen
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Index, Projection

#: The item that stands for a member's own home feed.
HOME = "home"


class ResponseView(BaseModel):
    """`reacted_at` and `acknowledged_at` are absent where there is none; so they leave their index."""

    item_id: str
    member_id: str
    reaction: str | None = None
    reacted_at: datetime | None = None
    acknowledged_at: datetime | None = None
    edition: int | None = None
    language: str | None = None
    seen_at: datetime | None = None


def response_key(item_id: str, member_id: str) -> str:
    return f"{item_id}:{member_id}"


def seen_key(member_id: str) -> str:
    return response_key(HOME, member_id)


def _place(event: Event) -> tuple[str, str] | None:
    match event:
        case ReactionChanged(item_id=item_id, member_id=member_id):
            return item_id, member_id
        case PostAcknowledged(post_id=post_id, member_id=member_id):
            return post_id, member_id
        case FeedSeen(member_id=member_id):
            return HOME, member_id
    return None


def _keys(event: Event) -> Collection[str]:
    place = _place(event)
    return () if place is None else (response_key(*place),)


def _evolve(view: ResponseView | None, event: Event, recorded: Recorded, key: str) -> ResponseView | None:
    place = _place(event)
    if place is None:
        return view
    now = view or ResponseView(item_id=place[0], member_id=place[1])
    match event:
        case ReactionChanged(new=None):
            now = now.model_copy(update={"reaction": None, "reacted_at": None})
        case ReactionChanged(new=kind) if kind is not None:
            now = now.model_copy(update={"reaction": kind.value, "reacted_at": recorded.occurred_at})
        case PostAcknowledged(edition=edition, language=language):
            change = {"acknowledged_at": recorded.occurred_at, "edition": edition, "language": language}
            now = now.model_copy(update=change)
        case FeedSeen(seen_at=seen_at):
            now = now.model_copy(update={"seen_at": seen_at})
    empty = now.reaction is None and now.acknowledged_at is None and now.seen_at is None
    return None if empty else now


responses: Projection[ResponseView] = Projection(
    "feed.responses",
    1,
    ResponseView,
    (ReactionChanged, PostAcknowledged, FeedSeen),
    _keys,
    _evolve,
    (
        Index((("item_id", 1), ("reacted_at", -1), ("_id", -1))),
        Index((("item_id", 1), ("acknowledged_at", 1))),
    ),
)
