"""What the routes work with, and how they find what a caller may see: what is hidden does not exist."""

import re
from collections.abc import Awaitable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from fastapi import Response

from contracts.owners import GroupOwners
from services.wiki import projections
from services.wiki.domain import pages, spaces
from services.wiki.domain.pages import Page
from services.wiki.domain.permissions import Asker, demand
from services.wiki.domain.spaces import Space
from services.wiki.domain.writing import checked_member, no_such_member
from services.wiki.press import Press
from services.wiki.projections import AuthorView, PageView, PathView, RevisionView, SpaceView
from shared.kernel.audience import STAFF, Classification, Reader, audience, classification
from shared.kernel.errors import NotFound, Refused
from shared.kernel.projection import Projection
from shared.runtime.audiences import check_exists, check_seen
from shared.runtime.auth import Actor
from shared.runtime.http import answer_behind
from shared.runtime.readers import Readers
from shared.runtime.store import EventStore
from shared.runtime.views import Views

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,63}")


class Behind(Protocol):
    """Waits until views hold a commit; True where they may not."""

    def __call__(
        self, after: str | None, *views: Projection[Any], key: str | None = None
    ) -> Awaitable[bool]: ...


@dataclass(frozen=True, slots=True)
class Wiki:
    """The service's parts that routes need."""

    store: EventStore
    pages: Views[PageView]
    revisions: Views[RevisionView]
    paths: Views[PathView]
    spaces: Views[SpaceView]
    owners: Views[GroupOwners]
    authors: Views[AuthorView]
    readers: Readers
    behind: Behind
    press: Press

    async def wait(
        self, response: Response, after: str | None, *views: Projection[Any], key: str | None = None
    ) -> None:
        """Reads wait for the reader's own write, and say so where it may be missing."""
        answer_behind(response, await self.behind(after, *views, key=key))

    async def page(self, page_id: str, reader: Reader) -> PageView:
        """Raises NotFound, also for a page that the reader may not see."""
        if (view := await self.pages.get(page_id, reader)) is None:
            raise no_page()
        return view

    async def space(self, space_id: str, reader: Reader) -> SpaceView:
        """Raises NotFound, also for a space that the reader may not see."""
        if (view := await self.spaces.get(space_id, reader)) is None:
            raise _no_space()
        return view

    async def page_to_change(self, page_id: str, actor: Actor, permission: str) -> tuple[Page, Reader]:
        """The page as it is in the store, and who asks, for a command by somebody who has the permission."""
        reader = await self.readers.of(actor)
        if not _ID.fullmatch(page_id):
            raise no_page()
        page = await self.stored_page(page_id, reader)
        demand(permission, await self.asker_in(page.space_id, actor, reader), page.owner_id)
        return page, reader

    async def stored_page(self, page_id: str, reader: Reader) -> Page:
        """The page as it is in the store. Raises NotFound, also for a page that the reader may not see."""
        page, _ = await self.store.state(pages.pages, f"page-{page_id}")
        if not page.revision or not reader.may_see(page.audience, page.classification):
            raise no_page()
        return page

    async def space_to_change(self, space_id: str, actor: Actor, permission: str) -> tuple[Space, Reader]:
        """The space as it is in the store, and who asks, for a command by somebody who has the permission."""
        reader = await self.readers.of(actor)
        if not _ID.fullmatch(space_id):
            raise _no_space()
        space, _ = await self.store.state(spaces.spaces, f"space-{space_id}")
        if not space.open or not reader.may_see(space.audience, space.classification):
            raise _no_space()
        if permission != "wiki:write":
            spaces.check_apart(space)
        demand(permission, asker(actor, reader), space.owner_id)
        return space, reader

    async def asker_in(self, space_id: str, actor: Actor, reader: Reader) -> Asker:
        """Who asks about a page of that space: the space of a group has the group's id."""
        group = await self.owners.get(space_id)
        owns = group is not None and actor.member_id in group.owners
        return replace(asker(actor, reader), owns_group=owns)

    async def check_visibility(
        self,
        writer: Reader,
        owner_id: str,
        clauses: Iterable[str],
        level: str,
        kept: Collection[str] = (),
    ) -> None:
        """Raises Refused for an audience that is not there, or that leaves out the writer or the owner."""
        wanted = audience(clauses)
        await check_exists(self.readers, writer, wanted, kept)
        await check_seen(self.readers, writer, owner_id, wanted, classification(level))

    async def check_owner(self, member_id: str, clauses: Collection[str], level: Classification) -> None:
        """Raises Refused for an owner who is not there, or who could not see what they own."""
        owner = await self.readers.known(checked_member(member_id, "owner_id"))
        if owner is None:
            raise no_such_member("owner_id")
        if not owner.may_see(clauses, level):
            raise Refused(
                "owner-cannot-see",
                "They may not see this. Change who may read it first, or choose somebody else.",
                field="owner_id",
            )


def asker(actor: Actor, reader: Reader) -> Asker:
    return Asker(actor.member_id, actor.roles, STAFF in reader.tokens)


def no_page() -> NotFound:
    return NotFound("no-such-page", "There is no such page.")


def _no_space() -> NotFound:
    return NotFound("no-such-space", "There is no such space.")


#: What lists of pages show: everything but the text and what is made of it.
LISTED = tuple(name for name in projections.PageView.model_fields if name not in ("body", "links"))
