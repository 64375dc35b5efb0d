"""Every fault is one line that says what to do; nothing is left behind where nothing was started."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from infra.cli import operate, state, verifying
from infra.cli.faults import Fault
from infra.cli.main import app, run
from infra.cli.state import PartReport, ProcessId, State

ROOT = Path(__file__).parents[3]


def fikarum(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "fikarum"), *arguments],
        env=os.environ | {"FIKARUM_HOME": str(home)} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["generations"], {}, "Start it: fikarum up"),
        (["rebuild", "nothing.here"], {}, "There is no view nothing.here."),
        (["topics"], {}, "Start it: fikarum up"),
        (["parked"], {}, "Start it: fikarum up"),
        (["parked", "mend", "e", "--reason", "r"], {}, "Give either --data FILE or --skip."),
        (["erasures"], {}, "Start it: fikarum up"),
        (["erasures", "apply", "/proc/nowhere"], {}, "/proc/nowhere: No such file"),
        (["erasures", "apply", __file__], {}, "is no list of erasures"),
        (["keys"], {}, "Start it: fikarum up"),
        (["keys", "rotate"], {}, "No such file"),
        (["lag"], {}, "Start it: fikarum up"),
        (["verify"], {}, "Start it: fikarum up"),
        (["verify", "gateway"], {}, "No service gateway holds events."),
        (
            ["lag"],
            {"FIKARUM_GATEWAY_URL": "http://gateway:7100"},
            "so must be FIKARUM_MONGO_URI, FIKARUM_KAFKA",
        ),
        (["up"], {"FIKARUM_GATEWAY_URL": "http://gateway:7100"}, "it is started and ended where it runs"),
        (["demo"], {}, "No sign-ins were seeded"),
        (["import", "handbook", "nowhere.jsonl"], {}, "nowhere.jsonl cannot be read"),
        (["import", "handbook", "nowhere.jsonl", "--source", "No!"], {}, "--source has small letters"),
        (["status"], {"FIKARUM_GATEWAY_PORT": "80"}, "FIKARUM_GATEWAY_PORT: Input should be greater"),
        (["up"], {"FIKARUM_HOME": "/proc/nowhere"}, "/proc/nowhere cannot be used"),
        (["up"], {"FIKARUM_KAFKA_HEAP": "lots"}, "FIKARUM_KAFKA_HEAP: Value error, a heap size is"),
    ],
)
def test_a_fault_is_one_line_that_says_what_to_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    environment: dict[str, str],
    said: str,
) -> None:
    monkeypatch.setattr(sys, "argv", ["fikarum", *arguments])
    for name, value in ({"FIKARUM_HOME": str(tmp_path / "home")} | environment).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        run()
    line = str(ended.value.code)
    assert line.startswith("fikarum: ") and said in line and "\n" not in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["status", "nosuch", "--json"], "nosuch"),
        (["nosuch", "--json"], "nosuch"),
        (["status", "--nosuch", "--json"], "--nosuch"),
        (["lag", "--most", "abc", "--json"], "--most"),
        (["lag", "--most", "-1", "--json"], "Give a number of seconds, 0 or more."),
        (["lag", "--most", "nan", "--json"], "Give a number of seconds, 0 or more."),
    ],
)
def test_a_call_that_cannot_be_understood_ends_with_2_and_says_why_in_its_last_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    """As docs/operations.md tells programs."""
    monkeypatch.setattr(sys, "argv", ["fikarum", *arguments])
    monkeypatch.setenv("FIKARUM_HOME", str(tmp_path / "home"))
    with pytest.raises(SystemExit) as ended:
        run()
    told = capsys.readouterr()
    last = told.err.splitlines()[-1]
    assert (ended.value.code, told.out) == (2, "")
    assert last.startswith("Error: ") and said in last
    assert not (tmp_path / "home").exists()


def test_seconds_are_told_to_the_millisecond() -> None:
    said = {"views": [{"view": "wiki.pages", "lag_seconds": 0.8116856389970053, "parked": 0}]}
    assert operate.views_of(said) == [{"view": "wiki.pages", "lag_seconds": 0.812, "parked": 0}]


@pytest.mark.parametrize(
    ("content", "version", "said"),
    [
        ('{"page_id":', 1, "The data is no JSON: "),
        ("[" * 100_000, 1, "The data is no JSON: "),
        ('["page"]', 1, "The data is no JSON object."),
        ('{"page": 1}', 1, "The data does not fit the event: PageDeleted version 1: "),
        ('{"page_id": "p"}', 99, "The data does not fit the event: PageDeleted version 99"),
    ],
)
def test_a_mend_that_would_park_again_is_refused(content: str, version: int, said: str) -> None:
    with pytest.raises(Fault) as refused:
        operate.check_fits(content, version, {"fikarum.PageDeleted.v1"})
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value) and "http" not in str(refused.value)


def test_a_mend_of_what_nobody_knows_is_any_json_object() -> None:
    operate.check_fits('{"a": 1}', 1, {"?", "fikarum.Elsewhere.v1"})


def _options(group: TyperGroup, *path: str) -> Iterator[tuple[str, set[str]]]:
    """Those of every command that can be called, by its words."""
    context = typer.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        if isinstance(command, TyperGroup):
            yield from _options(command, *path, name)
        if not isinstance(command, TyperGroup) or command.invoke_without_command:
            yield " ".join((*path, name)), {option for each in command.params for option in each.opts}


def test_every_command_answers_programs() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    found = dict(_options(group))
    assert {"up", "parked", "parked replay", "import handbook", "keys rotate"} <= found.keys()
    assert [words for words, options in found.items() if "--json" not in options] == []


@pytest.mark.parametrize("words", [("parked", "show", "e"), ("demo", "load"), ("keys", "rotate")])
def test_an_option_that_would_be_passed_over_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sys, "argv", ["fikarum", words[0], "--json", *words[1:]])
    monkeypatch.setenv("FIKARUM_HOME", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        run()
    assert f"--json stands after {words[1]}" in str(ended.value.code)


def test_the_command_ends_with_that_line_and_no_trace(tmp_path: Path) -> None:
    done = fikarum(tmp_path / "home", "topics")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)


def test_where_nothing_runs_doctor_says_so_and_what_to_do(tmp_path: Path) -> None:
    done = fikarum(tmp_path / "home", "doctor", "--json")
    (ill,) = [check for check in json.loads(done.stdout) if check["state"] == "ill"]
    assert (done.returncode, ill["name"], ill["remedy"]) == (1, "platform", "fikarum up")


@pytest.mark.parametrize("name", ["signing.pem", "master.key.0123456789abcdef.retired", "elsewhere"])
def test_doctor_names_whatever_secret_can_be_read_by_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    (home / "secrets").mkdir(parents=True)
    own = home / "secrets" / "demo.json"
    own.touch(mode=0o600)
    said = elsewhere if name == elsewhere.name else home / "secrets" / name
    said.touch(mode=0o644)
    monkeypatch.setattr(sys, "argv", ["fikarum", "doctor", "--json"])
    monkeypatch.setenv("FIKARUM_HOME", str(home))
    monkeypatch.setenv("FIKARUM_MASTER_KEY_FILE", str(elsewhere))

    def secrets() -> dict[str, str]:
        with pytest.raises(SystemExit):
            run()
        (check,) = [check for check in json.loads(capsys.readouterr().out) if check["name"] == "secrets"]
        return dict(check)

    check = secrets()
    assert (check["state"], check["remedy"]) == ("ill", f"chmod 600 {said}")
    said.chmod(0o600)
    check = secrets()
    assert (check["state"], check["says"]) == ("well", "2 files, readable by their owner only")


def test_where_nothing_was_started_status_says_so_and_down_has_nothing_to_do(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert json.loads(fikarum(home, "status", "--json").stdout)["state"] == "never started"
    assert json.loads(fikarum(home, "down", "--json").stdout) == {"ended": False}
    done = fikarum(home, "down")
    assert (done.returncode, done.stderr) == (0, "Nothing was running.\n")
    assert not home.exists()


def test_a_look_that_died_says_why_it_did() -> None:
    with pytest.raises(Fault, match=r"nowhere could not be looked at: .*No module named 'services.nowhere'"):
        verifying.of_service("nowhere", dict(os.environ))


def test_debug_shows_where_a_fault_comes_from(tmp_path: Path) -> None:
    assert "Traceback" in fikarum(tmp_path, "--debug", "topics").stderr


@pytest.fixture
def left(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A service whose supervisor was killed, as `state.json` remembers it."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    known = ProcessId.of(process.pid)
    report = PartReport("service", "running", "http://127.0.0.1:20000", "wiki.log", known)
    state.write(tmp_path / "state.json", State(ProcessId(process.pid, 1.0), "up", {"wiki": report}))
    yield process
    process.communicate(b"\n")


def test_status_says_that_parts_run_unwatched(tmp_path: Path, left: subprocess.Popen[bytes]) -> None:
    said = json.loads(fikarum(tmp_path, "status", "--json").stdout)
    assert (said["state"], said["supervisor"], said["addresses"]) == (
        "unwatched",
        None,
        {"wiki": "http://127.0.0.1:20000"},
    )
    assert (said["parts"]["wiki"]["pid"], said["parts"]["wiki"]["state"]) == (left.pid, "unwatched")
    assert said["memory_mb"] > 0
    assert "unwatched" in fikarum(tmp_path, "status").stdout


def test_down_ends_what_a_killed_supervisor_left(tmp_path: Path, left: subprocess.Popen[bytes]) -> None:
    done = subprocess.Popen(
        [str(ROOT / "fikarum"), "down"],
        env=os.environ | {"FIKARUM_HOME": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert left.wait(20) == -signal.SIGTERM
    assert done.communicate(timeout=20)[1].endswith("Everything has ended.\n")


def test_an_engine_that_cannot_start_is_said_in_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = fikarum(tmp_path, "up", "--empty", FIKARUM_KAFKA_PORT=port)
    assert done.returncode == 1
    assert f"fikarum: kafka: port {port} is taken by" in done.stderr.splitlines()[-1]
    said = json.loads(fikarum(tmp_path, "status", "--json").stdout)
    assert (said["state"], {part["pid"] for part in said["parts"].values()}) == ("failed", {None})
