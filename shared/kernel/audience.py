"""Who may see what: clauses on things, tokens of members, and the one fold from events to a member's tokens.

A thing is readable when one of its audience's clauses is among the member's tokens and the member's
clearance suffices.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel, Field

from shared.kernel.errors import Refused
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Index, Projection

EVERYONE = "everyone"
STAFF = "staff"
#: How the tokens of groups, units and single members begin.
GROUP, UNIT = "group:", "unit:"
MEMBER = "member:"

#: Longest audience of one thing, in clauses, and longest clause, in characters.
MOST_CLAUSES = 20
LONGEST_CLAUSE = 200
#: Conjunctions that one service knows: each is compared with the tokens of everybody who asks.
MOST_CONJUNCTIONS = 1_000
#: Of these, how many one member may have been the first to use: whoever joins all they can leaves room for
#: the others.
MOST_CONJUNCTIONS_OF_ONE = 100
#: Tokens asked for in one query. Above 200 values MongoDB gives up its sorted merge (measured at 200,000
#: items).
TOKENS_A_QUERY = 150

#: How tokens begin that are shared by several, of which it is asked whether somebody holds them: by anybody,
#: but for groups, which are known to their members only. Members are known by their ids, and everybody holds
#: the rest.
NAMED = ("unit:", "country:", "group:", "role:", "language:", "office:")

_TOKEN = re.compile(
    r"everyone|staff|(unit|country|group|member|role|language|office):[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}"
)


class Classification(StrEnum):
    """How far information may travel. What is secret has no place here and is refused."""

    OPEN = "open"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"

    @property
    def rank(self) -> int:
        return list(Classification).index(self)


def classification(value: str) -> Classification:
    """Raises Refused for 'secret' and for anything unknown."""
    if value == "secret":
        raise Refused(
            "secret-has-no-place-here",
            "Secret information belongs in the document system. Store it there and link to it from here.",
            field="classification",
        )
    try:
        return Classification(value)
    except ValueError:
        raise Refused(
            "unknown-classification",
            "Choose open, internal or confidential.",
            field="classification",
        ) from None


def audience(clauses: Iterable[str], writer_id: str | None = None) -> tuple[str, ...]:
    """The clauses checked, in canonical form and order. A conjunction joins tokens by `&`. Raises Refused.

    Who writes, and is added so that they see what they wrote, is none of the parts that are counted.
    """
    found = sorted({_clause(clause) for clause in clauses})
    if not found:
        raise Refused(
            "audience-empty",
            "Say who may see this: choose at least one audience.",
            field="audience",
        )
    if len([clause for clause in found if clause != f"{MEMBER}{writer_id}"]) > MOST_CLAUSES:
        raise Refused(
            "audience-too-long",
            "An audience has at most {most} parts. Choose fewer, or a wider one.",
            field="audience",
            params={"most": MOST_CLAUSES},
        )
    return tuple(found)


def _clause(clause: str) -> str:
    tokens = sorted(set(clause.split("&")))
    if len(clause) > LONGEST_CLAUSE or not all(_TOKEN.fullmatch(token) for token in tokens):
        raise no_such_audience()
    return "&".join(tokens)


def no_such_audience() -> Refused:
    """Also for one that whoever asks may not know of: the two must look the same."""
    return Refused(
        "audience-unknown",
        "There is no such audience. Choose one from the list.",
        field="audience",
    )


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who asks: who, what they hold, and how far they are cleared."""

    member_id: str
    tokens: frozenset[str]
    clearance: Classification

    def may_see(self, clauses: Collection[str], level: Classification) -> bool:
        """The same rule as `visible`, for a thing already in hand."""
        return level.rank <= self.clearance.rank and any(set(c.split("&")) <= self.tokens for c in clauses)


def cleared(clearance: Classification) -> list[str]:
    """The classifications that somebody with `clearance` may see."""
    return [level.value for level in Classification if level.rank <= clearance.rank]


def held(tokens: Collection[str], registered: Iterable[str]) -> frozenset[str]:
    """A member's own tokens and the registered conjunctions that they satisfy."""
    own = frozenset(tokens)
    return own | {clause for clause in registered if "&" in clause and set(clause.split("&")) <= own}


def visible(reader: Reader, tokens: Sequence[str]) -> dict[str, Any]:
    """The condition on view documents for one chunk of the reader's tokens, as a MongoDB filter."""
    return {
        "audience": {"$in": list(tokens)},
        "classification": {"$in": cleared(reader.clearance)},
    }


def chunks(reader: Reader) -> list[list[str]]:
    """The reader's tokens in the portions that one query may ask for."""
    tokens = sorted(reader.tokens)
    return [tokens[at : at + TOKENS_A_QUERY] for at in range(0, len(tokens), TOKENS_A_QUERY)] or [[]]


@dataclass(frozen=True, slots=True)
class TokenChange:
    """What an event does to one member's tokens. `gone` None leaves it as it was."""

    member_id: str
    grant: frozenset[str] = frozenset()
    revoke: frozenset[str] = frozenset()
    clearance: Classification | None = None
    gone: bool | None = None


@runtime_checkable
class ChangesTokens(Protocol):
    """An event that grants or takes away; its producer says how, so that every service folds it alike."""

    def token_changes(self) -> Sequence[TokenChange]: ...


class MemberTokens(BaseModel):
    """A member's tokens, each with the stream that granted it: two streams may grant the same one.

    `named` are those of them that may be written to by name: it is asked whether somebody is there.
    """

    member_id: str
    granted: dict[str, list[str]] = Field(default_factory=dict)
    clearance: Classification = Classification.OPEN
    gone: bool = False
    named: list[str] = Field(default_factory=list)

    @property
    def tokens(self) -> frozenset[str]:
        return (
            frozenset() if self.gone else frozenset(t for granted in self.granted.values() for t in granted)
        )


def _keys(event: Event) -> Collection[str]:
    return {change.member_id for change in event.token_changes()} if isinstance(event, ChangesTokens) else ()


def _evolve(view: MemberTokens | None, event: Event, recorded: Recorded, key: str) -> MemberTokens:
    now = view or MemberTokens(member_id=key)
    granted: Mapping[str, list[str]] = now.granted
    clearance, gone = now.clearance, now.gone
    for change in event.token_changes() if isinstance(event, ChangesTokens) else ():
        if change.member_id == key:
            mine = (set(granted.get(recorded.stream, ())) | change.grant) - change.revoke
            granted = {**granted, recorded.stream: sorted(mine)}
            clearance = change.clearance or clearance
            gone = gone if change.gone is None else change.gone
    folded = MemberTokens(
        member_id=key,
        granted={k: granted[k] for k in sorted(granted)},
        clearance=clearance,
        gone=gone,
    )
    named = sorted(token for token in folded.tokens if token.startswith(NAMED))
    return folded.model_copy(update={"named": named})


@runtime_checkable
class Addressed(Protocol):
    """An event that says who may see a thing from now on."""

    audience: tuple[str, ...]


class Conjunction(BaseModel):
    """A clause of several tokens that a thing of the service was ever addressed with, and who was the first
    to do so, at `since`."""

    clause: str
    by: str | None
    since: datetime


def _joined(event: Event) -> Collection[str]:
    return {clause for clause in event.audience if "&" in clause} if isinstance(event, Addressed) else ()


def _registered(view: Conjunction | None, event: Event, recorded: Recorded, key: str) -> Conjunction:
    told = Conjunction(clause=key, by=recorded.by, since=recorded.recorded_at)
    return told if view is None or _first(told) < _first(view) else view


def _first(view: Conjunction) -> tuple[datetime, str]:
    """Streams come in any order: the earliest is the first, and of two at once always the same."""
    return view.since, view.by or ""


def conjunctions_projection(service: str, events: tuple[type[Event], ...]) -> Projection[Conjunction]:
    """The conjunctions in use, over every event of `service` that says who may see a thing: its readers hold
    them as tokens, so that queries ask for them as for any other."""
    for event in events:
        if "audience" not in event.model_fields:
            raise TypeError(f"{event.__name__} does not say who may see a thing")
    return Projection(f"{service}.conjunctions", 2, Conjunction, events, _joined, _registered)


def tokens_projection(
    service: str, events: tuple[type[Event], ...], *, by_name: bool = False
) -> Projection[MemberTokens]:
    """The shared fold of members' tokens for `service`, over every event type that grants or takes away.

    `by_name`: the service asks whether somebody holds tokens; the index for that has an entry for each token
    of each member, so only who asks has it.
    """
    for event in events:
        if not issubclass(event, ChangesTokens):
            raise TypeError(f"{event.__name__} does not say how it changes tokens")
    indexes = (Index((("named", 1),)),) if by_name else ()
    return Projection(f"{service}.tokens", 4, MemberTokens, events, _keys, _evolve, indexes)
