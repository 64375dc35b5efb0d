"""A rendered page as its elements, so that tests can ask what a browser would."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset(
    ["area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)


@dataclass(slots=True)
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""
    inside: list["Element"] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        return self.attributes.get(name, "")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, inside=list(self._open))
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data


def elements(html: str, *tags: str) -> list[Element]:
    """Every element, or every one of `tags`, in order. Fails where one is not closed as it was opened."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader._open, f"<{reader._open[-1].tag}> is never closed"
    return [element for element in reader.elements if not tags or element.tag in tags]


def scripted(html: str) -> Iterator[str]:
    """Whatever a content security policy without `unsafe-inline` would stop."""
    for element in elements(html):
        if element.tag == "style" or (
            element.tag == "script" and (element.text.strip() or not element["src"])
        ):
            yield f"<{element.tag}>"
        for name, value in element.attributes.items():
            loose = name in ("style", "srcdoc") or name.startswith(("on", "hx-on", "hx-vals", "hx-vars"))
            if loose or value.strip().lower().startswith(("javascript:", "js:", "data:")):
                yield f"<{element.tag} {name}={value!r}>"
