"""The dashboard as code: `python -m infra.grafana` writes `dashboards/fikarum.json`, which Grafana reads."""
