"""To whom somebody may speak, and how many that reaches."""

from dataclasses import dataclass
from typing import Protocol

from fastapi import APIRouter

from contracts.feed import PostKind
from services.feed.api.access import Feed, asker, no_group
from services.feed.api.answers import ReachAnswer
from services.feed.api.requests import Reach, Said
from services.feed.domain.permissions import demand
from shared.kernel.audience import EVERYONE, GROUP, STAFF, Classification, Reader, audience, classification
from shared.kernel.errors import Refused
from shared.runtime.audiences import check_cleared, check_exists
from shared.runtime.auth import Actor
from shared.runtime.http import Caller


@dataclass(frozen=True, slots=True)
class Target:
    """To whom a post goes."""

    audience: tuple[str, ...]
    classification: Classification
    group_id: str | None


class Addressed(Protocol):
    """What says to whom."""

    @property
    def group_id(self) -> str | None: ...

    @property
    def audience(self) -> list[str] | None: ...

    @property
    def classification(self) -> str | None: ...


async def target_of(feed: Feed, caller: Actor, reader: Reader, new: Said) -> Target:
    """Raises Refused, Forbidden where the caller may not write there, NotFound for hidden groups."""
    target = await _target(feed, caller, reader, new)
    if new.kind is PostKind.ANNOUNCEMENT:
        demand("feed:announce", asker(caller, reader, new.group_id))
    if reader.may_see(target.audience, target.classification):
        return target
    # Who speaks to others sees what they said.
    return Target((*target.audience, f"member:{caller.member_id}"), target.classification, target.group_id)


async def _target(
    feed: Feed, caller: Actor, reader: Reader, said: Addressed, *, asks_only: bool = False
) -> Target:
    if said.group_id is not None:
        return await _in_group(feed, caller, reader, said)
    demand("feed:post", asker(caller, reader))
    clauses = audience([STAFF] if said.audience is None else said.audience)
    await check_exists(feed.readers, reader, clauses, asks_only=asks_only)
    # Guests are cleared for what is open only: what is for them too is open, unless it is said to be more.
    usual = Classification.OPEN if any(map(_for_guests, clauses)) else Classification.INTERNAL
    return Target(clauses, _level(reader, said.classification, usual), None)


def _for_guests(clause: str) -> bool:
    tokens = clause.split("&")
    return STAFF not in tokens and any(token == EVERYONE or token.startswith(GROUP) for token in tokens)


async def _in_group(feed: Feed, caller: Actor, reader: Reader, said: Addressed) -> Target:
    assert said.group_id is not None, "the caller looked"
    group = await feed.groups.get(said.group_id, reader)
    if group is None:
        raise no_group()
    if said.audience is not None and set(said.audience) != set(group.audience):
        raise Refused(
            "group-has-its-audience",
            "What is said in a group is for the group. Leave the audience out.",
            field="audience",
        )
    demand("feed:post-in-group", asker(caller, reader, said.group_id))
    # Guests are cleared for what is open only, and belong to the group as well.
    level = _level(reader, said.classification, Classification.OPEN)
    return Target(tuple(group.audience), level, said.group_id)


def _level(reader: Reader, said: str | None, usual: Classification) -> Classification:
    """Raises Refused for what is above the author's own clearance."""
    level = (
        min(usual, reader.clearance, key=lambda known: known.rank) if said is None else classification(said)
    )
    check_cleared(reader, level)
    return level


def router(feed: Feed) -> APIRouter:
    api = APIRouter()

    @api.post("/reach")
    async def count_reach(caller: Caller, reach: Reach) -> ReachAnswer:
        """How many would see a post, the caller not counted, in which languages and countries."""
        reader = await feed.readers.of(caller)
        target = await _target(feed, caller, reader, reach, asks_only=True)
        whom = target.audience, target.classification, caller.member_id
        counted = await feed.audiences.count(*whom)
        return ReachAnswer(
            people=counted.people,
            languages=counted.languages,
            countries=counted.countries,
            roles=await feed.audiences.roles(*whom) if reach.by_role else {},
        )

    return api
