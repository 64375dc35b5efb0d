"""Paths become a tree that people find their way in."""

from services.gateway.pages.answers import TreeItem
from services.gateway.pages.trees import above, branch, tree
from services.gateway.view_models import TreeNode

ITEMS = [
    TreeItem(id="a", path="pages/about.md", title="About us"),
    TreeItem(id="c", path="pages/start/classes.md", title="Classes"),
    TreeItem(id="t", path="pages/start/classes/travel-101.md", title="Travel"),
    TreeItem(id="s", path="pages/start/index.md", title="Getting started"),
    TreeItem(id="w", path="pages/welcome_letters/first.md", title="First letter"),
]


def shape(nodes: list[TreeNode]) -> list[object]:
    return [(node.title, node.page_id, shape(list(node.children))) for node in nodes]


def test_folders_and_pages_nest_by_path_and_stand_by_title() -> None:
    assert shape(tree(ITEMS)) == [
        ("About us", "a", []),
        ("Getting started", "s", [("Classes", "c", [("Travel", "t", [])])]),
        ("Welcome letters", None, [("First letter", "w", [])]),
    ]


def test_the_branch_shows_the_way_the_neighbours_and_what_is_below() -> None:
    nodes = tree(ITEMS)
    assert shape(branch(nodes, "c")) == [("Getting started", "s", [("Classes", "c", [("Travel", "t", [])])])]
    assert shape(branch(nodes, "a")) == [
        ("About us", "a", []),
        ("Getting started", "s", []),
        ("Welcome letters", None, []),
    ]
    assert branch(nodes, "unknown") == []


def test_crumbs_are_what_lies_above() -> None:
    nodes = tree(ITEMS)
    assert shape(above(nodes, "t")) == [("Getting started", "s", []), ("Classes", "c", [])]
    assert above(nodes, "a") == []
    assert above(nodes, "unknown") == []


def test_every_page_is_in_the_tree_whatever_its_path() -> None:
    paths = [
        "x",
        "x/x",
        "x/index",
        "index.md",
        "readme",
        "a/readme.md",
        "a.md",
        "a/index.md",
        "a/b/c/d/e",
        "a.md",
        "a.md",
        "ÅÄÖ/ü.md",
    ]
    items = [TreeItem(id=str(number), path=path, title=path) for number, path in enumerate(paths)]

    def ids(nodes: list[TreeNode]) -> list[str]:
        return [
            i for node in nodes for i in ([node.page_id] if node.page_id else []) + ids(list(node.children))
        ]

    assert sorted(ids(tree(items)), key=int) == [item.id for item in items]


def test_an_empty_space_and_a_single_page_have_a_tree_too() -> None:
    assert tree([]) == []
    assert shape(tree([TreeItem(id="1", path="deep/in/here.md", title="Here")])) == [("Here", "1", [])]
