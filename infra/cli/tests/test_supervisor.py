"""What the supervisor promises of its parts, shown with toy services that are real processes."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from infra.cli import state
from infra.cli.home import Home, HomeSettings
from infra.cli.parts import ServicePart, python
from infra.cli.state import PartReport, ProcessId, State
from infra.cli.supervisor import Supervisor, end_leftovers
from infra.engines.ports import ports_of
from infra.engines.tests.eventually import eventually

NAMES = ("first", "second")


class Toys:
    """Two toy services, the second needing the first, and a supervisor for them in a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "state.json"
        ports = ports_of(folder, NAMES, {})
        for name in NAMES:
            (folder / name).mkdir()
        self.parts = [
            self._part("first", ports["first"], ()),
            self._part("second", ports["second"], ("first",)),
        ]
        self.supervisor = Supervisor(self.file, self.parts)
        self.answer: list[int] = []
        self._thread = threading.Thread(target=lambda: self.answer.append(self.supervisor.run()))

    def _part(self, name: str, port: int, needs: Sequence[str], leash: bool = False) -> ServicePart:
        return ServicePart(
            name,
            ("infra.cli.tests.toy", str(port), str(self.folder / name)),
            f"http://127.0.0.1:{port}",
            self.folder / "logs" / f"{name}.log",
            environment=os.environ,
            needs=needs,
            leash=leash,
            patience=1.0,
        )

    def start(self) -> None:
        self._thread.start()

    def end(self) -> int:
        self.supervisor.ask_to_end()
        self._thread.join(20)
        return self.answer[0]

    def tell(self, name: str, what: str) -> None:
        (self.folder / name / what).touch()

    def state(self, name: str) -> str:
        known = state.read(self.file)
        return known.parts[name].state if known else ""

    def phase(self) -> str:
        known = state.read(self.file)
        return known.phase if known else ""

    def part(self, name: str) -> PartReport:
        known = state.read(self.file)
        assert known is not None
        return known.parts[name]

    def kill(self, name: str) -> None:
        process = self.part(name).process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)


@pytest.fixture
def toys(tmp_path: Path) -> Iterator[Toys]:
    toys = Toys(tmp_path)
    yield toys
    toys.supervisor.ask_to_end()
    if toys._thread.ident:
        toys._thread.join(20)


def test_a_service_whose_port_somebody_else_answers_at_is_not_taken_for_ready(toys: Toys) -> None:
    port = int(toys.parts[1].address.rpartition(":")[2])
    (toys.folder / "foreign").mkdir()
    foreign = subprocess.Popen(python("infra.cli.tests.toy", str(port), str(toys.folder / "foreign")))
    try:
        eventually(lambda: not toys.parts[1].waiting_for())
        toys.start()
        eventually(lambda: toys.phase() == "failed")
    finally:
        foreign.kill()
        foreign.wait()
    known = state.read(toys.file)
    assert known is not None and known.fault is not None
    assert known.fault.startswith(f"second: port {port} is taken by pid {foreign.pid} (")
    assert "set FIKARUM_SECOND_PORT" in known.fault


def test_a_part_begins_when_what_it_needs_is_ready(toys: Toys) -> None:
    toys.tell("first", "unready")
    toys.start()
    eventually(lambda: toys.part("first").waiting_for == ["a friend"] if toys.file.exists() else False)
    assert (toys.state("second"), toys.part("second").process) == ("waiting", None)
    (toys.folder / "first" / "unready").unlink()
    eventually(lambda: toys.phase() == "up")


def test_parts_end_in_reverse_order(toys: Toys) -> None:
    toys.start()
    eventually(lambda: toys.phase() == "up")
    assert toys.end() == 0
    assert (toys.folder / "ended").read_text().split() == ["second", "first"]
    assert (toys.phase(), toys.state("first"), toys.state("second")) == ("stopped", "stopped", "stopped")


def test_a_part_that_dies_begins_again_and_that_is_recorded(toys: Toys) -> None:
    toys.start()
    eventually(lambda: toys.phase() == "up")
    before = toys.part("first").process
    toys.kill("first")
    eventually(lambda: toys.part("first").restarts == 1 and toys.state("first") == "running")
    assert toys.part("first").process != before
    assert "first ended with SIGKILL" in str(toys.part("first").last_end)


def test_a_part_that_dies_again_is_begun_again_after_a_longer_pause(toys: Toys) -> None:
    toys.start()
    eventually(lambda: toys.phase() == "up")
    toys.tell("first", "broken")
    toys.kill("first")
    eventually(lambda: toys.part("first").restarts == 3)
    assert toys.state("first") == "restarting"
    (toys.folder / "first" / "broken").unlink()
    eventually(lambda: toys.state("first") == "running")


def test_a_part_that_is_not_ready_any_more_is_silent_and_left_alone(toys: Toys) -> None:
    toys.start()
    eventually(lambda: toys.phase() == "up")
    toys.tell("first", "unready")
    eventually(lambda: toys.state("first") == "silent")
    (toys.folder / "first" / "unready").unlink()
    eventually(lambda: toys.state("first") == "running")
    assert toys.part("first").restarts == 0


def test_a_part_that_cannot_start_ends_the_whole_start_with_its_last_words(toys: Toys) -> None:
    toys.tell("second", "broken")
    toys.start()
    eventually(lambda: toys.phase() == "failed")
    known = state.read(toys.file)
    assert known is not None and "second ended with code 1: the disk of this toy is broken" in str(
        known.fault
    )
    assert toys.end() == 1
    assert (toys.folder / "ended").read_text().split() == ["first"]


def test_a_stubborn_part_is_ended_by_force(toys: Toys) -> None:
    toys.tell("first", "stubborn")
    toys.start()
    eventually(lambda: toys.phase() == "up")
    process = toys.part("first").process
    assert toys.end() == 0
    assert process is not None and process.process() is None


def test_services_of_a_killed_supervisor_are_ended_by_the_next_one(tmp_path: Path) -> None:
    home = Home.of(HomeSettings(home=tmp_path))
    port = ports_of(tmp_path, ["first"], {})["first"]
    (tmp_path / "first").mkdir()
    left = subprocess.Popen(python("infra.cli.tests.toy", str(port), str(tmp_path / "first")))
    mine, process = ProcessId.of(os.getpid()), ProcessId.of(left.pid)
    assert mine is not None
    report = PartReport("service", "running", f"http://127.0.0.1:{port}", "log", process)
    state.write(home.state, State(mine, "up", {"first": report}))
    threading.Thread(target=left.wait).start()
    end_leftovers(home)
    assert process is not None and process.process() is None


def test_a_process_that_only_has_the_same_pid_is_left_alone(tmp_path: Path) -> None:
    home = Home.of(HomeSettings(home=tmp_path))
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    mine = ProcessId.of(os.getpid())
    assert mine is not None
    report = PartReport("service", "running", "", "log", ProcessId(other.pid, 1.0))
    state.write(home.state, State(mine, "up", {"first": report}))
    end_leftovers(home)
    assert other.poll() is None
    other.communicate(b"\n")


def test_a_leashed_service_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    port = ports_of(tmp_path, ["first"], {})["first"]
    (tmp_path / "first").mkdir()
    code = f"""
import os, time
from pathlib import Path
from infra.cli.parts import ServicePart
folder = Path({str(tmp_path)!r})
part = ServicePart("first", ("infra.cli.tests.toy", "{port}", str(folder / "first")),
    "http://127.0.0.1:{port}", folder / "first.log", environment=os.environ, leash=True)
part.begin()
while part.waiting_for():
    time.sleep(0.05)
print(part.pid, flush=True)
input()
"""
    owner = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with owner:
        assert owner.stdout is not None
        service = psutil.Process(int(owner.stdout.readline()))
        owner.kill()
        eventually(lambda: not service.is_running() or service.status() == psutil.STATUS_ZOMBIE)
