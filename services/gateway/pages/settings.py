"""A member's own settings: appearance, access tokens, the devices where they are signed in."""

from datetime import UTC, datetime, time, timedelta

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from services.gateway import places
from services.gateway.clients import part
from services.gateway.pages.failures import Failures
from services.gateway.pages.parts import key_of
from services.gateway.pages.visit import Member, Visit
from services.gateway.view_models import SessionLine, SessionsView, SettingsView, TokenLine, TokensView
from shared.runtime.ids import new_id

DAYS = (7, 30, 90, 365)
USUAL_DAYS = 90
#: What programs of members may do in their name; administering is not among it.
SCOPES = ("read", "write")

routes = APIRouter(include_in_schema=False)


class _Token(BaseModel):
    token_id: str
    name: str
    issued_at: datetime
    last_used: datetime | None
    expires_at: datetime


class _Tokens(BaseModel):
    items: list[_Token]


class _Issued(BaseModel):
    secret: str


class _Session(BaseModel):
    session_id: str
    device: str | None
    opened_at: datetime
    last_used: datetime
    current: bool


class _Sessions(BaseModel):
    items: list[_Session]


@routes.get(places.SETTINGS)
async def appearance(visit: Member) -> Response:
    return visit.show(SettingsView(), place="settings")


@routes.get(places.TOKENS)
async def tokens(visit: Member) -> Response:
    return await _tokens(visit)


@routes.post(places.TOKENS)
async def make_token(visit: Member) -> Response:
    sent = await visit.form()
    name, days = sent.text("name").strip(), sent.number("days")
    failures = Failures(visit, {"expires_at": "days"})
    if not name:
        failures.beside("name", visit.locale.gettext("Give it a name."))
    if days not in DAYS:
        failures.beside("days", visit.locale.gettext("Choose how long it is valid."))
    if failures or days is None:
        return await _tokens(visit, name=name, failures=failures)
    with failures.caught():
        # The same all day: a page that is loaded again asks for the same token.
        ends = datetime.combine(datetime.now(UTC).date(), time(), UTC) + timedelta(days=days)
        new = {"name": name, "scopes": list(SCOPES), "expires_at": ends.isoformat()}
        headers = {"Idempotency-Key": key_of(sent)}
        answer = await visit.ask("identity", "POST", "/me/tokens", json=new, headers=headers)
        return await _tokens(visit, secret=answer.read(_Issued).secret)
    return await _tokens(visit, name=name, days=days, failures=failures)


@routes.post(places.TOKENS + "/{token_id}/revoke")
async def revoke_token(token_id: str, visit: Member) -> Response:
    await visit.form()
    await visit.ask("identity", "DELETE", f"/me/tokens/{part(token_id)}")
    return visit.go(places.TOKENS, "token-revoked")


@routes.get(places.SESSIONS)
async def sessions(visit: Member) -> Response:
    answer = await visit.ask("identity", "GET", "/sessions")
    unknown = visit.locale.gettext("Unknown device")
    lines = [
        SessionLine(line.session_id, line.device or unknown, line.opened_at, line.last_used, line.current)
        for line in answer.read(_Sessions).items
    ]
    return visit.show(SessionsView(lines), place="settings")


@routes.post(places.SESSIONS + "/{session_id}/revoke")
async def revoke_session(session_id: str, visit: Member) -> Response:
    await visit.form()
    session = visit.signed_in
    await visit.ask("identity", "DELETE", f"/sessions/{part(session_id)}")
    if session_id == session.held.session_id:
        return visit.sign_out()
    return visit.go(places.SESSIONS, "session-revoked")


async def _tokens(
    visit: Visit,
    *,
    secret: str = "",
    name: str = "",
    days: int = USUAL_DAYS,
    failures: Failures | None = None,
) -> Response:
    answer = await visit.ask("identity", "GET", "/me/tokens")
    lines = [
        TokenLine(line.token_id, line.name, line.issued_at, line.expires_at, line.last_used)
        for line in answer.read(_Tokens).items
    ]
    view = TokensView(
        tokens=lines,
        key=new_id(),
        secret=secret,
        name=name,
        days=days,
        day_choices=DAYS,
        errors=failures.errors if failures else {},
        problem=failures.problem if failures else "",
    )
    return visit.show(view, place="settings", status=failures.status if failures else 200)
