"""What the wiki says over HTTP. Members appear by id: their names are identity's to tell."""

from datetime import datetime

from pydantic import BaseModel, Field

from services.wiki.compare import Block, Comparison
from services.wiki.domain.permissions import Asker, may
from services.wiki.markdown import Heading
from services.wiki.projections import Kind, PageView, RevisionView, SpaceView


class SpaceAnswer(BaseModel):
    """A place for pages. `version` is for If-Match."""

    id: str
    name: str
    purpose: str
    language: str
    owner_id: str | None = Field(description="None for the space of a group: the group's owners are its own")
    of_group: bool = Field(description="The space of the group that has its id, and its name and audience")
    audience: list[str]
    classification: str
    version: int
    opened_by: str | None
    opened_at: datetime
    may: dict[str, bool] = Field(description="What the caller may do here, by permission")

    @classmethod
    def of(cls, view: SpaceView, asker: Asker) -> "SpaceAnswer":
        said = view.model_dump(exclude={"space_id"})
        allowed = _allowed(("write", "audience", "owner", "rename-space"), asker, view.owner_id)
        if view.of_group:
            allowed = {name: name == "write" and may for name, may in allowed.items()}
        return cls(id=view.space_id, **said, may=allowed)


class SpaceList(BaseModel):
    items: list[SpaceAnswer]
    total: int
    next: str | None = Field(description="The cursor of the next items, if there are more")


class PageItem(BaseModel):
    """A page in a list: everything but its text."""

    id: str
    space_id: str
    path: str
    title: str
    language: str
    owner_id: str
    audience: list[str]
    classification: str
    revision: int = Field(description="How many steps its history has")
    version: int = Field(description="For If-Match")
    author_id: str | None = Field(description="Who made the last step")
    note: str
    occurred_at: datetime = Field(description="When the last step was made, as its author says")
    recorded_at: datetime = Field(description="When the platform heard of it")
    started_by: str | None
    started_at: datetime
    deleted: bool
    paths: list[str] = Field(description="Every path it has had, oldest first")

    @classmethod
    def of(cls, view: PageView) -> "PageItem":
        return cls(id=view.page_id, **view.model_dump(include=cls.model_fields.keys() - {"id"}))


class PageList(BaseModel):
    items: list[PageItem]
    total: int
    next: str | None = Field(description="The cursor of the next items, if there are more")


class RecentList(BaseModel):
    items: list[PageItem]
    next: str | None = Field(description="The cursor of the next items, if there are more")


class TreeItem(BaseModel):
    id: str
    path: str
    title: str


class Tree(BaseModel):
    """Every page of a space by path; `complete` is false where there are more than are shown."""

    items: list[TreeItem]
    complete: bool


class Shown(BaseModel):
    """A text as safe HTML. Links lead to `/wiki/pages/<id>`, those to missing pages to `/wiki/at`."""

    html: str
    toc: list[Heading] = Field(description="The headings, for a table of contents")
    left_out: list[str] = Field(description="Components of an older site that are not shown")
    missing_links: list[str] = Field(description="Addresses that lead to no page that the reader can see")


class PageAnswer(PageItem, Shown):
    """A page to be read."""

    body: str = Field(description="The Markdown, byte for byte as it was written")
    may: dict[str, bool] = Field(description="What the caller may do here, by permission")

    @classmethod
    def whole(cls, view: PageView, shown: Shown, asker: Asker) -> "PageAnswer":
        item = PageItem.of(view).model_dump()
        permissions = ("write", "delete", "audience", "owner")
        allowed = _allowed(permissions, asker, view.owner_id)
        return cls(**item, **shown.model_dump(), body=view.body, may=allowed)


class RevisionItem(BaseModel):
    """One step of a page's history, without its text."""

    revision: int
    kind: Kind
    body_revision: int = Field(description="The step that holds the text as it was then")
    version: int
    author_id: str | None
    note: str
    occurred_at: datetime
    recorded_at: datetime
    imported: bool
    title: str | None
    path: str | None
    from_path: str | None
    restores: int | None

    @classmethod
    def of(cls, view: RevisionView) -> "RevisionItem":
        return cls(**view.model_dump(include=set(cls.model_fields)))


class RevisionList(BaseModel):
    items: list[RevisionItem]
    total: int
    next: str | None = Field(description="The cursor of earlier steps, if there are more")


class RevisionAnswer(RevisionItem, Shown):
    """The page as it was after one step of its history."""

    body: str


class Difference(BaseModel):
    """What changed between two texts. `coarse`: too large and too different to be compared word by word."""

    blocks: list[Block]
    words_added: int
    words_removed: int
    equal: bool
    coarse: bool

    @classmethod
    def of(cls, found: Comparison) -> "Difference":
        return cls(
            blocks=list(found.blocks),
            words_added=found.words_added,
            words_removed=found.words_removed,
            equal=found.equal,
            coarse=found.coarse,
        )


class CompareAnswer(Difference):
    """What changed between two steps."""

    before: RevisionItem
    after: RevisionItem


class BacklinkList(BaseModel):
    items: list[PageItem]
    next: str | None


class Place(BaseModel):
    """Where a path leads now."""

    id: str
    space_id: str
    path: str
    title: str
    moved: bool = Field(description="The page is not at the path that was asked for any more")
    deleted: bool


class Done(BaseModel):
    """What a command changed. `version` is the new one, for If-Match."""

    id: str
    version: int


def _allowed(permissions: tuple[str, ...], asker: Asker, owner_id: str | None) -> dict[str, bool]:
    return {name: may(f"wiki:{name}", asker, owner_id) for name in permissions}
