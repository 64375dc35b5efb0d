"""What somebody typed: which texts are accepted, whom they mention, which topics they name."""

import re
import unicodedata
from collections.abc import Iterator

from shared.kernel.errors import Refused
from shared.kernel.text import comparable, line, prose, shows

#: Characters of a post, a comment, a title, and what a picture shows.
LONGEST_POST = 20_000
LONGEST_COMMENT = 5_000
LONGEST_TITLE = 200
LONGEST_ALT = 500
#: Members that one text may mention, topics that it may name, and characters of a topic.
MOST_MENTIONS = 20
MOST_TOPICS = 10
LONGEST_TOPIC = 50
#: Marks above and below one letter; more only hide the lines around it.
MOST_MARKS = 6

_MENTION = re.compile(r"@\[([A-Za-z0-9][A-Za-z0-9_\-]{0,63})\]")
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.\-]{1,20}://\S+", re.IGNORECASE)
#: Embeddings and isolates reach beyond their text, which has a direction of its own; overrides are refused.
#: Of what has no width, the joiners stay: Persian, Indic scripts and emoji need them.
_INVISIBLE = re.compile(
    "[\u202a-\u202e\u2066-\u2069\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb\u180e]"
)
#: Tag characters write what nobody sees, except in flags, which they follow.
_HIDDEN_TAGS = re.compile("(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0000-\U000e007f]+")
#: What a topic begins with: the number sign, also the wide one of East Asian keyboards.
_SIGNS = "#\uff03"
_WITHIN_A_WORD = re.compile(f"(?<=[\\w&/])[{_SIGNS}]")


def cleaned(text: str) -> str:
    """The text without what hides other text or heaps upon it."""
    bare = _HIDDEN_TAGS.sub("", _INVISIBLE.sub("", text))
    return "".join(_few_marks(unicodedata.normalize("NFC", bare))).strip()


def _few_marks(text: str) -> Iterator[str]:
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= MOST_MARKS:
            yield character


def checked_post(text: str, *, may_be_empty: bool = False) -> str:
    """The text of a post, cleaned. Raises Refused. With pictures it may be empty."""
    return _checked(text, LONGEST_POST, may_be_empty)


def checked_comment(text: str) -> str:
    """The text of a comment, cleaned. Raises Refused."""
    return _checked(text, LONGEST_COMMENT, False)


def _checked(typed: str, most: int, may_be_empty: bool) -> str:
    said = cleaned(prose(typed, "text", most))
    if shows(said):
        return said
    if may_be_empty:
        return ""
    raise Refused("text-missing", "Write something first.", field="text")


def checked_title(title: str, *, announcement: bool) -> str:
    """The title on one line: announcements have one, posts none. Raises Refused."""
    said = line(title, "title", LONGEST_TITLE)
    if announcement and not said:
        raise Refused("title-missing", "Give the announcement a title.", field="title")
    if said and not announcement:
        raise Refused("title-not-here", "Only announcements have a title.", field="title")
    return said


def checked_alt(alt: str) -> str:
    """What a picture shows, on one line. Raises Refused."""
    return line(alt, "alt", LONGEST_ALT)


def mentions(text: str) -> tuple[str, ...]:
    """The members that the text names, each once, in its order. Raises Refused."""
    found = tuple(dict.fromkeys(_MENTION.findall(text)))
    if len(found) > MOST_MENTIONS:
        raise Refused(
            "too-many-mentions",
            "One text mentions at most {most} people. Address a group instead.",
            field="text",
            params={"most": MOST_MENTIONS},
        )
    return found


def topics(text: str) -> tuple[str, ...]:
    """The topics that the text names, as they are compared, each once, in its order. Raises Refused."""
    found = tuple(dict.fromkeys(_topics(_ADDRESS.sub(" ", text))))
    if len(found) > MOST_TOPICS:
        raise Refused(
            "too-many-topics",
            "One text names at most {most} topics. Keep those that matter.",
            field="text",
            params={"most": MOST_TOPICS},
        )
    return found


def topic(word: str) -> str:
    """A topic as it is compared, with or without its sign: `#Fikà` and `fikà` are one."""
    return comparable(word.lstrip(_SIGNS))[:LONGEST_TOPIC].strip()


def _topics(text: str) -> Iterator[str]:
    # A sign within a word begins no topic: `C#` and `a#b` are left alone.
    for part in re.split(f"[{_SIGNS}]", _WITHIN_A_WORD.sub(" ", text))[1:]:
        word = part[: _word_length(part)].rstrip("-")
        folded = topic(word)
        if any(unicodedata.category(c)[0] == "L" for c in folded):
            yield folded


def _word_length(text: str) -> int:
    for at, character in enumerate(text):
        kind = unicodedata.category(character)
        if kind[0] not in "LMN" and character not in "_-\u200c\u200d":
            return at
    return len(text)


def spoken(text: str) -> str:
    """What is left for finding out the language: no mentions, addresses or topics' signs."""
    return _ADDRESS.sub(" ", _MENTION.sub(" ", text)).replace("#", " ")
