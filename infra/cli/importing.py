"""Brings a history from elsewhere into the wiki, by way of the API that everybody uses.

It may be broken off and begun again at any time: what was taken is not taken twice, and what cannot be kept
is reported line by line.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from infra.cli.faults import Fault
from infra.cli.platform import Platform, Refusal
from infra.cli.settling import settled
from services.wiki import handbook
from services.wiki.handbook import BrokenHistory, Change, Problem
from shared.runtime.ids import derived_id

#: What the wiki and identity take at once, and the bytes of a request that the gateway lets pass with room.
MOST_CHANGES, MOST_MEMBERS, MOST_BYTES = 200, 500, 1_000_000
#: Where a request begins, what it shrinks to, and how long its answer may take.
FIRST_CHANGES, FEWEST_CHANGES, GOOD_SECONDS = 50, 10, 3.0
SPACE_LANGUAGE = "en"
#: Refusals of a whole request because of something within it.
_TOO_LARGE, _MALFORMED = 413, 422

#: Told how many lines are through, of how many.
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class History:
    """A file, and what a first reading found in it."""

    path: Path
    source: str
    changes: int
    authors: list[str]
    problems: list[Problem]
    digest: str


@dataclass(slots=True)
class Report:
    """What became of every line."""

    source: str
    space_id: str
    done: int = 0
    already: int = 0
    members: int = 0
    pages: int = 0
    commit: str | None = None
    not_kept: list[Problem] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """How many changes are kept, how many of them since earlier, and how many lines are not."""
        return {
            "kept": self.done + self.already,
            "earlier": self.already,
            "not_kept": len(self.not_kept),
        }

    def summary(self) -> list[str]:
        """For people: a line of figures, then why lines are missing."""
        lost = Counter((problem.code, problem.message) for problem in self.not_kept)
        first = (
            f"{self.done + self.already:,} changes kept ({self.already:,} of them earlier), "
            f"{len(self.not_kept):,} not; {self.pages:,} live pages"
        )
        return [first, *(f"  {count:,} x {code}: {said}" for (code, said), count in lost.most_common())]

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: Path, source: str) -> History:
    """Reads the whole file once. Raises Fault where it is no history."""
    authors: dict[str, None] = {}
    problems: list[Problem] = []
    changes = 0
    for found in _planned(path, source):
        if isinstance(found, Problem):
            problems.append(found)
        else:
            authors[found.author] = None
            changes += 1
    if not changes:
        raise Fault(f"{path} holds no change that could be kept: is it a history?")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return History(path, source, changes, list(authors), problems, digest)


def _planned(path: Path, source: str) -> Iterator[Change | Problem]:
    try:
        with path.open("rb") as file:
            yield from handbook.plan(handbook.lines(file), source)
    except OSError as error:
        raise Fault(f"{path} cannot be read: {error.strerror}") from error
    except BrokenHistory as error:
        raise Fault(f"{path}: {error}") from error


def member_of(source: str, author: str) -> str:
    """The member that stands for an author of this source, the same in every run."""
    return derived_id("import", source, author)


def bring(platform: Platform, history: History, space_id: str | None, told: Told) -> Report:
    """Every change of the history, in its order. Raises Fault where it cannot go on; then run it again."""
    owner = str(platform.insist("GET", "/me")["member_id"])
    report = Report(history.source, space_id or _space(platform, history.source))
    report.not_kept += history.problems
    for first in range(0, len(history.authors), MOST_MEMBERS):
        authors = history.authors[first : first + MOST_MEMBERS]
        report.members += _members(platform, history.source, authors)
    # Lines by whom the wiki has not heard of are refused.
    settled(platform, ("identity",), ("wiki",))
    around = {
        "source": report.source,
        "space_id": report.space_id,
        "owner_id": owner,
        "language": SPACE_LANGUAGE,
    }
    door = Door("/wiki/import/changes", around, "changes")
    through, pace = 0, Pace()
    changes = (found for found in _planned(history.path, history.source) if isinstance(found, Change))
    requests = (handbook.request(change, member_of(history.source, change.author)) for change in changes)
    for batch in portions(requests, pace):
        with pace.measured():
            send(platform, report, door, batch)
        through += len(batch)
        told(through, history.changes)
    if report.commit:
        shown = platform.shows("/wiki/pages", report.commit, space=report.space_id, limit=1)
    else:
        shown = platform.ask("GET", "/wiki/pages", space=report.space_id, limit=1)
    report.pages = int(shown["total"])
    return report


def _space(platform: Platform, source: str) -> str:
    """The source's own space, opened once for each operator."""
    space = {
        "name": source.capitalize(),
        "purpose": f"Imported from {source}, with its whole history.",
        "audience": ["staff"],
        "classification": "internal",
        "language": SPACE_LANGUAGE,
    }
    return str(platform.insist("POST", "/wiki/spaces", space, key=f"import-{source}")["id"])


def _members(platform: Platform, source: str, authors: Iterable[str]) -> int:
    members = [
        {"member_id": member_of(source, author), "imported_as": author, "name": author} for author in authors
    ]
    return int(platform.insist("POST", "/members/import", {"members": members})["registered"])


class Pace:
    """How many changes go into one request: as many as are answered in good time, on this machine, now."""

    def __init__(self, most: int = FIRST_CHANGES, fewest: int = FEWEST_CHANGES) -> None:
        self.most, self._fewest = most, fewest

    @contextmanager
    def measured(self) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.took(time.monotonic() - started)

    def took(self, seconds: float) -> None:
        if seconds > GOOD_SECONDS:
            self.most = max(self.most // 2, self._fewest)
        elif seconds < GOOD_SECONDS / 2:
            self.most = min(self.most * 2, MOST_CHANGES)


def portions(changes: Iterable[dict[str, Any]], pace: Pace) -> Iterator[list[dict[str, Any]]]:
    """As many changes as one request may hold."""
    batch: list[dict[str, Any]] = []
    size = 0
    for change in changes:
        weight = len(json.dumps(change))
        if batch and (len(batch) >= pace.most or size + weight > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(change)
        size += weight
    if batch:
        yield batch


@dataclass(frozen=True, slots=True)
class Door:
    """Where lines are sent: the address, what stands around them, and what they are called there."""

    path: str
    around: Mapping[str, Any]
    name: str


def send(platform: Platform, report: Report, door: Door, batch: list[dict[str, Any]]) -> None:
    """A batch that is refused as a whole is halved until the line at fault is alone."""
    try:
        answer = platform.insist("POST", door.path, {**door.around, door.name: batch})
    except Refusal as refusal:
        if refusal.status not in (_TOO_LARGE, _MALFORMED):
            raise
        if len(batch) == 1:
            report.not_kept.append(Problem(batch[0]["line"], refusal.code, str(refusal)))
            return
        middle = len(batch) // 2
        send(platform, report, door, batch[:middle])
        send(platform, report, door, batch[middle:])
        return
    if answer["commit"] is not None:
        report.commit = platform.commit
    for result in answer["results"]:
        if result["outcome"] == "done":
            report.done += 1
        elif result["outcome"] == "already":
            report.already += 1
        else:
            report.not_kept.append(Problem(result["line"], result["code"], result["detail"]))
