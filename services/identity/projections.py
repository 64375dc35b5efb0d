"""What identity shows: members with their sealed names, and each member's open sessions and access tokens."""

from collections.abc import Collection
from datetime import datetime

from pydantic import BaseModel

from contracts.identity import (
    ClearanceChanged,
    Kind,
    LanguageChanged,
    MemberDeactivated,
    MemberErased,
    MemberRegistered,
    Role,
    RolesChanged,
)
from services.identity.domain.access_tokens import (
    AccessTokenIssued,
    AccessTokenRevoked,
    AccessTokenUsed,
    Scope,
)
from services.identity.domain.members import Standing
from services.identity.domain.sessions import SessionOpened, SessionRevoked, SessionUsed
from shared.kernel.audience import STAFF, Classification
from shared.kernel.events import Event, Recorded
from shared.kernel.personal import Personal
from shared.kernel.projection import Index, Projection


class MemberView(BaseModel):
    """Staff see all members; a guest sees themselves here, and others by name only."""

    member_id: str
    kind: Kind
    name: Personal
    email: Personal | None
    country: str | None
    language: str
    time_zone: str
    roles: list[Role]
    clearance: Classification
    signs_in: bool
    imported_as: str | None
    standing: Standing
    registered_at: datetime
    audience: list[str]
    classification: Classification


def _member_key(event: Event) -> Collection[str]:
    return {event.member_id} if isinstance(event, MEMBER_EVENTS) else ()


def _member(view: MemberView | None, event: Event, recorded: Recorded, key: str) -> MemberView | None:
    match event:
        case MemberRegistered():
            return MemberView(
                **event.model_dump(exclude={"name", "email"}),
                name=event.name,
                email=event.email,
                standing=Standing.ACTIVE,
                registered_at=recorded.occurred_at,
                audience=[STAFF, f"member:{event.member_id}"],
                classification=Classification.OPEN,
            )
        case RolesChanged():
            return _with(view, roles=list(event.new))
        case ClearanceChanged():
            return _with(view, clearance=event.new)
        case LanguageChanged():
            return _with(view, language=event.new)
        case MemberDeactivated():
            return _with(view, standing=Standing.DEACTIVATED)
        case MemberErased():
            return _with(view, standing=Standing.ERASED)
    return view


def _with(view: MemberView | None, **changes: object) -> MemberView | None:
    return view.model_copy(update=changes) if view is not None else None


MEMBER_EVENTS = (
    MemberRegistered,
    RolesChanged,
    ClearanceChanged,
    LanguageChanged,
    MemberDeactivated,
    MemberErased,
)
members = Projection("identity.members", 1, MemberView, MEMBER_EVENTS, _member_key, _member)


class SessionView(BaseModel):
    """An open session, as its member recognises it."""

    session_id: str
    member_id: str
    device: Personal | None
    opened_at: datetime
    last_used: datetime
    expires_at: datetime


def _session_key(event: Event) -> Collection[str]:
    return {event.session_id} if isinstance(event, SESSION_EVENTS) else ()


def _session(view: SessionView | None, event: Event, recorded: Recorded, key: str) -> SessionView | None:
    match event:
        case SessionOpened():
            return SessionView(
                session_id=event.session_id,
                member_id=event.member_id,
                device=event.device,
                opened_at=event.opened_at,
                last_used=event.opened_at,
                expires_at=event.expires_at,
            )
        case SessionUsed() if view is not None:
            return view.model_copy(update={"last_used": event.used_at})
        case SessionRevoked():
            return None
    return view


SESSION_EVENTS = (SessionOpened, SessionUsed, SessionRevoked)
sessions = Projection(
    "identity.sessions",
    1,
    SessionView,
    SESSION_EVENTS,
    _session_key,
    _session,
    (Index((("member_id", 1), ("opened_at", -1), ("session_id", 1))),),
)


class AccessTokenView(BaseModel):
    """An access token that was not revoked; its secret was shown once and is not here."""

    token_id: str
    member_id: str
    name: Personal
    scopes: list[Scope]
    issued_at: datetime
    last_used: datetime | None = None
    expires_at: datetime


def _token_key(event: Event) -> Collection[str]:
    return {event.token_id} if isinstance(event, TOKEN_EVENTS) else ()


def _token(
    view: AccessTokenView | None, event: Event, recorded: Recorded, key: str
) -> AccessTokenView | None:
    match event:
        case AccessTokenIssued():
            return AccessTokenView(
                token_id=event.token_id,
                member_id=event.member_id,
                name=event.name,
                scopes=list(event.scopes),
                issued_at=event.issued_at,
                expires_at=event.expires_at,
            )
        case AccessTokenUsed() if view is not None:
            return view.model_copy(update={"last_used": event.used_at})
        case AccessTokenRevoked():
            return None
    return view


TOKEN_EVENTS = (AccessTokenIssued, AccessTokenUsed, AccessTokenRevoked)
access_tokens = Projection(
    "identity.access_tokens",
    1,
    AccessTokenView,
    TOKEN_EVENTS,
    _token_key,
    _token,
    (Index((("member_id", 1), ("issued_at", -1), ("token_id", 1))),),
)
