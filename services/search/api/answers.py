"""What search says over HTTP. Texts are plain: whoever shows them escapes them and marks what was found."""

from datetime import datetime

from pydantic import BaseModel, Field

from services.search.projections import Kind


class Piece(BaseModel):
    """A part of a text, as plain text. `found`: it is what was looked for."""

    text: str
    found: bool


class Highlight(BaseModel):
    """A passage with what was found in it. Together its pieces are the passage."""

    field: str = Field(description="title or text")
    pieces: list[Piece]


class Hit(BaseModel):
    """Something that was found. Members appear by id: their names are identity's to tell."""

    kind: Kind
    id: str
    title: str = Field(description="Its own title or name, or else how its text begins; never empty")
    language: str
    author_id: str | None = Field(description="Who said it; of a person, themselves")
    occurred_at: datetime = Field(description="When it was said or last changed, as its author dated it")
    highlights: list[Highlight] = Field(description="The best passages; without a question the beginning")
    group_id: str | None = None
    space_id: str | None = Field(default=None, description="Of a page")
    post_id: str | None = Field(default=None, description="Of a comment: the post that it answers")
    path: str | None = Field(default=None, description="Of a page, inside its space")


class Count(BaseModel):
    """How many of what was found have this value; the facet's own filter is left out of its counts."""

    value: str
    count: int


class Facets(BaseModel):
    """What the filters would leave, most first. Only what the caller may see is counted."""

    kind: list[Count]
    language: list[Count]
    group: list[Count]
    space: list[Count]


class Found(BaseModel):
    total: int
    items: list[Hit]
    next: str | None = Field(description="The cursor of the next items, if there are more")
    did_you_mean: str | None = Field(
        default=None,
        description="A question in other words that finds something; only where this one does not",
    )
    facets: Facets | None = Field(description="On the first page only")


class Suggestion(BaseModel):
    """Something that what was typed so far may lead to."""

    kind: Kind
    id: str
    title: str
    language: str
    author_id: str | None
    pieces: list[Piece] = Field(description="The title, with what was typed marked")
    group_id: str | None = None
    space_id: str | None = None
    post_id: str | None = None
    path: str | None = None


class Suggestions(BaseModel):
    items: list[Suggestion]
