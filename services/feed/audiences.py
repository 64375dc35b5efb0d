"""How many, and who, are in an audience: now, and when something was published.

Asked by whoever is about to write to it, and by the sender of an announcement. Both count members, so they
grow with the audience; a page of the feed never asks them.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.identity import Role, role_tokens
from services.feed.projections import Hold, MemberView
from services.feed.projections.members import (
    COUNTRY,
    GONE,
    LANGUAGE,
    InAudience,
    cleared,
    held_then,
    standing,
)
from shared.kernel.audience import Classification, Reader
from shared.runtime.away import reading
from shared.runtime.views import Views

#: Members in one answer of the database.
BATCH = 2_000
ROLE = "role:"
#: The tokens of all roles that there are.
ROLES = sorted(role_tokens(Role))


@dataclass(frozen=True, slots=True)
class Counted:
    """People by language and by country; '' where it is not known."""

    people: int
    languages: dict[str, int]
    countries: dict[str, int]


@dataclass(frozen=True, slots=True)
class Present:
    """One member's place in an audience, with their language and country at its publication; of who came
    later, when they came."""

    member_id: str
    language: str | None
    country: str | None
    been: InAudience


class Audiences:
    def __init__(self, members: Views[MemberView]) -> None:
        self._members = members

    async def count(self, clauses: Collection[str], level: Classification, without: str) -> Counted:
        """Who is in it now, but for one. Reads the index alone, unless a clause joins tokens."""
        where = {**_holding(clauses), **_now(level, without)}
        group = {
            "_id": {"language": "$language", "country": "$country"},
            "people": {"$sum": 1},
        }
        await self._members.fresh()
        with reading():
            cursor = await self._members.collection.aggregate([{"$match": where}, {"$group": group}])
            found = await cursor.to_list()
        languages: dict[str, int] = {}
        countries: dict[str, int] = {}
        for part in found:
            language, country = part["_id"].get("language") or "", part["_id"].get("country") or ""
            languages[language] = languages.get(language, 0) + part["people"]
            countries[country] = countries.get(country, 0) + part["people"]
        people = sum(languages.values())
        return Counted(people, dict(sorted(languages.items())), dict(sorted(countries.items())))

    async def roles(self, clauses: Collection[str], level: Classification, without: str) -> dict[str, int]:
        """How many of them have which role; who has several, under each. Reads those who have any."""
        where = {**_now(level, without), "$and": [_holding(clauses), {"tokens": {"$in": ROLES}}]}
        held = {"$filter": {"input": "$tokens", "cond": {"$in": ["$$this", ROLES]}}}
        stages: list[Mapping[str, Any]] = [
            {"$match": where},
            {"$project": {"role": held}},
            {"$unwind": "$role"},
            {"$group": {"_id": "$role", "people": {"$sum": 1}}},
        ]
        await self._members.fresh()
        with reading():
            cursor = await self._members.collection.aggregate(stages)
            found = await cursor.to_list()
        return {part["_id"].removeprefix(ROLE): part["people"] for part in found}

    async def since(
        self, clauses: Collection[str], level: Classification, published_at: datetime, without: str
    ) -> AsyncIterator[Present]:
        """Who was in it at that time or came into it later, by id, but for one."""
        tokens = sorted({token for clause in clauses for token in clause.split("&")})
        wanted = [*tokens, GONE, cleared(level)]
        asked = [{"$in": ["$$this.token", wanted]}, _begins(LANGUAGE), _begins(COUNTRY)]
        holds = {"$filter": {"input": "$holds", "cond": {"$or": asked}}}
        stages: list[Mapping[str, Any]] = [
            {
                "$match": {
                    "_live": True,
                    "_id": {"$ne": without},
                    "$or": [{"tokens": {"$in": tokens}}, {"past": {"$in": tokens}}],
                }
            },
            {"$sort": {"_id": 1}},
            {"$project": {"holds": holds}},
        ]
        await self._members.fresh()
        with reading():
            cursor = await self._members.collection.aggregate(stages, batchSize=BATCH, allowDiskUse=True)
            async for document in cursor:
                held = [Hold.model_validate(hold) for hold in document["holds"]]
                been = standing(held, clauses, level, published_at)
                if been is not None:
                    yield _present(document["_id"], held, been, been.joined_at or published_at)

    async def readers(self, member_ids: Sequence[str]) -> list[Reader]:
        """What each of them may see now; who is unknown is left out."""
        found = await self._members.get_many(member_ids)
        return [
            Reader(view.member_id, frozenset(view.tokens), list(Classification)[view.rank])
            for view in found.values()
        ]


def _begins(kind: str) -> dict[str, Any]:
    return {"$eq": [{"$indexOfBytes": ["$$this.token", kind]}, 0]}


def _present(member_id: str, holds: Sequence[Hold], been: InAudience, at: datetime) -> Present:
    return Present(member_id, held_then(holds, LANGUAGE, at), held_then(holds, COUNTRY, at), been)


def _now(level: Classification, without: str) -> dict[str, Any]:
    """The condition of being here and cleared for it, and somebody else."""
    return {"_live": True, "rank": {"$gte": level.rank}, "_id": {"$ne": without}}


def _holding(clauses: Collection[str]) -> dict[str, Any]:
    """The condition of being in an audience now."""
    single = [clause for clause in clauses if "&" not in clause]
    joined = [{"tokens": {"$all": clause.split("&")}} for clause in clauses if "&" in clause]
    if not joined:
        return {"tokens": {"$in": single}}
    return {"$or": [*([{"tokens": {"$in": single}}] if single else []), *joined]}
