"""What search answers, as far as pages show it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel

from services.gateway import places
from services.gateway.pages import said
from services.gateway.pages.visit import Names
from services.gateway.view_models import Piece, SearchKind


class FoundPiece(BaseModel):
    text: str
    found: bool

    @property
    def piece(self) -> Piece:
        return Piece(self.text, self.found)


class Highlight(BaseModel):
    field: str
    pieces: list[FoundPiece]


class Item(BaseModel, ABC):
    kind: SearchKind
    id: str
    title: str
    language: str
    author_id: str | None = None
    group_id: str | None = None
    space_id: str | None = None
    post_id: str | None = None

    @property
    @abstractmethod
    def texts(self) -> Sequence[Sequence[Piece]]:
        """All that is shown of it."""

    @property
    def mentioned(self) -> Sequence[str]:
        """Whom what is shown mentions: in the wiki that is text like any other."""
        if self.kind not in ("post", "comment"):
            return []
        return [member_id for pieces in self.texts for member_id in said.mentioned_in(pieces)]

    def named(self, pieces: Sequence[Piece], names: Names, nameless: said.Nameless) -> Sequence[Piece]:
        """With names for those whom it mentions."""
        return said.with_names(pieces, names, nameless) if self.kind in ("post", "comment") else pieces


class FoundItem(Item):
    occurred_at: datetime
    highlights: list[Highlight]

    @property
    def marked_title(self) -> Sequence[Piece]:
        """With what was found in it marked, where the whole title is among the passages."""
        for highlight in self.highlights:
            pieces = [piece.piece for piece in highlight.pieces]
            if highlight.field == "title" and "".join(piece.text for piece in pieces) == self.title:
                return pieces
        return [Piece(self.title)]

    @property
    def passages(self) -> Sequence[Sequence[Piece]]:
        return [
            [piece.piece for piece in highlight.pieces]
            for highlight in self.highlights
            if highlight.field != "title" and "".join(p.text for p in highlight.pieces) != self.title
        ]

    @property
    def texts(self) -> Sequence[Sequence[Piece]]:
        return [self.marked_title, *self.passages]


class Count(BaseModel):
    value: str
    count: int


class Facets(BaseModel):
    kind: list[Count] = []
    language: list[Count] = []
    group: list[Count] = []
    space: list[Count] = []


class Found(BaseModel):
    total: int
    items: list[FoundItem]
    next: str | None = None
    did_you_mean: str | None = None
    facets: Facets | None = None


class Suggestion(Item):
    pieces: list[FoundPiece]

    @property
    def shown(self) -> Sequence[Piece]:
        return [piece.piece for piece in self.pieces]

    @property
    def texts(self) -> Sequence[Sequence[Piece]]:
        return [self.shown]


class Suggestions(BaseModel):
    items: list[Suggestion]


def address_of(item: Item) -> str:
    """Where something that was found is read."""
    match item.kind:
        case "post":
            return places.post(item.id)
        case "comment":
            return places.comment(item.post_id or "", item.id)
        case "page":
            return places.page(item.id)
        case "group":
            return places.group(item.id)
        case "person":
            return places.member(item.id)
