"""Where pages live: which paths are allowed, and the reservation that gives a path to one page at a time.

One, of those that its writer may see: to refuse a path for a page that is hidden from them would tell that it
is there. So several may live at one path, each hidden from whoever brought a later one.
"""

import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from shared.kernel import text
from shared.kernel.decider import Decider
from shared.kernel.errors import Conflict, Refused
from shared.kernel.events import Event

LONGEST_PATH = 500
LONGEST_SEGMENT = 200
MOST_SEGMENTS = 20

_NAMESPACE = uuid.UUID("6f1d3c0e-8a58-4c0f-9b1e-3f0a9f7f4b52")
#: Characters that end or change a path inside a link.
_NOT_IN_A_LINK = frozenset("?#%\\")
#: Control characters, formats (also joiners: a path is typed and compared), halves of characters, and spaces
#: that look like the keyboard's.
_NOT_TYPED = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"})


def path_id(space_id: str, path: str) -> str:
    """The id of the reservation of `path`, the same wherever it is computed."""
    return uuid.uuid5(_NAMESPACE, f"{space_id}\n{path}").hex


def checked_path(path: str) -> str:
    """The path in its normal form (NFC). Raises Refused and says what to change."""
    normal = unicodedata.normalize("NFC", path)
    segments = normal.split("/")
    if not normal:
        raise Refused("path-missing", "Say where the page shall be, such as travel/booking.", field="path")
    if normal.startswith("/") or normal[1:2] == ":":
        raise Refused(
            "path-absolute",
            "Begin the path inside the space, without a leading slash or drive.",
            field="path",
        )
    if len(normal) > LONGEST_PATH or len(segments) > MOST_SEGMENTS:
        raise Refused(
            "path-too-long",
            "A path has at most {most} characters and {segments} parts. Shorten it.",
            field="path",
            params={"most": LONGEST_PATH, "segments": MOST_SEGMENTS},
        )
    if any(map(_is_no_part, normal)) or any(True for _ in text.unseen(normal)):
        raise Refused(
            "path-characters",
            "A path cannot hold invisible characters, backslashes, question marks, # or %. Leave them out.",
            field="path",
        )
    for segment in segments:
        _checked_segment(segment)
    return normal


def _is_no_part(character: str) -> bool:
    return character in _NOT_IN_A_LINK or (character != " " and unicodedata.category(character) in _NOT_TYPED)


def _checked_segment(segment: str) -> None:
    if segment in (".", ".."):
        raise Refused(
            "path-climbs", "A path cannot hold the parts . and .. : write it out in full.", field="path"
        )
    if not segment.strip():
        raise Refused(
            "path-empty-part",
            "A path cannot have an empty part: remove the doubled or last slash.",
            field="path",
        )
    if segment != segment.strip():
        raise Refused("path-spaces", "The parts of a path cannot begin or end with a space.", field="path")
    if len(segment) > LONGEST_SEGMENT:
        raise Refused(
            "path-part-too-long",
            "A part of a path has at most {most} characters. Shorten it.",
            field="path",
            params={"most": LONGEST_SEGMENT},
        )


class PathTaken(Event):
    """A page lives at this path now, perhaps beside others that its writer may not see."""

    topic: ClassVar[str | None] = "wiki.private"

    space_id: str
    path: str
    page_id: str


class PathFreed(Event):
    """The page left this path: another one may take it. Until then the path still leads to the page."""

    topic: ClassVar[str | None] = "wiki.private"

    space_id: str
    path: str
    page_id: str


@dataclass(frozen=True, slots=True)
class TakePath:
    """`unseen`: pages that whoever takes the path may not see."""

    space_id: str
    path: str
    page_id: str
    unseen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FreePath:
    space_id: str
    path: str
    page_id: str


#: Who lives at a path.
Reservation = frozenset[str]

PathCommand = TakePath | FreePath


def stream(command: PathCommand) -> str:
    return f"path-{path_id(command.space_id, checked_path(command.path))}"


def decide(command: PathCommand, held: Reservation) -> Sequence[Event]:
    """Taking what one holds, and freeing what one does not hold, changes nothing."""
    place = {"space_id": command.space_id, "path": checked_path(command.path), "page_id": command.page_id}
    match command:
        case TakePath() if command.page_id not in held:
            if held <= command.unseen:
                return [PathTaken(**place)]
            raise Conflict(
                "path-taken",
                "There is another page at this path. Choose another path, or move that page first.",
                field="path",
            )
        case FreePath() if command.page_id in held:
            return [PathFreed(**place)]
    return []


def evolve(held: Reservation, event: Event) -> Reservation:
    match event:
        case PathTaken(page_id=page_id):
            return held | {page_id}
        case PathFreed(page_id=page_id):
            return held - {page_id}
    return held


paths: Decider[PathCommand, Reservation] = Decider(stream, frozenset(), decide, evolve)
