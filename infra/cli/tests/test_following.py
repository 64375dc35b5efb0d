"""One request followed from the door to the index: one trace, and one correlation id in the logs."""

import gzip
import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from infra.cli.platform import demo
from infra.cli.tests.eventually import eventually
from infra.cli.tests.test_platform import PATIENCE, Installation

pytestmark = pytest.mark.timeout(600)

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CORRELATION = "followed-from-a-click"


@dataclass
class Collector:
    """Takes traces as a collector does (OTLP over HTTP): the spans of our one trace, by service."""

    spans: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        for resource in request.resource_spans:
            names = {a.key: a.value.string_value for a in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    if span.trace_id.hex() == TRACE:
                        self.spans[names["service.name"]].add(span.name)


@pytest.fixture
def collector() -> Iterator[tuple[Collector, str]]:
    taking = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            taking.take(gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """A collector that says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield taking, f"http://127.0.0.1:{server.server_port}/v1/traces"
        server.shutdown()


def test_a_post_is_followed_from_the_door_to_the_index(
    collector: tuple[Collector, str], tmp_path: Path
) -> None:
    taken, address = collector
    settings = {
        "FIKARUM_TRACES_URL": address,
        "FIKARUM_LOG_LEVEL": "debug",
        "FIKARUM_LOG_FORMAT": "json",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    here = Installation(tmp_path / "followed", settings)
    try:
        here.run("up", "--empty")
        status = here.status()
        author = next(m for m in demo(here.home)["members"] if m["user_name"] == "saga")
        headers = {
            "Authorization": f"Bearer {author['token']}",
            "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
            "X-Correlation-ID": CORRELATION,
        }
        base = f"{status['addresses']['gateway']}/api/v1"
        with httpx.Client(base_url=base, headers=headers, timeout=30) as client:
            answer = client.post("/posts", json={"text": "Who follows this cinnamon bun?"})
            assert answer.status_code == 201, answer.text
        parts = ("gateway", "feed", "search")
        folds = {"fold feed.posts", "fold search.items"}

        def traced() -> bool:
            seen = {name for spans in taken.spans.values() for name in spans}
            return all(f"fikarum-{part}" in taken.spans for part in parts) and folds <= seen

        eventually(traced, "its trace", PATIENCE)
        for part in parts:
            lines = [
                json.loads(line) for line in here.home.log(part).read_text().splitlines() if line[:1] == "{"
            ]
            assert any(line.get("correlation_id") == CORRELATION for line in lines), part
    finally:
        here.run("down")
