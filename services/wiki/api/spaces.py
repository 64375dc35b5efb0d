"""Spaces over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response, status

from services.wiki import projections
from services.wiki.api.access import Wiki, asker
from services.wiki.api.answers import Done, SpaceAnswer, SpaceList, Tree, TreeItem
from services.wiki.api.requests import NewSpace, Ownership, SpaceNames, Visibility
from services.wiki.domain.permissions import demand
from services.wiki.domain.spaces import (
    ChangeSpaceAudience,
    ChangeSpaceOwner,
    OpenSpace,
    RenameSpace,
    SpaceCommand,
    spaces,
)
from shared.kernel.events import Occasion
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
from shared.runtime.store import Idempotency

#: Pages that a space's tree shows.
MOST_IN_TREE = 2_000

#: Of the ids that can be asked for at once, their commas included: a hundred of ours fit.
LONGEST_IDS = 4_000

SpaceId = Annotated[str, "a space's id"]
SpaceIds = Annotated[
    str | None, Query(max_length=LONGEST_IDS, description="Only these spaces: ids, joined by commas")
]
OfGroups = Annotated[bool | None, Query(description="Only the spaces of groups, or only the others")]


def router(wiki: Wiki) -> APIRouter:
    api = APIRouter()
    _read(api, wiki)
    _write(api, wiki)
    return api


def _read(api: APIRouter, wiki: Wiki) -> None:
    @api.get("/spaces")
    async def list_spaces(
        caller: Caller,
        response: Response,
        limit: PageSize,
        cursor: Cursor,
        after: After,
        ids: SpaceIds = None,
        of_group: OfGroups = None,
    ) -> SpaceList:
        """The spaces that the caller may see, by name."""
        reader = await wiki.readers.of(caller)
        await wiki.wait(response, after, projections.spaces)
        where: dict[str, Any] = {} if ids is None else {"_id": {"$in": ids.split(",")}}
        if of_group is not None:
            where["of_group"] = of_group
        found = await wiki.spaces.find(
            where,
            sort=[("name", 1), ("_id", 1)],
            limit=limit + 1,
            reader=reader,
            after=cursors.checked(cursor, str, str),
        )
        items = [SpaceAnswer.of(view, asker(caller, reader)) for view in found[:limit]]
        return SpaceList(
            items=items,
            total=await wiki.spaces.count(where, reader=reader),
            next=cursors.encode([items[-1].name, items[-1].id]) if len(found) > limit else None,
        )

    @api.get("/spaces/{space_id}")
    async def read_space(caller: Caller, response: Response, space_id: SpaceId, after: After) -> SpaceAnswer:
        reader = await wiki.readers.of(caller)
        await wiki.wait(response, after, projections.spaces, key=space_id)
        view = await wiki.space(space_id, reader)
        answer_version(response, view.version)
        return SpaceAnswer.of(view, asker(caller, reader))

    @api.get("/spaces/{space_id}/tree")
    async def read_tree(caller: Caller, response: Response, space_id: SpaceId, after: After) -> Tree:
        """The pages of the space that the caller may see, by path."""
        reader = await wiki.readers.of(caller)
        await wiki.wait(response, after, projections.spaces, projections.pages)
        await wiki.space(space_id, reader)
        found = await wiki.pages.find(
            {"space_id": space_id, "deleted": False},
            sort=[("path", 1), ("_id", 1)],
            limit=MOST_IN_TREE + 1,
            reader=reader,
            fields=projections.PLACE,
        )
        items = [TreeItem(id=page.page_id, path=page.path, title=page.title) for page in found]
        return Tree(items=items[:MOST_IN_TREE], complete=len(items) <= MOST_IN_TREE)


def _write(api: APIRouter, wiki: Wiki) -> None:
    async def done(
        response: Response,
        command: SpaceCommand,
        occasion: Occasion,
        if_match: int | None,
        key: Idempotency | None,
    ) -> Done:
        committed = await wiki.store.handle(spaces, command, occasion, if_match=if_match, idempotency=key)
        answer_commit(response, committed)
        return Done(id=committed.stream.removeprefix("space-"), version=committed.version)

    @api.post("/spaces", status_code=status.HTTP_201_CREATED)
    async def open_space(
        caller: Caller, new: NewSpace, doing: Doing, response: Response, key: IdempotencyKey
    ) -> Done:
        """The caller owns what they open."""
        reader = await wiki.readers.of(caller)
        demand("wiki:open-space", asker(caller, reader))
        await wiki.check_visibility(reader, caller.member_id, new.audience, new.classification)
        command = OpenSpace(
            new_id(),
            new.name,
            new.purpose,
            tuple(new.audience),
            new.classification,
            new.language,
            caller.member_id,
        )
        answer = await done(response, command, doing, None, key)
        response.headers["Location"] = f"/wiki/spaces/{answer.id}"
        return answer

    @api.put("/spaces/{space_id}")
    async def rename_space(
        caller: Caller,
        space_id: SpaceId,
        names: SpaceNames,
        doing: Doing,
        response: Response,
        if_match: IfMatch,
        key: IdempotencyKey,
    ) -> Done:
        await wiki.space_to_change(space_id, caller, "wiki:rename-space")
        return await done(response, RenameSpace(space_id, names.name, names.purpose), doing, if_match, key)

    @api.put("/spaces/{space_id}/audience")
    async def change_space_audience(
        caller: Caller,
        space_id: SpaceId,
        seen_by: Visibility,
        doing: Doing,
        response: Response,
        if_match: IfMatch,
        key: IdempotencyKey,
    ) -> Done:
        """Who sees the space itself; its pages keep their audiences."""
        space, reader = await wiki.space_to_change(space_id, caller, "wiki:audience")
        await wiki.check_visibility(
            reader, space.owner_id, seen_by.audience, seen_by.classification, kept=space.audience
        )
        command = ChangeSpaceAudience(space_id, tuple(seen_by.audience), seen_by.classification)
        return await done(response, command, doing, if_match, key)

    @api.put("/spaces/{space_id}/owner")
    async def hand_over_space(
        caller: Caller,
        space_id: SpaceId,
        to: Ownership,
        doing: Doing,
        response: Response,
        if_match: IfMatch,
        key: IdempotencyKey,
    ) -> Done:
        space, _ = await wiki.space_to_change(space_id, caller, "wiki:owner")
        await wiki.check_owner(to.owner_id, space.audience, space.classification)
        return await done(response, ChangeSpaceOwner(space_id, to.owner_id), doing, if_match, key)
