"""What happens while somebody looks: who is told of it, and how it is told.

The hub is shown every post that this process writes into its view. Each listener collects what is new for
them until it is sent, so a slow one costs no more memory than a quick one.
"""

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from services.feed.projections import PostView
from shared.kernel.audience import Classification, Reader
from shared.kernel.errors import Refused, TooMany
from shared.runtime.mirror import Kept

#: Seconds of silence before a sign of life.
HEARTBEAT = 20.0
#: Seconds for which a listener's tokens are believed.
TOKENS_BELIEVED = 2.0
#: Listeners of one process, and of one member.
MOST_LISTENERS = 5_000
MOST_OF_ONE = 20
#: Posts that one message names; of more, only the count is told.
MOST_NAMED = 100
#: Posts whose publication was told, kept so that it is told once, and their audience beyond their end.
MOST_KNOWN = 10_000

Ask = Callable[[], Awaitable[Reader]]


@dataclass(eq=False)
class Listener:
    """One open connection: what it has not been told yet."""

    reader: Reader
    ask: Ask
    asked: float
    new: list[str] = field(default_factory=list)
    more: int = 0
    changed: dict[str, dict[str, Any]] = field(default_factory=dict)
    ended: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    async def current(self) -> bool:
        """Whether the listener is a member still; their tokens are as they are now, or were a moment ago."""
        if not self.ended and time.monotonic() - self.asked > TOKENS_BELIEVED:
            try:
                self.reader, self.asked = await self.ask(), time.monotonic()
            except Refused:
                self.end()
        return not self.ended

    def tell_new(self, post_id: str) -> None:
        if len(self.new) < MOST_NAMED:
            self.new.append(post_id)
        else:
            self.more += 1
        self.woken.set()

    def tell_changed(self, what: dict[str, Any]) -> None:
        if what["id"] in self.changed or len(self.changed) < MOST_NAMED:
            self.changed[what["id"]] = what
            self.woken.set()

    def end(self) -> None:
        self.ended = True
        self.woken.set()

    def taken(self) -> list[str]:
        """The messages that are due, in the form of server-sent events."""
        messages = []
        if self.new:
            messages.append(_message("new", {"count": len(self.new) + self.more, "ids": self.new}))
        if self.changed:
            messages.append(_message("changed", {"items": list(self.changed.values())}))
        self.new, self.more, self.changed = [], 0, {}
        return messages


@dataclass(frozen=True, slots=True)
class _Known:
    audience: tuple[str, ...]
    classification: Classification


class Hub:
    """A mirror of the posts' view that keeps nothing but who is to be told what."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._written: dict[str, PostView] = {}
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._since = datetime.now(UTC)

    async def prepare(self, generation: str) -> None:
        """Nothing is kept from earlier."""

    async def serve(self, generation: str) -> None:
        """A change of generation changes no post."""

    async def sweep(self, known: Callable[[], Awaitable[Collection[str]]]) -> None:
        """Nothing is kept by generation."""

    async def take(self, generation: str, documents: Sequence[Kept[PostView]]) -> None:
        """Never waits: whoever folds goes on at once."""
        if not self._listeners:
            # Nobody is told, but what was there is not new to whoever listens later.
            for document in documents:
                if document.view is not None:
                    self._audience(document.view)
            return
        for document in documents:
            if document.view is not None:
                self._written[document.key] = document.view
        self._due.set()

    async def start(self) -> None:
        self._since = datetime.now(UTC)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        for listener in self._listeners:
            listener.end()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def listen(self, ask: Ask) -> AsyncIterator[str]:
        """Server-sent events for one member, until they leave. Raises TooMany."""
        reader = await ask()
        mine = sum(listener.reader.member_id == reader.member_id for listener in self._listeners)
        if len(self._listeners) >= MOST_LISTENERS or mine >= MOST_OF_ONE:
            raise TooMany("too-many-live", "This is open too many times. Close other windows.")
        listener = Listener(reader, ask, time.monotonic())
        self._listeners.add(listener)
        return self._told(listener)

    async def _told(self, listener: Listener) -> AsyncIterator[str]:
        try:
            yield "retry: 2000\n: welcome\n\n"
            while not listener.ended:
                try:
                    await asyncio.wait_for(listener.woken.wait(), HEARTBEAT)
                except TimeoutError:
                    if await listener.current():
                        yield ": still here\n\n"
                    continue
                listener.woken.clear()
                for message in listener.taken():
                    yield message
        finally:
            self._listeners.discard(listener)

    async def _run(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            written, self._written = self._written, {}
            told = [(post, self._is_new(post), self._audience(post)) for post in written.values()]
            for listener in list(self._listeners):
                if await listener.current():
                    for post, new, seen_by in told:
                        _tell(listener, post, new, seen_by)

    def _is_new(self, post: PostView) -> bool:
        """Published since this process listens, and seen here for the first time: imports are of the past."""
        return bool(post.author_id) and post.post_id not in self._known and post.published_at >= self._since

    def _audience(self, post: PostView) -> _Known | None:
        """Who may hear of it: of a deleted post, who could see it before."""
        if not post.author_id:
            return self._known.get(post.post_id)
        known = _Known(tuple(post.audience), Classification(post.classification))
        self._known[post.post_id] = known
        self._known.move_to_end(post.post_id)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return known


def _tell(listener: Listener, post: PostView, new: bool, seen_by: _Known | None) -> None:
    if seen_by is None or not listener.reader.may_see(seen_by.audience, seen_by.classification):
        return
    if post.deleted:
        listener.tell_changed({"id": post.post_id, "gone": True})
    elif not new:
        counts = {"comments": post.comments, "reactions": post.reactions}
        listener.tell_changed({"id": post.post_id, **counts})
    elif post.author_id != listener.reader.member_id:
        listener.tell_new(post.post_id)


def _message(name: str, data: Mapping[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"
