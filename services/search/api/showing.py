"""Passages with what was found in them, as pieces of plain text."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from services.search.api.answers import Highlight, Piece
from services.search.finding import passages
from services.search.words import CLOSE, OPEN, folded

_WORD = re.compile(r"\w+")


def highlights(hit: dict[str, Any]) -> list[Highlight]:
    """The title where something was found in it, then the best passages of the text, or how it begins."""
    texts = passages(hit, "text") or [begins for begins in [hit["_source"]["begins"]] if begins]
    marked = [("title", passage) for passage in passages(hit, "title")]
    marked += [("text", passage) for passage in texts]
    return [Highlight(field=field, pieces=list(_pieces(passage))) for field, passage in marked]


def _pieces(passage: str) -> Iterator[Piece]:
    before, *parts = passage.split(OPEN)
    if before:
        yield Piece(text=before, found=False)
    for part in parts:
        found, _, behind = part.partition(CLOSE)
        yield Piece(text=found, found=True)
        if behind:
            yield Piece(text=behind, found=False)


def title_pieces(title: str, typed: Sequence[str]) -> list[Piece]:
    """A title with the words marked that begin like one of those typed."""
    begun = [folded(word) for text in typed for word in _WORD.findall(text)]
    pieces, at = list[Piece](), 0
    for word in _WORD.finditer(title):
        length = max((len(b) for b in begun if folded(word[0]).startswith(b)), default=0)
        if not length:
            continue
        if word.start() > at:
            pieces.append(Piece(text=title[at : word.start()], found=False))
        at = min(word.start() + length, word.end())
        pieces.append(Piece(text=title[word.start() : at], found=True))
    if title[at:]:
        pieces.append(Piece(text=title[at:], found=False))
    return pieces
