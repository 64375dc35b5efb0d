"""What members typed, as a page shows it: paragraphs and lines, links, topics, and people by their names."""

import itertools
import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from services.gateway import places
from services.gateway.locale import Locale
from services.gateway.pages.visit import Names
from services.gateway.view_models import Person, Piece

#: `@[member id]`, as the feed keeps a mention.
MENTION = r"@\[(?P<member>[A-Za-z0-9][A-Za-z0-9_\-]{0,63})\]"
_ADDRESS = r"(?P<address>https?://[^\s<>\"]+)"
_TOPIC = r"(?<![\w&/])[#\uff03](?P<topic>[\w\u200c\u200d-]+)"
#: In a passage that was cut, a mention may have lost its sign or its end.
_BEFORE_THE_CUT = r"^\[?(?P<rest>[0-9a-f]{32})\]"
_AFTER_THE_CUT = r"@(?:\[(?P<begun>[A-Za-z0-9_\-]*))?(?=\u2026?\s*$)"
_IN_A_PASSAGE = re.compile(f"{MENTION}|{_BEFORE_THE_CUT}|{_AFTER_THE_CUT}")
_SPECIAL = re.compile(f"{MENTION}|{_ADDRESS}|{_TOPIC}")
#: What ends a sentence and not an address.
_AFTER = ".,:;!?'\u2019\u201d\u00bb"
_LONGEST_SHOWN = 60
_LENGTH_OF_AN_ID = 32


class Nameless(NamedTuple):
    """What stands for those who have no name here."""

    erased: str
    unknown: str

    @classmethod
    def of(cls, locale: Locale) -> "Nameless":
        return cls(locale.gettext("Former member"), locale.gettext("Unknown member"))

    def called(self, person: Person) -> str:
        return person.name or (self.erased if person.state == "erased" else self.unknown)


def mentioned(*texts: str) -> list[str]:
    """The members that the texts name."""
    return [found["member"] for text in texts for found in re.finditer(MENTION, text)]


def mentioned_in(pieces: Sequence[Piece]) -> list[str]:
    """The members that a passage names."""
    text = "".join(piece.text for piece in pieces)
    return [member for found in _IN_A_PASSAGE.finditer(text) if (member := _whom(found))]


def with_names(pieces: Sequence[Piece], names: Names, nameless: Nameless) -> list[Piece]:
    """A passage with the names of those whom it mentions; a mention of which a part was found is found."""
    text = "".join(piece.text for piece in pieces)
    marks = [piece.found for piece in pieces for _ in piece.text]
    shown: list[Piece] = []
    at = 0
    for found in _IN_A_PASSAGE.finditer(text):
        shown += _marked(text[at : found.start()], marks[at : found.start()])
        at = found.end()
        if member := _whom(found):
            name = nameless.called(names.of(member))
            shown.append(Piece(f"@{name}", any(marks[found.start() : at])))
    return [*shown, *_marked(text[at:], marks[at:])]


def _whom(found: re.Match[str]) -> str:
    """Nobody where the cut left less than a whole id."""
    begun = found["begun"] or ""
    return found["member"] or found["rest"] or (begun if len(begun) == _LENGTH_OF_AN_ID else "")


def _marked(text: str, marks: Sequence[bool]) -> list[Piece]:
    runs = itertools.groupby(zip(text, marks, strict=True), key=lambda letter: letter[1])
    return [Piece("".join(letter for letter, _ in run), found) for found, run in runs]


def shown(text: str, names: Names, topics: Collection[str], nameless: Nameless) -> Markup:
    """`topics` are those that the feed found; `nameless` stands for whoever has no name."""
    paragraphs = [part for part in re.split(r"\n\s*\n", text) if part.strip()]
    return Markup("").join(
        Markup("<p>{}</p>").format(
            Markup("<br>").join(_line(line, names, topics, nameless) for line in part.split("\n"))
        )
        for part in paragraphs
    )


def shortened(text: str, most: int) -> str:
    """The beginning of a long text, ended between two words or lines; a short one as it is."""
    if len(text) <= most * 5 // 4:
        return text
    cut = max(text.rfind(" ", most // 2, most), text.rfind("\n", most // 2, most))
    return text[: cut if cut > 0 else most].rstrip() + "\u2026"


def folded(topic: str) -> str:
    """A topic as topics are compared."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", topic).casefold())


def _line(line: str, names: Names, topics: Collection[str], nameless: Nameless) -> Markup:
    pieces: list[Markup] = []
    at = 0
    for found in _SPECIAL.finditer(line):
        pieces.append(escape(line[at : found.start()]))
        at = found.end()
        if found["member"]:
            pieces.append(_member(found["member"], names, nameless))
        elif found["address"]:
            pieces.append(_address(found["address"]))
        else:
            pieces.append(_topic(found[0], found["topic"], topics))
    pieces.append(escape(line[at:]))
    return Markup("").join(pieces)


def _member(member_id: str, names: Names, nameless: Nameless) -> Markup:
    person = names.of(member_id)
    if person.state == "erased":
        return Markup("@<bdi>{}</bdi>").format(nameless.called(person))
    link = Markup('<a class="mention" href="{}">@<bdi>{}</bdi></a>')
    return link.format(places.member(member_id), nameless.called(person))


def _address(address: str) -> Markup:
    kept = address.rstrip(_AFTER)
    if kept.endswith(")") and kept.count(")") > kept.count("("):
        kept = kept[:-1]
    seen = kept.partition("://")[2]
    seen = seen if len(seen) <= _LONGEST_SHOWN else f"{seen[:_LONGEST_SHOWN]}\u2026"
    link = Markup('<a href="{}" rel="noopener nofollow ugc">{}</a>{}')
    return link.format(kept, seen, address[len(kept) :])


def _topic(sign_and_word: str, word: str, topics: Collection[str]) -> Markup:
    name = folded(word.rstrip("-"))
    if name not in topics:
        return escape(sign_and_word)
    return Markup('<a class="topic" href="{}">{}</a>').format(places.topic(name), sign_and_word)
