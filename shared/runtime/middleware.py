"""What surrounds every request: its ids, its line in the log, its metrics, its place, its last resort.

Plain ASGI: wrapping each request in another task and stream costs more than all of this.
"""

import time
from collections.abc import Sequence
from string import Formatter

from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from shared.runtime import telemetry
from shared.runtime.logging import CORRELATION_HEADER, from_http, get_logger
from shared.runtime.problems import answer, of_bug, of_too_busy, of_too_large

log = get_logger(__name__)

#: What operators ask; always answered, never counted against anybody.
OPERATING = ("/health/", "/metrics")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CLIENT_LEFT = 499
LONGEST_PATH = 300


def route_of(scope: Scope) -> str:
    """The template of the route that answers, such as `/pages/{page_id}`: labels must not grow for ever."""
    template = getattr(scope.get("route"), "path_format", None)
    if not isinstance(template, str):
        return "unknown"
    given = scope.get("path_params", {})
    names = {name for _, name, _, _ in Formatter().parse(template) if name}
    if names != set(given):
        return template
    filled = template.format_map(given)
    path = str(scope["path"])
    return path.removesuffix(filled) + template if path.endswith(filled) else template


class Observed:
    """Outermost: every answer has a correlation id, and a failure is answered by a problem, never a trace."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self.app = app
        self.under_way = telemetry.HTTP_UNDER_WAY.labels(service)
        self._service = service
        self._metrics: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Finds each pair of metrics once: looking them up by labels costs more than counting."""
        found = self._metrics.get((method, route, status))
        if found is None:
            found = (
                telemetry.HTTP_REQUESTS.labels(self._service, method, route, str(status)),
                telemetry.HTTP_SECONDS.labels(self._service, method, route),
            )
            self._metrics[method, route, status] = found
        found[0].inc()
        found[1].observe(seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        ids = from_http(Headers(scope=scope))
        with bound_contextvars(**ids, member_id=None):
            if scope["type"] == "websocket":
                await self.app(scope, receive, send)
            else:
                await _Exchange(self, scope, ids["correlation_id"], send).run(receive)


class _Exchange:
    """One request and its answer."""

    def __init__(self, outer: Observed, scope: Scope, correlation_id: str, send: Send) -> None:
        self.outer = outer
        self.scope = scope
        self.correlation_id = correlation_id
        self._send = send
        self.status = 0
        self._replaced = False

    async def run(self, receive: Receive) -> None:
        began = time.perf_counter()
        under_way = self.outer.under_way
        under_way.inc()
        try:
            await self.outer.app(self.scope, receive, self.send)
        except ClientDisconnect:
            self.status = self.status or _CLIENT_LEFT
        except Exception:
            log.exception("request failed", route=route_of(self.scope))
            if not self.status:
                await answer(of_bug())(self.scope, receive, self.send)
        finally:
            under_way.dec()
            self._report(time.perf_counter() - began)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[CORRELATION_HEADER] = self.correlation_id
            if self.status == 413 and headers.get("content-type", "").startswith("text/plain"):
                await self._replace()
        if not self._replaced:
            await self._send(message)

    async def _replace(self) -> None:
        """The framework's own words about a body that it did not read, in ours."""
        response = answer(of_too_large(), {CORRELATION_HEADER: self.correlation_id})
        self._replaced = True
        await self._send(
            {"type": "http.response.start", "status": self.status, "headers": response.raw_headers}
        )
        await self._send({"type": "http.response.body", "body": response.body})

    def _report(self, seconds: float) -> None:
        method = self.scope["method"] if self.scope["method"] in _METHODS else "OTHER"
        route, path = route_of(self.scope), str(self.scope["path"])
        self.outer.count(method, route, self.status, seconds)
        say = log.debug if path.startswith(OPERATING) else log.info
        say(
            "request",
            method=method,
            route=route,
            path=path[:LONGEST_PATH],
            status=self.status,
            ms=round(seconds * 1000, 2),
        )


class Bounded:
    """A ceiling on the requests under way: past it comes 503 at once, so a crowd costs no memory."""

    def __init__(self, app: ASGIApp, most: int, uncounted: Sequence[str] = ()) -> None:
        self.app = app
        self.most = most
        self._uncounted = (*OPERATING, *uncounted)
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or str(scope["path"]).startswith(self._uncounted):
            await self.app(scope, receive, send)
        elif self._under_way >= self.most:
            await answer(of_too_busy())(scope, receive, send)
        else:
            self._under_way += 1
            try:
                await self.app(scope, receive, send)
            finally:
                self._under_way -= 1
