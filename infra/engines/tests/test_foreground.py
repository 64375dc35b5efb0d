"""The engines as a developer runs them: in the foreground, on a leash, attached to, and under pytest."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from infra.engines import Engines, EngineSettings
from infra.engines.attached import Attached, source_for_tests
from infra.engines.faults import NotReady
from infra.engines.ports import ports_of
from infra.engines.settings import REPOSITORY
from infra.engines.tests.eventually import eventually

_ON_A_LEASH = """
import sys
from pathlib import Path
from infra.engines import Engines, EngineSettings
Engines(Path(sys.argv[1]), EngineSettings(leash=True)).start(("mongo",))
print("started", flush=True)
sys.stdin.read()
"""

_USES_MONGO_ONLY = """
def test_only_mongo_runs(mongo_uri, engines):
    states = {name: status.state for name, status in engines.status().items()}
    assert states == {"mongo": "running", "kafka": "stopped", "opensearch": "stopped"}
"""


@contextmanager
def _python(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def _first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_the_command_prints_addresses_revives_what_dies_and_stops_on_sigterm(tmp_path: Path) -> None:
    watching = Engines(tmp_path)
    with _python("-m", "infra.engines", "start", str(tmp_path), "mongo") as command:
        assert json.loads(_first_line(command))["mongo_uri"] == watching.addresses.mongo_uri
        first = watching.status()["mongo"].pid
        assert first

        os.kill(first, signal.SIGKILL)

        eventually(lambda: watching.status()["mongo"].state == "running")
        second = watching.status()["mongo"].pid
        assert second not in (None, first)
        command.terminate()
        assert command.wait(30) == 0
    assert watching.status()["mongo"].state == "stopped"


def test_a_refusal_of_the_command_is_one_line(tmp_path: Path) -> None:
    with Engines(tmp_path) as engines:
        engines.start(("mongo",))
        with _python("-m", "infra.engines", "start", str(tmp_path), "mongo") as second:
            _, said = second.communicate(timeout=30)
            assert second.returncode == 1
            assert (
                said
                == f"mongo: pid {engines.pid('mongo')} already runs on {tmp_path / 'mongo'}; stop it first\n"
            )


def test_engines_without_their_supervisor_run_on_until_they_are_stopped(tmp_path: Path) -> None:
    watching = Engines(tmp_path)
    with _python("-m", "infra.engines", "start", str(tmp_path), "mongo") as command:
        _first_line(command)
        command.kill()
        command.wait()
        assert watching.status()["mongo"].state == "running"

        with _python("-m", "infra.engines", "stop", str(tmp_path)) as stopping:
            assert stopping.wait(30) == 0
        assert watching.status()["mongo"].state == "stopped"


def test_stopping_a_home_ends_its_supervisor_first(tmp_path: Path) -> None:
    with _python("-m", "infra.engines", "start", str(tmp_path), "mongo") as command:
        _first_line(command)

        with _python("-m", "infra.engines", "stop", str(tmp_path)) as stopping:
            assert stopping.wait(30) == 0

        assert command.wait(5) == 0
        assert Engines(tmp_path).status()["mongo"].state == "stopped"


def test_engines_on_a_leash_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    watching = Engines(tmp_path)
    with _python("-c", _ON_A_LEASH, str(tmp_path)) as owner:
        assert _first_line(owner) == "started\n"
        assert watching.status()["mongo"].state == "running"

        owner.kill()

        eventually(lambda: watching.status()["mongo"].state == "stopped")


def test_a_test_session_attaches_to_running_engines_and_leaves_them(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Engines(home) as engines:
        engines.start(("mongo",))
        source = source_for_tests(tmp_path, {"FIKARUM_TEST_ENGINES": str(home)})
        assert isinstance(source, Attached)

        assert source.start(("mongo",)) == engines.addresses
        source.stop()
        assert source.status()["mongo"].state == "running"
        with pytest.raises(NotReady, match=r"^kafka does not run in "):
            source.start(("kafka",))


def test_a_test_session_starts_only_what_it_uses_and_ends_it(tmp_path: Path) -> None:
    # the root conftest is what is under test, so the file must be found below it
    test = tmp_path / "test_session.py"
    test.write_text(_USES_MONGO_ONLY)
    environment = {name: value for name, value in os.environ.items() if name != "FIKARUM_TEST_ENGINES"}
    environment["TMPDIR"] = str(tmp_path)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "conftest",
        "--rootdir",
        str(REPOSITORY),
        str(test),
    ]

    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout
    assert not [process for process in psutil.process_iter(["cmdline"]) if _runs_below(process, tmp_path)]


def _runs_below(process: psutil.Process, folder: Path) -> bool:
    return any(str(folder) in argument for argument in process.info["cmdline"] or ())


@pytest.mark.parametrize("allowed", [True, False])
def test_failpoints_are_there_for_tests_only(tmp_path: Path, allowed: bool) -> None:
    with Engines(tmp_path, EngineSettings(test_commands=allowed)) as engines:
        uri = engines.start(("mongo",)).mongo_uri
        with MongoClient[dict[str, object]](uri) as client:
            if allowed:
                client.admin.command("configureFailPoint", "failCommand", mode="off")
            else:
                with pytest.raises(OperationFailure, match="no such command"):
                    client.admin.command("configureFailPoint", "failCommand", mode="off")


def test_data_written_under_another_port_is_served_under_the_new_one(tmp_path: Path) -> None:
    with (
        Engines(tmp_path) as engines,
        MongoClient[dict[str, object]](engines.start(("mongo",)).mongo_uri) as client,
    ):
        client.kept.things.insert_one({"_id": 1})

    free = ports_of(tmp_path / "other", ["mongo"], {})["mongo"]
    with Engines(tmp_path, EngineSettings(mongo_port=free)) as engines:
        uri = engines.start(("mongo",)).mongo_uri
        assert f":{free}/" in uri
        with MongoClient[dict[str, object]](uri) as client:
            assert client.kept.things.find_one() == {"_id": 1}
