"""A session: opened at sign-in, used every minute, over when it is revoked, too old or idle for too long."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, ClassVar

from services.identity.domain.permissions import Acting, Permission, may
from services.identity.domain.secrets import same
from shared.kernel.decider import Decider
from shared.kernel.errors import NotFound, Refused, Unauthenticated
from shared.kernel.events import Event
from shared.kernel.personal import Personal, Subject

TOPIC = "identity.private"

#: A session's last use is recorded at most this often.
COARSE = timedelta(hours=1)
LONGEST_DEVICE = 200


class SessionOpened(Event):
    """The member signed in, on a device that they will recognise by its description. `password_number` counts
    the passwords that they had set, up to the one that opened it."""

    topic: ClassVar[str | None] = TOPIC

    session_id: str
    member_id: str
    device: Annotated[Personal | None, Subject("member_id")] = None
    password_number: int | None = None
    opened_at: datetime
    expires_at: datetime


class SessionSecretSet(Event):
    """What the session's secret is compared with. Stays in its stream."""

    topic: ClassVar[str | None] = None

    session_id: str
    secret_hash: str


class SessionUsed(Event):
    """The session was in use at `used_at`; told once an hour at most."""

    topic: ClassVar[str | None] = TOPIC

    session_id: str
    used_at: datetime


class SessionRevoked(Event):
    """The session was ended, by the member or by an administrator."""

    topic: ClassVar[str | None] = TOPIC

    session_id: str


@dataclass(frozen=True, slots=True)
class OpenSession:
    session_id: str
    member_id: str
    secret_hash: str
    device: str | None
    now: datetime
    lifetime: timedelta
    password_number: int | None = None


@dataclass(frozen=True, slots=True)
class UseSession:
    session_id: str
    secret_hash: str
    now: datetime
    idle: timedelta


@dataclass(frozen=True, slots=True)
class RevokeSession:
    acting: Acting
    session_id: str


@dataclass(frozen=True, slots=True)
class Session:
    member_id: str | None = None
    secret_hash: str | None = None
    opened_at: datetime | None = None
    password_number: int | None = None
    last_used: datetime | None = None
    expires_at: datetime | None = None
    revoked: bool = False


Command = OpenSession | UseSession | RevokeSession


def decide(command: Command, session: Session) -> Sequence[Event]:
    match command:
        case OpenSession():
            return _open(command)
        case UseSession():
            return _use(command, session)
        case RevokeSession():
            mine = session.member_id == command.acting.member_id
            if session.member_id is None or not (mine or may(command.acting, Permission.REVOKE_SESSIONS)):
                raise NotFound("no-such-session", "There is no such session.")
            return [] if session.revoked else [SessionRevoked(session_id=command.session_id)]


def _open(command: OpenSession) -> Sequence[Event]:
    return [
        SessionOpened(
            session_id=command.session_id,
            member_id=command.member_id,
            device=Personal(_device(command.device)) if command.device else None,
            password_number=command.password_number,
            opened_at=command.now,
            expires_at=command.now + command.lifetime,
        ),
        SessionSecretSet(session_id=command.session_id, secret_hash=command.secret_hash),
    ]


def _device(text: str) -> str:
    if len(text) > LONGEST_DEVICE or not text.isprintable():
        raise Refused(
            "device-name",
            "A device's description has 1 to {most} characters.",
            field="device",
            params={"most": LONGEST_DEVICE},
        )
    return text


def _use(command: UseSession, session: Session) -> Sequence[Event]:
    if (
        not same(command.secret_hash, session.secret_hash)
        or session.revoked
        or session.expires_at is None
        or session.last_used is None
        or command.now >= session.expires_at
        or command.now - session.last_used >= command.idle
    ):
        raise signed_out()
    if command.now - session.last_used < COARSE:
        return []
    return [SessionUsed(session_id=command.session_id, used_at=command.now)]


def signed_out() -> Unauthenticated:
    """The same for every reason: an unknown secret, a revoked one, an old one, a member who left."""
    return Unauthenticated("signed-out", "You are signed out. Sign in again.")


def evolve(session: Session, event: Event) -> Session:
    match event:
        case SessionOpened():
            return Session(
                member_id=event.member_id,
                opened_at=event.opened_at,
                password_number=event.password_number,
                last_used=event.opened_at,
                expires_at=event.expires_at,
            )
        case SessionSecretSet():
            return replace(session, secret_hash=event.secret_hash)
        case SessionUsed():
            return replace(session, last_used=event.used_at)
        case SessionRevoked():
            return replace(session, revoked=True)
    return session


def stream(session_id: str) -> str:
    return f"session-{session_id}"


sessions: Decider[Command, Session] = Decider(lambda c: stream(c.session_id), Session(), decide, evolve)
