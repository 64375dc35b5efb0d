"""What happens while somebody looks: who is told of it, and how it is told.

The hub is shown every post that this process writes into its view. Each listener collects what is new for
them until it is sent, so a slow one costs no more memory than a quick one. It is shown members' tokens too,
so that whoever loses some is asked about at once, and told no more of what they may not see.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cachetools import LRUCache

from services.feed.projections import PostView
from shared.kernel.audience import Classification, MemberTokens, Reader
from shared.kernel.errors import Refused, TooMany
from shared.runtime.mirror import Kept

#: Seconds of silence before a sign of life.
HEARTBEAT = 20.0
#: Seconds for which a listener's tokens are believed.
TOKENS_BELIEVED = 2.0
#: Listeners of one process, and of one member.
MOST_LISTENERS = 5_000
MOST_OF_ONE = 20
#: How long after its publication a post is still news.
NEW_FOR = timedelta(minutes=1)
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
    new: dict[str, "_Known"] = field(default_factory=dict)
    more: int = 0
    changed: dict[str, tuple[dict[str, Any], "_Known"]] = field(default_factory=dict)
    ended: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def current(self) -> bool:
        """Whether the listener is a member still; their tokens are as they are now, or were a moment ago."""
        async with self.asking:
            if not self.ended and time.monotonic() - self.asked > TOKENS_BELIEVED:
                # Said before asking: who is doubted meanwhile is asked about again.
                self.asked = time.monotonic()
                try:
                    self._trim(await self.ask())
                except Refused:
                    self.end()
            return not self.ended

    def doubt(self) -> None:
        """Their tokens have changed: they are asked about anew before they are told more."""
        self.asked = float("-inf")
        self.woken.set()

    def _trim(self, reader: Reader) -> None:
        """Takes back what was not told yet, where it is hidden from them now."""
        if reader != self.reader:
            self.reader, self.more = reader, 0
            self.new = {each: known for each, known in self.new.items() if known.shown_to(reader)}
            changed = self.changed.items()
            self.changed = {each: (what, known) for each, (what, known) in changed if known.shown_to(reader)}

    def tell_new(self, post_id: str, seen_by: "_Known") -> None:
        if len(self.new) < MOST_NAMED:
            self.new[post_id] = seen_by
        else:
            self.more += 1
        self.woken.set()

    def tell_changed(self, what: dict[str, Any], seen_by: "_Known") -> None:
        if what["id"] in self.changed or len(self.changed) < MOST_NAMED:
            self.changed[what["id"]] = (what, seen_by)
            self.woken.set()

    def end(self) -> None:
        self.ended = True
        self.woken.set()

    def taken(self) -> list[str]:
        """The messages that are due, in the form of server-sent events."""
        messages = []
        if self.new:
            messages.append(_message("new", {"count": len(self.new) + self.more, "ids": list(self.new)}))
        if self.changed:
            messages.append(_message("changed", {"items": [what for what, _ in self.changed.values()]}))
        self.new, self.more, self.changed = {}, 0, {}
        return messages


@dataclass(frozen=True, slots=True)
class _Known:
    audience: tuple[str, ...]
    classification: Classification

    def shown_to(self, reader: Reader) -> bool:
        return reader.may_see(self.audience, self.classification)


class _Passing:
    """What a mirror has to be that keeps nothing of a generation."""

    async def prepare(self, generation: str) -> None:
        """Nothing is kept from earlier."""

    async def serve(self, generation: str) -> None:
        """A change of generation changes nothing that is told."""

    async def sweep(self, known: Callable[[], Awaitable[Collection[str]]]) -> None:
        """Nothing is kept by generation."""


class Belonging(_Passing):
    """A mirror of members' tokens: whoever's have changed is looked at again."""

    def __init__(self, listeners: Collection[Listener]) -> None:
        self._listeners = listeners

    async def take(self, generation: str, documents: Sequence[Kept[MemberTokens]]) -> None:
        if self._listeners:
            changed = {document.key for document in documents}
            for listener in self._listeners:
                if listener.reader.member_id in changed:
                    listener.doubt()


class Hub(_Passing):
    """A mirror of the posts' view that keeps nothing but who is to be told what."""

    def __init__(self) -> None:
        self.listeners: set[Listener] = set()
        self._known: LRUCache[str, _Known] = LRUCache(MOST_KNOWN)
        self._written: dict[str, PostView] = {}
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._since = datetime.now(UTC)
        self.belonging = Belonging(self.listeners)

    async def take(self, generation: str, documents: Sequence[Kept[PostView]]) -> None:
        """Never waits: whoever folds goes on at once."""
        if not self.listeners:
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
        self.end()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def end(self) -> None:
        """Ends every open connection: the server waits for them."""
        for listener in self.listeners:
            listener.end()

    async def listen(self, ask: Ask) -> AsyncIterator[str]:
        """Server-sent events for one member, until they leave. Raises TooMany."""
        reader = await ask()
        mine = sum(listener.reader.member_id == reader.member_id for listener in self.listeners)
        if len(self.listeners) >= MOST_LISTENERS or mine >= MOST_OF_ONE:
            raise TooMany("too-many-live", "This is open too many times. Close other windows.")
        listener = Listener(reader, ask, time.monotonic())
        self.listeners.add(listener)
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
                if await listener.current():
                    for message in listener.taken():
                        yield message
        finally:
            self.listeners.discard(listener)

    async def _run(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            written, self._written = self._written, {}
            told = [(post, self._is_new(post), self._audience(post)) for post in written.values()]
            for listener in list(self.listeners):
                if await listener.current():
                    for post, new, seen_by in told:
                        _tell(listener, post, new, seen_by)

    def _is_new(self, post: PostView) -> bool:
        """Said just now and since this process listens, and seen here for the first time. The age alone tells
        where this process has forgotten what it saw, or begins with a post in the midst of its life."""
        if not post.author_id or post.imported or post.post_id in self._known:
            return False
        return post.published_at >= max(self._since, datetime.now(UTC) - NEW_FOR)

    def _audience(self, post: PostView) -> _Known | None:
        """Who may hear of it: of a deleted post, who could see it before."""
        if not post.author_id:
            return self._known.get(post.post_id)
        known = _Known(tuple(post.audience), Classification(post.classification))
        self._known[post.post_id] = known
        return known


def _tell(listener: Listener, post: PostView, new: bool, seen_by: _Known | None) -> None:
    if seen_by is None or not seen_by.shown_to(listener.reader):
        return
    if post.deleted:
        listener.tell_changed({"id": post.post_id, "gone": True}, seen_by)
    elif not new:
        counts = {"comments": post.comments, "reactions": post.reactions}
        listener.tell_changed({"id": post.post_id, **counts}, seen_by)
    elif post.author_id != listener.reader.member_id:
        listener.tell_new(post.post_id, seen_by)


def _message(name: str, data: Mapping[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"
