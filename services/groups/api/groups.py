"""Groups themselves over HTTP: found, started, read and described."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response, status

from services.groups import commands, projections
from services.groups.api import acts
from services.groups.api.access import Groups, asker, checked_group
from services.groups.api.answers import (
    GroupAnswer,
    GroupDone,
    GroupList,
    GroupOffer,
    OwnerlessItem,
    OwnerlessList,
)
from services.groups.api.requests import Description, NewGroup
from services.groups.domain.groups import DescribeGroup, StartGroup, groups, no_such_group
from services.groups.domain.memberships import membership_stream
from services.groups.domain.permissions import demand
from services.groups.projections import membership_key
from shared.kernel import text
from shared.kernel.audience import Reader
from shared.runtime import cursors
from shared.runtime.http import (
    After,
    Caller,
    Cursor,
    Doing,
    IdempotencyKey,
    IfMatch,
    PageSize,
    answer_commit,
    answer_version,
)
from shared.runtime.ids import new_id
from shared.runtime.store import Committed

LONGEST_QUERY = 100
#: Groups of one name that are told of.
MOST_OF_A_NAME = 5
#: Groups of another member that are looked through.
MOST_OF_A_MEMBER = 1_000

Searched = Annotated[str, Query(max_length=4 * LONGEST_QUERY, description="Part of the name")]
Mine = Annotated[bool, Query(description="Only groups that the caller is in")]
OfMember = Annotated[str | None, Query(max_length=64, description="Only groups that this member is in")]


def router(room: Groups) -> APIRouter:
    api = APIRouter()
    _read(api, room)
    _write(api, room)
    return api


def _read(api: APIRouter, room: Groups) -> None:
    @api.get("/groups")
    async def list_groups(
        caller: Caller,
        response: Response,
        limit: PageSize,
        cursor: Cursor,
        after: After,
        q: Searched = "",
        mine: Mine = False,
        member_id: OfMember = None,
    ) -> GroupList:
        """The groups that the caller may see, by name."""
        views = (projections.groups, projections.memberships, projections.invitations)
        reader = await room.reader(caller, response, after, *views)
        where = await _where(room, q, member_id)
        within = _through_membership(reader) if mine else reader
        found = await room.groups.find(
            where,
            sort=[("sorted_by", 1), ("_id", 1)],
            limit=limit + 1,
            reader=within,
            after=cursors.checked(cursor, str, str),
        )
        shown = found[:limit]
        standing = await room.mine([view.group_id for view in shown], caller.member_id)
        who = asker(caller, reader)
        last = shown[-1] if len(found) > limit else None
        return GroupList(
            items=[GroupAnswer.of(view, standing[view.group_id], who) for view in shown],
            total=await room.groups.count(where, reader=within),
            next=cursors.encode([last.sorted_by, last.group_id]) if last else None,
        )

    @api.get("/groups/ownerless")
    async def list_ownerless_groups(caller: Caller, response: Response, after: After) -> OwnerlessList:
        """For administrators: the groups, closed ones among them, for which nobody answers any more."""
        await room.reader(caller, response, after, projections.people, projections.memberships)
        demand("groups:appoint", await room.asker(caller))
        found = await room.groups.get_many(await room.succession.ownerless())
        named = sorted(found.values(), key=lambda view: (view.sorted_by, view.group_id))
        return OwnerlessList(items=[OwnerlessItem.of(view) for view in named])

    @api.get("/groups/{group_id}")
    async def read_group(
        caller: Caller, response: Response, group_id: str, after: After
    ) -> GroupAnswer | GroupOffer:
        """The group; who is asked into one that they cannot see yet sees its name and purpose only."""
        views = (projections.groups, projections.memberships, projections.invitations)
        reader = await room.reader(caller, response, after, *views)
        view = await room.seen(group_id, reader)
        if view is None:
            asked = await room.invitations.get(membership_key(group_id, caller.member_id))
            offered = await room.groups.get(group_id) if asked is not None else None
            if asked is None or offered is None:
                raise no_such_group()
            return GroupOffer.of(offered, asked)
        mine = await room.mine([group_id], caller.member_id)
        answer_version(response, view.version)
        return GroupAnswer.of(view, mine[group_id], asker(caller, reader))


def _write(api: APIRouter, room: Groups) -> None:
    @api.post("/groups", status_code=status.HTTP_201_CREATED)
    async def start_group(
        caller: Caller, new: NewGroup, doing: Doing, response: Response, key: IdempotencyKey
    ) -> GroupDone:
        """The caller is its first owner. The answer's commit covers the group and that they are in it."""
        reader = await room.readers.of(caller)
        command = StartGroup(new_id(), new.name, new.purpose, new.openness, new.language, caller.member_id)
        committed = await acts.start(room, asker(caller, reader), command, doing, key)
        group_id = committed.stream.removeprefix("group-")
        stream = membership_stream(group_id, caller.member_id)
        first = Committed(committed.service, stream, 1, committed.commit_id)
        await room.in_effect(committed, first)
        answer_commit(response, first)
        answer_version(response, committed.version)
        response.headers["Location"] = f"/groups/{group_id}"
        same_name = await _same_name(room, new.name, group_id, reader)
        return GroupDone(id=group_id, version=committed.version, same_name=same_name)

    @api.put("/groups/{group_id}")
    async def describe_group(
        caller: Caller,
        group_id: str,
        new: Description,
        doing: Doing,
        response: Response,
        if_match: IfMatch,
        key: IdempotencyKey,
    ) -> GroupDone:
        """Another name, purpose or language. Whether it is open or closed is for ever."""
        reader = await room.readers.of(caller)
        who = asker(caller, reader)
        _, here = await commands.place(room.store, checked_group(group_id), who)
        demand("groups:describe", who, here)
        command = DescribeGroup(group_id, new.name, new.purpose, new.language)
        committed = await room.store.handle(groups, command, doing, if_match=if_match, idempotency=key)
        answer_commit(response, committed)
        same_name = await _same_name(room, new.name, group_id, reader)
        return GroupDone(id=group_id, version=committed.version, same_name=same_name)


async def _where(room: Groups, q: str, member_id: str | None) -> dict[str, Any]:
    where: dict[str, Any] = {}
    if part := text.comparable(text.prose(q, "q", LONGEST_QUERY)):
        where["sorted_by"] = {"$regex": re.escape(part)}
    if member_id is not None:
        theirs = await room.memberships.find(
            {"member_id": member_id}, sort=[("group_id", 1), ("_id", 1)], limit=MOST_OF_A_MEMBER
        )
        where["_id"] = {"$in": [each.group_id for each in theirs]}
    return where


def _through_membership(reader: Reader) -> Reader:
    """The reader as they would be if they saw only what their groups let them see."""
    groups_only = frozenset(token for token in reader.tokens if token.startswith("group:"))
    return Reader(reader.member_id, groups_only, reader.clearance)


async def _same_name(room: Groups, name: str, group_id: str, reader: Reader) -> list[str]:
    """Other groups that are called alike, of those that the reader sees: more would tell of hidden ones."""
    found = await room.groups.find(
        {"sorted_by": text.comparable(name), "_id": {"$ne": group_id}},
        sort=[("_id", 1)],
        limit=MOST_OF_A_NAME,
        reader=reader,
    )
    return [view.group_id for view in found]
