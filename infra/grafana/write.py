"""Turns rows of panels into the JSON that Grafana reads."""

import json
from pathlib import Path
from typing import Any

from infra.grafana.panels import ROWS, Panel

FILE = Path(__file__).resolve().parent / "dashboards/fikarum.json"
#: Grafana's grid has 24 columns; the version of its JSON.
_WIDTH, _HEIGHT, _ACROSS, _SCHEMA = 8, 8, 3, 39
_SOURCE = {"type": "prometheus", "uid": "prometheus"}


def dashboard() -> dict[str, Any]:
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in ROWS.items():
        place = {"h": 1, "w": 24, "x": 0, "y": top}
        panels.append({"type": "row", "id": len(panels) + 1, "title": title, "gridPos": place, "panels": []})
        top += 1
        for at, panel in enumerate(row):
            x, y = at % _ACROSS * _WIDTH, top + at // _ACROSS * _HEIGHT
            panels.append(_drawn(panel, len(panels) + 1, x, y))
        top += -(-len(row) // _ACROSS) * _HEIGHT
    return {
        "uid": "fikarum",
        "title": "Fikarum",
        "tags": ["fikarum"],
        "schemaVersion": _SCHEMA,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "panels": panels,
    }


def _drawn(panel: Panel, number: int, x: int, y: int) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.alarm is not None:
        steps.append({"color": "red", "value": panel.alarm})
    return {
        "type": "timeseries",
        "id": number,
        "title": panel.title,
        "description": panel.says,
        "datasource": _SOURCE,
        "gridPos": {"h": _HEIGHT, "w": _WIDTH, "x": x, "y": y},
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "min": 0,
                "thresholds": {"mode": "absolute", "steps": steps},
                "custom": {"thresholdsStyle": {"mode": "line" if panel.alarm is not None else "off"}},
            },
            "overrides": [],
        },
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + at), "datasource": _SOURCE, "expr": expression, "legendFormat": legend}
            for at, (legend, expression) in enumerate(panel.queries.items())
        ],
    }


def written() -> str:
    return json.dumps(dashboard(), indent=1) + "\n"


def write() -> None:
    FILE.write_text(written())
