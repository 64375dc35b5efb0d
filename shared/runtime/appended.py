"""What this process appended itself, which its relay sends without asking the store for it.

The store knows the order of each stream, and a sweep of the relay finds it. A commit goes the short way only
where it cannot overtake another one, nor be sent twice: it begins its stream, or follows what this session of
the relay has sent; and its write began after the session did, so that no earlier session can have found it.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import bson
from cachetools import LRUCache

from shared.runtime.codec import COMMITS, Commit, split_key
from shared.runtime.marks import Sent

#: Seconds from the beginning of a write until its commits are here; what comes later is left to the sweep,
#: which may have sent it so long ago that nobody remembers.
PROMPT = 1.0
#: Streams whose last sent version is remembered, and commits whose places are; more than go in `PROMPT`.
REMEMBERED = 20_000
#: Commits that wait for their turn, and bytes in one batch; what is more, the sweep finds.
MOST_WAITING = 1_000
LARGEST_BATCH_BYTES = 8_000_000


class Appended:
    """Of one relay."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: list[Commit] = []
        #: Each stream's last version that this session sent.
        self._tails: LRUCache[str, int] = LRUCache(REMEMBERED)
        #: Where this session sent what ends with a stream's version.
        self._places: LRUCache[tuple[str, int], Sequence[Sent]] = LRUCache(REMEMBERED)
        #: Commits that the relay was told of, or found.
        self._known: LRUCache[str, None] = LRUCache(REMEMBERED)
        self._due: set[tuple[str, int]] = set()
        self._session = float("inf")

    def begin(self) -> None:
        """A session begins: all other relays are fenced, and what was sent before is marked."""
        self.end()
        self._session = self._clock()

    def end(self) -> None:
        """Nothing goes the short way until a session begins."""
        self._session = float("inf")
        self._waiting.clear()
        self._due.clear()
        self._tails.clear()
        self._places.clear()

    def add(self, commits: Sequence[Commit], began: float) -> bool:
        """Takes what was written by a write that began at `began`; False where some of it is for the sweep to
        find."""
        for commit in commits:
            self._known[commit.key] = None
        late = began < self._session or self._clock() - began > PROMPT
        if late or len(self._waiting) + len(commits) > MOST_WAITING:
            return False
        self._waiting += commits
        self._due.update((commit.stream, commit.tail) for commit in commits)
        return True

    def take(self) -> tuple[list[dict[str, Any]], bool]:
        """What may be sent now, as the store holds it; and whether the sweep has to find something."""
        taken: list[dict[str, Any]] = []
        size, overtakes = 0, False
        waiting, self._waiting = self._waiting, []
        # within this batch; they count only when it was sent
        tails: dict[str, int] = {}
        for number, commit in enumerate(waiting):
            sent = tails.get(commit.stream, self._tails.get(commit.stream, 0))
            if commit.tail <= sent:
                # A sweep was quicker than the answer to the write.
                self._due.discard((commit.stream, commit.tail))
                continue
            if commit.first != sent + 1:
                overtakes = True
                self._due.discard((commit.stream, commit.tail))
                continue
            size += len(commit.document.raw)
            if taken and size > LARGEST_BATCH_BYTES:
                self._waiting = waiting[number:]
                break
            taken.append(bson.decode(commit.document.raw, COMMITS))
            tails[commit.stream] = commit.tail
        return taken, overtakes

    def found(self, key: str) -> None:
        """The sweep found it."""
        self._known[key] = None

    def knows(self, key: str) -> bool:
        """Whether the relay was told of the commit, or found it."""
        return key in self._known

    def sent(self, document: dict[str, Any], places: Sequence[Sent]) -> None:
        """The commit is in the log, at `places`."""
        stream, first = split_key(document["_id"])
        tail = first + len(document["events"]) - 1
        self._tails[stream] = max(tail, self._tails.get(stream, 0))
        self._places[stream, tail] = places
        self._due.discard((stream, tail))

    def places(self, stream: str, version: int) -> Sequence[Sent] | None:
        """Where the commit that ends with this version was sent to, where this session did it."""
        return self._places.get((stream, version))

    def is_due(self, stream: str, version: int) -> bool:
        """Whether the commit that ends with this version is about to be sent."""
        return (stream, version) in self._due
