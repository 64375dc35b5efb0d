"""What the feed shows, folded from events in any order that keeps each stream's."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from contracts.feed import (
    CommentDeleted,
    CommentEdited,
    CommentPublished,
    ItemLanguageCorrected,
    LanguageSource,
    PostAcknowledged,
    PostDeleted,
    PostEdited,
    PostKind,
    PostPublished,
    ReactionChanged,
    ReactionKind,
)
from contracts.groups import (
    GroupStarted,
    MemberJoinedGroup,
    MemberLeftGroup,
    Openness,
    Standing,
    group_audience,
)
from contracts.identity import (
    ClearanceChanged,
    Kind,
    LanguageChanged,
    MemberDeactivated,
    MemberPlaced,
    MemberRegistered,
    Place,
)
from services.feed.domain.seen import FeedSeen
from services.feed.projections import comments, groups, members, posts, responses
from services.feed.projections.members import COUNTRY, LANGUAGE, held_then, standing
from services.feed.projections.members import Standing as InReport
from shared.kernel.audience import Classification
from shared.kernel.events import Event, Recorded
from shared.kernel.personal import Personal
from shared.kernel.projection import Projection
from shared.kernel.testing import NOON, recorded

Stream = list[Recorded]

TEXT = Personal(plain="words")
SAID: dict[str, Any] = {"text": TEXT, "language": "sv", "language_source": LanguageSource.DETECTED}
SEEN_BY: dict[str, Any] = {"audience": ("group:g", "staff"), "classification": Classification.INTERNAL}


def stream(name: str, *events: Event, minutes: int = 0) -> Stream:
    """The events as one stream records them, a minute apart."""
    at = NOON + timedelta(minutes=minutes)
    return [
        recorded(event, stream=name, position=n + 1, at=at + timedelta(minutes=n))
        for n, event in enumerate(events)
    ]


def folded(projection: Projection[Any], order: Sequence[Recorded]) -> dict[str, BaseModel | None]:
    views: dict[str, BaseModel | None] = {}
    for one in order:
        event = one.event()
        if isinstance(event, projection.events):
            for key in projection.keys(event):
                views[key] = projection.evolve(views.get(key), event, one, key)
    return {key: view for key, view in views.items() if view is not None}


def in_turn(streams: Sequence[Stream]) -> Stream:
    return [one for each in streams for one in each]


@st.composite
def interleaved(draw: st.DrawFn, streams: Sequence[Stream]) -> Stream:
    """The events of all streams in an order that keeps each one's."""
    left = [list(one) for one in streams if one]
    order: Stream = []
    while left:
        at = draw(st.integers(0, len(left) - 1))
        order.append(left[at].pop(0))
        left = [one for one in left if one]
    return order


published = PostPublished(
    post_id="p", kind=PostKind.POST, author_id="ann", topics=("fika",), group_id="g", **SAID, **SEEN_BY
)
edited = PostEdited(post_id="p", author_id="ann", edition=2, topics=("te",), **SAID)
corrected = ItemLanguageCorrected(item_id="p", post_id="p", old="sv", new="nb")
deleted = PostDeleted(post_id="p", author_id="ann", deleted_by="ann")


def comment(comment_id: str, **how: Any) -> CommentPublished:
    return CommentPublished(comment_id=comment_id, post_id="p", author_id="bob", **SAID, **SEEN_BY, **how)


def reaction(item: str, who: str, old: str | None, new: str | None) -> ReactionChanged:
    kinds = [None if kind is None else ReactionKind(kind) for kind in (old, new)]
    return ReactionChanged(item_id=item, post_id="p", member_id=who, old=kinds[0], new=kinds[1])


TALK = [
    stream("post-p", published, edited, corrected),
    stream(
        "comment-1",
        comment("1"),
        CommentEdited(comment_id="1", post_id="p", author_id="bob", edition=2, **SAID),
    ),
    stream(
        "comment-2",
        comment("2", parent_id="1", thread_id="1"),
        CommentDeleted(comment_id="2", post_id="p", author_id="bob", deleted_by="bob"),
    ),
    stream("reaction-p-bob", reaction("p", "bob", None, "like"), reaction("p", "bob", "like", "love")),
    stream("reaction-p-dag", reaction("p", "dag", None, "like"), reaction("p", "dag", "like", None)),
    stream("reaction-1-ann", reaction("1", "ann", None, "thanks")),
    stream("acknowledgement-p-bob", PostAcknowledged(post_id="p", member_id="bob", edition=1, language="sv")),
    stream("seen-bob", FeedSeen(member_id="bob", seen_at=NOON)),
]
BELONGING = [
    stream(
        "member-ann",
        MemberRegistered(
            member_id="ann",
            kind=Kind.STAFF,
            name=TEXT,
            country="SE",
            language="sv",
            time_zone="UTC",
            clearance=Classification.INTERNAL,
            signs_in=True,
        ),
        LanguageChanged(member_id="ann", old="sv", new="en"),
        ClearanceChanged(member_id="ann", old=Classification.INTERNAL, new=Classification.OPEN),
        MemberDeactivated(member_id="ann"),
        MemberPlaced(member_id="ann", place=Place(country="DE"), place_before=Place(country="SE")),
    ),
    stream(
        "membership-g-ann",
        MemberJoinedGroup(group_id="g", member_id="ann", standing=Standing.MEMBER),
        MemberLeftGroup(group_id="g", member_id="ann"),
        MemberJoinedGroup(group_id="g", member_id="ann", standing=Standing.MEMBER),
        minutes=1,
    ),
    stream("membership-h-ann", MemberJoinedGroup(group_id="h", member_id="ann", standing=Standing.MEMBER)),
]


@given(interleaved(TALK))
def test_responses_are_the_same_in_any_order(order: Stream) -> None:
    assert folded(responses, order) == folded(responses, in_turn(TALK))


@given(interleaved(TALK))
def test_a_post_and_its_comments_are_the_same_in_any_order(order: Stream) -> None:
    assert folded(posts, order) == folded(posts, in_turn(TALK))
    assert folded(comments, order) == folded(comments, in_turn(TALK))


@given(interleaved([stream("post-p", published, edited, deleted), *TALK[1:]]))
def test_a_deleted_post_leaves_nothing_however_late_its_comments_come(order: Stream) -> None:
    views = folded(posts, order)
    assert views["p"] is not None
    left = views["p"].model_dump(exclude_defaults=True)
    assert left == {"post_id": "p", "deleted": True}


@given(interleaved(BELONGING))
def test_members_are_the_same_in_any_order(order: Stream) -> None:
    assert folded(members, order) == folded(members, in_turn(BELONGING))


def test_a_post_shows_its_last_text_and_its_counts() -> None:
    view = folded(posts, in_turn(TALK))["p"]
    assert view is not None
    said = view.model_dump()
    assert (said["comments"], said["reactions"], said["edition"], said["version"]) == (1, {"love": 1}, 2, 3)
    assert (said["language"], said["language_source"]) == ("nb", "corrected")
    assert said["topic_audience"] == ["group:g te", "staff te"]
    assert said["published_at"] == NOON and said["edited_at"] == NOON + timedelta(minutes=1)


def test_what_is_not_published_yet_is_seen_by_nobody() -> None:
    view = folded(posts, stream("comment-1", comment("1")))["p"]
    assert view is not None
    assert view.model_dump(exclude_defaults=True) == {"post_id": "p", "comments": 1}


def test_a_reaction_taken_back_leaves_nothing() -> None:
    order = stream("reaction-p-dag", reaction("p", "dag", None, "like"), reaction("p", "dag", "like", None))
    assert folded(responses, order) == {}


def test_a_group_has_the_audience_that_it_was_started_with() -> None:
    started = GroupStarted(
        group_id="g",
        name="G",
        purpose="",
        openness=Openness.OPEN,
        audience=group_audience("g", Openness.OPEN),
        language="en",
        started_by="ann",
    )
    view = folded(groups, stream("group-g", started))["g"]
    assert view is not None and view.model_dump()["audience"] == ["group:g", "staff"]


def test_who_was_in_an_audience_is_asked_by_time() -> None:
    view = members.view.model_validate(folded(members, in_turn(BELONGING))["ann"])
    minute = timedelta(minutes=1)

    def at(minutes: float, clause: str, level: Classification = Classification.OPEN) -> Any:
        found = standing(view.holds, [clause], level, NOON + minutes * minute)
        return None if found is None else (found.standing, found.joined_at, found.left_at)

    assert at(0.5, "staff") == (InReport.LEFT, None, NOON + 3 * minute)
    assert at(0.5, "group:g") == (InReport.JOINED, NOON + minute, NOON + 2 * minute)
    assert at(1.5, "group:g") == (InReport.LEFT, None, NOON + 2 * minute)
    assert at(1.5, "staff", Classification.INTERNAL) == (InReport.LEFT, None, NOON + 2 * minute)
    assert at(5, "staff") is None and at(0.5, "country:DE") is None
    assert at(0.5, "country:SE&language:sv") == (InReport.LEFT, None, NOON + minute)
    assert view.tokens == [] and "staff" in view.past


@given(interleaved(BELONGING))
def test_the_country_that_somebody_had_is_asked_by_time_however_the_events_arrived(order: Stream) -> None:
    view = members.view.model_validate(folded(members, order)["ann"])
    then = [
        (held_then(view.holds, COUNTRY, at), held_then(view.holds, LANGUAGE, at))
        for at in (NOON - timedelta(minutes=1), NOON, NOON + timedelta(minutes=1), NOON + timedelta(hours=1))
    ]
    assert then == [(None, None), ("SE", "sv"), ("SE", "en"), ("DE", "en")]
