"""Where does a page lie among others? Paths become folders and pages, and the branch around one of them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from services.gateway.pages.answers import TreeItem
from services.gateway.view_models import TreeNode

#: A page of this name stands for the folder that it lies in.
_INDEX = frozenset({"index", "readme", "_index"})
_ENDING = re.compile(r"\.(md|markdown)$", re.IGNORECASE)


@dataclass(slots=True)
class _Folder:
    name: str
    page: TreeItem | None = None
    folders: dict[str, "_Folder"] = field(default_factory=dict)


def tree(items: Iterable[TreeItem]) -> list[TreeNode]:
    """All pages as nested nodes by title. Folders that hold everything say nothing and are left out."""
    top = _Folder("")
    for item in items:
        at = top
        for name in _names(item.path):
            at = at.folders.setdefault(name, _Folder(name))
        while at.page is not None:
            # Several pages for one place, such as a.md and a/index.md: each stands below the one before.
            at = at.folders.setdefault(item.path, _Folder(item.path))
        at.page = item
    while len(top.folders) == 1 and top.page is None:
        (only,) = top.folders.values()
        if only.page is not None or not only.folders:
            break
        top = only
    return _nodes(top)


def branch(nodes: Sequence[TreeNode], page_id: str) -> list[TreeNode]:
    """The way down to a page, its neighbours and what lies directly below it; nothing where it is not."""
    here = next((node for node in nodes if _holds(node, page_id)), None)
    if here is None:
        return []
    if here.page_id != page_id:
        return [_with(here, branch(here.children, page_id))]
    return [
        _with(node, [_with(below, ()) for below in node.children] if node is here else ()) for node in nodes
    ]


def above(nodes: Sequence[TreeNode], page_id: str) -> list[TreeNode]:
    """The folders and pages above a page, outermost first."""
    here = next((node for node in nodes if _holds(node, page_id)), None)
    if here is None or here.page_id == page_id:
        return []
    return [_with(here, ()), *above(here.children, page_id)]


def _names(path: str) -> list[str]:
    *folders, last = path.split("/")
    name = _ENDING.sub("", last)
    return folders if folders and name.casefold() in _INDEX else [*folders, name]


def _nodes(folder: _Folder) -> list[TreeNode]:
    nodes = [
        TreeNode(
            title=below.page.title if below.page else _readable(below.name),
            page_id=below.page.id if below.page else None,
            children=_nodes(below),
        )
        for below in folder.folders.values()
    ]
    if folder.page is not None and folder.name == "":
        nodes.append(TreeNode(folder.page.title, folder.page.id))
    return sorted(nodes, key=lambda node: node.title.casefold())


def _readable(name: str) -> str:
    words = re.sub(r"[-_]+", " ", name).strip() or name
    return words[:1].upper() + words[1:]


def _holds(node: TreeNode, page_id: str) -> bool:
    return node.page_id == page_id or node.holds(page_id)


def _with(node: TreeNode, children: Sequence[TreeNode]) -> TreeNode:
    return TreeNode(node.title, node.page_id, children, node.language)
