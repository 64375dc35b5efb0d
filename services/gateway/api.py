"""The API: each request goes to the service that it belongs to, in the caller's name, and its answer back."""

from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus

import aiohttp
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import ValidationError
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException

from services.gateway import forgery, live
from services.gateway.addresses import API, destination, public
from services.gateway.clients import LONG_TIMEOUT, Answer, Away, failed, said, whole
from services.gateway.faults import detail_said, fault_said
from services.gateway.locale import Locale, translate_refusal
from services.gateway.openapi import Description
from services.gateway.reception import Reception, address_of, check_length, too_large
from services.gateway.sessions import Session, Sessions
from shared.kernel.errors import Forbidden, Refused, Unauthenticated
from shared.runtime import problems
from shared.runtime.http import AFTER_HEADER, COMMIT_HEADER
from shared.runtime.parameters import takes_none
from shared.runtime.problems import Problem

#: What stays open, and is not counted as under way.
LIVE = API + live.PATH
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_ASKED = (
    "accept",
    "content-length",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "if-range",
    "range",
)
_ANSWERED = (
    "accept-ranges",
    "cache-control",
    "content-disposition",
    "content-length",
    "content-range",
    "content-type",
    "etag",
    "fikarum-behind",
    "fikarum-commit",
    "fikarum-complete-up-to",
    "last-modified",
    "retry-after",
)
#: Answers up to this many bytes are handed on whole.
_WHOLE = 1024 * 1024
_PIECE = 64 * 1024
#: Bytes of a picture, which the feed takes at most.
LARGEST_PICTURE = 20 * 1024 * 1024


def router(reception: Reception) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    description = Description(reception.clients)

    @routes.api_route(f"{API}/openapi.json", methods=["GET", "HEAD"])
    async def describe(request: Request) -> Response:
        reception.rate.take(address_of(request))
        return JSONResponse(await description.whole())

    @routes.get(LIVE)
    async def follow(request: Request) -> Response:
        """What happens while somebody looks; it stays open."""
        session = request.state.session = await _caller(reception, request)
        if session is None:
            raise Unauthenticated("sign-in-needed", "Sign in first.")
        takes_none(request)
        asked = {"Fikarum-Client-Address": address_of(request)}
        return StreamingResponse(await reception.live.stream(session, asked), headers=live.HEADERS)

    @routes.api_route(API + "/{path:path}", methods=_METHODS)
    async def forward(path: str, request: Request) -> Response:
        service, address = destination(path)
        session = request.state.session = await _caller(reception, request)
        answer = await _asked(reception, request, service, address, session)
        return await _handed_on(reception, request, service, answer, session)

    return routes


async def _caller(reception: Reception, request: Request) -> Session | None:
    """Who calls, by a token or by the browser's cookie; None for a stranger. Raises Refused."""
    shown = request.headers.get("authorization")
    if shown is not None:
        scheme, _, secret = shown.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("sign-in-needed", "Sign in first.")
        session = await reception.session(secret.strip(), address_of(request))
        _check_scopes(session, request.method)
        return session
    secret = request.cookies.get(reception.session_cookie, "")
    if secret and request.method not in forgery.SAFE_METHODS:
        forgery.check_origin(request)
        forgery.check_token(request.headers.get(forgery.HEADER), secret)
    session = await reception.session(secret or None, address_of(request))
    _check_scopes(session, request.method)
    return session


def _check_scopes(session: Session | None, method: str) -> None:
    """An access token is good for what its member said when they made it."""
    needed = "read" if method in forgery.SAFE_METHODS else "write"
    if session is not None and needed not in session.held.scopes:
        raise Forbidden("scope-missing", "This access token was not made for that. Make one that may.")


async def _asked(
    reception: Reception, request: Request, service: str, address: str, session: Session | None
) -> aiohttp.ClientResponse:
    limit = LARGEST_PICTURE if address == "/pictures" else reception.settings.limits.body_bytes
    check_length(request, limit)
    reads = request.method in forgery.SAFE_METHODS
    after = request.headers.get(AFTER_HEADER)
    if session is not None:
        after = await _after(reception.sessions, session, service, after, reads=reads)
    return await reception.clients.stream(
        service,
        # What answers HEAD is an answer to GET without its body (RFC 9110, section 9.3.2).
        "GET" if request.method == "HEAD" else request.method,
        address,
        query=request.url.query,
        content=None if reads else _bounded(request, limit),
        headers={
            "Fikarum-Client-Address": address_of(request),
            **{name: request.headers[name] for name in _ASKED if name in request.headers},
            **said(session.held.token if session else None, after),
        },
        patience=LONG_TIMEOUT,
    )


async def _after(
    sessions: Sessions, session: Session, service: str, shown: str | None, *, reads: bool
) -> str | None:
    """What the answer should be after: what the client says, or else what this member did a moment ago."""
    if not reads:
        return await sessions.after_tokens(session)
    if shown:
        return await sessions.after_commit(session, service, shown)
    return await sessions.after(session, service)


async def _bounded(request: Request, limit: int) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise too_large()
        yield chunk


async def _handed_on(
    reception: Reception,
    request: Request,
    service: str,
    answer: aiohttp.ClientResponse,
    session: Session | None,
) -> Response:
    """Small answers whole, large ones as they come in."""
    if not answer.ok:
        return await _refused(reception, request, service, answer, session)
    if session is not None:
        commit = answer.headers.get(COMMIT_HEADER)
        reads = request.method in forgery.SAFE_METHODS
        reception.sessions.answered(session, service, commit, reads=reads)
    headers = _headers(service, answer)
    if session is not None and commit is not None:
        headers[COMMIT_HEADER.lower()] = reception.sessions.signed(commit)
    if request.method == "HEAD":
        # Not read at all: it may be large, or never end.
        answer.close()
        content = b""
    elif answer.content_length is None or answer.content_length > _WHOLE:
        pieces = answer.content.iter_chunked(_PIECE)
        return StreamingResponse(pieces, answer.status, headers, background=BackgroundTask(answer.release))
    else:
        content = (await whole(service, answer)).content
    response = Response(content, answer.status)
    response.headers.update(headers)
    return response


async def _refused(
    reception: Reception,
    request: Request,
    service: str,
    answer: aiohttp.ClientResponse,
    session: Session | None,
) -> Response:
    """What the service said, in the caller's language. Raises Away where it broke instead of saying no."""
    found = await whole(service, answer)
    if session is not None and found.status == HTTPStatus.UNAUTHORIZED:
        reception.sessions.forget(session.secret)
    try:
        problem = Problem.model_validate_json(found.content)
    except ValidationError as error:
        raise failed(service) from error
    if found.status >= HTTPStatus.INTERNAL_SERVER_ERROR and found.status != HTTPStatus.SERVICE_UNAVAILABLE:
        raise failed(service)
    return _answer(problem, _locale(reception, request), _told(found))


def _told(found: Answer) -> dict[str, str]:
    """What belongs to some refusals: which methods there are, how long a file is."""
    return {name: found.headers[name] for name in ("allow", "content-range") if name in found.headers}


def _headers(service: str, answer: aiohttp.ClientResponse) -> dict[str, str]:
    headers = {name: answer.headers[name] for name in _ANSWERED if name in answer.headers}
    location = answer.headers.get("location", "")
    if location.startswith("/") and (shown := public(service, location)) is not None:
        headers["location"] = API + shown
    return headers


def is_api(request: Request) -> bool:
    return request.url.path.startswith(f"{API}/")


async def of_refusal(reception: Reception, request: Request, refused: Refused) -> Response:
    """A refusal as problem details in the caller's language."""
    broke = isinstance(refused, Away) and refused.failed
    problem = problems.of_bug() if broke else problems.of_refusal(refused)
    return _answer(problem, _locale(reception, request))


async def of_http(reception: Reception, request: Request, error: HTTPException) -> Response:
    return _answer(problems.of_http(error), _locale(reception, request), error.headers)


async def of_bug(reception: Reception, request: Request) -> Response:
    return _answer(problems.of_bug(), reception.locale(request, None))


def _locale(reception: Reception, request: Request) -> Locale:
    """As the request asks, else as its member prefers."""
    asked = "accept-language" in request.headers
    return reception.locale(request, None if asked else getattr(request.state, "session", None))


def _answer(problem: Problem, here: Locale, headers: Mapping[str, str] | None = None) -> Response:
    said: dict[str, object] = {"detail": translate_refusal(problem.code, problem.detail, here)}
    if problem.errors is not None:
        faults = [
            fault.model_copy(update={"message": fault_said(fault.code, fault.message, here)})
            for fault in problem.errors
        ]
        said = {
            "errors": faults,
            "detail": detail_said([(fault.field, fault.message) for fault in faults], here),
        }
    return problems.answer(
        problem.model_copy(update=said), {**(headers or {}), "Content-Language": here.language}
    )
