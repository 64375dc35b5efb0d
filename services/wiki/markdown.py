"""How a page's text is shown: Markdown to HTML that cannot do harm, its headings, and its links made to lead
somewhere.

Two steps: `prepare` depends on the text alone and may be kept; `finish` puts in where links lead for one
reader. The tags, attributes and addresses let through are listed here, all others are dropped. Headings of
the page begin on the second level, because the page's title is the first. Pictures are not shown yet: their
description is, with a link where there is one.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from urllib.parse import quote

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin

from services.wiki.domain.writing import front_matter, title_of
from services.wiki.links import Target, target
from services.wiki.liquid import expand

#: Deepest nesting that is read as structure; longest HTML that is shown, in characters.
DEEPEST = 40
LONGEST_HTML = 3_000_000
#: Every id in a page begins with this, so that a page cannot pose as a part of the layout.
ID_PREFIX = "s-"

_TAGS = {
    "a",
    "abbr",
    "b",
    "bdi",
    "bdo",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "u",
    "ul",
    "var",
}
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"id", "lang"},
    "abbr": {"title"},
    "a": {"href"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "time": {"datetime"},
}
_VALUES: dict[str, dict[str, set[str]]] = {
    "th": {"scope": {"col", "row", "colgroup", "rowgroup"}},
    "div": {"tabindex": {"0"}, "dir": {"ltr", "rtl", "auto"}},
    **{tag: {"dir": {"ltr", "rtl", "auto"}} for tag in ("p", "span", "li", "bdi", "bdo", "blockquote")},
}
_CLASSES: dict[str, set[str]] = {
    "div": {"table"},
    "sup": {"footnote-ref"},
    "section": {"footnotes"},
    "a": {"footnote-backref"},
    "li": {"task"},
    "span": {"picture"},
    "td": {"n", "center"},
    "th": {"n", "center"},
}
_SCHEMES = {"http", "https", "mailto", "tel"}
_WITH_CONTENT = {
    "script",
    "style",
    "iframe",
    "object",
    "template",
    "noscript",
    "svg",
    "math",
    "select",
    "textarea",
}

#: What swallows all that follows it when it is not closed.
_SWALLOWING = re.compile(
    "<(?P<end>/?)(?P<name>"
    + "|".join([*sorted(_WITH_CONTENT), "noembed", "noframes", "plaintext", "title", "xmp"])
    + r")(?=[\s/>])|<!--|-->",
    re.IGNORECASE,
)

_ANCHOR = re.compile(r'<a((?: [a-z]+="[^"]*")*)>')
_HREF = re.compile(r' href="([^"]*)"')
_OWN_ID = re.compile(r"\s*\{#([^\s{}]{1,200})\}\s*$")
_ATTRIBUTE_LIST = re.compile(r"\{[:.#][^{}]{0,200}\}")
_TASK = re.compile(r"\[([ xX])\](?=\s)")
_ALIGNED = {"text-align:right": "n", "text-align:center": "center"}


@dataclass(frozen=True, slots=True)
class Heading:
    """`id` is where a link to it points; levels begin at 2."""

    level: int
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A page as safe HTML whose links still read as they were written."""

    html: str
    headings: tuple[Heading, ...] = ()
    left_out: tuple[str, ...] = ()
    hrefs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an address leads for this reader."""

    page_id: str
    deleted: bool = False


class TooComplex(Exception):
    """The text would become more HTML than anybody can read."""


def prepare(body: str, path: str) -> Prepared:
    """Raises TooComplex. Hostile texts may cost minutes: call it where it can be given up."""
    matter = front_matter(body)
    expanded = expand(body[matter.length :]) if matter.length else None
    text = expanded.text if expanded else body
    env: dict[str, object] = {"title": title_of(body, path), "headings": []}
    rendered = _parser().render(text, env)
    if len(rendered) > LONGEST_HTML:
        raise TooComplex(f"{len(rendered)} characters of HTML")
    safe = _clean(_framed(_unswallowed(rendered)))
    if len(safe) > LONGEST_HTML:
        raise TooComplex(f"{len(safe)} characters of HTML")
    found = env["headings"]
    hrefs = dict.fromkeys(html.unescape(href) for href in _HREF.findall(safe))
    return Prepared(
        safe,
        tuple(found) if isinstance(found, list) else (),
        expanded.left_out if expanded else (),
        tuple(hrefs),
    )


def as_written(body: str) -> Prepared:
    """The text unread, for one that cannot be shown as Markdown."""
    return Prepared(f"<pre>{html.escape(body, quote=False)}</pre>")


def targets(prepared: Prepared, path: str) -> list[Target]:
    """Where the page's links lead inside its space."""
    return [leads for href in prepared.hrefs if (leads := target(href, path)) is not None]


def finish(prepared: Prepared, path: str, space_id: str, found: Mapping[str, Destination]) -> str:
    """The HTML with its links put in. What is not found leads to where the page can be started."""

    def placed(anchor: re.Match[str]) -> str:
        written = _HREF.search(anchor[1])
        if written is None:
            return anchor[0]
        href, attributes = _placed(html.unescape(written[1]), path, space_id, found)
        return f'<a{_HREF.sub("", anchor[1])} href="{html.escape(href)}"{attributes}>'

    return _ANCHOR.sub(placed, prepared.html)


def _placed(href: str, path: str, space_id: str, found: Mapping[str, Destination]) -> tuple[str, str]:
    if href.startswith("#"):
        return "#" + quote(_prefixed(href[1:]), safe="-_.~%"), ""
    leads = target(href, path)
    if leads is None:
        return href, ' class="external" rel="noopener noreferrer"' if re.match(r"https?:|//", href) else ""
    fragment = "#" + quote(_prefixed(leads.fragment), safe="-_.~%") if leads.fragment else ""
    if not leads.address:
        return f"/wiki/spaces/{quote(space_id)}{fragment}", ""
    if (place := found.get(leads.address)) is not None:
        return f"/wiki/pages/{quote(place.page_id)}{fragment}", ' class="deleted"' if place.deleted else ""
    return f"/wiki/at?space={quote(space_id)}&path={quote(leads.address)}", ' class="missing"'


def _prefixed(fragment: str) -> str:
    return fragment if fragment.startswith(ID_PREFIX) else ID_PREFIX + fragment


def _clean(rendered: str) -> str:
    return nh3.clean(
        rendered,
        tags=_TAGS,
        clean_content_tags=_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        tag_attribute_values=_VALUES,
        allowed_classes=_CLASSES,
        url_schemes=_SCHEMES,
        link_rel=None,
        id_prefix=ID_PREFIX,
    )


def _unswallowed(rendered: str) -> str:
    """A tag such as <select> that somebody wrote about, and never closed, is text: the rest of the page would
    vanish in it. Done before cleaning, which has the last word."""
    closed: set[str] = set()
    opened: list[int] = []
    for found in reversed(list(_SWALLOWING.finditer(rendered))):
        name = (found["name"] or "comment").lower()
        if found["end"] or found[0] == "-->":
            closed.add(name)
        elif name not in closed or name == "plaintext":
            opened.append(found.start())
    places = [-1, *reversed(opened), len(rendered)]
    return "&lt;".join(rendered[before + 1 : after] for before, after in pairwise(places))


def _framed(rendered: str) -> str:
    """Tables scroll in a frame that the keyboard reaches, and headings written as HTML begin on the second
    level too. Done before cleaning, which has the last word."""
    lower = re.sub(r"<(/?)h1(?=[\s/>])", r"<\1h2", rendered, flags=re.IGNORECASE)
    opened = re.sub(r"<table(?=[\s>])", '<div class="table" tabindex="0"><table', lower, flags=re.IGNORECASE)
    return re.sub(r"</table>", "</table></div>", opened, flags=re.IGNORECASE)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt(
        "commonmark", {"html": True, "linkify": True, "maxNesting": DEEPEST}, renderer_cls=_Pictures
    )
    parser.enable(["table", "strikethrough", "linkify"]).use(footnote_plugin).use(deflist_plugin)
    if parser.linkify is not None:
        parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    for name, rule in (("title", _drop_title), ("headings", _mark_headings), ("marks", _mark_rest)):
        parser.core.ruler.push(name, rule)
    return parser


class _Pictures(RendererHTML):
    """Writes a picture's description where the picture would be."""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        source = str(token.attrs.get("src", ""))
        words = html.escape(self.renderInlineAsText(token.children, options, env)) or html.escape(
            source.rpartition("/")[2]
        )
        if source.startswith(("https://", "http://")):
            return f'<a href="{html.escape(source)}"><span class="picture">{words}</span></a>'
        return f'<span class="picture">{words}</span>'


def _drop_title(state: StateCore) -> None:
    """A first heading that says the title again is not shown."""
    first = state.tokens[:3]
    if len(first) == 3 and first[0].type == "heading_open" and _words(first[1]) == state.env.get("title"):
        del state.tokens[:3]


def _mark_headings(state: StateCore) -> None:
    opened = [(token, state.tokens[at + 1], state.tokens[at + 2]) for at, token in _headings(state.tokens)]
    shift = 1 if any(token.tag == "h1" for token, _, _ in opened) else 0
    taken: dict[str, int] = {}
    for token, inline, closing in opened:
        own = _own_id(inline)
        level = max(2, min(6, int(token.tag[1]) + shift))
        token.tag = closing.tag = f"h{level}"
        text = _words(inline)
        token.attrSet("id", anchor := _unique(own or _slug(text), taken))
        state.env["headings"].append(Heading(level, ID_PREFIX + anchor, text))


def _headings(tokens: Sequence[Token]) -> Iterator[tuple[int, Token]]:
    return ((at, token) for at, token in enumerate(tokens) if token.type == "heading_open")


def _own_id(inline: Token) -> str:
    """An id that the writer gave the heading: `## Title {#id}`."""
    last = inline.children[-1] if inline.children else None
    if last is None or last.type != "text" or not (found := _OWN_ID.search(last.content[-300:])):
        return ""
    last.content = last.content.rstrip()[: -len(found[0].strip())].rstrip()
    return re.sub(r"[^\w\-.]", "", found[1])


def _words(inline: Token) -> str:
    def text(tokens: Sequence[Token]) -> Iterator[str]:
        for token in tokens:
            if token.type in ("text", "code_inline"):
                yield token.content
            elif token.type in ("softbreak", "hardbreak"):
                yield " "
            elif token.type == "image" and token.children:
                yield from text(token.children)

    return _OWN_ID.sub("", " ".join("".join(text(inline.children or [])).split()))


def _slug(text: str) -> str:
    """An id as code forges and site generators make it, so that old links to headings still arrive."""
    normal = unicodedata.normalize("NFC", text).strip().casefold()
    return re.sub(r"[^\w\- ]", "", normal).replace(" ", "-")[:100] or "section"


def _unique(anchor: str, taken: dict[str, int]) -> str:
    while anchor in taken:
        taken[anchor] += 1
        anchor = f"{anchor}-{taken[anchor]}"
    taken[anchor] = 0
    return anchor


def _mark_rest(state: StateCore) -> None:
    """Tasks, attribute lists after links, and columns: by class where others write styles and inputs."""
    rules: dict[str, Callable[[list[Token], int], None]] = {
        "inline": _mark_inline,
        "th_open": _mark_cell,
        "td_open": _mark_cell,
    }
    for at, token in enumerate(state.tokens):
        if rule := rules.get(token.type):
            rule(state.tokens, at)


def _mark_cell(tokens: list[Token], at: int) -> None:
    style = str(tokens[at].attrs.pop("style", ""))
    if style in _ALIGNED:
        tokens[at].attrSet("class", _ALIGNED[style])
    if tokens[at].type == "th_open":
        tokens[at].attrSet("scope", "col")


def _mark_inline(tokens: list[Token], at: int) -> None:
    children = tokens[at].children or []
    for before, token in pairwise(children):
        if before.type == "link_close" and token.type == "text":
            token.content = (
                _ATTRIBUTE_LIST.sub("", token.content, count=1) if token.content[:1] == "{" else token.content
            )
    listed = at > 1 and tokens[at - 2].type == "list_item_open" and children and children[0].type == "text"
    if listed and (found := _TASK.match(children[0].content)):
        tokens[at - 2].attrSet("class", "task")
        children[0].content = ("☐" if found[1] == " " else "☑") + children[0].content[found.end() :]
