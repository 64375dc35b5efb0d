"""Texts before they become words of the index, and questions after somebody typed them. Pure."""

import re
import unicodedata
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from shared.kernel.errors import Refused

#: Around what was found, in what the index answers. Nobody can write them: they are taken out of every text.
OPEN, CLOSE = "\ue000", "\ue001"
#: Characters of a question, and the words and phrases in it.
LONGEST_QUESTION = 200
MOST_WORDS = 32
#: Characters of a title that is made from the beginning of a text.
LONGEST_TITLE = 90
#: Characters of a passage.
PASSAGE = 160

_MARKS = str.maketrans("", "", OPEN + CLOSE)
_FRONT_MATTER = re.compile(r"\A---\s*\n.*?\n---\s*(?:\n|\Z)", re.DOTALL)
_PART = re.compile(r'(?P<without>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))')
_RUN = re.compile(r"\w+")
_READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def clean(text: str) -> str:
    """Without the characters that mark what was found."""
    return text.translate(_MARKS)


def of_markdown(body: str) -> str:
    """What a reader of a page reads: no markup, no addresses of links, no front matter."""
    lines = []
    for token in _READER.parse(_FRONT_MATTER.sub("", body, count=1)):
        if token.type == "inline":
            lines.append(_inline(token.children or []))
        elif token.type in ("fence", "code_block"):
            lines.append(token.content)
    return clean("\n".join(line for line in lines if line.strip()))


def _inline(tokens: list[Token]) -> str:
    parts = []
    for token in tokens:
        match token.type:
            case "text" | "code_inline" | "image":
                parts.append(token.content)
            case "softbreak" | "hardbreak":
                parts.append(" ")
    return "".join(parts)


def beginning(text: str, longest: int = LONGEST_TITLE) -> str:
    """How a text begins, on one line: as a title for what has none."""
    line = " ".join(text[: 8 * longest].split())
    if len(line) <= longest:
        return line
    cut = line[:longest]
    words, _, _ = cut.rpartition(" ")
    return f"{words if len(words) > longest // 2 else cut}…"


def folded(word: str) -> str:
    """A word as it is compared: without accents, in small letters."""
    bare = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in bare if not unicodedata.combining(letter))


def is_spelled(word: str) -> bool:
    """Whether it can be misspelled. What has digits is a number, a code or a name: one that is like it is not
    what was meant."""
    return not any(letter.isdigit() for letter in word)


@dataclass(frozen=True, slots=True)
class Question:
    """What to look for: words in any order, phrases word by word, and what is to be left out."""

    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def __str__(self) -> str:
        phrases = [f'"{phrase}"' for phrase in self.phrases]
        without = [f'-"{text}"' if " " in text else f"-{text}" for text in self.without]
        return " ".join([*self.words, *phrases, *without])


def question(typed: str) -> Question:
    """What was typed: words, "phrases" and -words; everything else is text. Raises Refused."""
    typed = unicodedata.normalize("NFKC", _visible(typed[: 2 * LONGEST_QUESTION]))
    if len(typed) > LONGEST_QUESTION:
        raise Refused(
            "search-too-long",
            "Search for at most {most} characters. A few words find more.",
            field="q",
            params={"most": LONGEST_QUESTION},
        )
    words, phrases, without = list[str](), list[str](), list[str]()
    for part in _PART.finditer(typed):
        found = (part["phrase"] or part["word"] or "").strip()
        if not any(_says(letter) for letter in found):
            continue
        kept = without if part["without"] else phrases if part["phrase"] else words
        kept.append(found)
    asked = Question(tuple(words), tuple(phrases), tuple(word.lstrip("-") for word in without))
    _check(asked)
    return asked


def _check(asked: Question) -> None:
    if asked.without and not asked.words and not asked.phrases:
        raise Refused("search-only-without", "Say what to look for, not only what to leave out.", field="q")
    if not asked.words and not asked.phrases:
        raise Refused("search-empty", "Type a word to look for: letters or digits.", field="q")
    if sum(map(_count, (*asked.words, *asked.phrases, *asked.without))) > MOST_WORDS:
        raise too_many_words()


def too_many_words() -> Refused:
    return Refused(
        "search-too-many-words",
        "Search for at most {most} words. A few words find more.",
        field="q",
        params={"most": MOST_WORDS},
    )


def _count(text: str) -> int:
    """About how many words the index will see: some scripts write them without spaces."""
    dense = sum(map(_is_dense, text))
    return len(_RUN.findall(text)) + dense // 2


def _is_dense(letter: str) -> bool:
    """Thai and its neighbours, Chinese, Japanese."""
    return unicodedata.category(letter) == "Lo" and letter >= "\u0e00"


def _visible(typed: str) -> str:
    """Without what cannot be seen: zero widths, turned directions, control characters, our own marks."""
    shown = []
    for letter in clean(typed):
        kind = unicodedata.category(letter)
        shown.append(
            " " if kind in ("Cc", "Zl", "Zp") else "" if kind in ("Cf", "Cs", "Co", "Cn") else letter
        )
    return "".join(shown)


def _says(letter: str) -> bool:
    return letter.isalnum() or unicodedata.category(letter) == "So"
