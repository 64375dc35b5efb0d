"""How a service answers over HTTP: the application, what routes ask of a request, and what they say back."""

import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated, Any

import anyio
from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp
from structlog.contextvars import bind_contextvars

from shared.kernel.errors import Forbidden, Refused, Unauthenticated
from shared.kernel.events import Occasion
from shared.runtime import cursors, problems, telemetry
from shared.runtime.asked import ASKED, Asked
from shared.runtime.auth import Actor, Verifier
from shared.runtime.collecting import collect_rarely
from shared.runtime.commits import Committed, Idempotency
from shared.runtime.inputs import Input
from shared.runtime.logging import CAUSATION_HEADER, configure, correlation_id, sane_id
from shared.runtime.middleware import Bounded, Observed
from shared.runtime.openapi import with_problems
from shared.runtime.parameters import Parameters
from shared.runtime.settings import Limits, Settings

__all__ = [
    "After",
    "Api",
    "Caller",
    "Cursor",
    "Doing",
    "IdempotencyKey",
    "IfMatch",
    "Input",
    "PageSize",
    "Permissions",
    "Unsigned",
    "answer_behind",
    "answer_commit",
    "answer_version",
    "build_app",
    "limits_of",
    "uvicorn_options",
]

#: What changes nothing (RFC 9110, section 9.2.1).
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

COMMIT_HEADER = "Fikarum-Commit"
AFTER_HEADER = "Fikarum-After"
BEHIND_HEADER = "Fikarum-Behind"

_ETAG = re.compile(r'"([0-9]{1,15})"')
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_COMMIT = r"[a-z]{1,30}/[A-Za-z0-9_.:\-]{1,200}/[0-9]{1,15}"
_PLACE = r"[A-Za-z0-9_\-]{1,64}:[0-9]{1,6}:[0-9]{1,19}"
#: A commit, or the places in the log that its owner told the gateway.
_AFTER = re.compile(f"{_COMMIT}|{_PLACE}(,{_PLACE}){{0,31}}")

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Any]]
#: What the process still waits for, in words; nothing when it is ready.
Ready = Callable[[], Awaitable[Sequence[str]]]
#: Takes note of what is measured when it is asked for, and raises nothing.
Measure = Callable[[], Awaitable[None]]


class Api(FastAPI):
    """A service's application: FastAPI that describes our errors and is surrounded by our middleware."""

    service: str
    settings: Settings
    uncounted: Sequence[str]

    def build_middleware_stack(self) -> ASGIApp:
        inner = super().build_middleware_stack()
        bounded = Bounded(inner, self.settings.limits.requests_at_once, self.uncounted)
        return Observed(bounded, self.service)

    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            self.openapi_schema = with_problems(super().openapi())
        return self.openapi_schema


def build_app(
    name: str,
    settings: Settings,
    *,
    lifespan: Lifespan | None = None,
    verifier: Verifier | None = None,
    ready: Ready | None = None,
    measure: Measure | None = None,
    uncounted: Sequence[str] = (),
    digest_keys: Sequence[bytes] = (),
) -> Api:
    """An application that logs, measures, limits and refuses as all of them do.

    `uncounted` are path prefixes of answers that stay open (live updates), which do not count as under way.
    `digest_keys`: requests are kept as digests, which a body with a password or a personal text needs a key
    for; the first makes new ones.
    """

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[Any]:
        configure(name, settings)
        telemetry.trace_to(name, settings)
        collect_rarely()
        if lifespan is None:
            yield None
        else:
            async with lifespan(app) as state:
                yield state

    app = Api(
        title=f"Fikarum {name}",
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=running,
        dependencies=[Depends(Parameters().check)],
        generate_unique_id_function=_operation_id,
        max_body_size=settings.limits.body_bytes,
        telemetry={
            "tracing": bool(settings.traces_url),
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    app.service, app.settings, app.uncounted = name, settings, uncounted
    app.state.verifier = verifier
    app.state.digest_keys = digest_keys
    _refuse(app)
    _operate(app, ready, measure)
    return app


def _operation_id(route: APIRoute) -> str:
    """The function's name: stable, and unique within a service."""
    return route.name


def _refuse(app: Api) -> None:
    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        return problems.answer(problems.of_refusal(error))

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problems.answer(problems.of_validation(error))

    async def http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problems.answer(problems.of_http(error), error.headers)

    async def failed(_: Request, error: Exception) -> Response:
        return problems.answer(problems.of_bug())

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, failed)


def _operate(app: Api, ready: Ready | None, measure: Measure | None) -> None:
    @app.get("/health/live", include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health/ready", include_in_schema=False)
    async def is_ready() -> Response:
        waiting: Sequence[str] = ["an answer of its own"]
        with anyio.move_on_after(app.settings.limits.ready_seconds):
            waiting = [] if ready is None else await ready()
        status = "waiting" if waiting else "ready"
        return JSONResponse(
            {"status": status, "waiting_for": list(waiting)}, status_code=503 if waiting else 200
        )

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        if measure is not None:
            with anyio.move_on_after(app.settings.limits.ready_seconds):
                await measure()
        body, media_type = telemetry.exposition()
        return Response(body, media_type=media_type)


def limits_of(request: Request) -> Limits:
    app: Api = request.app
    return app.settings.limits


_bearer = HTTPBearer(
    auto_error=False, description="A member's token, or a personal access token at the gateway"
)


async def _caller(
    request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Actor:
    if shown is None:
        raise Unauthenticated("sign-in-needed", "Sign in first.")
    verifier: Verifier = request.app.state.verifier
    actor = await verifier.verify(shown.credentials)
    bind_contextvars(member_id=actor.member_id)
    after = request.headers.get(AFTER_HEADER)
    ASKED.set(Asked(after) if after is not None and _AFTER.fullmatch(after) else None)
    if actor.reads_only and request.method not in SAFE_METHODS:
        raise Forbidden("token-reads-only", "This access token only reads. Make one that may write.")
    return actor


#: Who asks. Every route that is not for strangers has one.
Caller = Annotated[Actor, Depends(_caller)]


def _causation(request: Request) -> str | None:
    return sane_id(request.headers.get(CAUSATION_HEADER))


async def _doing(request: Request, caller: Caller) -> Occasion:
    return Occasion(by=caller.member_id, correlation_id=correlation_id(), causation_id=_causation(request))


async def _unsigned(request: Request) -> Occasion:
    return Occasion(by=None, correlation_id=correlation_id(), causation_id=_causation(request))


#: The circumstances of a command, by the caller; `Unsigned` is for what strangers may do, such as signing in.
Doing = Annotated[Occasion, Depends(_doing)]
Unsigned = Annotated[Occasion, Depends(_unsigned)]


async def _if_match(
    if_match: Annotated[
        str | None, Header(description='The version that was read, as its ETag said: `"7"`')
    ] = None,
) -> int | None:
    if if_match is None:
        return None
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise Refused("bad-if-match", 'Give one version in quotes, such as "7".', field="If-Match")
    return int(found[1])


#: The version that the caller has seen; a command on anything newer is refused with 409.
IfMatch = Annotated[int | None, Depends(_if_match)]


async def _idempotency(
    request: Request,
    caller: Caller,
    idempotency_key: Annotated[
        str | None, Header(description="Any text of the caller's; the same request under it is done once")
    ] = None,
) -> Idempotency | None:
    if idempotency_key is None:
        return None
    if not _KEY.fullmatch(idempotency_key):
        raise Refused(
            "bad-idempotency-key", "Use 1 to 200 visible ASCII characters.", field="Idempotency-Key"
        )
    parts = [part.encode() for part in (request.method, request.url.path, request.url.query)]
    asked = b"\n".join((*parts, await request.body()))
    # Last the one without a key: how requests were kept before, and where no body says what is sealed.
    digests = [hmac.new(key, asked, hashlib.sha256).hexdigest() for key in request.app.state.digest_keys]
    first, *others = (*digests, hashlib.sha256(asked).hexdigest())
    return Idempotency(caller.member_id, idempotency_key, first, known_as=frozenset(others))


#: The caller's key for this request, bound to its method, path, query and body. Not for streamed uploads.
IdempotencyKey = Annotated[Idempotency | None, Depends(_idempotency)]


async def _after(
    fikarum_after: Annotated[
        str | None, Header(description="The commit to be read, as `Fikarum-Commit` said: `wiki/page-1/7`")
    ] = None,
) -> str | None:
    if fikarum_after is not None and not _AFTER.fullmatch(fikarum_after):
        raise Refused("bad-after", "Give a commit as Fikarum-Commit said it.", field=AFTER_HEADER)
    return fikarum_after


#: The caller's own write, which this read should show.
After = Annotated[str | None, Depends(_after)]


async def _page_size(
    request: Request,
    limit: Annotated[int | None, Query(ge=1, description="Items on this page")] = None,
) -> int:
    limits = limits_of(request)
    if limit is None:
        return limits.page_size
    if limit > limits.page_size_most:
        raise Refused(
            "page-too-large",
            "A page has at most {most} items.",
            field="limit",
            params={"most": limits.page_size_most},
        )
    return limit


async def _cursor(
    request: Request,
    cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
) -> list[Any] | None:
    return None if not cursor else cursors.decode(cursor, limits_of(request))


#: How many items a list shows (`?limit=`) and where it goes on (`?cursor=`, the last item's sort values).
PageSize = Annotated[int, Depends(_page_size)]
Cursor = Annotated[list[Any] | None, Depends(_cursor)]


class Permissions:
    """Which roles may do what in one service: `Permissions({"pages.delete": {"editor", "admin"}})`."""

    def __init__(self, granted: Mapping[str, Collection[str]]) -> None:
        self._granted = {permission: frozenset(roles) for permission, roles in granted.items()}

    def allows(self, actor: Actor, permission: str) -> bool:
        return not actor.roles.isdisjoint(self._granted[permission])

    def check(self, actor: Actor, *permissions: str) -> None:
        """Raises Forbidden where `actor` lacks one of them."""
        for permission in permissions:
            if not self.allows(actor, permission):
                raise Forbidden(
                    "not-permitted",
                    "Your role does not include this. Ask an administrator.",
                    params={"permission": permission},
                )

    def require(self, *permissions: str) -> Any:
        """`actor: Annotated[Actor, may.require("pages.delete")]`; KeyError for an unknown permission."""
        for permission in permissions:
            self._granted[permission]

        async def permitted(caller: Caller) -> Actor:
            self.check(caller, *permissions)
            return caller

        return Depends(permitted)


def answer_version(response: Response, version: int) -> None:
    """Says which version this is, for `If-Match`."""
    response.headers["ETag"] = f'"{version}"'


def answer_commit(response: Response, committed: Committed) -> None:
    """Says what the command did: the new version, and the commit that later reads may ask to see."""
    answer_version(response, committed.version)
    response.headers[COMMIT_HEADER] = str(committed)


def answer_behind(response: Response, behind: bool) -> None:
    """Says that the answer may not show the caller's own write yet."""
    if behind:
        response.headers[BEHIND_HEADER] = "true"


def uvicorn_options(settings: Settings) -> dict[str, Any]:
    """How every service is run: `uvicorn.run("services.wiki.app:app", **uvicorn_options(settings))`."""
    return {
        "host": settings.host,
        "port": settings.port,
        "loop": "uvloop",
        "http": "httptools",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": bool(settings.trusted_proxies),
        "forwarded_allow_ips": [str(network) for network in settings.trusted_proxies],
        "timeout_graceful_shutdown": settings.limits.shutdown_seconds,
        "timeout_keep_alive": 75,
    }
