"""What several pages of the wiki show: where a page lies, what its reader may do, one step of its history."""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.gateway.clients import part
from services.gateway.pages.addressees import my_groups
from services.gateway.pages.answers import Item, ItemList, Page, Space, SpaceList, Step, Tree
from services.gateway.pages.trees import above, tree
from services.gateway.pages.visit import Form, Names, Visit
from services.gateway.view_models import (
    ChangedPage,
    PageHead,
    PageRef,
    RevisionKind,
    RevisionLine,
    Rights,
    SpaceRef,
    TreeNode,
)
from shared.kernel.errors import NotFound, Unavailable
from shared.runtime.ids import new_id

#: Spaces in one answer of the wiki, and how many of each kind lists and choices show.
SPACES_AT_ONCE = 100
MOST_SPACES = 300

_KINDS: dict[str, RevisionKind] = {
    "started": "created",
    "revised": "revised",
    "moved": "moved",
    "deleted": "deleted",
    "restored": "restored",
}

#: As our forms make them; with room for what is put behind it.
_KEY = re.compile(r"[A-Za-z0-9-]{1,100}")


def key_of(sent: Form) -> str:
    """The idempotency key that the form came with; another where that is none of ours."""
    key = sent.text("key")
    return key if _KEY.fullmatch(key) else new_id()


async def page_of(visit: Visit, page_id: str, after: str | None = None) -> Page:
    """Raises NotFound. `after` is a commit that it should hold."""
    answer = await visit.ask("wiki", "GET", f"/wiki/pages/{part(page_id)}", after=after)
    return answer.read(Page)


@dataclass(frozen=True, slots=True)
class Spaces:
    """Spaces that the reader may see: those of the whole house and of their own groups, and those of other
    groups."""

    near: Sequence[Space] = ()
    others: Sequence[Space] = ()

    @property
    def every(self) -> list[Space]:
        return [*self.near, *self.others]

    def writable(self) -> "Spaces":
        near, others = ([s for s in part if s.may.get("write", False)] for part in (self.near, self.others))
        return Spaces(near, others)

    def along_with(self, space: Space) -> "Spaces":
        return (
            self if space.id in [each.id for each in self.every] else Spaces([*self.near, space], self.others)
        )


async def spaces_of(visit: Visit) -> Spaces:
    """As many as lists and choices show, by name. The spaces of groups have the groups' ids."""
    house, mine, grouped = await asyncio.gather(
        _listed(visit, {"of_group": "false"}), _of_my_groups(visit), _listed(visit, {"of_group": "true"})
    )
    ids = {space.id for space in mine}
    near = sorted([*house, *mine], key=lambda space: space.name.casefold())
    return Spaces(near, [space for space in grouped if space.id not in ids])


async def _of_my_groups(visit: Visit) -> list[Space]:
    """None while the groups are away: theirs stand among those of other groups then."""
    groups = [group.id for group in await my_groups(visit)]
    return await _listed(visit, {"ids": ",".join(groups), "of_group": "true"}) if groups else []


async def _listed(visit: Visit, which: Mapping[str, str]) -> list[Space]:
    found: list[Space] = []
    cursor: str | None = ""
    while cursor is not None and len(found) < MOST_SPACES:
        query: dict[str, str | int] = {
            **which,
            "limit": SPACES_AT_ONCE,
            **({"cursor": cursor} if cursor else {}),
        }
        listed = (await visit.ask("wiki", "GET", "/wiki/spaces", query=query)).read(SpaceList)
        found += listed.items
        cursor = listed.next
    return found


async def spaces_named(visit: Visit, space_ids: Iterable[str]) -> dict[str, SpaceRef]:
    """Those among these that the reader may see."""
    wanted = sorted(set(space_ids))
    if not wanted:
        return {}
    query: dict[str, str | int] = {"ids": ",".join(wanted), "limit": len(wanted)}
    listed = (await visit.ask("wiki", "GET", "/wiki/spaces", query=query)).read(SpaceList)
    return {space.id: SpaceRef(space.id, space.name) for space in listed.items}


async def space_of(visit: Visit, space_id: str) -> Space:
    """Raises NotFound."""
    return (await visit.ask("wiki", "GET", f"/wiki/spaces/{part(space_id)}")).read(Space)


async def tree_of(visit: Visit, space_id: str) -> list[TreeNode]:
    """Raises NotFound."""
    answer = await visit.ask("wiki", "GET", f"/wiki/spaces/{part(space_id)}/tree")
    return tree(answer.read(Tree).items)


async def recent_of(visit: Visit, limit: int, space_id: str | None = None) -> list[Item]:
    query: dict[str, str | int] = {"limit": limit, **({"space": space_id} if space_id else {})}
    return (await visit.ask("wiki", "GET", "/wiki/recent", query=query)).read(ItemList).items


async def place_of(visit: Visit, space_id: str) -> tuple[SpaceRef, list[TreeNode]]:
    """The space and its tree; a page may be open to somebody whom its space is not."""
    try:
        space, nodes = await asyncio.gather(space_of(visit, space_id), tree_of(visit, space_id))
    except (NotFound, Unavailable):
        return SpaceRef(space_id, visit.locale.gettext("A space")), []
    return SpaceRef(space.id, space.name), nodes


def head(page: Item, space: SpaceRef, nodes: Sequence[TreeNode]) -> PageHead:
    return PageHead(
        id=page.id,
        title=page.title,
        language=page.language,
        space=space,
        path=page.path,
        classification=page.classification,
        revision=page.revision,
        crumbs=above(nodes, page.id),
    )


async def head_of(visit: Visit, page: Item) -> PageHead:
    return head(page, *await place_of(visit, page.space_id))


def rights(page: Page) -> Rights:
    writes, deletes = page.may.get("write", False), page.may.get("delete", False)
    return Rights(edit=writes, move=writes, delete=deletes, restore=writes)


def line(step: Step, names: Names) -> RevisionLine:
    return RevisionLine(
        step.revision, step.occurred_at, names.of(step.author_id), step.note, _KINDS[step.kind]
    )


def ref(item: Item) -> PageRef:
    return PageRef(item.id, item.title, item.language)


def changed(items: Sequence[Item], spaces: dict[str, SpaceRef], names: Names) -> list[ChangedPage]:
    """Pages whose space the reader may see as well."""
    return [
        ChangedPage(ref(item), spaces[item.space_id], item.occurred_at, names.of(item.author_id), item.note)
        for item in items
        if item.space_id in spaces
    ]
