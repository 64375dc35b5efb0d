"""What a reader sees when it did not work: in their words, with what to do, and nothing of the inside."""

from contextlib import suppress
from http import HTTPStatus

from fastapi import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from services.gateway import forgery, places
from services.gateway.clients import Away
from services.gateway.pages import uploads
from services.gateway.pages.visit import Form, Visit, Visits
from services.gateway.view_models import ProblemView
from services.gateway.view_models.shell import ProblemArea, ProblemKind, Typed
from shared.kernel.errors import (
    Conflict,
    Forbidden,
    NotFound,
    Refused,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from shared.runtime.logging import correlation_id
from shared.runtime.problems import status_of

_KINDS: dict[type[Refused], ProblemKind] = {
    NotFound: "not-found",
    Forbidden: "forbidden",
    Unauthenticated: "signed-out",
    Conflict: "conflict",
    TooLarge: "too-large",
    TooMany: "too-many",
    Unavailable: "away",
    Refused: "invalid",
}
_STATUSES: dict[int, ProblemKind] = {404: "not-found", 405: "not-found", 413: "too-large"}
_AREAS: dict[str, ProblemArea] = {
    "/posts": "post",
    places.PEOPLE: "person",
    places.GROUPS: "group",
    places.WIKI: "page",
    places.ADOPTION: "figure",
}
#: The fields that hold what somebody took time to write; of the others one word alone may have been chosen.
_LONG = ("body", "text")
_LONG_AT_TIMES = ("about", "ask_me_about", "purpose", "note", "reason")
#: The kinds whose heading says it all, and must not tell apart what is not there from what is not theirs.
_SILENT = frozenset({"not-found", "signed-out", "expired", "failed"})


async def of_refusal(visits: Visits, request: Request, refused: Refused) -> Response:
    visit = await _visit(visits, request)
    if isinstance(refused, Unauthenticated):
        visit.reception.sessions.forget(visit.secret)
        if request.method in forgery.SAFE_METHODS:
            return visit.go(places.sign_in(visit.shown_at if visit.shown_at != places.HOME else None))
    known = visit.session is not None
    if isinstance(refused, (Unauthenticated, Unavailable)) or (isinstance(refused, TooMany) and known):
        await _read(visit)
    kind = _kind(refused)
    detail = "" if kind in _SILENT else visit.said(refused)
    status = HTTPStatus.INTERNAL_SERVER_ERROR if kind == "failed" else status_of(refused)
    response = _shown(visit, kind, status, detail)
    if isinstance(refused, TooMany):
        response.headers["Retry-After"] = str(refused.params.get("seconds", 1))
    return response


async def of_http(visits: Visits, request: Request, error: HTTPException) -> Response:
    visit = await _visit(visits, request)
    response = _shown(visit, _STATUSES.get(error.status_code, "invalid"), error.status_code, "")
    response.headers.update(error.headers or {})
    return response


async def of_bug(visits: Visits, request: Request) -> Response:
    visit: Visit = getattr(request.state, "visit", None) or visits.stranger(request)
    return _shown(visit, "failed", HTTPStatus.INTERNAL_SERVER_ERROR, "")


def _kind(refused: Refused) -> ProblemKind:
    if refused.code == "form-expired":
        return "expired"
    if isinstance(refused, Away) and refused.failed:
        return "failed"
    return next(_KINDS[kind] for kind in type(refused).__mro__ if kind in _KINDS)


def _shown(visit: Visit, kind: ProblemKind, status: int, detail: str) -> Response:
    request = visit.request
    view = ProblemView(
        kind,
        detail,
        correlation_id(),
        _typed(visit),
        sent=request.method not in forgery.SAFE_METHODS,
        about=_about(request.url.path),
    )
    return visit.show(view, status=status)


def _about(path: str) -> ProblemArea:
    """Which part of the site an address is of, by how it begins and nothing else."""
    return next((area for begins, area in _AREAS.items() if f"{path}/".startswith(f"{begins}/")), "")


async def _read(visit: Visit) -> None:
    """What was sent by somebody who was turned away before it was read: their session ended while they wrote,
    or they asked too often. It is shown to them and nothing else; a stranger may send no more than any form
    without files."""
    request = visit.request
    if request.method not in forgery.SAFE_METHODS and not hasattr(request.state, "typed"):
        with suppress(Refused):
            await uploads.sent(visit, visit.reception.settings.limits.body_bytes)


def _typed(visit: Visit) -> Typed | None:
    """The long texts that were sent, and all that is needed to send them once more."""
    sent: Form | None = getattr(visit.request.state, "typed", None)
    if sent is None:
        return None
    texts = {name: text for name in (*_LONG, *_LONG_AT_TIMES) if (text := _written(name, sent))}
    again = {name: values for name, values in sent.fields.items() if name not in (*texts, forgery.FIELD)}
    return Typed(visit.request.url.path, texts, again) if texts else None


def _written(name: str, sent: Form) -> str:
    text = sent.text(name)
    return text if name in _LONG or len(text.split()) > 1 else ""


async def _visit(visits: Visits, request: Request) -> Visit:
    """The visit that was refused; where it had not begun, it begins now, or nobody is known."""
    begun: Visit | None = getattr(request.state, "visit", None)
    if begun is not None:
        return begun
    try:
        return await visits.begin(request)
    except TooMany:
        return visits.turned_away(request)
    except Refused:
        return visits.stranger(request)
