"""How are the services asked? One pool of connections, deadlines, and the ids that follow a request.

A service that is away raises `Away`, so that a page can do without that part of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

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
from shared.runtime import logging, telemetry
from shared.runtime.http import AFTER_HEADER, BEHIND_HEADER, COMMIT_HEADER
from shared.runtime.logging import get_logger
from shared.runtime.settings import Settings

log = get_logger(__name__)

#: Seconds. A read may wait two for its reader's own write, and comparing two long texts takes up to five.
TIMEOUT = httpx.Timeout(10.0, connect=1.0, pool=2.0)
#: Connections are let go before the services' own servers do that (75 s).
LIMITS = httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=30.0)
#: How a connection ends when the other side was restarted: asking once more is harmless for reads.
_CUT_OFF = (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)

_KINDS: dict[int, type[Refused]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    429: TooMany,
}


class Away(Unavailable):
    """A service does not answer, or only that it cannot. `failed`: it broke while answering."""

    def __init__(self, code: str, message: str, *, service: str, failed: bool = False) -> None:
        super().__init__(code, message)
        self.service = service
        self.failed = failed


class Fault(BaseModel):
    """What a service finds wrong with one field."""

    field: str = ""
    message: str = ""
    code: str = ""


class Malformed(Refused):
    """Input that does not fit a service's form, with every fault."""

    def __init__(self, message: str, faults: list[Fault]) -> None:
        super().__init__("invalid-input", message, field=faults[0].field if faults else None)
        self.faults = faults


class _Problem(BaseModel):
    """What a service says when it refuses."""

    code: str
    detail: str = ""
    field: str | None = None
    params: dict[str, str | int] = {}
    errors: list[Fault] | None = None


_BODY: TypeAdapter[Any] = TypeAdapter(Any)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered: JSON, and what its headers say about versions."""

    body: Any
    headers: httpx.Headers

    @property
    def commit(self) -> str | None:
        return str(self.headers[COMMIT_HEADER]) if COMMIT_HEADER in self.headers else None

    @property
    def behind(self) -> bool:
        return BEHIND_HEADER in self.headers


def part(text: str) -> str:
    """One part of a service's path. Raises NotFound for what would change the path instead."""
    if text in ("", ".", ".."):
        raise NotFound("no-such-address", "There is nothing at this address.")
    return quote(text, safe="")


class Clients:
    """Every service by its name. Start nothing: connections are made when they are needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = httpx.AsyncClient(
            timeout=TIMEOUT, limits=LIMITS, follow_redirects=False, trust_env=False
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(
        self,
        service: str,
        method: str,
        path: str,
        *,
        token: str | None = None,
        after: str | None = None,
        query: Mapping[str, str | int] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Raises Away, or the Refused that the service said."""
        asked = {"Accept": "application/json", **_said(token, after), **(headers or {})}
        content = None if json is None else _BODY.dump_json(json)
        if content is not None:
            asked["Content-Type"] = "application/json"
        request = self._http.build_request(
            method, self._settings.url_of(service) + path, params=query, content=content, headers=asked
        )
        response = await self._send(service, request, again=method == "GET")
        if response.is_success:
            return Answer(_json(service, response), response.headers)
        raise refusal(service, response)

    async def stream(
        self,
        service: str,
        method: str,
        path: str,
        *,
        token: str | None,
        after: str | None,
        query: str,
        content: Any,
        headers: Mapping[str, str],
    ) -> httpx.Response:
        """The answer as it comes in, whatever its status; the caller closes it. Raises Away."""
        url = httpx.URL(self._settings.url_of(service) + path)
        if query:
            url = url.copy_with(query=query.encode("ascii", "ignore"))
        asked = {**headers, **_said(token, after), "Accept-Encoding": "identity"}
        request = self._http.build_request(method, url, content=content, headers=asked)
        return await self._send(service, request, again=method == "GET", stream=True)

    async def _send(
        self, service: str, request: httpx.Request, *, again: bool, stream: bool = False
    ) -> httpx.Response:
        try:
            try:
                return await self._http.send(request, stream=stream)
            except _CUT_OFF:
                if not again:
                    raise
                return await self._http.send(request, stream=stream)
        except httpx.TransportError as error:
            log.warning("service does not answer", asked=service, error=type(error).__name__)
            raise _away(service) from error


def _said(token: str | None, after: str | None) -> dict[str, str]:
    said = {**logging.to_http(), **telemetry.trace_headers()}
    if token is not None:
        said["Authorization"] = f"Bearer {token}"
    if after is not None:
        said[AFTER_HEADER] = after
    return said


def _json(service: str, response: httpx.Response) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError as error:
        raise failed(service) from error


def failed(service: str) -> Away:
    """It broke. What broke is in its log, under the correlation id."""
    return Away("failed", "Something went wrong on our side. Try again later.", service=service, failed=True)


def _away(service: str) -> Away:
    return Away(
        "service-away", "A part of Fikarum does not answer right now. Try again in a minute.", service=service
    )


def refusal(service: str, response: httpx.Response) -> Refused:
    """What a service's answer other than success means here; its content has been read."""
    try:
        problem = _Problem.model_validate_json(response.content)
    except ValidationError:
        return failed(service)
    if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        return Away(problem.code, problem.detail, service=service)
    if response.is_server_error:
        return failed(service)
    if problem.errors is not None:
        return Malformed(problem.detail, problem.errors)
    kind = _KINDS.get(response.status_code, Refused)
    refused = kind(problem.code, problem.detail, field=problem.field)
    # Given afterwards: the sentence is finished, and braces in it are somebody's words.
    refused.params = problem.params
    return refused
