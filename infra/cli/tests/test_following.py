"""One request followed from the door to the index: one trace, and one correlation id in the logs."""

import json

import httpx
import pytest

from infra.cli.platform import demo
from infra.cli.tests.conftest import TRACE, Collector
from infra.cli.tests.installation import PATIENCE, Installation
from infra.engines.tests.eventually import eventually

pytestmark = pytest.mark.timeout(600)

CORRELATION = "followed-from-a-click"


def test_a_post_is_followed_from_the_door_to_the_index(
    collector: tuple[Collector, str], installed: Installation
) -> None:
    taken, _ = collector
    author = next(m for m in demo(installed.home)["members"] if m["user_name"] == "saga")
    headers = {
        "Authorization": f"Bearer {author['token']}",
        "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
        "X-Correlation-ID": CORRELATION,
    }
    base = f"{installed.status()['addresses']['gateway']}/api/v1"
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
        log = installed.home.log(part).read_text().splitlines()
        lines = [json.loads(line) for line in log if line[:1] == "{"]
        assert any(line.get("correlation_id") == CORRELATION for line in lines), part
