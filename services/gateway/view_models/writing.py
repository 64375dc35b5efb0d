"""What the pages of the wiki want for writing: editing, conflicts, moving, deleting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup

from services.gateway.view_models.shell import GroupRef, PageRef, SpaceRef, View
from services.gateway.view_models.wiki import DiffBlock, DiffSame, PageHead, RevisionLine

#: Languages that a page may be written in, until the organisation chooses its own.
PAGE_LANGUAGES = tuple(
    ["ar", "da", "de", "en", "es", "fi", "fr", "it", "ja", "nb", "nl", "pl", "pt", "sv", "tr", "zh"]
)


@dataclass(frozen=True, slots=True)
class PageForm:
    """What stands in the fields, as typed. `key` is the form's idempotency key: sent twice, it saves once.
    A page that is there already has its title in its text."""

    key: str
    title: str = ""
    body: str = ""
    note: str = ""
    language: str = "en"
    classification: str = "internal"
    audience: Sequence[str] = ("staff",)
    space: str = ""
    path: str = ""
    #: Who could read the page when the form was first shown, which step of its history that was, and where
    #: it lay.
    seen_by: str = ""
    revision: int = 0
    seen_at: str = ""


@dataclass(frozen=True, slots=True)
class EditView(View):
    """A new page (`page` is None) or a change. `errors` go by field; `problem` is about none.
    `spaces` of the whole house and of the writer's groups come before `other_spaces`. `audiences` are the
    clauses to choose from; a chosen one that is missing among them is offered as well. `groups` are those
    whose names the writer may know."""

    template: ClassVar[str] = "pages/wiki_edit.html"
    form: PageForm
    spaces: Sequence[SpaceRef]
    audiences: Sequence[str] = ("staff", "everyone")
    page: PageHead | None = None
    preview: Markup | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    languages: Sequence[str] = PAGE_LANGUAGES
    #: Who may read a page that is there already is for its owner and for editors to decide.
    may_choose_readers: bool = True
    space_name: str = ""
    other_spaces: Sequence[SpaceRef] = ()
    groups: Sequence[GroupRef] = ()


@dataclass(frozen=True, slots=True)
class PreviewView(View):
    """The answer to the editor's request while somebody types: a fragment, no page."""

    template: ClassVar[str] = "parts/preview.html"
    html: Markup
    language: str


@dataclass(frozen=True, slots=True)
class ConflictView(View):
    """Somebody else saved first. `form` is what this reader typed, `form.revision` what it would replace
    when sent again; `blocks` go from their text to the reader's."""

    template: ClassVar[str] = "pages/wiki_conflict.html"
    page: PageHead
    form: PageForm
    theirs: RevisionLine
    their_body: str
    blocks: Sequence[DiffBlock | DiffSame]


@dataclass(frozen=True, slots=True)
class MoveView(View):
    """Within its space. `errors` by field: `path`, `note`."""

    template: ClassVar[str] = "pages/wiki_move.html"
    page: PageHead
    key: str
    path: str
    note: str = ""
    backlinks: int = 0
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class DeleteView(View):
    template: ClassVar[str] = "pages/wiki_delete.html"
    page: PageHead
    key: str
    backlinks: Sequence[PageRef]
    note: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
