"""The table of protections cannot rot: what it takes away is there, and so is the test that must fail."""

import ast
import gc
import re
import subprocess
import sys
from pathlib import Path

import pytest

from shared.tests.mutations import ROOT, SEMANTICS, documented, removed
from shared.tests.protections import PROTECTIONS, Protection


@pytest.fixture(autouse=True, scope="module")
def nothing_left_to_tell() -> None:
    """What other tests left behind is told of when it is collected, with its trace; and what shows a trace
    reads Python as `ast.parse` does here, which Python 3.11 does not do twice at once."""
    gc.collect()


_EACH = pytest.mark.parametrize("protection", PROTECTIONS, ids=[p.name for p in PROTECTIONS])


def _sentences() -> dict[str, list[str]]:
    """The numbers of the sentences of each paragraph that has proofs, by its title."""
    found = {}
    for paragraph in SEMANTICS.read_text().split("\n## ")[1:]:
        if "\nProofs: " in paragraph:
            found[paragraph.partition("\n")[0]] = re.findall(r"^(\d+)\. ", paragraph, re.MULTILINE)
    return found


@_EACH
def test_a_protection_is_where_the_table_says(protection: Protection) -> None:
    assert removed(protection, (ROOT / protection.file).read_text())


def test_what_is_left_without_a_protection_is_python_and_knows_its_names(tmp_path: Path) -> None:
    """Else its test would fail for nothing."""
    for protection in PROTECTIONS:
        source = (ROOT / protection.file).read_text()
        (tmp_path / f"{protection.name}.py").write_text(removed(protection, source))
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "E9,F821"]
    checked = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@_EACH
def test_the_test_that_proves_a_protection_exists(protection: Protection) -> None:
    file, _, name = protection.test.partition("::")
    tree = ast.parse((ROOT / "shared" / "tests" / file).read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    (test,) = [function for function in functions if function.name == name.partition("[")[0]]
    several = any("parametrize" in ast.unparse(decorator) for decorator in test.decorator_list)
    assert several == name.endswith("]"), "of several it says which one"


def test_every_sentence_of_the_semantics_has_a_protection_and_no_protection_lacks_its_sentence() -> None:
    said = {(title, number) for title, numbers in _sentences().items() for number in numbers}
    assert said, "docs/semantics.md has paragraphs with proofs"
    covered = set()
    for protection in PROTECTIONS:
        paragraph, _, number = protection.sentence.rpartition(" ")
        covered |= {one for one in said if one[0].startswith(paragraph) and one[1] == number}
        assert any(title.startswith(paragraph) and one == number for title, one in said), protection.sentence
    assert covered == said


def test_every_protection_has_a_name_of_its_own() -> None:
    assert len({protection.name for protection in PROTECTIONS}) == len(PROTECTIONS)


def test_the_document_shows_the_table_as_it_is() -> None:
    text = SEMANTICS.read_text()
    assert text == documented(text), "python -m shared.tests.mutations --document"
