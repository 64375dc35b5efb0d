"""Who is signed in here, and what did they just do? Secrets become members' tokens, for a minute each.

All of it is memory of this process, bounded, and can be lost: the cookie or the access token is what counts.
"""

import asyncio
import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from cachetools import LRUCache
from pydantic import BaseModel

from services.gateway.addresses import SERVICES
from services.gateway.clients import Away, Clients, part
from shared.kernel.errors import Refused, Unauthenticated

#: Sessions and tokens remembered at most; the least recently used go first.
MOST = 10_000
#: A token is fetched anew when it has less than this left, and used to its end while identity is away.
RENEW_SECONDS = 10.0
#: The services whose events decide what members may see.
TOKEN_OWNERS = ("identity", "groups")
#: A member's own writes are waited for so long after them, the latest few.
FRESH_SECONDS = 60.0
MOST_WRITTEN = 8
#: Whose changes may be about anybody.
ADMINISTERING = frozenset({"admin", "operator"})

_SECRET = re.compile(r"fi[sk]_[A-Za-z0-9_-]{64}")

Clock = Callable[[], float]


class _Vouched(BaseModel):
    """What identity answers for a secret."""

    token: str
    expires_in: float
    member_id: str
    session_id: str
    roles: frozenset[str]
    scopes: frozenset[str]
    language: str
    time_zone: str


class _Places(BaseModel):
    """Where a commit lies in the log, if it was sent there already."""

    sent: bool
    after: str


class Opened(BaseModel):
    """A session just begun. Its secret is shown this once."""

    secret: str
    expires_at: datetime

    @property
    def seconds(self) -> int:
        return max(0, int((self.expires_at - datetime.now(UTC)).total_seconds()))


@dataclass(frozen=True, slots=True)
class Pass:
    """A member's token, and what identity says of them. `until` is this process's clock."""

    token: str
    until: float
    member_id: str
    session_id: str
    roles: frozenset[str]
    scopes: frozenset[str]
    language: str
    time_zone: str


@dataclass(slots=True)
class _Written:
    """A commit of the member's own: `wiki/page-1/7`. `places` is where it lies in the log, once asked."""

    commit: str
    at: float
    places: str | None = None


@dataclass(slots=True)
class Session:
    """One secret's standing with this process. `written` is by service and stream, the latest last."""

    secret: str
    held: Pass
    written: dict[str, _Written] = field(default_factory=dict)
    renewing: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: Set when the session may have ended, for what stays open in its name.
    doubts: set[asyncio.Event] = field(default_factory=set)

    def doubt(self) -> None:
        for doubted in self.doubts:
            doubted.set()


def unknown() -> Unauthenticated:
    return Unauthenticated("token-invalid", "This sign-in is not valid. Sign in again.")


class Sessions:
    def __init__(
        self, clients: Clients, *, key: bytes = b"", most: int = MOST, clock: Clock = time.monotonic
    ) -> None:
        """`key` signs what API clients are told of commits; without one, this process knows its own alone."""
        self._clients = clients
        self._key = key or secrets.token_bytes(32)
        self._clock = clock
        self._known: LRUCache[str, Session] = LRUCache(most)
        self._asking: dict[str, asyncio.Task[Pass]] = {}

    async def open(self, user_name: str, password: str, device: str, address: str) -> Opened:
        """Signs somebody in. Raises Unauthenticated, TooMany, Away."""
        shown = {"user_name": user_name, "password": password, "device": device or None}
        headers = {"Fikarum-Client-Address": address}
        answer = await self._clients.ask("identity", "POST", "/sessions", json=shown, headers=headers)
        return answer.read(Opened)

    async def close(self, session: Session) -> None:
        """Signs out: for good with identity, and here at once. Raises Away."""
        held = session.held
        await self._clients.ask("identity", "DELETE", f"/sessions/{part(held.session_id)}", token=held.token)
        self.forget(session.secret)

    def knows(self, secret: str) -> bool:
        """Whether `secret` was good a moment ago: then asking for it costs nobody anything."""
        return secret in self._known

    def known(self, secret: str) -> Session | None:
        """The session of a secret that was good a moment ago, as it was then."""
        return self._known.get(secret)

    async def of(self, secret: str) -> Session:
        """The session with a token that is good now. Raises Unauthenticated, Away."""
        if not _SECRET.fullmatch(secret):
            raise unknown()
        session = self._known.get(secret)
        if session is None:
            held = await self._exchanged(secret)
            session = self._known.setdefault(secret, Session(secret, held))
        if session.held.until - self._clock() < RENEW_SECONDS:
            await self._renew(session)
        return session

    def forget(self, secret: str) -> None:
        session = self._known.pop(secret, None)
        if session is not None:
            session.doubt()

    def ask_again(self, session: Session) -> None:
        """The token is not used any more; what the member wrote is still remembered."""
        session.held = replace(session.held, until=0.0)
        session.doubt()

    def answered(self, session: Session, service: str, commit: str | None, *, reads: bool) -> None:
        """Takes note of what a service answered this member: their commit, and what may be other since."""
        self.wrote(session, commit)
        if service == "identity" and not reads:
            self.doubt(session)

    def doubt(self, session: Session) -> None:
        """After a change at identity: what is believed of this member, and where they administer of anybody,
        is asked for anew. Whoever was signed out elsewhere is out at their next request here."""
        everybody = not session.held.roles.isdisjoint(ADMINISTERING)
        for known in self._known.values():
            if everybody or known.held.member_id == session.held.member_id:
                self.ask_again(known)

    def wrote(self, session: Session, commit: str | None) -> None:
        """Remembers a commit that a service answered, for this member's later reads."""
        if commit is None or commit.count("/") != 2:
            return
        stream = commit.rpartition("/")[0]
        session.written.pop(stream, None)
        session.written[stream] = _Written(commit, self._clock())
        while len(session.written) > MOST_WRITTEN:
            del session.written[next(iter(session.written))]

    async def after(self, session: Session, service: str) -> str | None:
        """What a read from `service` should cover of the member's own writes."""
        since = self._clock() - FRESH_SECONDS
        for stream in [stream for stream, done in session.written.items() if done.at < since]:
            del session.written[stream]
        recent = list(session.written.values())
        if len(recent) == 1 and recent[0].commit.partition("/")[0] == service:
            return recent[0].commit
        found = [await self._places(session, done) for done in recent]
        return ",".join(places for places in found if places) or None

    async def after_tokens(self, session: Session) -> str | None:
        """What a write should be decided after: the member's own changes of who may see what."""
        since = self._clock() - FRESH_SECONDS
        recent = [
            done
            for done in session.written.values()
            if done.at >= since and done.commit.partition("/")[0] in TOKEN_OWNERS
        ]
        found = [await self._places(session, done) for done in recent]
        return ",".join(places for places in found if places) or None

    def signed(self, commit: str) -> str:
        """A commit as API clients are told it, and may tell each other. Nobody else can ask about it: whether
        there is such a stream, and how long it is, is no stranger's business."""
        return f"{commit}~{self._signature(commit)}"

    def _signature(self, commit: str) -> str:
        return hmac.digest(self._key, b"commit:" + commit.encode(), "sha256")[:12].hex()

    async def after_commit(self, session: Session, service: str, shown: str) -> str | None:
        """What an API client's own `Fikarum-After` means to `service`. Raises Refused for what it was not
        told."""
        if "/" not in shown:
            return shown
        commit, _, signature = shown.rpartition("~")
        if not hmac.compare_digest(signature.encode(), self._signature(commit).encode()):
            raise Refused("bad-after", "'after' is not what a command answered.", field="after")
        owner = commit.partition("/")[0]
        if owner == service or owner not in SERVICES:
            return commit
        return await self._places(session, _Written(commit, self._clock()))

    async def _places(self, session: Session, written: _Written) -> str | None:
        """Asked of the commit's owner, once. Where it cannot tell, the read goes on without."""
        if written.places is None:
            owner, stream, version = written.commit.split("/")
            path = f"/commits/{part(stream)}/{part(version)}"
            try:
                answer = await self._clients.ask(owner, "GET", path, token=session.held.token)
            except Refused:
                return None
            found = answer.read(_Places)
            if not found.sent:
                return None
            written.places = found.after
        return written.places

    async def _renew(self, session: Session) -> None:
        async with session.renewing:
            if session.held.until - self._clock() >= RENEW_SECONDS:
                return
            try:
                session.held = await self._exchanged(session.secret)
            except Away:
                if session.held.until <= self._clock():
                    raise
            except Unauthenticated:
                self.forget(session.secret)
                raise

    async def _exchanged(self, secret: str) -> Pass:
        """One exchange at a time for each secret, however many requests wait for it."""
        task = self._asking.get(secret)
        if task is None:
            task = self._asking[secret] = asyncio.create_task(self._exchange(secret))
            task.add_done_callback(lambda done: self._asked(secret, done))
        return await asyncio.shield(task)

    def _asked(self, secret: str, done: asyncio.Task[Pass]) -> None:
        self._asking.pop(secret, None)
        if not done.cancelled():
            # Whoever asked may have left: nobody need hear of a failure then.
            done.exception()

    async def _exchange(self, secret: str) -> Pass:
        began = self._clock()
        answer = await self._clients.ask("identity", "POST", "/tokens", json={"secret": secret})
        said = answer.read(_Vouched)
        return Pass(until=began + said.expires_in, **said.model_dump(exclude={"expires_in"}))
