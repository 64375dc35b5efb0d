"""What a page's text says about itself: its front matter and title; and which texts are accepted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pydantic_core

from shared.kernel import text as text_rules
from shared.kernel.errors import Refused, TooLarge

#: Longest body, in bytes of UTF-8, and as JSON inside its event (an event has at most 900 KB).
LONGEST_BODY = 500_000
LONGEST_BODY_AS_JSON = 850_000
#: Longest title, note, name and purpose, in characters.
LONGEST_TITLE = 200
LONGEST_NOTE = 500
LONGEST_NAME = 100
LONGEST_PURPOSE = 1_000
#: Front matter that is longer is read as part of the text.
LONGEST_MATTER = 64_000

_MATTER = re.compile(r"\ufeff?---[ \t]*\r?\n")
_MATTER_END = re.compile(r"^(?:---|\.\.\.)[ \t]*\r?$", re.MULTILINE)
_KEY = re.compile(r"([A-Za-z_][\w-]*)[ \t]*:(?:[ \t]+(.*))?$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}#{1,6}(?=[ \t]|$)")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*$")
_MARKUP = re.compile(r"!?\[([^\[\]]*)\](?:\([^()\s]*\)|\[[^\[\]]*\])?|\{[#.:][^{}]*\}|</?[A-Za-z][^<>]*>")
_INLINE = re.compile(r"</?(?:em|strong|b|i|u|code|sub|sup|span|small|br)\b[^<>]{0,200}>", re.IGNORECASE)
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "/": "/"}


@dataclass(frozen=True, slots=True)
class Matter:
    """Front matter: its entries on the first level, and where in the text the page itself begins."""

    texts: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    length: int = 0

    def all(self, name: str) -> list[str]:
        """The entry as a list, also where it was written as a single text."""
        return self.lists.get(name, []) or [text for text in (self.texts.get(name),) if text]


def front_matter(body: str) -> Matter:
    """The subset of YAML that pages use: texts and flat lists on the first level; whatever else is passed
    over.

    Linear in the text's length: YAML itself allows aliases and nesting that cost far more than they say.
    """
    begin = _MATTER.match(body)
    if begin is None:
        return Matter()
    end = _MATTER_END.search(body, begin.end(), begin.end() + LONGEST_MATTER)
    if end is None:
        return Matter()
    after = body.find("\n", end.end())
    matter = Matter(length=len(body) if after < 0 else after + 1)
    name = ""
    for line in body[begin.end() : end.start()].split("\n"):
        name = _entry(matter, name, line)
    return matter


def _entry(matter: Matter, name: str, line: str) -> str:
    """Reads one line of front matter; answers the entry that it belongs to."""
    text = line.strip()
    if not text or text.startswith("#"):
        return name
    if text.startswith("- ") and name and name not in matter.texts:
        matter.lists.setdefault(name, []).append(_scalar(text[2:].strip()))
        return name
    if line[0] in " \t":
        _continued(matter, name, text)
        return name
    found = _KEY.match(line)
    if found is None:
        return ""
    name, value = found[1], (found[2] or "").strip()
    if value.startswith("[") and value.endswith("]"):
        matter.lists[name] = [_scalar(part.strip()) for part in value[1:-1].split(",") if part.strip()]
    elif value and not value.startswith("#"):
        matter.texts[name] = "" if value[0] in ">|&*" else _scalar(value)
    return name


def _continued(matter: Matter, name: str, text: str) -> None:
    """A plain text that goes on in the next line is joined by a space, as YAML folds it."""
    if name in matter.texts and len(matter.texts[name]) <= LONGEST_TITLE:
        matter.texts[name] = f"{matter.texts[name]} {text}".strip()


def _scalar(value: str) -> str:
    if value[:1] == "'":
        end = _closing(value, "'")
        return value[1:end].replace("''", "'")
    if value[:1] == '"':
        end = _closing(value, '"')
        return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), value[1:end])
    return value.split(" #", 1)[0].rstrip()


def _closing(value: str, quote: str) -> int:
    """Where the quoted text that begins `value` ends; its own end where nothing closes it."""
    at = 1
    while at < len(value):
        escaped = value[at] == "\\" if quote == '"' else value[at : at + 2] == "''"
        if escaped:
            at += 2
        elif value[at] == quote:
            return at
        else:
            at += 1
    return len(value)


def title_of(body: str, path: str) -> str:
    """The page's title: front matter's `title`, else the first heading, else the path's last segment."""
    matter = front_matter(body)
    said = _INLINE.sub("", matter.texts.get("title", ""))
    heading = said or next(_headings(body[matter.length :]), "")
    return _short(heading) or _short(_named(path)) or "?"


def _headings(text: str) -> Iterator[str]:
    fence, before = "", ""
    for line in text.replace("\r\n", "\n").split("\n"):
        found = _FENCE.match(line)
        if fence:
            fence = "" if found and found[1].startswith(fence) and not line.strip(" \t`~") else fence
        elif found:
            fence = found[1]
        elif heading := _HEADING.match(line):
            yield plain(_without_closing(line[heading.end() :]))
        elif before and not before.startswith((" " * 4, "\t")) and _UNDERLINE.match(line):
            yield plain(before)
        before = line if line.strip() and not fence else ""


def _without_closing(heading: str) -> str:
    """The heading's words: `## Words ##` may close as it opened. By hand, since a pattern that looks for the
    closing marks takes quadratic time on a line of spaces."""
    words = heading.strip(" \t")
    bare = words.rstrip("#")
    return words if bare and bare[-1] not in " \t" else bare.rstrip(" \t")


def plain(text: str) -> str:
    """A line of Markdown without its marks."""
    bare = _MARKUP.sub(lambda m: m[1] or "", text[: 10 * LONGEST_TITLE])
    return re.sub(r"\\([!-/:-@\[-`{-~])|[*`]|(?<!\w)_|_(?!\w)", lambda m: m[1] or "", bare).strip()


def _named(path: str) -> str:
    last = re.sub(r"\.(?:md|markdown)$", "", path.rsplit("/", 1)[-1], flags=re.IGNORECASE)
    words = re.sub(r"[-_]+", " ", last).strip() or last
    return words[:1].upper() + words[1:]


def _short(text: str) -> str:
    """One line in which everything shows, at most as long as a title."""
    line = text_rules.seen(text[: 4 * LONGEST_TITLE])
    return line if len(line) <= LONGEST_TITLE else line[: LONGEST_TITLE - 1].rstrip() + "…"


def checked_body(body: str) -> str:
    """The body itself, never altered. Raises Refused where it is no text or too long."""
    text_rules.check_sound(body, "body")
    if len(body.encode()) > LONGEST_BODY or (
        len(body) > LONGEST_BODY_AS_JSON // 6 and len(pydantic_core.to_json(body)) > LONGEST_BODY_AS_JSON
    ):
        raise TooLarge(
            "page-too-long",
            "A page has at most {most} bytes. Split it into several pages and link them.",
            field="body",
            params={"most": LONGEST_BODY},
        )
    return body


def checked_note(note: str) -> str:
    """The note on one line. Raises Refused."""
    return text_rules.line(note, "note", LONGEST_NOTE)


def checked_name(name: str) -> str:
    """A space's name on one line. Raises Refused."""
    return text_rules.name(name, "name", LONGEST_NAME)


def checked_purpose(purpose: str) -> str:
    """A space's purpose on one line: that of a group, where the space is a group's, has several. Raises
    Refused."""
    return text_rules.one_line(purpose, "purpose", LONGEST_PURPOSE)


def checked_language(language: str) -> str:
    """A language tag such as `sv` or `pt-BR`. Raises Refused."""
    return text_rules.language(language)


def checked_member(member_id: str, name: str) -> str:
    """A member's id as the house writes ids. Raises Refused."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}", member_id):
        return member_id
    raise no_such_member(name)


def no_such_member(name: str) -> Refused:
    return Refused("member-unknown", "There is no such member. Choose one from the list.", field=name)
