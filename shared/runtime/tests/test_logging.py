"""Logs: one line each, with the ids of the story, without secrets or what people wrote."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from shared.runtime.logging import (
    bound,
    configure,
    correlation_id,
    from_http,
    from_kafka,
    get_logger,
    strike_out,
    to_http,
    to_kafka,
)
from shared.runtime.settings import Settings


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers, root.level)
    stream = io.StringIO()
    configure("wiki", Settings(log_format="json"), stream)
    with structlog.contextvars.bound_contextvars():
        structlog.contextvars.clear_contextvars()
        yield stream
    root.handlers, root.level = before
    structlog.reset_defaults()


def _last(stream: io.StringIO) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(stream.getvalue().splitlines()[-1])
    return line


def test_a_line_is_json_with_the_ids_of_the_story(lines: io.StringIO) -> None:
    with bound(correlation_id="story-1", member_id="ann", event_id=None):
        get_logger("services.wiki").info("page revised", page_id="page-1")
    line = _last(lines)
    assert {k: line[k] for k in ("event", "service", "level", "correlation_id", "member_id", "page_id")} == {
        "event": "page revised",
        "service": "wiki",
        "level": "info",
        "correlation_id": "story-1",
        "member_id": "ann",
        "page_id": "page-1",
    }
    assert "timestamp" in line and "event_id" not in line


def test_the_standard_librarys_loggers_say_it_the_same_way(lines: io.StringIO) -> None:
    with bound(correlation_id="story-1"):
        logging.getLogger("pymongo.client").warning("no primary at %s", "mongodb://ann:hunter2@db:27017")
    line = _last(lines)
    assert line["correlation_id"] == "story-1"
    assert line["event"] == "no primary at mongodb://[struck out]@db:27017"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("authorization", "Bearer abc.def.ghi"),
        ("Set-Cookie", "session=1"),
        ("password", "hunter2"),
        ("csrf_token", "hunter2"),
        ("mongo_uri", "mongodb://ann:hunter2@db"),
        ("email", "ann@example.org"),
        ("headers", {"authorization": "hunter2"}),
        ("headers", [{"Cookie": "hunter2"}]),
        ("note", "sent Bearer hunter2 along"),
        ("note", "token eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbm4ifQ.hunter2"),
        ("body", b"hunter2"),
    ],
)
def test_secrets_and_personal_data_are_struck_out(lines: io.StringIO, name: str, value: object) -> None:
    get_logger("test").info("asked", **{name: value})
    written = lines.getvalue()
    for secret in ("hunter2", "abc.def", "session=1", "example.org", "eyJhbGci"):
        assert secret not in written


def test_a_line_is_never_lost_for_what_somebody_sent(lines: io.StringIO) -> None:
    get_logger("test").info("asked", field="a\ud800b", kind=object, nested={"deep": [{"at": {1, 2}}]})
    assert _last(lines)["field"] == "a\ud800b"


def test_a_trace_tells_where_and_why_but_not_what_people_wrote(lines: io.StringIO) -> None:
    diary = "dear diary"
    try:
        raise ValueError(f"could not save {len(diary)} characters")
    except ValueError:
        get_logger("test").exception("failed")
    written = lines.getvalue()
    assert "could not save 10 characters" in written and "test_logging.py" in written
    assert "dear diary" not in written


def test_terminals_get_lines_for_people() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    before = (root.handlers, root.level)
    configure("wiki", Settings(log_format="console"), stream)
    get_logger("test").info("page revised", page_id="page-1")
    root.handlers, root.level = before
    structlog.reset_defaults()
    assert "page revised" in stream.getvalue() and "page_id=page-1" in stream.getvalue()


def test_numbers_are_never_struck_out() -> None:
    assert strike_out(None, "info", {"tokens": 3, "token_count": 7}) == {"tokens": 3, "token_count": 7}


def test_a_story_crosses_http_and_kafka(lines: io.StringIO) -> None:
    with bound(correlation_id="story-1", causation_id="event-9", member_id="ann"):
        over_http, over_kafka = to_http(), to_kafka()
    assert over_http == {"X-Correlation-ID": "story-1", "X-Causation-ID": "event-9"}
    assert from_http(over_http) == {"correlation_id": "story-1", "causation_id": "event-9"}
    assert from_kafka([*over_kafka, ("ce_id", b"event-10")]) == {
        "correlation_id": "story-1",
        "causation_id": "event-9",
        "event_id": "event-10",
    }


@pytest.mark.parametrize("bad", ["", "a b", "x" * 129, "a\r\nSet-Cookie: b", "ä", "-a"])
def test_an_insane_correlation_id_is_replaced(bad: str) -> None:
    fresh = from_http({"X-Correlation-ID": bad, "X-Causation-ID": bad})
    assert fresh["correlation_id"] != bad and "causation_id" not in fresh
    assert from_kafka([("ce_correlationid", bad.encode())]) == {}


def test_a_story_without_an_id_begins_once(lines: io.StringIO) -> None:
    assert correlation_id() == correlation_id()
