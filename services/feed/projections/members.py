"""Who is in which audience, now and at any time: for reach, for mentions, for the proof that all have read.

Built from the same token changes as what members may see, but with their times: who was in an audience when
something was published is asked by the time of the events, whenever they arrived.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from contracts.tokens import CHANGES_TOKENS
from shared.kernel.audience import ChangesTokens, Classification, Reader, TokenChange
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Index, Projection

#: What is held besides tokens, in words that no token can be: to be away, and to be cleared for a level.
GONE = "gone"


def cleared(level: Classification) -> str:
    return f"cleared {level.value}"


class Hold(BaseModel):
    """A token that one stream of events granted, and from when to when; `until` None: it is held."""

    token: str
    stream: str
    since: datetime
    until: datetime | None = None

    def covers(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


class MemberView(BaseModel):
    """`tokens` are held now, none by who is gone; `past` were held once; `rank` is the clearance's."""

    member_id: str
    tokens: list[str] = Field(default_factory=list)
    past: list[str] = Field(default_factory=list)
    rank: int = 0
    language: str | None = None
    country: str | None = None
    holds: list[Hold] = Field(default_factory=list)


class Standing(StrEnum):
    """How somebody came to be in an announcement's report."""

    PRESENT = "present"
    LEFT = "left"
    JOINED = "joined"


def rank(level: str) -> int:
    return Classification(level).rank


def _keys(event: Event) -> Collection[str]:
    return {change.member_id for change in event.token_changes()} if isinstance(event, ChangesTokens) else ()


def _evolve(view: MemberView | None, event: Event, recorded: Recorded, key: str) -> MemberView:
    holds = list(view.holds) if view else []
    for change in event.token_changes() if isinstance(event, ChangesTokens) else ():
        if change.member_id == key:
            holds = _changed(holds, change, recorded)
    return _shown(key, sorted(holds, key=lambda hold: (hold.stream, hold.token, hold.since)))


def _changed(holds: Sequence[Hold], change: TokenChange, recorded: Recorded) -> list[Hold]:
    grant, revoke = set(change.grant), set(change.revoke)
    if change.clearance is not None:
        for level in Classification:
            (grant if level.rank <= change.clearance.rank else revoke).add(cleared(level))
    if change.gone is not None:
        (grant if change.gone else revoke).add(GONE)
    mine = [hold for hold in holds if hold.stream == recorded.stream and hold.until is None]
    ended = {hold.token for hold in mine} & revoke
    begun = grant - revoke - {hold.token for hold in mine}
    at = recorded.occurred_at
    kept = [
        hold.model_copy(update={"until": max(at, hold.since)})
        if hold.stream == recorded.stream and hold.until is None and hold.token in ended
        else hold
        for hold in holds
    ]
    return kept + [Hold(token=token, stream=recorded.stream, since=at) for token in begun]


def _shown(member_id: str, holds: list[Hold]) -> MemberView:
    held = {hold.token for hold in holds if hold.until is None}
    tokens = set() if GONE in held else {token for token in held if not _own(token)}
    once = {hold.token for hold in holds if not _own(hold.token)}
    return MemberView(
        member_id=member_id,
        tokens=sorted(tokens),
        past=sorted(once - tokens),
        rank=max((level.rank for level in Classification if cleared(level) in held), default=0),
        language=_said(once, held, LANGUAGE),
        country=_said(once, held, COUNTRY),
        holds=holds,
    )


def _own(token: str) -> bool:
    return token == GONE or token.startswith("cleared ")


#: What a report says of each member besides their place in the audience, as tokens begin.
LANGUAGE, COUNTRY = "language:", "country:"


def held_then(holds: Iterable[Hold], kind: str, at: datetime) -> str | None:
    """The country or the language that somebody had at that time."""
    found = sorted(hold.token for hold in holds if hold.token.startswith(kind) and hold.covers(at))
    return found[0].removeprefix(kind) if found else None


def _said(once: Collection[str], held: Collection[str], kind: str) -> str | None:
    """The first token of this kind that is held, also by who is gone; else the first that ever was."""
    for tokens in (held, once):
        if found := sorted(token.removeprefix(kind) for token in tokens if token.startswith(kind)):
            return found[0]
    return None


def reader(view: MemberView) -> Reader:
    """What they may see now."""
    return Reader(view.member_id, frozenset(view.tokens), list(Classification)[view.rank])


def within(holds: Iterable[Hold], clauses: Collection[str], level: Classification, at: datetime) -> bool:
    """Whether they were in the audience at that time."""
    held = {hold.token for hold in holds if hold.covers(at)}
    return (
        GONE not in held
        and cleared(level) in held
        and any(set(clause.split("&")) <= held for clause in clauses)
    )


class InAudience(BaseModel):
    """When somebody was in an audience, as a report needs it."""

    standing: Standing
    joined_at: datetime | None = None
    left_at: datetime | None = None


def standing(
    holds: Sequence[Hold], clauses: Collection[str], level: Classification, published_at: datetime
) -> InAudience | None:
    """In the audience at its publication, since then, or (None) never from then on."""
    began = within(holds, clauses, level, published_at)
    times = sorted({time for hold in holds for time in (hold.since, hold.until) if time is not None})
    now, joined_at, left_at = began, None, None
    for time in times:
        if time <= published_at:
            continue
        then = within(holds, clauses, level, time)
        if then and not now:
            joined_at, left_at = joined_at or time, None
        elif now and not then:
            left_at = time
        now = then
    if not began:
        return (
            InAudience(standing=Standing.JOINED, joined_at=joined_at, left_at=left_at) if joined_at else None
        )
    return InAudience(standing=Standing.PRESENT if now else Standing.LEFT, left_at=left_at)


#: Everything that a count of an audience needs is in the first index, so that it reads no document.
members: Projection[MemberView] = Projection(
    "feed.members",
    1,
    MemberView,
    CHANGES_TOKENS,
    _keys,
    _evolve,
    (
        Index((("tokens", 1), ("_id", 1), ("_live", 1), ("rank", 1), ("language", 1), ("country", 1))),
        Index((("past", 1),)),
    ),
)
