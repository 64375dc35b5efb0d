"""What stands in the way of a start is said in one line, before anything runs."""

import os
import socket
from pathlib import Path

import pytest

from infra.engines import EngineFault, Engines, EngineSettings, reasons
from infra.engines.faults import DiskFull, MemoryShort, NotReady, PortTaken
from infra.engines.memory import available_mb


def _refusal(engines: Engines, kind: type[EngineFault]) -> str:
    with pytest.raises(kind) as refusal:
        engines.start(("mongo",))
    assert engines.pid("mongo") is None
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_a_taken_port_is_named_with_its_holder_and_the_setting(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]

        said = _refusal(Engines(tmp_path, EngineSettings(mongo_port=port)), PortTaken)

    assert said.startswith(f"mongo: port {port} is taken by pid {os.getpid()} (")
    assert said.endswith("end it or set FIKARUM_MONGO_PORT")


def test_too_little_space_is_said_in_numbers(tmp_path: Path) -> None:
    said = _refusal(Engines(tmp_path, EngineSettings(minimum_free_mb=10**9)), DiskFull)

    assert f"MB free at {tmp_path / 'mongo'}, 1000000000 MB needed (FIKARUM_MINIMUM_FREE_MB)" in said


def test_too_little_memory_is_said_in_numbers(tmp_path: Path) -> None:
    said = _refusal(Engines(tmp_path, EngineSettings(mongo_cache_gb=10_000)), MemoryShort)

    assert "MB of memory available, 10240200 MB needed; lower FIKARUM_KAFKA_HEAP" in said


def test_a_heap_that_the_machine_refuses_is_short_memory(tmp_path: Path) -> None:
    settings = EngineSettings(opensearch_jvm_options="-Xms900000g -Xmx900000g")
    with pytest.raises(
        MemoryShort, match=r"^opensearch: the machine has too little memory; see .*opensearch\.log$"
    ):
        Engines(tmp_path, settings).start(("opensearch",))


def test_no_answer_in_time_ends_the_engine(tmp_path: Path) -> None:
    said = _refusal(Engines(tmp_path, EngineSettings(start_timeout=0.01)), NotReady)

    assert said == f"mongo: no answer within 0.01 s; see {tmp_path / 'logs/mongo.log'}"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("java.io.IOException: No space left on device", DiskFull),
        ("java.net.BindException: Address already in use", PortTaken),
        ("Native memory allocation (mmap) failed: insufficient memory", MemoryShort),
        ("something never seen before", NotReady),
    ],
)
def test_the_reason_of_an_end_is_read_from_the_log(
    tmp_path: Path, line: str, kind: type[EngineFault]
) -> None:
    log = tmp_path / "kafka.log"
    log.write_text(f"starting\n{line}\n\n")

    fault = reasons.of_end("kafka", log)

    assert type(fault) is kind
    assert "\n" not in str(fault)
    assert str(log) in str(fault)


def test_an_end_on_a_full_disk_is_known_even_where_the_log_found_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "kafka.log"
    log.touch()
    monkeypatch.setattr(reasons, "_LITTLE_BYTES", 2**62)

    assert str(reasons.of_end("kafka", log)) == f"kafka: the disk is full at {tmp_path}"


def test_a_container_s_limit_counts_as_the_machine_s(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text(f"{300 * 2**20}\n")
    (tmp_path / "memory.current").write_text(f"{200 * 2**20}\n")
    (tmp_path / "memory.stat").write_text(f"anon 1\ninactive_file {50 * 2**20}\n")

    assert available_mb(tmp_path) == 150
    (tmp_path / "memory.max").write_text("max\n")
    assert available_mb(tmp_path) > 150


@pytest.mark.parametrize("heap", ["512", "0m", "-1g", "1.5g", "512m -version"])
def test_a_heap_size_is_a_number_with_its_unit(heap: str) -> None:
    with pytest.raises(ValueError, match="a heap size is a number with m or g"):
        EngineSettings(kafka_heap=heap)
