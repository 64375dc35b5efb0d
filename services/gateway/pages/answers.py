"""What the wiki answers, as far as pages show it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel


class Space(BaseModel):
    id: str
    name: str
    purpose: str = ""
    language: str
    audience: list[str]
    classification: str
    may: dict[str, bool] = {}


class SpaceList(BaseModel):
    items: list[Space]
    next: str | None = None


class Item(BaseModel):
    """A page in a list. `revision` counts the steps of its history, `version` is for If-Match."""

    id: str
    space_id: str
    path: str
    title: str
    language: str
    owner_id: str
    audience: list[str]
    classification: str
    revision: int
    version: int
    author_id: str | None
    note: str
    occurred_at: datetime
    deleted: bool = False


class ItemList(BaseModel):
    items: list[Item]
    next: str | None = None
    total: int | None = None


class Heading(BaseModel):
    level: int
    id: str
    text: str


class Shown(BaseModel):
    html: str
    toc: list[Heading] = []


class Page(Item, Shown):
    body: str
    may: dict[str, bool] = {}


class TreeItem(BaseModel):
    id: str
    path: str
    title: str


class Tree(BaseModel):
    items: list[TreeItem]


class Step(BaseModel):
    """One step of a history; a step that left the text alone has no title of its own."""

    revision: int
    kind: Literal["started", "revised", "moved", "deleted", "restored"]
    author_id: str | None
    note: str
    occurred_at: datetime
    title: str | None = None
    path: str | None = None
    from_path: str | None = None


class StepList(BaseModel):
    items: list[Step]
    total: int
    next: str | None = None


class OldPage(Step, Shown):
    body: str


class Run(BaseModel):
    kind: Literal["same", "del", "ins"]
    text: str


class Line(BaseModel):
    runs: list[Run]


class Block(BaseModel):
    """Lines of one kind; a folded block holds only their number."""

    kind: Literal["same", "folded", "changed", "added", "removed"]
    before: list[Line] = []
    after: list[Line] = []
    folded: int = 0


class Difference(BaseModel):
    blocks: list[Block]


class Comparison(Difference):
    before: Step
    after: Step


class Place(BaseModel):
    id: str


class Done(BaseModel):
    id: str
    version: int


def quoted(version: int) -> dict[str, Any]:
    """The header that says which version was read."""
    return {"If-Match": f'"{version}"'}


def authors(items: Sequence[Item | Step]) -> list[str | None]:
    return [item.author_id for item in items]
