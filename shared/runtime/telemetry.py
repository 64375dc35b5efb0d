"""What a process measures of itself (Prometheus), and how traces run through HTTP and Kafka (OpenTelemetry).

Labels are names of ours only (routes, views): one with an id or a member's words would leak and never end.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from shared.runtime.settings import Settings

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

#: Seconds. The house's figures lie between a millisecond and two seconds.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096)


#: Traces that one batch is a part of, at most.
MOST_PARTS = 100


def _counter(name: str, says: str, *labels: str) -> Counter:
    return Counter(f"fikarum_{name}", says, labels, registry=REGISTRY)


def _gauge(name: str, says: str, *labels: str) -> Gauge:
    return Gauge(f"fikarum_{name}", says, labels, registry=REGISTRY)


def _histogram(name: str, says: str, *labels: str, buckets: tuple[float, ...] = _SECONDS) -> Histogram:
    return Histogram(f"fikarum_{name}", says, labels, registry=REGISTRY, buckets=buckets)


HTTP_REQUESTS = _counter("http_requests", "Requests answered.", "service", "method", "route", "status")
HTTP_SECONDS = _histogram("http_seconds", "Seconds from request to answer.", "service", "method", "route")
HTTP_UNDER_WAY = _gauge("http_under_way", "Requests being worked on.", "service")

APPENDED = _counter("appended_commits", "Commits stored.")
APPEND_BATCH = _histogram("append_batch", "Commits written together.", buckets=_BATCHES)
APPEND_SECONDS = _histogram("append_seconds", "Seconds of one write of commits.")

RELAY_SENT = _counter("relay_sent", "Commits sent to Kafka and marked.")
RELAY_BATCH_SECONDS = _histogram("relay_batch_seconds", "Seconds of one transaction to Kafka.")
RELAY_UNSENT_AGE = _gauge("relay_unsent_age_seconds", "Age of the oldest commit not yet sent.", "service")

VIEW_FOLDED = _counter("view_folded", "Events folded into a view.", "view")
VIEW_BATCH_SECONDS = _histogram("view_batch_seconds", "Seconds to fold and write one batch.", "view")
VIEW_MISSES = _counter(
    "view_misses", "Documents folded again because somebody else had changed them.", "view"
)
VIEW_LAG_EVENTS = _gauge("view_lag_events", "Events that the view has not folded yet.", "view")
VIEW_LAG_SECONDS = _gauge(
    "view_lag_seconds", "Age of the newest end of the log that the view has passed.", "view"
)
PARKED = _gauge("parked_events", "Events that are parked in the generation that serves.", "view")

FILES_STORED = _counter("files_stored_bytes", "Bytes of files uploaded.")
REFUSED_RATE = _counter("rate_refused", "Requests refused for their rate.", "limit")


def exposition() -> tuple[bytes, str]:
    """What `/metrics` answers, and its content type."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST


def trace_to(service: str, settings: Settings) -> None:
    """Starts sending traces where the settings say so; otherwise nothing is loaded and spans cost nothing."""
    if not settings.traces_url:
        return
    # Imported here: the exporter and its protocol take 20 MB that a process without traces need not spend.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    class WithoutQueries(SpanProcessor):
        """What members search for is theirs: the framework would send it along with every request."""

        def on_start(self, span: Span, parent_context: Context | None = None) -> None:
            if span.attributes and "url.query" in span.attributes:
                span.set_attribute("url.query", "[left out]")

    provider = TracerProvider(
        resource=Resource.create({"service.name": f"fikarum-{service}"}),
        sampler=ParentBased(TraceIdRatioBased(settings.traces_share)),
    )
    provider.add_span_processor(WithoutQueries())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.traces_url)))
    trace.set_tracer_provider(provider)


@contextmanager
def span(
    name: str, kind: SpanKind = SpanKind.INTERNAL, headers: Iterable[tuple[str, bytes]] = ()
) -> Iterator[None]:
    """A part of the trace under way, or of the one in a record's `headers`; errors are noted by type only."""
    carrier = {key: value.decode("ascii", "replace") for key, value in headers}
    parent = propagate.extract(carrier) if carrier else None
    with trace.get_tracer("fikarum").start_as_current_span(
        name, context=parent, kind=kind, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except Exception as error:
            current.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


class Parts:
    """A part of each of several traces that one piece of work belongs to, such as folding a batch."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._spans: list[trace.Span] = []

    def join(self, headers: Iterable[tuple[str, bytes]]) -> None:
        """Begins a part of the trace that a record's `headers` carry, where there is one."""
        for name, value in headers:
            if name == "traceparent" and len(self._spans) < MOST_PARTS:
                context = propagate.extract({name: value.decode("ascii", "replace")})
                tracer = trace.get_tracer("fikarum")
                self._spans.append(tracer.start_span(self._name, context=context, kind=SpanKind.CONSUMER))

    def end(self) -> None:
        for span in self._spans:
            span.end()


def trace_headers() -> dict[str, str]:
    """The W3C headers (`traceparent`) that carry the trace under way further; none when off."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


def trace_id() -> str | None:
    """The id of the trace under way, for logs."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None
