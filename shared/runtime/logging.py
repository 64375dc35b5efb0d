"""What is logged and how: one configuration, with the ids that follow a request through every service.

No personal data and no secrets: values under telling names, bearer tokens and passwords in addresses are
struck out.
"""

import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TextIO

import pydantic_core
import structlog
from pydantic_core import PydanticSerializationError
from structlog.contextvars import bind_contextvars, bound_contextvars, get_contextvars, merge_contextvars
from structlog.types import EventDict, Processor, WrappedLogger

from shared.runtime import telemetry
from shared.runtime.ids import new_id
from shared.runtime.settings import Settings

CORRELATION_HEADER = "X-Correlation-ID"
CAUSATION_HEADER = "X-Causation-ID"

#: What is bound to a request or an event that is being worked on.
CONTEXT = ("correlation_id", "causation_id", "member_id", "event_id")
_HTTP = {"correlation_id": CORRELATION_HEADER, "causation_id": CAUSATION_HEADER}
_KAFKA = {"correlation_id": "ce_correlationid", "causation_id": "ce_causationid", "event_id": "ce_id"}

_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:\-]{0,127}")
_SECRET_WORDS = re.compile(
    r"(?:^|[_\-.\s])"
    r"(?:authorization|cookie|credentials?|csrf|passphrase|passwd|password|secret|tokens?|uri)"
    r"(?:$|[_\-.\s])"
)
_PERSONAL_WORDS = re.compile(r"address|body|display_name|email|full_name|phone|photo|plain|text")
_SECRET_TEXT = re.compile(
    r"(?i:\bbearer\s+)\S+|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*|(?<=://)[^\s/@:]*:[^\s/@]*(?=@)|\bfkr_\w{8,}"
)
#: One list for the process: a logger that was cached under an earlier configuration follows the last one.
_CHAIN: list[Processor] = []
_STRUCK = "[struck out]"
#: Shorter text holds neither a token nor an address with a password.
_HARMLESS = 11
_DEEPEST = 4


def sane_id(text: str | None) -> str | None:
    """`text` if it can be an id, ours or a caller's; ids end up in headers, logs and events."""
    return text if text is not None and _SANE.fullmatch(text) else None


def correlation_id() -> str:
    """The id of the story under way, begun here where there is none."""
    known = get_contextvars().get("correlation_id")
    if known is None:
        known = new_id()
        bind_contextvars(correlation_id=known)
    return str(known)


@contextmanager
def bound(**ids: str | None) -> Iterator[None]:
    """Everything logged within carries these ids."""
    with bound_contextvars(**{name: value for name, value in ids.items() if value is not None}):
        yield


def to_http() -> dict[str, str]:
    """The headers that carry the story into another service."""
    known = get_contextvars()
    return {header: str(known[name]) for name, header in _HTTP.items() if name in known}


def from_http(headers: Mapping[str, str]) -> dict[str, str]:
    """The ids that a request brings, to be bound; a story without a sane id begins here."""
    ids = {name: value for name, header in _HTTP.items() if (value := sane_id(headers.get(header)))}
    return {"correlation_id": new_id(), **ids}


def to_kafka() -> list[tuple[str, bytes]]:
    """The record headers (CloudEvents extension attributes) that carry the story into a topic."""
    known = get_contextvars()
    return [
        (header, str(known[name]).encode())
        for name, header in _KAFKA.items()
        if name in known and name != "event_id"
    ]


def from_kafka(headers: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """The ids that a record brings, to be bound."""
    brought = {name: value.decode("ascii", "replace") for name, value in headers}
    return {name: value for name, header in _KAFKA.items() if (value := sane_id(brought.get(header)))}


def _text(name: str, text: str) -> str:
    if _telling(name):
        return _STRUCK
    # Most values are ids and names; the search is for what is long enough to hide something.
    return _SECRET_TEXT.sub(_STRUCK, text) if len(text) > _HARMLESS else text


def _struck(name: str, value: object, depth: int = 0) -> object:
    match value:
        case str():
            return _text(name, value)
        case bytes():
            return f"{len(value)} bytes"
        case Mapping() if depth < _DEEPEST:
            return {str(key): _struck(str(key), item, depth + 1) for key, item in value.items()}
        case list() | tuple() | set() | frozenset() if depth < _DEEPEST:
            return [_struck(name, item, depth + 1) for item in value]
        case int() | float() | None:
            return value
    return _text(name, str(value))


@lru_cache(maxsize=1_024)
def _telling(name: str) -> bool:
    lower = name.lower()
    return bool(_PERSONAL_WORDS.fullmatch(lower) or _SECRET_WORDS.search(lower))


def strike_out(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """The processor that keeps secrets and personal data out of every line."""
    keep: MutableMapping[str, Any] = {}
    for name, value in event.items():
        if value is None and name in CONTEXT:
            continue
        keep[name] = value if name.startswith("_") or name == "exc_info" else _struck(name, value)
    return keep


def _json(event: EventDict, **_: Any) -> str:
    try:
        return pydantic_core.to_json(event, fallback=repr).decode()
    except PydanticSerializationError:
        # A lone surrogate: spelled out, since a line must not be lost for what somebody sent.
        return json.dumps(event, default=repr)


def _processors() -> list[Processor]:
    return [
        merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def _rendering(as_json: bool, colours: bool) -> list[Processor]:
    if as_json:
        # Without local variables: they hold what people wrote.
        traces = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        return [
            structlog.processors.ExceptionRenderer(traces),
            strike_out,
            structlog.processors.JSONRenderer(_json),
        ]
    return [
        structlog.processors.format_exc_info,
        strike_out,
        structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback),
    ]


class _StandardOutput(logging.StreamHandler[TextIO]):
    """Asks for standard output with every line: whoever redirects it later gets what follows."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stdout


def configure(service: str, settings: Settings, stream: TextIO | None = None) -> None:
    """Sends structlog and standard logging alike to `stream` (standard output), named `service`."""
    handler = logging.StreamHandler(stream) if stream else _StandardOutput()
    colours = (stream or sys.stdout).isatty()

    def named(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        if settings.traces_url and (traced := telemetry.trace_id()):
            event["trace_id"] = traced
        return event

    before = [named, *_processors()]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(settings.json_logs, colours),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    _route_others()
    _CHAIN[:] = [
        structlog.stdlib.filter_by_level,
        *before,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ]
    structlog.configure(
        processors=_CHAIN,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=settings.production,
    )


def _route_others() -> None:
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "aiokafka", "faststream"):
        other = logging.getLogger(name)
        other.handlers, other.propagate = [], True
    # The access log is our own, with the route and the ids; these repeat every request and every poll.
    for name in (
        "uvicorn.access",
        "httpx",
        "httpcore",
        "urllib3",
        "aiokafka",
        "kafka",
        "pymongo",
        "opensearch",
        "asyncio",
    ):
        logging.getLogger(name).setLevel(logging.WARNING)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger: `get_logger(__name__).info("page revised", page_id=page_id)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
