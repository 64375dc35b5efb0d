"""The whole compose file: up from nothing, a story through its one door, what each container may not do."""

import json
from contextlib import closing
from functools import partial
from typing import Any

import httpx
import pytest

from infra.containers.tests.conftest import BUILD_PATIENCE, ENGINES, SERVICES, Boxes, settings_of
from infra.engines.tests import eventually as waiting

pytestmark = [pytest.mark.containers, pytest.mark.timeout(BUILD_PATIENCE)]
#: A first start waits for its views.
eventually = partial(waiting.eventually, within=300.0)


def items(client: httpx.Client, path: str, **query: str) -> list[dict[str, Any]]:
    """Nothing also while nobody answers."""
    try:
        answer = client.get(path, params=query)
    except httpx.TransportError:
        return []
    return list(answer.json()["items"]) if answer.is_success else []


def test_one_posts_another_sees_it_and_finds_it(boxes: Boxes) -> None:
    with closing(boxes.signed_in("saga")) as browser:
        assert "Saga" in browser.get("/settings", follow_redirects=True).text
    with boxes.api("saga") as saga, boxes.api("jonas") as jonas:
        eventually(lambda: jonas.get("/feed").is_success and saga.get("/feed").is_success)
        said = saga.post("/posts", json={"text": "The new espresso machine stands in the harbour office."})
        assert said.status_code == 201, said.text
        post_id = said.json()["id"]

        eventually(lambda: [post for post in items(jonas, "/feed") if post["id"] == post_id])
        eventually(lambda: [hit for hit in items(jonas, "/search", q="machines") if hit["id"] == post_id])
    with closing(boxes.signed_in("jonas")) as browser:
        assert "espresso machine" in browser.get("/").text


def test_only_the_gateway_is_reached_from_outside_and_only_from_this_machine(boxes: Boxes) -> None:
    for name in (*SERVICES, *ENGINES):
        bound = settings_of(boxes.container(name))["NetworkSettings"]["Ports"] or {}
        published = [each["HostIp"] for hosts in bound.values() for each in hosts or ()]
        assert published == (["127.0.0.1"] if name == "gateway" else []), name


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_nobody_special_and_writes_nowhere(boxes: Boxes, name: str) -> None:
    container = boxes.container(name)
    code, said = container.exec_run(["sh", "-c", "id -u; touch /fikarum/x /venv/x /etc/x"])
    assert said.splitlines()[0] == b"10001"
    assert code != 0 and said.count(b"Read-only file system") == 3, said


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_holds_its_own_service_and_no_other(boxes: Boxes, name: str) -> None:
    _, said = boxes.container(name).exec_run(["sh", "-c", "ls services; ls"])
    assert {*said.decode().split()} == {"__init__.py", "__pycache__", name, "contracts", "services", "shared"}
    code, _ = boxes.container(name).exec_run(["sh", "-c", "ls /caller || python -c 'import pip, pytest'"])
    assert code != 0


@pytest.mark.parametrize("name", (*SERVICES, *ENGINES))
def test_each_says_itself_that_it_is_well(boxes: Boxes, name: str) -> None:
    container = boxes.container(name)
    check = settings_of(container)["Config"]["Healthcheck"]["Test"]
    command = check[1:] if check[0] == "CMD" else ["sh", "-c", check[1]]
    eventually(lambda: container.exec_run(command).exit_code == 0)


def test_who_does_not_open_texts_has_no_key_to_them(boxes: Boxes) -> None:
    for name in SERVICES:
        code, _ = boxes.container(name).exec_run(["test", "-e", "/var/lib/fikarum/keys/master.key"])
        assert (code == 0) == (name in ("identity", "feed", "search", "engagement")), name
    code, _ = boxes.container("feed").exec_run(["sh", "-c", "echo x > /var/lib/fikarum/keys/master.key"])
    assert code != 0


def test_the_operators_command_looks_after_it(boxes: Boxes) -> None:
    views = json.loads(boxes.operator("lag", "--json"))["views"]
    assert {view["service"] for view in views} == {*SERVICES} - {"gateway"}
    checks = json.loads(boxes.operator("doctor", "--json"))
    assert [check for check in checks if check["state"] == "ill"] == []
    reports = {report["service"]: report for report in json.loads(boxes.operator("verify", "--json"))}
    assert [report["findings"] for report in reports.values()] == [[]] * 6
    assert reports["identity"]["streams"] >= len(boxes.members)


def test_a_restart_keeps_everything(boxes: Boxes) -> None:
    with boxes.api("saga") as saga:
        said = saga.post("/posts", json={"text": "Will this survive?"})
        assert said.status_code == 201, said.text
        post_id = said.json()["id"]
        boxes.stack.run("stop")
        boxes.stack.run("up", "--detach")
        eventually(lambda: [post for post in items(saga, "/feed") if post["id"] == post_id])
