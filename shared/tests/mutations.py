"""Takes each protection of the runtime away and sees its proof fail: a test that cannot fail proves nothing.

    python -m shared.tests.mutations [NAME ...] [--list] [--document] [--no-control]

The table is in `shared/tests/protections`. For each entry the tree is copied, the protection removed from the
copy, and the entry's test run there: it must fail. That it passes where nothing was removed is seen first.
Engines are those of `FIKARUM_TEST_ENGINES`, else new ones for this run.
"""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from infra.engines import Engines, EngineSettings
from infra.engines.attached import HOME_VARIABLE
from shared.tests.eventually import PATIENCE_VARIABLE
from shared.tests.protections import PROTECTIONS, Protection

ROOT = Path(__file__).resolve().parents[2]
SEMANTICS = ROOT / "docs" / "semantics.md"
_COPIED = ("shared", "contracts", "infra", "conftest.py", "pyproject.toml")
_LINKED = (".venv",)
#: A third of the usual patience is enough for what never comes. Seconds that one test takes at most.
_PATIENCE, _LONGEST_RUN = 1 / 3, 600
#: A mutated module that cannot even run says nothing about the protection.
_BROKEN = ("NameError", "ImportError", "ModuleNotFoundError", "SyntaxError", "IndentationError")
_BEGIN, _END = "<!-- protections: begin -->", "<!-- protections: end -->"


class Seen(NamedTuple):
    """One test in one run: `outcome` is passed, failed, error or missing; `why` the failure's first line."""

    outcome: str
    why: str = ""


def removed(protection: Protection, source: str) -> str:
    """The module's text without the protection. Raises ValueError where its text is not there just once."""
    found = source.count(protection.old)
    if found != 1:
        raise ValueError(f"{protection.name}: its text is {found} times in {protection.file}, not once")
    return source.replace(protection.old, protection.new)


def table() -> str:
    """What docs/semantics.md shows, in Markdown."""
    lines = ["| Of | Protection | Without it | Then fails |", "|---|---|---|---|"]
    for p in PROTECTIONS:
        test = p.test.partition("::")[2]
        lines.append(f"| {p.sentence} | {p.words} | {p.without} | `{test}` |")
    return "\n".join(lines)


def documented(text: str) -> str:
    """`text` of the document with the table as it is now."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{table()}\n{_END}{after}"


@contextlib.contextmanager
def _copy() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fikarum-mutation-") as folder:
        copy = Path(folder)
        for name in _COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, copy / name)
        for name in _LINKED:
            (copy / name).symlink_to(ROOT / name)
        yield copy


def _run(copy: Path, tests: Sequence[str]) -> dict[str, Seen]:
    """What became of each of these tests in the copy."""
    report = copy / "report.xml"
    options = ("-q", "-p", "no:cacheprovider", "--tb=short", f"--junit-xml={report}")
    command = [sys.executable, "-m", "pytest", *options, *(f"shared/tests/{test}" for test in tests)]
    running = subprocess.Popen(
        command,
        cwd=copy,
        env={**os.environ, PATIENCE_VARIABLE: str(_PATIENCE), "FIKARUM_TOOLS": str(EngineSettings().tools)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = running.communicate(timeout=_LONGEST_RUN * len(tests))
    except BaseException:
        os.killpg(running.pid, signal.SIGKILL)
        raise
    if running.returncode not in (0, 1) or not report.exists():
        return dict.fromkeys(tests, Seen("error", said.strip().rpartition("\n")[2]))
    found = dict(_outcomes(report))
    return {test: found.get(test, Seen("missing")) for test in tests}


def _outcomes(report: Path) -> Iterator[tuple[str, Seen]]:
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - written by our own pytest
        test = f"{case.get('classname', '').rpartition('.')[2]}.py::{case.get('name')}"
        failure, error = case.find("failure"), case.find("error")
        if failure is not None:
            why = failure.get("message", "").partition("\n")[0]
            yield test, Seen("error" if why.startswith(_BROKEN) else "failed", why)
        elif error is not None:
            yield test, Seen("error", error.get("message", ""))
        else:
            yield test, Seen("passed")


def _mutate(protection: Protection) -> Seen:
    with _copy() as copy:
        module = copy / protection.file
        module.write_text(removed(protection, module.read_text()))
        return _run(copy, [protection.test])[protection.test]


@contextlib.contextmanager
def _engines() -> Iterator[None]:
    if HOME_VARIABLE in os.environ:
        yield
        return
    home = Path(tempfile.mkdtemp(prefix="fikarum-"))
    try:
        with Engines(home, EngineSettings(leash=True, test_commands=True)) as engines:
            engines.start(("mongo", "kafka"))
            os.environ[HOME_VARIABLE] = str(home)
            yield
    finally:
        shutil.rmtree(home)


def _verdict(seen: Seen) -> str:
    return {"failed": "fails", "passed": "PASSES WITHOUT IT"}.get(seen.outcome, seen.outcome.upper())


def _prove(chosen: Sequence[Protection], control: bool) -> int:
    """Prints a line for each; answers how many proofs are no proofs."""
    wrong = 0
    if control:
        with _copy() as copy:
            seen = _run(copy, sorted({protection.test for protection in chosen}))
        for test, one in seen.items():
            if one.outcome != "passed":
                wrong += 1
                print(f"{test} does not pass with every protection in place: {one.outcome} {one.why}")
        print(f"{len(seen) - wrong} of {len(seen)} tests pass with every protection in place", flush=True)
    for protection in chosen:
        began = time.monotonic()
        one = _mutate(protection)
        wrong += one.outcome != "failed"
        took = f"{time.monotonic() - began:4.0f} s"
        print(f"{protection.name:34} {_verdict(one):18} {took}  {one.why[:110]}", flush=True)
    print(f"{len(chosen)} protections, {wrong} without a proof")
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m shared.tests.mutations")
    parser.add_argument("names", nargs="*", help="only these, or those of a sentence, as 'Relay 3'")
    parser.add_argument("--list", action="store_true", help="say what there is")
    parser.add_argument("--document", action="store_true", help="write the table into docs/semantics.md")
    parser.add_argument("--no-control", action="store_true", help="do not see first that the tests pass")
    asked = parser.parse_args(arguments)
    chosen = [p for p in PROTECTIONS if not asked.names or {p.name, p.sentence} & set(asked.names)]
    if not chosen:
        parser.error("no protection has such a name: --list says which there are")
    if asked.list:
        for protection in chosen:
            print(f"{protection.name:34} {protection.sentence:16} {protection.test}")
        return 0
    if asked.document:
        SEMANTICS.write_text(documented(SEMANTICS.read_text()))
        return 0
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with _engines():
        return int(_prove(chosen, not asked.no_control) > 0)


if __name__ == "__main__":
    sys.exit(main())
