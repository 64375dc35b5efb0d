"""What the wiki takes over HTTP. Lengths here keep nonsense out; the rules themselves are the domain's."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from shared.runtime.http import Input
from shared.runtime.imports import ImportedLine, Source

Body = Annotated[str, Field(max_length=500_000, description="Markdown, kept byte for byte")]
Note = Annotated[str, Field(max_length=2_000, description="What changed and why, on one line")]
Path = Annotated[str, Field(max_length=1_000, description="Inside the space, such as travel/booking")]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,63}$")]
Member = Annotated[str, Field(max_length=64)]
Language = Annotated[str, Field(max_length=40, description="A code such as sv or pt-BR")]
Audience = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=20)]
Level = Annotated[str, Field(max_length=20, description="open, internal or confidential")]


class NewSpace(Input):
    name: Annotated[str, Field(max_length=400)]
    purpose: Annotated[str, Field(max_length=4_000)] = ""
    audience: Audience = Field(default=["staff"])
    classification: Level = "internal"
    language: Language


class SpaceNames(Input):
    name: Annotated[str, Field(max_length=400)]
    purpose: Annotated[str, Field(max_length=4_000)] = ""


class Visibility(Input):
    audience: Audience
    classification: Level


class Ownership(Input):
    owner_id: Member


class NewPage(Input):
    """What is left out is as the space has it; the owner is whoever starts the page."""

    space_id: Id
    path: Path
    body: Body
    note: Note = ""
    language: Language | None = None
    owner_id: Member | None = None
    audience: Audience | None = None
    classification: Level | None = None


class Revision(Input):
    body: Body
    note: Note = ""


class Draft(Input):
    """A text that somebody has typed and not saved."""

    body: Body


class Move(Input):
    """`body` is a new text that comes with the move, in the same commit."""

    path: Path
    note: Note = ""
    body: Body | None = None


class Restore(Input):
    """With `revision`: its text again, as a new one. Without: a deleted page returns, to `path` if given."""

    revision: Annotated[int, Field(ge=1)] | None = None
    path: Path | None = None
    note: Note = ""


class Preview(Draft):
    """`path` matters to relative links, and to the title of a text that says none."""

    space_id: Id
    path: Path = ""


class ImportedChange(Input):
    """One line of a history, as its plan understood it. `by` is its author as a member, `at` its time."""

    line: Annotated[int, Field(ge=1)]
    op: Literal["start", "revise", "move", "delete"]
    page_id: Id
    path: Path
    from_path: Path | None = None
    body: Body | None = None
    by: Member
    at: AwareDatetime


class Import(Input):
    """Up to 200 changes of one source, in its order. What is new belongs to `owner_id`."""

    source: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_\-]{0,63}$")]
    space_id: Id
    owner_id: Member
    audience: Audience = Field(default=["staff"])
    classification: Level = "internal"
    language: Language = "en"
    changes: Annotated[list[ImportedChange], Field(max_length=200)]


class ImportedSpace(ImportedLine):
    """A space as it was elsewhere; `by` opened it, `at` that time, and owns it."""

    space_id: Id
    name: Annotated[str, Field(max_length=400)]
    purpose: Annotated[str, Field(max_length=4_000)] = ""
    audience: Audience = Field(default=["staff"])
    classification: Level = "internal"
    language: Language


class SpacesImport(Input):
    source: Source
    spaces: Annotated[list[ImportedSpace], Field(max_length=200)]
