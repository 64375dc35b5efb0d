"""Where a link inside a space leads: to an address, which pages answer to in several ways and keep when they
move.

An address is a path as people write it in links: without case, leading slash, `.md`, a last `index`, or the
root folder of a site generator (`pages`, `_pages`). A page answers to its path, its front matter's
`permalink` and `redirect_from`, every path it has had, and, where nothing else does, to its last segment
alone.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, TypeVar
from urllib.parse import unquote

from services.wiki.domain.writing import front_matter
from services.wiki.liquid import expand

#: Links of one page that are looked at and followed, and addresses one page answers to.
MOST_WRITTEN = 20_000
MOST_LINKS = 2_000
MOST_ADDRESSES = 200
LONGEST_LINK = 1_000

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:|//|\\")
_FILE = re.compile(r"\.(?:png|jpe?g|gif|svg|webp|pdf|docx?|xlsx?|pptx?|csv|zip|mp3|mp4|ics)$")
_ENDING = re.compile(r"\.(?:md|markdown|html?)$")
_FENCED = re.compile(r"^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\1|\Z)", re.MULTILINE | re.DOTALL)
_WRITTEN = re.compile(
    r"\]\(\s{0,20}<([^<>\n]{0,1000})>"
    r"|\]\(\s{0,20}([^\s<>()]{1,1000})"
    r"|^ {0,3}\[[^\[\]\n]{1,200}\]:[ \t]{0,20}<?([^\s<>]{1,1000})"
    r"|\bhref\s{0,20}=\s{0,20}[\"']([^\"'<>\n]{0,1000})",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Target:
    """An address in the same space, and the place on that page."""

    address: str
    fragment: str = ""


class Place(Protocol):
    """What is to be known of a page that may be meant by a link."""

    page_id: str
    path: str
    name: str
    addresses: list[str]
    deleted: bool


P = TypeVar("P", bound=Place)


def address(path: str) -> str:
    """The canonical form of a path or of a link's absolute path; '' is the space's front page."""
    parts: list[str] = []
    for part in unicodedata.normalize("NFC", path).casefold().split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    if parts[:1] in (["pages"], ["_pages"]):
        del parts[0]
    if parts:
        parts[-1] = _ENDING.sub("", parts[-1])
        if parts[-1] == "index":
            del parts[-1]
    return "/".join(parts)


def target(href: str, path: str) -> Target | None:
    """Where `href` on the page at `path` leads inside its space; None where it leads elsewhere or stays on
    the page.

    A relative link that ends with a slash is read from the page's address, as browsers do; any other from its
    folder, as editors do.
    """
    if not href or len(href) > LONGEST_LINK or href[0] in "#?" or _SCHEME.match(href):
        return None
    place, _, fragment = href.partition("#")
    place = unquote(place.partition("?")[0])
    if not place.startswith("/"):
        base = address(path) if place.endswith("/") else _folder(path)
        place = f"{base}/{place}"
    return Target(address(place), fragment)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def references(body: str, path: str) -> list[str]:
    """The addresses that the page links to, sorted. A quick reading: code and files are skipped."""
    matter = front_matter(body)
    text = body[matter.length :]
    if matter.length and "{" in text:
        text = expand(text).text
    found: set[str] = set()
    shown = _FENCED.sub("", text) if "```" in text or "~~~" in text else text
    for written in islice(_WRITTEN.finditer(shown), MOST_WRITTEN):
        leads = target(written[written.lastindex or 0].strip(), path)
        if leads is not None and not is_file(leads.address):
            found.add(leads.address)
            if len(found) == MOST_LINKS:
                break
    return sorted(found)


def is_file(address: str) -> bool:
    """Whether it names an attachment, not a page."""
    return _FILE.search(address) is not None


def addresses(body: str, paths: Iterable[str]) -> list[str]:
    """What a page with this text answers to, having been at `paths`, sorted."""
    matter = front_matter(body)
    said = (*matter.all("permalink"), *matter.all("redirect_from"))
    ours = (address(one) for one in (*paths, *said) if len(one) <= LONGEST_LINK and not _SCHEME.match(one))
    return sorted(set(islice(ours, MOST_ADDRESSES)))


def name(path: str) -> str:
    """The last segment of the page's address."""
    return address(path).rpartition("/")[2]


def best(wanted: str, places: Iterable[P], near: str) -> P | None:
    """The page that `wanted` means, seen from the page at `near`; the same for all who see the same pages."""
    meant = [
        (place.deleted, rank, -_shared(place.path, near), place.path, place.page_id, place)
        for place in places
        if (rank := _rank(wanted, place)) is not None
    ]
    return min(meant, key=lambda found: found[:5])[5] if meant else None


def _rank(wanted: str, place: Place) -> int | None:
    if address(place.path) == wanted:
        return 0
    if wanted in place.addresses:
        return 1
    return 2 if place.name == wanted else None


def _shared(path: str, near: str) -> int:
    """How many folders the two have in common."""
    count = 0
    for mine, theirs in zip(path.split("/"), near.split("/"), strict=False):
        if mine != theirs:
            break
        count += 1
    return count
