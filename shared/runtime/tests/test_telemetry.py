"""Metrics and traces: one exposition, and a trace that costs nothing when nobody wants it."""

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from shared.runtime import telemetry
from shared.runtime.settings import Settings


def test_what_is_counted_is_exposed() -> None:
    telemetry.VIEW_LAG_EVENTS.labels("wiki.pages").set(7)
    body, media_type = telemetry.exposition()
    assert b'fikarum_view_lag_events{view="wiki.pages"} 7.0' in body
    assert b"process_resident_memory_bytes" in body
    assert media_type.startswith("text/plain")


def test_nothing_is_traced_unless_the_settings_say_where_to() -> None:
    telemetry.trace_to("wiki", Settings(traces_url=""))
    with telemetry.span("fold"):
        assert telemetry.trace_headers() == {}
        assert telemetry.trace_id() is None


def test_a_record_carries_its_trace_to_whoever_folds_it() -> None:
    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("append") as begun:
        headers = [(name, value.encode()) for name, value in telemetry.trace_headers().items()]
        expected = trace.format_trace_id(begun.get_span_context().trace_id)
    assert [name for name, _ in headers] == ["traceparent"]
    with telemetry.span("fold", headers=headers):
        assert telemetry.trace_id() == expected
