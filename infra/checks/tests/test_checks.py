"""`make check` runs everything at once and ends with what failed; `make` explains itself."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.checks import __main__ as checks
from infra.checks import chromium

ROOT = Path(__file__).parents[3]


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_checks_that_pass_end_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert checks.main({"one": python("print('fine')"), "two": python("")}) == 0
    said = capsys.readouterr().out
    assert "passed  one" in said and "fine" not in said


def test_a_failed_check_is_named_with_what_it_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert checks.main({"one": python(""), "two": python("print('wrong'); exit(3)")}) == 1
    said = capsys.readouterr().out
    assert "FAILED  two" in said and "--- two\nwrong" in said and said.endswith("Failed: two\n")


def test_a_talkative_check_is_cut_short(capsys: pytest.CaptureFixture[str]) -> None:
    assert checks.main({"one": python("[print(i) for i in range(130)]; exit(1)")}) == 1
    assert "... and 30 more lines" in capsys.readouterr().out


def test_a_missing_browser_is_said_in_one_line_that_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    chromium.main()
    assert capsys.readouterr().err == "Tests of pages need a browser: apt-get install chromium\n"


def test_make_lists_every_target_that_people_may_use() -> None:
    listed = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True).stdout  # noqa: S607
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert set(re.findall(r"^  make ([\w-]+)", listed, re.MULTILINE)) == set(phony[1].split())
