"""Starting, stopping and refusing to start, on one home with all three engines."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.engines import ENGINES, EngineFault, Engines
from infra.engines.faults import FolderInUse
from infra.engines.tests.eventually import eventually


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    with Engines(tmp_path_factory.mktemp("own")) as engines:
        engines.start()
        engines.stop()
        yield engines


@pytest.fixture
def running(own: Engines) -> Engines:
    own.start()
    return own


def _processes(engines: Engines) -> list[psutil.Process]:
    return [psutil.Process(pid) for name in ENGINES if (pid := engines.pid(name))]


def test_engines_start_in_parallel(own: Engines) -> None:
    own.stop()
    own.start()

    processes = _processes(own)
    created = sorted(process.create_time() for process in processes)
    slowest = max(sum(process.cpu_times()[:2]) for process in processes)
    assert created[-1] - created[0] < slowest / 2, "one waited for another"


def test_starting_what_already_runs_leaves_it_alone(running: Engines) -> None:
    before = [running.pid(name) for name in ENGINES]

    running.start()

    assert [running.pid(name) for name in ENGINES] == before


def test_every_engine_says_where_it_is_and_what_it_takes(running: Engines) -> None:
    for name, status in running.status().items():
        assert status.state == "running"
        assert status.pid == running.pid(name)
        assert 50 < status.rss_mb < 1_000
        assert status.log.stat().st_size > 0


@pytest.mark.parametrize("name", ENGINES)
def test_nobody_starts_a_second_engine_on_a_data_folder(running: Engines, name: str) -> None:
    second = Engines(running.home)

    with pytest.raises(FolderInUse) as refusal:
        second.start([engine for engine in ENGINES if engine == name])

    assert str(refusal.value) == (
        f"{name}: pid {running.status()[name].pid} already runs on {running.home / name}; stop it first"  # type: ignore[index]
    )
    assert running.status()[name].state == "running"  # type: ignore[index]


def test_a_paused_engine_is_silent_and_comes_back(running: Engines) -> None:
    running.pause("kafka")
    assert running.status()["kafka"].state == "silent"

    running.resume("kafka")
    eventually(lambda: running.status()["kafka"].state == "running")


def test_an_engine_that_was_killed_by_others_has_died(running: Engines) -> None:
    (process,) = (process for process in _processes(running) if process.pid == running.pid("mongo"))
    process.kill()

    eventually(lambda: running.died() == ("mongo",))
    assert running.status()["mongo"].state == "died"
    running.start(("mongo",))
    assert running.died() == ()


def test_a_clean_stop_leaves_no_process_and_nothing_to_recover(running: Engines) -> None:
    processes = _processes(running)
    assert len(processes) == len(ENGINES)

    running.stop()

    assert not any(process.is_running() for process in processes)
    assert {status.state for status in running.status().values()} == {"stopped"}
    assert (running.home / "kafka/data/.kafka_cleanshutdown").exists()
    assert '"exitCode":0' in (running.home / "logs/mongo.log").read_text()


def test_engines_that_another_started_can_be_adopted_and_stopped(own: Engines) -> None:
    own.stop()
    own.start(("mongo",))
    other = Engines(own.home)
    other.stop()
    assert own.status()["mongo"].state == "running", "what was not adopted is not stopped"

    assert other.adopt() == ("mongo",)
    other.stop()

    assert own.status()["mongo"].pid is None


def test_one_engine_that_cannot_start_takes_the_others_down_again(own: Engines, tmp_path: Path) -> None:
    own.stop()
    settings = own.settings.model_copy(update={"opensearch_jvm_options": "-XX:+NoSuchOption"})
    broken = Engines(tmp_path, settings)

    with pytest.raises(EngineFault, match=r"^opensearch: ended while starting: .*NoSuchOption"):
        broken.start(("mongo", "opensearch"))

    assert broken.status()["mongo"].log.stat().st_size > 0, "it was on its way"
    assert {status.state for status in broken.status().values()} == {"stopped"}
