"""How a refusal leaves the house: RFC 9457 problem details, in English; the gateway translates by code."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from structlog.contextvars import get_contextvars

from shared.kernel import errors
from shared.kernel.errors import Refused

MEDIA_TYPE = "application/problem+json"
#: So many faults of one request are told; more would help nobody.
MOST_FAULTS = 20
LONGEST_FIELD = 200
_TIME = "This must be a date and a time with its offset, such as 2026-11-21T09:30:00+01:00."
#: Said in our words, by code, where those of the library tell of its inside.
_SAID = {
    "datetime-from-date-parsing": _TIME,
    "datetime-object-invalid": _TIME,
    "datetime-parsing": _TIME,
    "datetime-type": _TIME,
    "timezone-aware": _TIME,
    "string-unicode": "This holds half of a character. Remove it.",
}

_STATUS: dict[type[Refused], int] = {
    errors.NotFound: 404,
    errors.Forbidden: 403,
    errors.Unauthenticated: 401,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.TooMany: 429,
    errors.Unavailable: 503,
    Refused: 422,
}
_RETRY_SECONDS = {429: 1, 503: 1}


class Fault(BaseModel):
    """What is wrong with one field of the input."""

    field: str
    message: str
    code: str = Field(description="Stable name of the rule that is broken")


class Problem(BaseModel):
    """Why a request was refused."""

    type: str = Field(description="`urn:fikarum:problem:` and the code")
    title: str
    status: int
    detail: str = Field(description="A sentence in English that says what to do")
    code: str = Field(description="Stable, kebab-case; translate by this and `params`")
    field: str | None = Field(None, description="The input at fault, if it is one")
    params: dict[str, str | int] = Field(default_factory=dict)
    correlation_id: str | None = Field(None, description="Quote this when asking for help")
    errors: list[Fault] | None = Field(None, description="Every fault of malformed input")


def status_of(refused: Refused) -> int:
    """The HTTP status of a refusal: that of the nearest class the table knows."""
    return next(_STATUS[kind] for kind in type(refused).__mro__ if kind in _STATUS)


def _problem(status: int, code: str, detail: str, **more: Any) -> Problem:
    return Problem(
        type=f"urn:fikarum:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        correlation_id=get_contextvars().get("correlation_id"),
        **more,
    )


def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """As a response. What somebody sent may come back in it, so lone surrogates are spelled out."""
    text = json.dumps(problem.model_dump(exclude_none=True), ensure_ascii=False)
    more = dict(headers or {})
    if problem.status == HTTPStatus.UNAUTHORIZED:
        more["WWW-Authenticate"] = "Bearer"
    if problem.status in _RETRY_SECONDS:
        more["Retry-After"] = str(problem.params.get("seconds", _RETRY_SECONDS[problem.status]))
    return Response(text.encode("utf-8", "backslashreplace"), problem.status, more, MEDIA_TYPE)


def of_refusal(refused: Refused) -> Problem:
    """The domain said no."""
    return _problem(
        status_of(refused), refused.code, str(refused), field=refused.field, params=refused.params
    )


def of_faults(faults: Sequence[Fault]) -> Problem:
    """The input is malformed."""
    shown = list(faults[:MOST_FAULTS])
    first = shown[0]
    named = f"{first.field}: {first.message}" if first.field else first.message
    detail = named if len(shown) == 1 else "Some of this input is not valid. See the fields."
    return _problem(422, "invalid-input", detail, field=first.field or None, errors=shown)


def of_validation(error: RequestValidationError) -> Problem:
    """Pydantic's findings, by field; values are not repeated."""
    return of_faults([_fault(found, error.body) for found in error.errors()[:MOST_FAULTS]])


def _fault(found: Mapping[str, Any], body: object) -> Fault:
    code = str(found["type"]).replace("_", "-").replace(".", "-")
    place, *path = [str(part) for part in found["loc"]]
    if code == "json-invalid":
        why = found.get("ctx", {}).get("error", "cannot be read")
        return Fault(field="", message=f"This is not JSON: {why} (character {'.'.join(path)}).", code=code)
    if place == "body" and not path:
        if isinstance(found.get("input"), bytes):
            return Fault(field="", message="Send JSON, as Content-Type: application/json.", code="not-json")
        if code == "missing":
            return Fault(field="", message="A body is needed.", code=code)
    field = ".".join(path) or ("" if place == "body" else place)
    message = _SAID.get(code) or str(found["msg"]).removeprefix("Value error, ")
    if place == "body" and (line := _line_of(found["loc"][1:], body)) is not None:
        message = f"Line {line}: {message}"
    return Fault(field=field[:LONGEST_FIELD], message=message, code=code)


def _line_of(path: Sequence[Any], body: object) -> int | None:
    """The line of an import at fault: whoever made the batch knows it by its number, not by its place."""
    if len(path) < 2 or not isinstance(path[1], int) or not isinstance(body, Mapping):
        return None
    try:
        line = body[path[0]][path[1]]["line"]
    except (LookupError, TypeError):
        return None
    return line if isinstance(line, int) and not isinstance(line, bool) else None


def of_http(error: HTTPException) -> Problem:
    """What the framework itself refuses: routes, methods, sizes and bodies that cannot be parsed."""
    cause = error.__cause__
    if isinstance(cause, Refused):
        return of_refusal(cause)
    if error.status_code == HTTPStatus.BAD_REQUEST:
        if isinstance(cause, RecursionError):
            return of_faults([Fault(field="", message="This is nested too deeply.", code="nested-too-deep")])
        return of_faults([Fault(field="", message="The body cannot be read.", code="unreadable")])
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return _problem(404, "no-such-address", "There is nothing at this address.")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return _problem(405, "method-not-allowed", "This address does not answer that method.")
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return of_too_large()
    return _problem(error.status_code, f"http-{error.status_code}", HTTPStatus(error.status_code).phrase)


def of_range() -> Problem:
    """No byte of a file is where the request asks for some."""
    return _problem(416, "range-not-there", "The file is shorter than that. Ask for a part that it has.")


def of_bug() -> Problem:
    """We failed. What failed is in the log, under the correlation id."""
    return _problem(500, "failed", "Something went wrong on our side. Nothing was saved. Try again later.")


def of_too_busy() -> Problem:
    return of_refusal(errors.Unavailable("too-busy", "There is too much to do right now. Try again shortly."))


def of_too_large() -> Problem:
    return _problem(413, "too-large", "This is larger than what is accepted here.")
