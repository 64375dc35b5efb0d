"""`python -m infra.grafana` writes the dashboard."""

from infra.grafana.write import write

write()
