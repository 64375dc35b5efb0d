"""What identity shows: members with their sealed names, and each member's open sessions and access tokens."""

from collections.abc import Collection
from datetime import datetime

from pydantic import BaseModel

from contracts.groups import MemberInvitedToGroup, MemberJoinedGroup, group_token
from contracts.identity import (
    ClearanceChanged,
    Kind,
    LanguageChanged,
    MemberDeactivated,
    MemberErased,
    MemberPlaced,
    MemberReactivated,
    MemberRegistered,
    MemberRenamed,
    Place,
    ProfileChanged,
    Role,
    RolesChanged,
    UnitFounded,
    UnitRenamed,
)
from services.identity.domain.access_tokens import (
    AccessTokenIssued,
    AccessTokenRevoked,
    AccessTokenUsed,
    Scope,
)
from services.identity.domain.members import Standing
from services.identity.domain.sessions import SessionOpened, SessionRevoked, SessionUsed
from shared.kernel.audience import MEMBER, STAFF, Classification
from shared.kernel.events import Event, Recorded
from shared.kernel.personal import Personal, lines
from shared.kernel.projection import Index, Projection


class MemberView(BaseModel):
    """Staff see all members; a guest sees themselves here, and others by name only, as far as they met."""

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
    synthetic: bool = False
    standing: Standing
    registered_at: datetime
    version: int
    units: list[str] = []
    title: str = ""
    manager_id: str | None = None
    office: str | None = None
    phone: Personal | None = None
    about: Personal | None = None
    ask_me_about: Personal | None = None
    #: The same, of a time when it was not sealed.
    asked_about_before: list[str] = []
    languages: list[str] = []
    audience: list[str]
    classification: Classification


def _member_key(event: Event) -> Collection[str]:
    return {event.member_id} if isinstance(event, MEMBER_EVENTS) else ()


def _member(view: MemberView | None, event: Event, recorded: Recorded, key: str) -> MemberView | None:
    changed = _changed(view, event, recorded)
    return _with(changed, version=recorded.version)


def _changed(view: MemberView | None, event: Event, recorded: Recorded) -> MemberView | None:
    match event:
        case MemberRegistered():
            return MemberView(
                **event.model_dump(exclude={"name", "email", "author_digest"}),
                name=event.name,
                email=event.email,
                standing=Standing.ACTIVE,
                registered_at=recorded.occurred_at,
                version=recorded.version,
                audience=[STAFF, f"member:{event.member_id}"],
                classification=Classification.OPEN,
            )
        case RolesChanged():
            return _with(view, roles=list(event.new))
        case ClearanceChanged():
            return _with(view, clearance=event.new)
        case LanguageChanged():
            return _with(view, language=event.new)
        case MemberPlaced():
            return _with(view, **_placed(event.place))
        case MemberRenamed():
            return _with(view, name=event.name)
        case ProfileChanged():
            return _with(
                view,
                phone=event.phone,
                about=event.about,
                **_interests(event.ask_me_about),
                languages=list(event.languages),
                time_zone=event.time_zone,
            )
        case MemberReactivated():
            return _with(view, standing=Standing.ACTIVE)
        case MemberDeactivated():
            return _with(view, standing=Standing.DEACTIVATED)
        case MemberErased():
            left = _placed(Place()) | {"languages": [], "asked_about_before": []}
            return _with(view, standing=Standing.ERASED, **left)
    return view


def _placed(place: Place) -> dict[str, object]:
    return place.model_dump() | {"units": list(place.units)}


def _interests(said: Personal | None) -> dict[str, object]:
    sealed = said is not None and said.sealed is not None
    return {
        "ask_me_about": said if sealed else None,
        "asked_about_before": lines(said.plain) if said is not None else [],
    }


def _with(view: MemberView | None, **changes: object) -> MemberView | None:
    return view.model_copy(update=changes) if view is not None else None


MEMBER_EVENTS = (
    MemberRegistered,
    RolesChanged,
    ClearanceChanged,
    LanguageChanged,
    MemberPlaced,
    MemberRenamed,
    ProfileChanged,
    MemberDeactivated,
    MemberReactivated,
    MemberErased,
)
members = Projection(
    "identity.members",
    4,
    MemberView,
    MEMBER_EVENTS,
    _member_key,
    _member,
    (Index((("manager_id", 1), ("member_id", 1))),),
)


class AcquaintanceView(BaseModel):
    """Who may know what somebody is called: all staff, and guests who share a group with them, or did when
    they wrote what those guests read, or whom they asked in."""

    member_id: str
    audience: list[str]
    classification: Classification = Classification.OPEN


def _acquaintance_key(event: Event) -> Collection[str]:
    match event:
        case MemberRegistered(member_id=member_id) | MemberJoinedGroup(member_id=member_id):
            return {member_id}
        case MemberInvitedToGroup(invited_by=member_id):
            return {member_id}
    return ()


def _acquaintance(
    view: AcquaintanceView | None, event: Event, recorded: Recorded, key: str
) -> AcquaintanceView:
    known = set(view.audience) if view is not None else {STAFF, f"{MEMBER}{key}"}
    match event:
        case MemberJoinedGroup(group_id=group_id):
            known.add(group_token(group_id))
        case MemberInvitedToGroup(member_id=invited):
            known.add(f"{MEMBER}{invited}")
    return AcquaintanceView(member_id=key, audience=sorted(known))


acquaintances = Projection(
    "identity.acquaintances",
    1,
    AcquaintanceView,
    (MemberRegistered, MemberJoinedGroup, MemberInvitedToGroup),
    _acquaintance_key,
    _acquaintance,
)


class UnitView(BaseModel):
    """A part of the organisation, for all staff; `path` leads to it from the top."""

    unit_id: str
    name: str
    parent_id: str | None
    path: list[str]
    audience: list[str]
    classification: Classification


def _unit_key(event: Event) -> Collection[str]:
    return {event.unit_id} if isinstance(event, UNIT_EVENTS) else ()


def _unit(view: UnitView | None, event: Event, recorded: Recorded, key: str) -> UnitView | None:
    match event:
        case UnitFounded():
            return UnitView(
                **event.model_dump(exclude={"path"}),
                path=list(event.path),
                audience=[STAFF],
                classification=Classification.OPEN,
            )
        case UnitRenamed() if view is not None:
            return view.model_copy(update={"name": event.name})
    return view


UNIT_EVENTS = (UnitFounded, UnitRenamed)
units = Projection(
    "identity.units", 1, UnitView, UNIT_EVENTS, _unit_key, _unit, (Index((("parent_id", 1), ("unit_id", 1))),)
)


class SessionView(BaseModel):
    """An open session, as its member recognises it."""

    session_id: str
    member_id: str
    device: Personal | None
    password_number: int | None = None
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
                password_number=event.password_number,
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
    2,
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
