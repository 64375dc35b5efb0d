"""The whole platform by the operator's command: up, looked after, imported into, killed, down."""

import json
import os
import signal
import time
from http import HTTPStatus
from pathlib import Path

import psutil
import pytest

from infra.cli.handbook import FIRST_HANDBOOK
from infra.cli.home import SERVICES
from infra.cli.platform import Platform, Refusal, demo
from infra.cli.tests.installation import PATIENCE, Installation
from infra.engines.settings import ENGINES
from infra.engines.tests.eventually import eventually

pytestmark = pytest.mark.timeout(600)


def lives(pid: int) -> bool:
    """Whether there is such a process that has not ended; its new parent may be slow to notice an end."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def history(folder: Path, pages: int) -> Path:
    """Each page is put twice, moved, and every third one deleted; one line cannot be kept."""
    lines: list[dict[str, str]] = [{"op": "sing"}]
    for number in range(pages):
        now = {"at": f"2019-01-02T10:00:{number % 60:02}+01:00", "author": f"author-{number % 3}"}
        path, moved = f"guides/page-{number}.md", f"moved/page-{number}.md"
        lines.append(now | {"op": "put", "path": path, "body": f"# Page {number}\n"})
        lines.append(now | {"op": "put", "path": path, "body": f"# Page {number}\n\nMore.\n"})
        lines.append(now | {"op": "move", "from": path, "path": moved, "body": f"# Moved {number}\n"})
        if number % 3 == 0:
            lines.append(now | {"op": "delete", "path": moved})
    file = folder / "history.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return file


def test_up_says_where_to_sign_in_and_status_gives_every_part(installed: Installation) -> None:
    now = json.loads(installed.run("status", "--json"))
    assert (now["state"], set(now["parts"])) == ("up", {*ENGINES, *SERVICES})
    assert now["addresses"]["gateway"].startswith("http://127.0.0.1:")
    for name, part in now["parts"].items():
        assert (part["state"], part["memory_mb"] > 10, part["address"]) == (
            "running",
            True,
            now["addresses"][name],
        )
        assert Path(part["log"]).exists()
    parts = sum(part["memory_mb"] for part in now["parts"].values())
    assert parts < now["memory_mb"] < parts + 200
    said = installed.run("up", "--empty")
    assert "It is running already." in said and "Sign in as alva" in said
    told = installed.answer("up", "--empty")
    assert (told["gateway"], told["started"]) == (now["addresses"]["gateway"], False)
    assert told["sign_in"]["user_name"] == "alva"
    assert installed.status()["supervisor"] == now["supervisor"]


def test_every_seeded_sign_in_has_a_token_that_the_api_knows(installed: Installation) -> None:
    found = json.loads(installed.run("demo", "--json"))
    assert found == demo(installed.home)
    for member in found["members"]:
        with Platform(installed.status()["addresses"]["gateway"], member["token"]) as platform:
            assert platform.insist("GET", "/me")["member_id"] == member["member_id"]


def test_only_their_owner_reads_the_secrets(installed: Installation) -> None:
    found = list(installed.home.secrets.iterdir())
    assert {"master.key", "signing.pem", "demo.json"} <= {file.name for file in found}
    assert all(file.stat().st_mode & 0o077 == 0 for file in found)


def test_an_import_reports_what_it_kept_and_a_second_one_changes_nothing(
    installed: Installation, tmp_path: Path
) -> None:
    file = history(tmp_path, 30)
    said = installed.run("import", "handbook", str(file), "--source", "small")
    assert "100 changes kept (0 of them earlier), 1 not; 20 live pages" in said
    assert "1 x line-fields" in said or "1 x line-op-unknown" in said
    again = installed.answer("import", "handbook", str(file), "--source", "small")
    counts = {"kept": 100, "earlier": 100, "not_kept": 1, "pages": 20, "source": "small"}
    assert again == again | counts and len(json.loads(Path(again["details"]).read_text())["not_kept"]) == 1


def test_an_import_that_was_killed_goes_on_where_it_was(installed: Installation, tmp_path: Path) -> None:
    file = history(tmp_path, 150)
    broken_off = installed.begin("import", "handbook", str(file), "--source", "large")
    with installed.platform() as platform:
        eventually(lambda: _pages(platform, "Large") > 0, "the first page", PATIENCE)
    broken_off.kill()
    broken_off.communicate()
    said = installed.run("import", "handbook", str(file), "--source", "large")
    assert "500 changes kept" in said and "100 live pages" in said
    assert "(0 of them earlier)" not in said


def _pages(platform: Platform, space: str) -> int:
    """Live pages of the space with this name."""
    spaces = [each["id"] for each in platform.ask("GET", "/wiki/spaces")["items"] if each["name"] == space]
    return sum(int(platform.ask("GET", "/wiki/pages", space=each, limit=1)["total"]) for each in spaces)


def test_a_view_is_built_anew_beside_the_one_that_serves(installed: Installation) -> None:
    assert "wiki.pages.v1.g1" in installed.run("generations")
    assert "wiki.pages.v1.g2 serves now." in installed.run("rebuild", "wiki.pages")
    assert "wiki.pages.v1.g2" in installed.run("generations")
    rebuilt = {"view": "wiki.pages", "generation": "wiki.pages.v1.g3", "state": "serving"}
    assert installed.answer("rebuild", "wiki.pages") == rebuilt


def test_topics_and_parked_events_are_shown(installed: Installation) -> None:
    assert "wiki.events" in installed.run("topics")
    topics = installed.answer("topics")
    assert {"wiki.events", "search.private", "identity.keys"} <= {each["topic"] for each in topics}
    assert all(each["partitions"] and each["id"] for each in topics)
    checks = {check["name"]: check["says"] for check in installed.answer("doctor")}
    assert checks["Kafka"].startswith(f"{len(topics)} topics: "), "the same as are listed"
    views = json.loads(installed.run("generations", "--json"))["wiki"]
    assert "wiki.pages" in [each["view"] for each in views]
    assert json.loads(installed.run("parked", "--json")) == []
    assert json.loads(installed.run("keys", "--json"))["identity"]["current"]
    assert installed.run("parked") == "Nothing is parked.\n"


def test_doctor_looks_at_everything_and_finds_it_well(installed: Installation) -> None:
    checks = {check["name"]: check for check in json.loads(installed.run("doctor", "--json"))}
    assert {
        "disk",
        "secrets",
        "MongoDB",
        "Kafka",
        "OpenSearch",
        "gateway",
        "views",
        *SERVICES,
    } <= checks.keys()
    assert [check for check in checks.values() if check["state"] == "ill"] == []
    assert "kept for ever" in checks["Kafka"]["says"] and "takes writes" in checks["MongoDB"]["says"]


def test_doctor_names_what_is_ill_and_what_to_do(installed: Installation) -> None:
    key = installed.home.secrets / "master.key"
    key.chmod(0o644)
    try:
        done = installed.begin("doctor")
        said, _ = done.communicate(timeout=60)
    finally:
        key.chmod(0o600)
    assert done.returncode == 1 and "ill" in said and f"chmod 600 {key}" in said


def test_lag_tells_of_every_relay_view_and_reader(installed: Installation) -> None:
    found = json.loads(installed.run("lag", "--json"))
    assert set(found["relays"]) == {*SERVICES} - {"gateway"}
    assert {view["service"] for view in found["views"]} == {*SERVICES} - {"gateway"}
    served = {view["generation"] for view in found["views"]}
    assert served <= {group["group"] for group in found["groups"]}
    done = installed.begin("lag", "--most", "0")
    done.communicate(timeout=60)
    assert done.returncode == 1


def test_verify_finds_nothing_wrong_with_any_service(installed: Installation) -> None:
    at_once = installed.begin("verify", "wiki")
    said, complaint = installed.begin("verify", "--json").communicate(timeout=400)
    assert said, complaint
    reports = {report["service"]: report for report in json.loads(said)}
    assert set(reports) == {*SERVICES} - {"gateway"}
    assert [report["findings"] for report in reports.values()] == [[]] * len(reports)
    assert reports["identity"]["streams"] > 0 and reports["identity"]["documents"]["identity.members"] > 0
    shown, complaint = at_once.communicate(timeout=400)
    assert at_once.returncode == 0 and "wiki" in shown and "feed" not in shown, complaint


@pytest.mark.parametrize("part", ["wiki", "mongo"])
def test_a_part_that_is_killed_begins_again_and_loses_nothing(installed: Installation, part: str) -> None:
    with installed.platform() as platform:
        space = platform.insist("POST", "/wiki/spaces", {"name": f"Kept from {part}", "language": "en"})["id"]
        installed.again_after_killing(part)
        eventually(lambda: installed.status()["state"] == "up", "everything", PATIENCE)
        eventually(lambda: _name(platform, space) == f"Kept from {part}", "the space", PATIENCE)


def _name(platform: Platform, space: str) -> str | None:
    """None until the view has heard of it: its relay may have been stopped short."""
    try:
        return str(platform.insist("GET", f"/wiki/spaces/{space}")["name"])
    except Refusal as refusal:
        assert refusal.status == HTTPStatus.NOT_FOUND
        return None


def test_a_killed_supervisor_leaves_everything_running_and_up_takes_over(installed: Installation) -> None:
    before = installed.status()
    os.kill(before["supervisor"], signal.SIGKILL)
    eventually(lambda: installed.status()["state"] == "unwatched", "its death")
    installed.run("up", "--empty")
    now = installed.status()
    assert now["state"] == "up" and now["supervisor"] != before["supervisor"]
    assert [now["parts"][name]["pid"] for name in ENGINES] == [
        before["parts"][name]["pid"] for name in ENGINES
    ]
    assert not any(lives(before["parts"][name]["pid"]) for name in SERVICES)


def test_down_ends_everything_and_a_second_start_is_quick_and_keeps_the_data(installed: Installation) -> None:
    with installed.platform() as platform:
        spaces = platform.insist("GET", "/wiki/spaces")["total"]
    before = installed.pids()
    assert "Everything has ended." in installed.run("down")
    eventually(lambda: not any(map(lives, before)), "the end of every process")
    assert installed.status()["state"] == "stopped"
    assert "Nothing was running." in installed.run("down")
    installed.run("up", "--empty")
    with installed.platform() as platform:
        assert platform.insist("GET", "/wiki/spaces")["total"] == spaces


@pytest.mark.slow
def test_two_homes_run_side_by_side(installed: Installation, tmp_path: Path) -> None:
    other = Installation(tmp_path)
    try:
        other.run("up", "--empty")
        mine, theirs = installed.status(), other.status()
        assert (mine["state"], theirs["state"]) == ("up", "up")
        assert not set(mine["addresses"].values()) & set(theirs["addresses"].values())
        assert not installed.pids() & other.pids()
    finally:
        other.run("down")


@pytest.mark.slow
def test_the_handbook_is_imported_in_full(installed: Installation) -> None:
    began = time.monotonic()
    said = installed.run("import", "handbook", str(FIRST_HANDBOOK))
    assert "5,843 changes kept" in said and ", 0 not; 246 live pages" in said
    print(f"imported in {time.monotonic() - began:.0f} s")
