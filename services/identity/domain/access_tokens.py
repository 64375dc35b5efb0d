"""Personal access tokens: scripts act as a member with them, within their scopes and their time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar

from contracts.identity import Role
from services.identity.domain.permissions import ADMINISTERING, Acting, Permission, may
from services.identity.domain.secrets import same
from services.identity.domain.sessions import COARSE, TOPIC, signed_out
from shared.kernel.decider import Decider
from shared.kernel.errors import NotFound, Refused
from shared.kernel.events import Event
from shared.kernel.personal import Personal, Subject

LONGEST_NAME = 100
LONGEST_LIFE = timedelta(days=366)


class Scope(StrEnum):
    READ = "read"
    WRITE = "write"
    ADMINISTER = "administer"


class AccessTokenIssued(Event):
    """The member made a token for something that acts in their name."""

    topic: ClassVar[str | None] = TOPIC

    token_id: str
    member_id: str
    name: Annotated[Personal, Subject("member_id")]
    scopes: tuple[Scope, ...]
    issued_at: datetime
    expires_at: datetime


class AccessTokenSecretSet(Event):
    """What the token's secret is compared with. Stays in its stream."""

    topic: ClassVar[str | None] = None

    token_id: str
    secret_hash: str


class AccessTokenUsed(Event):
    """The token was in use at `used_at`; told once an hour at most."""

    topic: ClassVar[str | None] = TOPIC

    token_id: str
    used_at: datetime


class AccessTokenRevoked(Event):
    """The token was ended, by the member or by an administrator."""

    topic: ClassVar[str | None] = TOPIC

    token_id: str


@dataclass(frozen=True, slots=True)
class IssueAccessToken:
    token_id: str
    member_id: str
    name: str
    scopes: frozenset[Scope]
    secret_hash: str
    now: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class UseAccessToken:
    token_id: str
    secret_hash: str
    now: datetime


@dataclass(frozen=True, slots=True)
class RevokeAccessToken:
    acting: Acting
    token_id: str


@dataclass(frozen=True, slots=True)
class AccessToken:
    member_id: str | None = None
    scopes: frozenset[Scope] = frozenset()
    secret_hash: str | None = None
    last_used: datetime | None = None
    expires_at: datetime | None = None
    revoked: bool = False


Command = IssueAccessToken | UseAccessToken | RevokeAccessToken


def decide(command: Command, token: AccessToken) -> Sequence[Event]:
    match command:
        case IssueAccessToken():
            return _issue(command)
        case UseAccessToken():
            return _use(command, token)
        case RevokeAccessToken():
            mine = token.member_id == command.acting.member_id
            if token.member_id is None or not (mine or may(command.acting, Permission.REVOKE_SESSIONS)):
                raise NotFound("no-such-access-token", "There is no such access token.")
            return [] if token.revoked else [AccessTokenRevoked(token_id=command.token_id)]


def _issue(command: IssueAccessToken) -> Sequence[Event]:
    name = command.name.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise Refused(
            "access-token-name",
            "Say in 1 to {most} characters what the token is for.",
            field="name",
            params={"most": LONGEST_NAME},
        )
    if not command.scopes:
        raise Refused("access-token-scopes", "Choose at least one thing that it may do.", field="scopes")
    if not command.now < command.expires_at <= command.now + LONGEST_LIFE:
        raise Refused(
            "access-token-life",
            "A token ends between now and {most} days from now.",
            field="expires_at",
            params={"most": LONGEST_LIFE.days},
        )
    return [
        AccessTokenIssued(
            token_id=command.token_id,
            member_id=command.member_id,
            name=Personal(name),
            scopes=tuple(sorted(command.scopes)),
            issued_at=command.now,
            expires_at=command.expires_at,
        ),
        AccessTokenSecretSet(token_id=command.token_id, secret_hash=command.secret_hash),
    ]


def _use(command: UseAccessToken, token: AccessToken) -> Sequence[Event]:
    if (
        not same(command.secret_hash, token.secret_hash)
        or token.revoked
        or token.expires_at is None
        or command.now >= token.expires_at
    ):
        raise signed_out()
    if token.last_used is not None and command.now - token.last_used < COARSE:
        return []
    return [AccessTokenUsed(token_id=command.token_id, used_at=command.now)]


def roles_within(scopes: frozenset[Scope], roles: frozenset[Role]) -> frozenset[Role]:
    """What a member's roles are worth to a token: without the scope it administers nothing."""
    return roles if Scope.ADMINISTER in scopes else roles - ADMINISTERING


def evolve(token: AccessToken, event: Event) -> AccessToken:
    match event:
        case AccessTokenIssued():
            return AccessToken(
                member_id=event.member_id, scopes=frozenset(event.scopes), expires_at=event.expires_at
            )
        case AccessTokenSecretSet():
            return replace(token, secret_hash=event.secret_hash)
        case AccessTokenUsed():
            return replace(token, last_used=event.used_at)
        case AccessTokenRevoked():
            return replace(token, revoked=True)
    return token


def stream(token_id: str) -> str:
    return f"accesstoken-{token_id}"


access_tokens: Decider[Command, AccessToken] = Decider(
    lambda c: stream(c.token_id), AccessToken(), decide, evolve
)
