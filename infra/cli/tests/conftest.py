"""One platform for all tests that look at a whole one, traced and talkative, so that a request can be
followed through it."""

import gzip
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from infra.cli.tests.installation import Installation
from services.gateway.tests.house import QUICK

#: The trace that is followed.
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@dataclass
class Collector:
    """Takes traces as a collector does (OTLP over HTTP): the spans of one trace, by service."""

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


@pytest.fixture(scope="package")
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


@pytest.fixture(scope="package")
def installed(
    collector: tuple[Collector, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """A platform that is up, without the handbook. Who ends a part of it begins it again."""
    settings = {
        "FIKARUM_TRACES_URL": collector[1],
        "FIKARUM_LOG_LEVEL": "debug",
        "FIKARUM_LOG_FORMAT": "json",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        **QUICK,
    }
    here = Installation(tmp_path_factory.mktemp("platform"), settings)
    try:
        here.run("up", "--empty")
        yield here
    finally:
        here.run("down")
