"""Metrics and traces: one exposition, and a trace that costs nothing when nobody wants it."""

import subprocess
import sys

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


TRACED = """
import asyncio, http.server, threading
import httpx
from opentelemetry import trace
from shared.runtime import telemetry
from shared.runtime.http import build_app
from shared.runtime.settings import Settings

received = []
PARENT = f"00-{chr(97) * 32}-{chr(98) * 16}-01"

class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        received.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.end_headers()
    def log_message(self, *words):
        pass

for port in range(21_000, 32_000):
    try:
        collector = http.server.HTTPServer(("127.0.0.1", port), Collector)
        break
    except OSError:
        continue
threading.Thread(target=collector.serve_forever, daemon=True).start()
app = build_app("wiki", Settings(traces_url=f"http://127.0.0.1:{port}/v1/traces", log_level="error"))

@app.get("/pages/{page_id}")
async def page(page_id: str, q: str = "") -> None:
    with telemetry.span("look it up"):
        pass

async def ask():
    async with app.router.lifespan_context(app):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://wiki") as client:
            await client.get("/pages/1?q=dear-diary", headers={"traceparent": PARENT})

asyncio.run(ask())
trace.get_tracer_provider().shutdown()
sent = b"".join(received)
assert b"/pages/{page_id}" in sent and b"look it up" in sent and b"fikarum-wiki" in sent
assert bytes.fromhex("aa" * 16) in sent, "the caller's trace goes on"
assert b"dear-diary" not in sent, "what members search for stays here"
"""


def test_a_request_is_traced_to_where_the_settings_say_without_what_was_searched_for() -> None:
    # In a process of its own: a process has one tracer provider for good.
    done = subprocess.run(
        [sys.executable, "-c", TRACED], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_record_carries_its_trace_to_whoever_folds_it() -> None:
    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("append") as begun:
        headers = [(name, value.encode()) for name, value in telemetry.trace_headers().items()]
        expected = trace.format_trace_id(begun.get_span_context().trace_id)
    assert [name for name, _ in headers] == ["traceparent"]
    with telemetry.span("fold", headers=headers):
        assert telemetry.trace_id() == expected
