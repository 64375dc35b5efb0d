"""What the dashboard shows: rows of panels, each a question that an operator asks."""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["s", "short", "reqps", "bytes", "percentunit", "eps"]


@dataclass(frozen=True, slots=True)
class Panel:
    """`queries`: what is drawn, by legend, with labels in double braces. `alarm`: red from here on."""

    title: str
    says: str
    unit: Unit
    queries: dict[str, str]
    alarm: float | None = None


def _quantile(share: float, metric: str, by: str, where: str = "") -> str:
    return f"histogram_quantile({share}, sum by ({by}, le) (rate({metric}_bucket{where}[5m])))"


#: What people and programs ask for, and not whoever watches.
_ASKED = '{route!~"/metrics|/health/.*"}'


ROWS: dict[str, tuple[Panel, ...]] = {
    "What members notice": (
        Panel(
            "Requests",
            "Requests answered a second.",
            "reqps",
            {"{{service}}": "sum by (service) (rate(fikarum_http_requests_total[5m]))"},
        ),
        Panel(
            "Failures",
            "The share of requests that failed on our side.",
            "percentunit",
            {
                "{{service}}": 'sum by (service) (rate(fikarum_http_requests_total{status=~"5.."}[5m])) '
                "/ sum by (service) (rate(fikarum_http_requests_total[5m]))"
            },
            alarm=0.02,
        ),
        Panel(
            "Answer times",
            "Seconds until 99 of 100 requests are answered.",
            "s",
            {"{{service}}": _quantile(0.99, "fikarum_http_seconds", "service", _ASKED)},
            alarm=1.0,
        ),
        Panel(
            "Slowest routes",
            "The ten routes whose slowest requests take longest.",
            "s",
            {
                "{{service}} {{route}}": "topk(10, "
                + _quantile(0.99, "fikarum_http_seconds", "service, route", _ASKED)
                + ")"
            },
        ),
        Panel(
            "Refused for their rate",
            "Requests a second that were too many.",
            "reqps",
            {"{{limit}}": "sum by (limit) (rate(fikarum_rate_refused_total[5m]))"},
        ),
        Panel(
            "Under way",
            "Requests being worked on.",
            "short",
            {"{{service}}": "sum by (service) (fikarum_http_under_way)"},
        ),
    ),
    "From the store to the views": (
        Panel(
            "Oldest unsent",
            "Age of the oldest commit that is not in Kafka: the relay or Kafka is away.",
            "s",
            {"{{service}}": "max by (service) (fikarum_relay_unsent_age_seconds)"},
            alarm=30.0,
        ),
        Panel(
            "Views behind",
            "Age of the newest end of the log that the view has passed.",
            "s",
            {"{{view}}": "max by (view) (fikarum_view_lag_seconds)"},
            alarm=30.0,
        ),
        Panel(
            "Events to fold",
            "Events that the view has not folded yet.",
            "short",
            {"{{view}}": "max by (view) (fikarum_view_lag_events)"},
        ),
        Panel(
            "Parked",
            "Events that could not be folded and wait for somebody: fikarum parked.",
            "short",
            {"{{view}}": "max by (view) (fikarum_parked_events)"},
            alarm=1.0,
        ),
        Panel(
            "Commits",
            "Commits stored and sent a second.",
            "eps",
            {
                "stored {{service}}": "sum by (service) (rate(fikarum_appended_commits_total[5m]))",
                "sent {{service}}": "sum by (service) (rate(fikarum_relay_sent_total[5m]))",
            },
        ),
        Panel(
            "Folded",
            "Events folded a second.",
            "eps",
            {"{{view}}": "sum by (view) (rate(fikarum_view_folded_total[5m]))"},
        ),
    ),
    "How hard it works": (
        Panel(
            "Writes of commits",
            "Seconds of one write, 99 of 100.",
            "s",
            {"{{service}}": _quantile(0.99, "fikarum_append_seconds", "service")},
        ),
        Panel(
            "Transactions to Kafka",
            "Seconds of one transaction, 99 of 100.",
            "s",
            {"{{service}}": _quantile(0.99, "fikarum_relay_batch_seconds", "service")},
        ),
        Panel(
            "Batches of views",
            "Seconds to fold and write one batch, 99 of 100.",
            "s",
            {"{{view}}": _quantile(0.99, "fikarum_view_batch_seconds", "view")},
        ),
        Panel(
            "Folded again",
            "Documents a second that somebody else had changed meanwhile.",
            "eps",
            {"{{view}}": "sum by (view) (rate(fikarum_view_misses_total[5m]))"},
        ),
        Panel("Memory", "Resident memory.", "bytes", {"{{service}}": "process_resident_memory_bytes"}),
        Panel("Processor", "Cores in use.", "short", {"{{service}}": "rate(process_cpu_seconds_total[5m])"}),
    ),
}
