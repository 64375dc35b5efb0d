"""What the index holds of an item: an entry and the number of its writing. Pure, but for its opened texts."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from services.search.analysis import PLAIN, field_of
from services.search.projections import Kind, SearchItem
from services.search.words import PASSAGE, beginning, clean, of_markdown
from shared.kernel.personal import Personal

Document = dict[str, Any]


class Entry(NamedTuple):
    """A document for the index. An entry never replaces one with a higher `version`."""

    key: str
    version: int
    document: Document


def personal(item: SearchItem) -> list[Personal]:
    """The sealed texts of an item."""
    return [value for value in (item.name, item.said, item.asked) if value is not None]


def shown(key: str, rev: int, item: SearchItem, opened: Sequence[str]) -> Entry:
    """An item that may be found. `opened`: its sealed texts, in the order of `personal`."""
    texts = iter(opened)
    name = next(texts) if item.name is not None else ""
    said = next(texts) if item.said is not None else ""
    asked = next(texts) if item.asked is not None else ""
    title, text = _texts(item, name, said, asked)
    return Entry(
        key,
        2 * rev,
        {
            "key": key,
            "live": True,
            "shown": beginning(title) or beginning(text) or item.path or item.id,
            "begins": beginning(text, PASSAGE),
            "title": _by_language(title, item.language),
            "text": _by_language(text, item.language),
            **_audience(item.audience),
            **item.model_dump(mode="json", include=_AS_THEY_ARE, exclude_none=True),
        },
    )


def gone(key: str, rev: int, *, by_another: bool = False) -> Entry:
    """What is not to be found. It stays as a mark, since the engine forgets deletions after a minute and an
    entry that comes late would rise again.

    `by_another`: what made it go is no event of its own (its post's deletion, its author's erasure), so that
    whoever indexes the same writing of it meanwhile comes too late.
    """
    return Entry(key, 2 * rev + by_another, {"key": key, "live": False})


_AS_THEY_ARE = {
    "kind",
    "id",
    "language",
    "author_id",
    "occurred_at",
    "classification",
    "group_id",
    "space_id",
    "post_id",
    "path",
}


def _texts(item: SearchItem, name: str, said: str, asked: str) -> tuple[str, str]:
    match item.kind:
        case Kind.PERSON:
            return clean(name), clean(
                "\n".join(part for part in (item.text, *item.words, asked, said) if part)
            )
        case Kind.PAGE:
            return clean(item.title), of_markdown(item.text)
        case Kind.GROUP:
            return clean(item.title), clean(item.text)
    return clean(item.title), clean(said)


def _by_language(text: str, language: str) -> Mapping[str, str]:
    return {PLAIN: text, field_of(language): text} if text else {}


def _audience(clauses: Sequence[str]) -> Document:
    """Single tokens, and conjunctions with the number of tokens that they ask for."""
    joint = [clause.split("&") for clause in clauses if "&" in clause]
    return {
        "audience": [clause for clause in clauses if "&" not in clause],
        "joint": [{"tokens": tokens, "needed": len(tokens)} for tokens in joint],
    }
