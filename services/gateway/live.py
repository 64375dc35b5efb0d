"""What happens while somebody looks, passed on from the feed: server-sent events, for as long as they stay.

Each stream is one connection to the feed, from a pool of its own, so that pages never wait for one. It ends
with the session that opened it, which is asked about as for any request: as soon as this process has cause to
doubt it, and from time to time.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

import aiohttp

from services.gateway.clients import Clients, refusal, said, whole
from services.gateway.sessions import Session, Sessions
from shared.kernel.errors import Refused, TooMany
from shared.runtime.logging import get_logger
from shared.runtime.settings import Settings

log = get_logger(__name__)

PATH = "/feed/live"
#: Streams of one process, and of one member in all their windows.
MOST_STREAMS = 5_000
MOST_OF_ONE = 10
#: Seconds that one stream lasts at most, and that the feed may be silent: it breathes every twenty.
LONGEST = 600.0
#: Seconds after which a stream's session is asked about in any case. What is believed of it is what every
#: request believes: identity is asked once a minute at most, and always after a doubt.
LOOK_EVERY = 15.0
#: Seconds between two looks at one session: an administrator's many changes doubt everybody each time.
LOOK_APART = 2.0
_PATIENCE = aiohttp.ClientTimeout(total=None, connect=2.0, sock_connect=1.0, sock_read=45.0)
#: Nothing on the way may keep it back or keep it at all.
HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class _Watch:
    """Whether a stream's session stands, as this process knows it. `doubted` is set when it may not."""

    def __init__(self, sessions: Sessions, session: Session) -> None:
        self._sessions = sessions
        self._session = session
        self._looked = float("-inf")
        self.doubted = asyncio.Event()
        session.doubts.add(self.doubted)

    async def stands(self) -> bool:
        await asyncio.sleep(max(0.0, self._looked + LOOK_APART - time.monotonic()))
        self._looked = time.monotonic()
        self.doubted.clear()
        self.end()
        try:
            # Another object than before where this process had forgotten it meanwhile.
            self._session = await self._sessions.of(self._session.secret)
        except Refused:
            return False
        self._session.doubts.add(self.doubted)
        return True

    def end(self) -> None:
        self._session.doubts.discard(self.doubted)


class Live:
    """The streams that are open here."""

    def __init__(self, settings: Settings, sessions: Sessions) -> None:
        self._sessions = sessions
        self._clients = Clients(settings, most=MOST_STREAMS)
        self._open: Counter[str] = Counter()
        self._closing = asyncio.Event()

    async def stream(self, session: Session, headers: Mapping[str, str]) -> AsyncIterator[bytes]:
        """Raises Away, TooMany, and what the feed refuses; afterwards it only ends."""
        member_id = session.held.member_id
        if self._open.total() >= MOST_STREAMS or self._open[member_id] >= MOST_OF_ONE:
            raise TooMany("too-many-live", "This is open too many times. Close other windows.")
        asked = {**headers, **said(session.held.token, None), "Accept": "text/event-stream"}
        answer = await self._clients.stream("feed", "GET", PATH, headers=asked, patience=_PATIENCE)
        if not answer.ok:
            raise refusal(await whole("feed", answer))
        return self._passed_on(session, answer)

    def end(self) -> None:
        """Ends every stream."""
        self._closing.set()

    async def close(self) -> None:
        self.end()
        await self._clients.close()

    async def _passed_on(self, session: Session, answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        member_id = session.held.member_id
        self._open[member_id] += 1
        closing = asyncio.create_task(self._closing.wait())
        standing = asyncio.create_task(self._until_it_falls(session))
        reading: asyncio.Task[bytes] | None = None
        until = time.monotonic() + LONGEST
        try:
            while (left := until - time.monotonic()) > 0:
                reading = asyncio.create_task(answer.content.readany())
                ends = {reading, closing, standing}
                await asyncio.wait(ends, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                piece = reading.result() if reading.done() else b""
                if not piece or closing.done() or standing.done():
                    return
                yield piece
        except (aiohttp.ClientError, TimeoutError) as error:
            log.info("live updates broke off", error=type(error).__name__)
        finally:
            self._open[member_id] -= 1
            if not self._open[member_id]:
                del self._open[member_id]
            for task in (closing, standing, reading):
                if task is not None:
                    task.cancel()
            answer.close()

    async def _until_it_falls(self, session: Session) -> None:
        """Returns when the session of a stream ended, or nobody can say that it did not."""
        watch = _Watch(self._sessions, session)
        try:
            while await watch.stands():
                with suppress(TimeoutError):
                    await asyncio.wait_for(watch.doubted.wait(), LOOK_EVERY)
        finally:
            watch.end()
