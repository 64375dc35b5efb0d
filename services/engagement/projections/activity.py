"""What members did, by member and month of event time: what every figure counts.

Beside a month's documents one tells how much changed in it, so that a figure that was kept knows whether it
still holds. Nothing is taken away later: that a post was deleted does not undo that it was written.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from pydantic import BaseModel, Field

from contracts.engagement import ConsentChanged
from contracts.feed import CommentPublished, PostAcknowledged, PostKind, PostPublished, ReactionChanged
from contracts.groups import GroupStarted, MemberJoinedGroup
from contracts.identity import LanguageChanged, ProfileChanged
from contracts.wiki import PageDeleted, PageMoved, PageRestored, PageRevised, PageStarted, SpaceOpened
from services.engagement.domain.signals import SignalKind, SignalsGiven
from services.engagement.projections.facts import (
    MONTH,
    Counted,
    Fact,
    Facts,
    Kind,
    changed,
    happened,
    month_of,
    seconds,
)
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Index, Projection


class ActivityView(BaseModel):
    """A member's month: its facts in the order of event time. Or the month of all: what changed in it."""

    month: str
    member_id: str | None = None
    facts: Facts = Field(default_factory=list)
    changes: Counted | None = None


_NOBODY: tuple[str, ...] = ()
#: Member, kind, what it was done to, the language of the text, and who is mentioned; None: it counts for
#: nobody.
_Did = tuple[str, str, str, str, tuple[str, ...]] | None


def activity_key(member_id: str, month: str) -> str:
    return f"{member_id}:{month}"


def _posted(event: PostPublished, by: str | None) -> _Did:
    kind = Kind.ANNOUNCEMENT if event.kind is PostKind.ANNOUNCEMENT else Kind.POST
    return event.author_id, kind.value, event.post_id, event.language, event.mentions


def _commented(event: CommentPublished, by: str | None) -> _Did:
    answered = event.parent_id or event.post_id
    return event.author_id, Kind.COMMENT.value, answered, event.language, event.mentions


def _reacted(event: ReactionChanged, by: str | None) -> _Did:
    """Where there was no reaction before; taking it back does not undo it."""
    if event.old is not None or event.new is None:
        return None
    return event.member_id, Kind.REACTION.value, event.item_id, "", _NOBODY


def _acknowledged(event: PostAcknowledged, by: str | None) -> _Did:
    return event.member_id, Kind.ACKNOWLEDGEMENT.value, event.post_id, event.language, _NOBODY


def _started(event: PageStarted, by: str | None) -> _Did:
    return None if by is None else (by, Kind.PAGE_STARTED.value, event.page_id, event.language, _NOBODY)


def _worked(kind: Kind) -> Callable[[Any, str | None], _Did]:
    """On a page that there was."""

    def did(event: PageRevised | PageMoved | PageDeleted | PageRestored, by: str | None) -> _Did:
        return None if by is None else (by, kind.value, event.page_id, "", _NOBODY)

    return did


def _opened_space(event: SpaceOpened, by: str | None) -> _Did:
    return None if by is None else (by, Kind.SPACE_OPENED.value, event.space_id, "", _NOBODY)


def _started_group(event: GroupStarted, by: str | None) -> _Did:
    return event.started_by, Kind.GROUP_STARTED.value, event.group_id, "", _NOBODY


def _joined(event: MemberJoinedGroup, by: str | None) -> _Did:
    return event.member_id, Kind.GROUP_JOINED.value, event.group_id, "", _NOBODY


def _changed_own(event: ProfileChanged | LanguageChanged, by: str | None) -> _Did:
    return (event.member_id, Kind.HERE.value, "", "", _NOBODY) if by == event.member_id else None


def _here(event: ConsentChanged | SignalsGiven, by: str | None) -> _Did:
    return event.member_id, Kind.HERE.value, "", "", _NOBODY


#: By the event's class: this is asked three times for every event there is.
_DID: dict[type[Event], Callable[[Any, str | None], _Did]] = {
    PostPublished: _posted,
    CommentPublished: _commented,
    ReactionChanged: _reacted,
    PostAcknowledged: _acknowledged,
    PageStarted: _started,
    PageRevised: _worked(Kind.PAGE_REVISED),
    PageMoved: _worked(Kind.PAGE_MOVED),
    PageDeleted: _worked(Kind.PAGE_DELETED),
    PageRestored: _worked(Kind.PAGE_RESTORED),
    SpaceOpened: _opened_space,
    GroupStarted: _started_group,
    MemberJoinedGroup: _joined,
    ProfileChanged: _changed_own,
    LanguageChanged: _changed_own,
    ConsentChanged: _here,
    SignalsGiven: _here,
}


def _keys(event: Event, recorded: Recorded) -> Collection[str]:
    did = _DID[type(event)](event, recorded.by)
    if did is None:
        return ()
    month = month_of(event.day if isinstance(event, SignalsGiven) else happened(recorded))
    return (activity_key(did[0], month), MONTH + month)


def _evolve(view: ActivityView | None, event: Event, recorded: Recorded, key: str) -> ActivityView:
    return _evolve_all(view, ((event, recorded),), key)


def _evolve_all(view: ActivityView | None, told: Iterable[tuple[Event, Recorded]], key: str) -> ActivityView:
    if key.startswith(MONTH):
        changes = changed(view.changes if view is not None else None, [recorded for _, recorded in told])
        return ActivityView.model_construct(
            month=key.removeprefix(MONTH), member_id=None, facts=[], changes=changes
        )
    facts, member_id = list[Fact]() if view is None else [*view.facts], ""
    for event, recorded in told:
        did = _DID[type(event)](event, recorded.by)
        assert did is not None, "what counts for nobody has no key"
        member_id, kind, ref, language, others = did
        known = seconds(recorded.recorded_utc)
        if isinstance(event, SignalsGiven):
            for fact in _seen(event, recorded, known):
                _put(facts, fact)
        else:
            at = seconds(happened(recorded))
            _put(facts, Fact(at, recorded.stream, recorded.version, kind, ref, language, known, others))
    month = key[len(member_id) + 1 :]
    return ActivityView.model_construct(month=month, member_id=member_id, facts=facts, changes=None)


def _seen(event: SignalsGiven, recorded: Recorded, known: int) -> Iterator[Fact]:
    for item in event.items:
        kind = Kind.READ if item.signal is SignalKind.READ else Kind.OPENED
        at = min(seconds(item.at.replace(tzinfo=None)), known)
        ref = f"{item.kind.value}:{item.item_id}"
        yield Fact(at, recorded.stream, recorded.version, kind.value, ref, "", known, _NOBODY)


def _put(facts: list[Fact], fact: Fact) -> None:
    """In its place by event time; what is there already is not there twice."""
    if not facts or facts[-1] < fact:
        facts.append(fact)
        return
    place = bisect_left(facts, fact)
    if place == len(facts) or facts[place] != fact:
        facts.insert(place, fact)


def _nothing(event: Event) -> Collection[str]:
    return ()


activity: Projection[ActivityView] = Projection(
    "engagement.activity",
    2,
    ActivityView,
    tuple(_DID),
    _nothing,
    _evolve,
    (Index((("month", 1), ("_id", 1))),),
    keys_at=_keys,
    evolve_all=_evolve_all,
)
