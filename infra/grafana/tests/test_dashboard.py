"""The dashboard and the alarms ask for what services really tell."""

import re
from pathlib import Path

import pytest
import yaml

from infra.grafana.panels import ROWS
from infra.grafana.write import FILE, written
from shared.runtime import telemetry

_NAME = re.compile(r"\b(?:fikarum|process)_[a-z_]+")
_SUFFIXES = ("_bucket", "_count", "_sum", "_total")
ROOT = Path(__file__).parents[3]
ALERTS = ROOT / "infra/prometheus/alerts.yml"
ASKED = [query for row in ROWS.values() for panel in row for query in panel.queries.values()]


def _alarms() -> list[dict[str, str]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def _told() -> dict[str, set[str]]:
    """The labels of each metric that a service's `/metrics` has, by the name that Prometheus knows."""
    found: dict[str, set[str]] = {}
    for metric in telemetry.REGISTRY.collect():
        found |= {sample.name: set() for sample in metric.samples}
    for collector in vars(telemetry).values():
        labels = getattr(collector, "_labelnames", None)
        if labels is not None:
            for described in collector.describe():
                found |= {f"{described.name}{suffix}": {*labels} for suffix in ("", *_SUFFIXES)}
    return found


def test_the_dashboard_is_what_the_panels_say() -> None:
    assert FILE.read_text() == written(), "run: python -m infra.grafana"


@pytest.mark.parametrize("query", [*ASKED, *(rule["expr"] for rule in _alarms())])
def test_a_query_asks_for_metrics_and_labels_that_there_are(query: str) -> None:
    told = _told()
    names = _NAME.findall(query)
    assert names or "up{" in query
    for name in names:
        assert name in told, name
    by = {label.strip() for group in re.findall(r"by \(([^)]*)\)", query) for label in group.split(",")}
    # `service` is also where it was asked: infra/prometheus/prometheus.yml
    assert by <= {"le", "service"}.union(*(told[name] for name in names)), query


def test_each_alarm_says_what_to_do() -> None:
    for rule in _alarms():
        assert rule["annotations"]["summary"] and rule["annotations"]["action"], rule["alert"]  # type: ignore[index]


def test_prometheus_asks_every_service() -> None:
    said = yaml.safe_load((ROOT / "infra/prometheus/prometheus.yml").read_text())
    asked = {each["labels"]["service"] for each in said["scrape_configs"][0]["static_configs"]}
    assert asked == {path.parent.name for path in (ROOT / "services").glob("*/app.py")}
