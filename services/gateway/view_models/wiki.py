"""What the pages of the wiki want for reading: spaces, pages, history, comparing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from markupsafe import Markup

from services.gateway.view_models.shell import (
    ChangedPage,
    GroupRef,
    PageRef,
    Person,
    SpaceCard,
    SpaceRef,
    View,
)


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A page, or a folder of the path that is no page itself (`page_id` is None), with what lies below."""

    title: str
    page_id: str | None = None
    children: Sequence["TreeNode"] = ()
    language: str = ""

    @property
    def size(self) -> int:
        """Pages below."""
        return sum((child.page_id is not None) + child.size for child in self.children)

    def holds(self, page_id: str) -> bool:
        return any(child.page_id == page_id or child.holds(page_id) for child in self.children)


@dataclass(frozen=True, slots=True)
class SpacesView(View):
    """`spaces` of the whole house and of the reader's groups; `others` are those of other groups."""

    template: ClassVar[str] = "pages/wiki_spaces.html"
    spaces: Sequence[SpaceCard]
    others: Sequence[SpaceCard] = ()


@dataclass(frozen=True, slots=True)
class SpaceView(View):
    template: ClassVar[str] = "pages/wiki_space.html"
    space: SpaceRef
    pages: int
    tree: Sequence[TreeNode]
    recent: Sequence[ChangedPage]
    may_write: bool
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class PageHead:
    """What every view of a page shows. `crumbs` are the pages above, outermost first; folders have no id."""

    id: str
    title: str
    language: str
    space: SpaceRef
    path: str
    classification: str
    revision: int
    crumbs: Sequence[TreeNode] = ()


RevisionKind = Literal["created", "revised", "moved", "deleted", "restored"]


@dataclass(frozen=True, slots=True)
class RevisionLine:
    number: int
    at: datetime
    by: Person
    note: str = ""
    kind: RevisionKind = "revised"


@dataclass(frozen=True, slots=True)
class TocEntry:
    anchor: str
    text: str
    level: int


@dataclass(frozen=True, slots=True)
class Rights:
    """What this reader may do with this page."""

    edit: bool = False
    move: bool = False
    delete: bool = False
    restore: bool = False


@dataclass(frozen=True, slots=True)
class WikiPageView(View):
    """`nearby` is the branch around the page, not the whole space. `seen_because` is the clause
    of the audience that lets this reader in. `history` is short: the latest few. `groups` are those among
    the readers whose names this reader may know."""

    template: ClassVar[str] = "pages/wiki_page.html"
    page: PageHead
    html: Markup
    owner: Person
    revised_at: datetime
    revised_by: Person
    audience: Sequence[str]
    seen_because: str
    may: Rights
    toc: Sequence[TocEntry] = ()
    nearby: Sequence[TreeNode] = ()
    history: Sequence[RevisionLine] = ()
    backlinks: Sequence[PageRef] = ()
    more_backlinks: int = 0
    groups: Sequence[GroupRef] = ()


@dataclass(frozen=True, slots=True)
class HistoryView(View):
    """`older` is the cursor of the next part. `old` and `new` are chosen beforehand: the two latest."""

    template: ClassVar[str] = "pages/wiki_history.html"
    page: PageHead
    revisions: Sequence[RevisionLine]
    total: int
    older: str | None = None
    old: int | None = None
    new: int | None = None


@dataclass(frozen=True, slots=True)
class RevisionView(View):
    """One old revision as it was."""

    template: ClassVar[str] = "pages/wiki_revision.html"
    page: PageHead
    revision: RevisionLine
    title: str
    html: Markup
    may: Rights


@dataclass(frozen=True, slots=True)
class DeletedPageView(View):
    """Answered with 410."""

    template: ClassVar[str] = "pages/wiki_deleted.html"
    page: PageHead
    deleted: RevisionLine
    may: Rights


@dataclass(frozen=True, slots=True)
class DiffPiece:
    """`gone` stands in the old text only, `new` in the new one only."""

    text: str
    kind: Literal["same", "gone", "new"] = "same"


@dataclass(frozen=True, slots=True)
class DiffBlock:
    """A passage that changed, as pieces of the old and of the new text. An empty side did not exist."""

    old: Sequence[DiffPiece]
    new: Sequence[DiffPiece]


@dataclass(frozen=True, slots=True)
class DiffSame:
    """Lines between two changes where nothing changed."""

    lines: int


@dataclass(frozen=True, slots=True)
class DiffFact:
    """Something beside the text that differs. Audiences and classifications come as their codes."""

    what: Literal["title", "path", "space", "language", "audience", "classification", "owner"]
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class CompareView(View):
    """`earlier` and `later` are the neighbouring pairs (old, new), where there are any."""

    template: ClassVar[str] = "pages/wiki_compare.html"
    page: PageHead
    old: RevisionLine
    new: RevisionLine
    blocks: Sequence[DiffBlock | DiffSame]
    may: Rights
    facts: Sequence[DiffFact] = ()
    earlier: tuple[int, int] | None = None
    later: tuple[int, int] | None = None
