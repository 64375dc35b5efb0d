"""One platform in containers for all of its stories, made from nothing and taken away with all it held."""

import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest

from infra.containers import reach
from infra.containers.stack import Stack
from infra.engines.ports import ports_of

#: A platform in containers that somebody keeps running, at FIKARUM_GATEWAY_PORT: it is looked at as it is.
PROJECT_VARIABLE = "FIKARUM_TEST_PROJECT"
#: Seconds until everything is ready: images may have to be built, and two cores start ten processes.
BUILD_PATIENCE, PATIENCE = 3_600, 600.0
SERVICES = ("gateway", "identity", "feed", "groups", "wiki", "search", "engagement")
ENGINES = ("mongo", "kafka", "opensearch")
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Boxes:
    """A platform of its own; `url` is the only address that it has here."""

    stack: Stack
    project: str
    url: str
    members: dict[str, dict[str, Any]] = field(repr=False)

    def container(self, service: str) -> Any:
        """The container that runs `service`."""
        labels = [f"com.docker.compose.project={self.project}", f"com.docker.compose.service={service}"]
        found = reach.engine().containers.list(filters={"label": labels})
        assert found, f"{service} does not run: {self.stack.run('logs', '--tail', '20', service)}"
        return found[0]

    def operator(self, *arguments: str) -> str:
        """What the operator's command says in its own container."""
        return self.stack.run("run", "--rm", "-T", "operator", *arguments)

    def signed_in(self, name: str) -> httpx.Client:
        """A browser that entered by the form."""
        client = httpx.Client(base_url=self.url, trust_env=False, timeout=30.0)
        form = client.get("/sign-in").text
        token = _TOKEN.search(form)
        assert token, form[:500]
        member = self.members[name]
        entered = client.post(
            "/sign-in",
            data={"username": member["user_name"], "password": member["password"], "csrf_token": token[1]},
            headers={"Origin": self.url},
        )
        assert entered.status_code == 303, entered.text[:500]
        return client

    def api(self, name: str) -> httpx.Client:
        """The same member by the API, with a personal access token."""
        headers = {"Authorization": f"Bearer {self.members[name]['token']}"}
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, trust_env=False, timeout=30.0)


@pytest.fixture(scope="package")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Boxes]:
    # Builds reach what this machine reaches, whatever the engine's own networks are like.
    stack = Stack.fitting(print, {"FIKARUM_BUILD_NETWORK": "host", **os.environ})
    kept = os.environ.get(PROJECT_VARIABLE)
    if kept:
        yield _entered(stack, kept, int(os.environ["FIKARUM_GATEWAY_PORT"]))
        return
    port = ports_of(tmp_path_factory.mktemp("boxes"), ["gateway"], {})["gateway"]
    project = f"fikarum-test-{os.getpid()}"
    stack = stack.named(project, FIKARUM_GATEWAY_PORT=str(port))
    try:
        stack.run("--profile", "operator", "build")
        stack.run("up", "--detach")
        yield _entered(stack, project, port)
    finally:
        log = Path(tmp_path_factory.getbasetemp() / "boxes.log")
        log.write_text(stack.run("logs", "--no-color"))
        stack.run("down", "--volumes", "--remove-orphans")


def _entered(stack: Stack, project: str, port: int) -> Boxes:
    entered = Boxes(stack.named(project), project, f"http://127.0.0.1:{port}", {})
    deadline = time.monotonic() + PATIENCE
    # The gateway is ready before those behind it are.
    for service in SERVICES:
        while entered.container(service).exec_run(["python", "-m", "shared.runtime.ready"]).exit_code:
            assert time.monotonic() < deadline, stack.run("logs", "--tail", "20", service)
            time.sleep(0.5)
    members = json.loads(entered.operator("demo", "--json"))["members"]
    return replace(entered, members={member["user_name"]: member for member in members})


def settings_of(container: Any) -> dict[str, Any]:
    """What the engine knows of a container."""
    found: dict[str, Any] = docker.APIClient.inspect_container(reach.engine().api, container.id)
    return found
