"""What members did, by member and month of event time: what every figure counts.

Beside a month's documents one tells how much changed in it, so that a figure that was kept knows whether it
still holds. Nothing is taken away later: that a post was deleted does not undo that it was written.
"""

from bisect import bisect_left
from collections.abc import Collection

from pydantic import BaseModel, Field

from contracts.engagement import ConsentChanged
from contracts.feed import CommentPublished, PostAcknowledged, PostKind, PostPublished, ReactionChanged
from contracts.groups import GroupStarted, MemberJoinedGroup
from contracts.identity import LanguageChanged, ProfileChanged
from contracts.wiki import PageDeleted, PageMoved, PageRestored, PageRevised, PageStarted, SpaceOpened
from services.engagement.domain.signals import SignalKind, SignalsGiven
from services.engagement.projections.facts import (
    MONTH,
    Changes,
    Fact,
    Kind,
    happened,
    month_of,
    seconds,
)
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Index, Projection

#: `Fact`, as it is kept.
Row = tuple[int, str, int, str, str, str, int, tuple[str, ...]]


class ActivityView(BaseModel):
    """A member's month: its facts in the order of event time. Or the month of all: what changed in it."""

    month: str
    member_id: str | None = None
    facts: list[Row] = Field(default_factory=list)
    changes: Changes | None = None


_PAGES: dict[type[Event], Kind] = {
    PageStarted: Kind.PAGE_STARTED,
    PageRevised: Kind.PAGE_REVISED,
    PageMoved: Kind.PAGE_MOVED,
    PageDeleted: Kind.PAGE_DELETED,
    PageRestored: Kind.PAGE_RESTORED,
}
_Did = tuple[Kind, str, str, tuple[str, ...]]
_NOBODY: tuple[str, ...] = ()


def activity_key(member_id: str, month: str) -> str:
    return f"{member_id}:{month}"


def who(event: Event, recorded: Recorded) -> str | None:
    """Whose act it is; None for what counts for nobody."""
    match event:
        case PostPublished() | CommentPublished():
            return event.author_id
        case ReactionChanged():
            return event.member_id if event.old is None and event.new is not None else None
        case PageStarted() | PageRevised() | PageMoved() | PageDeleted() | PageRestored() | SpaceOpened():
            return recorded.by
        case ProfileChanged() | LanguageChanged():
            return event.member_id if recorded.by == event.member_id else None
        case GroupStarted():
            return event.started_by
        case SignalsGiven() | PostAcknowledged() | MemberJoinedGroup() | ConsentChanged():
            return event.member_id
    return None


def _did(event: Event) -> _Did:
    """Kind, what it was done to, the language of the text, and who is mentioned."""
    match event:
        case PostPublished():
            kind = Kind.ANNOUNCEMENT if event.kind is PostKind.ANNOUNCEMENT else Kind.POST
            return kind, event.post_id, event.language, event.mentions
        case CommentPublished():
            return Kind.COMMENT, event.parent_id or event.post_id, event.language, event.mentions
        case ReactionChanged():
            return Kind.REACTION, event.item_id, "", _NOBODY
        case PostAcknowledged():
            return Kind.ACKNOWLEDGEMENT, event.post_id, event.language, _NOBODY
        case PageStarted():
            return Kind.PAGE_STARTED, event.page_id, event.language, _NOBODY
        case PageRevised() | PageMoved() | PageDeleted() | PageRestored():
            return _PAGES[type(event)], event.page_id, "", _NOBODY
        case SpaceOpened():
            return Kind.SPACE_OPENED, event.space_id, "", _NOBODY
        case GroupStarted():
            return Kind.GROUP_STARTED, event.group_id, "", _NOBODY
        case MemberJoinedGroup():
            return Kind.GROUP_JOINED, event.group_id, "", _NOBODY
    return Kind.HERE, "", "", _NOBODY


def _month(event: Event, recorded: Recorded) -> str:
    return month_of(event.day if isinstance(event, SignalsGiven) else happened(recorded))


def _keys(event: Event, recorded: Recorded) -> Collection[str]:
    member_id = who(event, recorded)
    if member_id is None:
        return ()
    month = _month(event, recorded)
    return (activity_key(member_id, month), MONTH + month)


def _evolve(view: ActivityView | None, event: Event, recorded: Recorded, key: str) -> ActivityView:
    at, known = seconds(happened(recorded)), seconds(recorded.recorded_utc)
    if key.startswith(MONTH):
        now = view or ActivityView(month=key.removeprefix(MONTH), changes=Changes())
        changes = now.changes or Changes()
        return ActivityView(month=now.month, changes=changes.with_one(at, known))
    if view is None:
        member_id, _, month = key.rpartition(":")
        view = ActivityView(month=month, member_id=member_id)
    if isinstance(event, SignalsGiven):
        facts = view.facts
        for item in event.items:
            kind = Kind.READ if item.signal is SignalKind.READ else Kind.OPENED
            opened = min(seconds(item.at.replace(tzinfo=None)), known)
            ref = f"{item.kind.value}:{item.item_id}"
            fact = Fact(opened, recorded.stream, recorded.version, kind.value, ref, "", known, _NOBODY)
            facts = _with(facts, fact)
    else:
        did, ref, language, others = _did(event)
        fact = Fact(at, recorded.stream, recorded.version, did.value, ref, language, known, others)
        facts = _with(view.facts, fact)
    return ActivityView.model_construct(month=view.month, member_id=view.member_id, facts=facts, changes=None)


def _with(facts: list[Row], fact: Fact) -> list[Row]:
    """In its place by event time; what is there already is not there twice."""
    if not facts or facts[-1] < fact:
        return [*facts, fact]
    place = bisect_left(facts, fact)
    if place < len(facts) and facts[place] == fact:
        return facts
    return [*facts[:place], fact, *facts[place:]]


def _nothing(event: Event) -> Collection[str]:
    return ()


activity: Projection[ActivityView] = Projection(
    "engagement.activity",
    1,
    ActivityView,
    (
        PostPublished,
        CommentPublished,
        ReactionChanged,
        PostAcknowledged,
        *_PAGES,
        SpaceOpened,
        GroupStarted,
        MemberJoinedGroup,
        ProfileChanged,
        LanguageChanged,
        ConsentChanged,
        SignalsGiven,
    ),
    _nothing,
    _evolve,
    (Index((("month", 1), ("_id", 1))),),
    keys_at=_keys,
)
