"""Text that people type and others read: composed, bounded, and without tricks of what cannot be seen.

A name or a title is one line in which every character shows. Prose keeps its lines and whatever its writing
needs, joiners and direction marks included; only overrides of the direction are refused, which make a reader
see another text than the one that is stored, searched and translated.
"""

import re
import unicodedata
from collections.abc import Container, Iterator

from shared.kernel.errors import Refused
from shared.kernel.languages import CODES

#: Control characters other than tab, line feed and carriage return.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
#: LRO and RLO: what follows is shown against its own direction (UAX #9).
_OVERRIDE = re.compile("[\u202d\u202e]")
#: Categories of characters that show nothing: formats, private use, unassigned, line separators.
_UNSEEN = frozenset({"Cf", "Co", "Cn", "Zl", "Zp"})
#: Letters and symbols that show nothing either: fillers of Hangul and Khmer, the empty Braille pattern, the
#: grapheme joiner.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
#: Format characters that writing needs inside words (Persian, Indic scripts) and pictures (families, flags).
_JOINERS = frozenset("\u200c\u200d")
#: Five marks on one letter, more than any writing needs: they climb over the lines around.
_HEAPED = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{5,}")
#: Categories that part words where a text becomes one line.
_BREAKS = frozenset({"Cc", "Zl", "Zp"})
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")


def name(text: str, field: str, most: int) -> str:
    """One line in which something shows, of at most `most` characters. Raises Refused."""
    if said := line(text, field, most):
        return said
    raise Refused("name-missing", "Give it a name.", field=field)


def line(text: str, field: str, most: int) -> str:
    """As a name, and may be empty: single spaces, composed (NFC). Raises Refused."""
    said = " ".join(_sound(text, field, most).split())
    _bounded(said, field, most)
    for at in unseen(said):
        raise Refused(
            "text-invisible-character",
            "Character {at} cannot be seen. Remove it, or type this line anew.",
            field=field,
            params={"at": at + 1},
        )
    if _HEAPED.search(said):
        raise Refused(
            "text-heaped-marks",
            "Too many accents stand on one letter. Remove some of them.",
            field=field,
        )
    return said


def prose(text: str, field: str, most: int) -> str:
    """Text of several lines, of at most `most` characters: composed (NFC), lines ended by line feeds, nothing
    empty around it. May be empty, also where nothing in it shows. Raises Refused."""
    said = _sound(text, field, most).replace("\r\n", "\n").replace("\r", "\n").strip()
    _bounded(said, field, most)
    if found := _OVERRIDE.search(said):
        raise Refused(
            "text-turned-around",
            "Character {at} turns the direction of the text around. Remove it.",
            field=field,
            params={"at": found.start() + 1},
        )
    return said if shows(said) else ""


def one_line(text: str, field: str, most: int) -> str:
    """Prose where only one line is shown: its lines joined by single spaces. Raises Refused."""
    return " ".join(prose(text, field, most).split())


def unseen(text: str) -> Iterator[int]:
    """Where characters of a line are that nobody sees, and that no writing needs there."""
    for at, character in enumerate(text):
        if character in _JOINERS and 0 < at < len(text) - 1 and not text[at - 1].isascii():
            continue
        if character in _BLANK or unicodedata.category(character) in _UNSEEN:
            yield at


def seen(text: str) -> str:
    """A line as it is made from a text that is kept as it is: single spaces, composed, without what cannot be
    seen and without accents that climb over their line. For what nobody typed here, so that nothing can be
    refused."""
    spaced = "".join(" " if unicodedata.category(c) in _BREAKS else c for c in text if not _lone(c))
    line, before = spaced, None
    while line != before:
        # What went may have stood between letters that compose, or may have been what a joiner joined.
        before, composed = line, " ".join(unicodedata.normalize("NFC", line).split())
        hidden = frozenset(unseen(composed))
        line = _HEAPED.sub("", "".join(c for at, c in enumerate(composed) if at not in hidden))
    return line


def shows(text: str) -> bool:
    """Whether anything in it can be seen."""
    return any(
        not (c.isspace() or c in _BLANK or unicodedata.category(c) in (_UNSEEN | {"Mn"})) for c in text
    )


def comparable(text: str) -> str:
    """What two texts have in common that look alike but for case, width, spacing and what cannot be seen."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    seen = "".join(c for c in folded if c not in _BLANK and unicodedata.category(c) != "Cf")
    return " ".join(seen.split())


def language(tag: str, field: str = "language", *, stored: Container[str] = ()) -> str:
    """The tag (BCP 47) of a language that CLDR knows, such as `sv` or `pt-BR`. Those in `stored` were taken
    before more than their form was asked for, and stay. Raises Refused."""
    if _LANGUAGE.fullmatch(tag) and (tag in stored or tag.partition("-")[0] in CODES):
        return tag
    raise Refused(
        "language-unknown",
        "No language is known by this code. Name it by its code, such as sv, en or pt-BR.",
        field=field,
    )


def _lone(character: str) -> bool:
    """Half of a character."""
    return unicodedata.category(character) == "Cs"


def _sound(text: str, field: str, most: int) -> str:
    """`text` composed. Raises Refused where it is no text, and before work is spent on far too much of it."""
    if len(text) > 4 * most:
        raise _too_long(field, most)
    check_sound(text, field)
    return unicodedata.normalize("NFC", text)


def check_sound(text: str, field: str) -> None:
    """Raises Refused where it is no text: half a character, or one that steers a terminal."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused(
            "text-not-unicode",
            "The text holds half a character (a lone surrogate). Copy it again from its source.",
            field=field,
        ) from None
    if found := _CONTROL.search(text):
        raise Refused(
            "text-with-control-character",
            "Character {at} is a control character. Remove it, or attach this as a file.",
            field=field,
            params={"at": found.start() + 1},
        )


def _bounded(text: str, field: str, most: int) -> None:
    if len(text) > most:
        raise _too_long(field, most)


def _too_long(field: str, most: int) -> Refused:
    return Refused(
        "text-too-long",
        "This has at most {most} characters. Shorten it.",
        field=field,
        params={"most": most},
    )
