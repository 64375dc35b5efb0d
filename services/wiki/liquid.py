"""What the template tags of site generators (Jekyll, Eleventy) become when a page with front matter is shown.

Links to pages and files are resolved, channel names and quoted texts are written out, alerts become
quotations, `raw` is kept as it stands, `comment` is dropped. Other components of the old site (`include`,
icons, loops) are left out, and their names are reported so that the page can say so. What is no known tag
stays as text. Stored bodies are never changed.
"""

import re
from dataclasses import dataclass, field

#: Longest tag that is recognised, in characters, and deepest nesting of alerts.
LONGEST_TAG = 2_000
DEEPEST_ALERT = 4

_OPENING = re.compile(r"\{%|\{\{")
_NAME = re.compile(r"-?\s*([A-Za-z_][\w-]*)\s*")
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_NAMED = re.compile(r"(heading|content|text)\s*[:=]\s*(?:\"([^\"]*)\"|'([^']*)')")
_BASE = re.compile(r"\s*(?:site|base)\.base_?url(/[^\s{}|]*)?\s*")
_RELATIVE = re.compile(r"\s*(?:\"([^\"]*)\"|'([^']*)')\s*(?:\|\s*(relative_url|absolute_url)\s*)*")
_ADDRESS = re.compile(r"[^\s<>()\"'\\]+")
_SPECIAL = re.compile(r"([\\`*_\[\]<>#])")

_LEFT_OUT = {
    "include",
    "uswds_icon",
    "usa",
    "usa-current",
    "renderTemplate",
    "endrenderTemplate",
    "if",
    "elsif",
    "else",
    "endif",
    "unless",
    "endunless",
    "for",
    "endfor",
    "case",
    "when",
    "endcase",
    "assign",
    "capture",
    "endcapture",
    "highlight",
    "endhighlight",
    "include_relative",
}
_SPANS = {
    "raw": re.compile(r"\{%-?\s{0,20}endraw\s{0,20}-?%\}"),
    "comment": re.compile(r"\{%-?\s{0,20}endcomment\s{0,20}-?%\}"),
}


@dataclass(frozen=True, slots=True)
class Expanded:
    """The text to be read as Markdown, and the components that were left out, by name."""

    text: str
    left_out: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reading:
    text: str
    parts: list[str] = field(default_factory=list)
    alerts: list[tuple[int, str]] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    unclosed: set[str] = field(default_factory=set)
    closings: dict[str, int] = field(default_factory=dict)

    def next(self, closing: str, begin: int) -> int:
        """Where `closing` stands next; the text's length where it does not. Each stretch is searched once."""
        if self.closings.get(closing, -1) < begin:
            at = self.text.find(closing, begin)
            self.closings[closing] = at if at >= 0 else len(self.text)
        return self.closings[closing]


def expand(text: str) -> Expanded:
    """Linear in the length of the text."""
    reading, at = _Reading(text), 0
    while found := _OPENING.search(text, at):
        reading.parts.append(text[at : found.start()])
        closing = "%}" if found[0] == "{%" else "}}"
        end = reading.next(closing, found.end())
        after = -1
        if end - found.end() <= LONGEST_TAG and end < len(text):
            inner = text[found.end() : end]
            after = _tag(reading, inner, end + 2) if closing == "%}" else _output(reading, inner, end + 2)
        if after < 0:
            reading.parts.append(found[0])
            after = found.end()
        at = after
    reading.parts.append(text[at:])
    while reading.alerts:
        _close_alert(reading)
    return Expanded("".join(reading.parts), tuple(sorted(reading.left_out)))


def _output(reading: _Reading, inner: str, after: int) -> int:
    """`{{ inner }}`; answers where reading goes on, -1 where it is no tag."""
    if base := _BASE.fullmatch(inner):
        reading.parts.append(base[1] or "")
    elif literal := _RELATIVE.fullmatch(inner):
        reading.parts.append(literal[1] or literal[2] or "")
    else:
        return -1
    return after


def _tag(reading: _Reading, inner: str, after: int) -> int:
    """`{% inner %}`; answers where reading goes on, -1 where it is no tag."""
    found = _NAME.match(inner)
    if found is None:
        return -1
    name = found[1]
    rest = inner[found.end() :].rstrip("- \t\r\n")
    if name in _SPANS:
        return _span(reading, name, after)
    if name == "alert" and len(reading.alerts) < DEEPEST_ALERT:
        reading.alerts.append((len(reading.parts), _first(rest)))
    elif name == "endalert" and reading.alerts:
        _close_alert(reading)
    elif name in _LEFT_OUT:
        _leave_out(reading, name, rest)
    elif (written := _written(name, rest)) is not None:
        reading.parts.append(written)
    else:
        return -1
    return after


def _span(reading: _Reading, name: str, after: int) -> int:
    end = None if name in reading.unclosed else _SPANS[name].search(reading.text, after)
    if end is None:
        reading.unclosed.add(name)
        return -1
    if name == "raw":
        reading.parts.append(reading.text[after : end.start()])
    return end.end()


def _written(name: str, rest: str) -> str | None:
    """What a tag with arguments reads as; None for an unknown one."""
    quoted = [double or single for double, single in _QUOTED.findall(rest)]
    first = quoted[0] if quoted else rest
    match name:
        case "page" | "link" | "download" | "post_url" if _ADDRESS.fullmatch(first):
            return first if re.match(r"[a-z]+:|/|#", first) else f"/{first}"
        case "slack_channel" if quoted:
            return _SPECIAL.sub(r"\\\1", quoted[1] if len(quoted) > 1 else f"#{first}")
        case "image" | "image_with_class" if quoted:
            return _SPECIAL.sub(r"\\\1", quoted[-1] if len(quoted) > 1 else "").join(("![", f"](</{first}>)"))
    return None


def _leave_out(reading: _Reading, name: str, rest: str) -> None:
    """The component's own words stay; a component without any is reported."""
    words = {key: double or single for key, double, single in _NAMED.findall(rest)}
    if name == "include" and words:
        heading = f"**{words['heading']}**\n\n" if "heading" in words else ""
        reading.parts.append(_quotation(heading + words.get("content", words.get("text", ""))))
    elif name not in ("capture", "endcapture", "endif", "endfor", "endunless", "endcase", "else"):
        reading.left_out.add(f"{name} {_first(rest)}".strip() if name == "include" else name)


def _first(rest: str) -> str:
    if quoted := _QUOTED.match(rest):
        return quoted[1] or quoted[2] or ""
    return rest.split(maxsplit=1)[0] if rest.split() else ""


def _close_alert(reading: _Reading) -> None:
    begin, heading = reading.alerts.pop()
    text = "".join(reading.parts[begin:])
    del reading.parts[begin:]
    reading.parts.append(_quotation(f"**{heading}**\n\n{text}" if heading else text))


def _quotation(text: str) -> str:
    lines = "\n".join(f"> {line}".rstrip() for line in text.strip("\n").split("\n"))
    return f"\n\n{lines}\n\n"
