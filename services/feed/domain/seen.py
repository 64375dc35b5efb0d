"""Up to when a member has seen their home feed. Nobody else's business: it stays in the feed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.kernel.decider import Decider
from shared.kernel.events import Event


class FeedSeen(Event):
    """The member has seen what was published until then."""

    topic: ClassVar[str | None] = "feed.private"

    member_id: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class SeeFeed:
    member_id: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Sight:
    seen_at: datetime | None = None


def decide(command: SeeFeed, sight: Sight) -> Sequence[Event]:
    """It only moves forward."""
    if sight.seen_at is not None and command.seen_at <= sight.seen_at:
        return []
    return [FeedSeen(member_id=command.member_id, seen_at=command.seen_at)]


def evolve(sight: Sight, event: Event) -> Sight:
    return Sight(event.seen_at) if isinstance(event, FeedSeen) else sight


sights: Decider[SeeFeed, Sight] = Decider(
    lambda command: f"seen-{command.member_id}", Sight(), decide, evolve
)
