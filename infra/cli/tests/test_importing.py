"""What an import reads, how it is cut into requests, and what it says in the end."""

import json
import lzma
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.cli import importing, platform
from infra.cli.faults import Fault
from infra.cli.handbook import FIRST_HANDBOOK
from infra.cli.importing import MOST_BYTES, MOST_CHANGES, Pace, Report, member_of, portions, read
from infra.cli.platform import Refusal
from services.identity.inputs import MOST_IMPORTED
from services.wiki.api.requests import Import
from services.wiki.handbook import Problem
from shared.runtime import http


def line(path: str, author: str = "ann", body: str = "Hello", **more: str) -> dict[str, str]:
    return {
        "at": "2020-03-02T12:00:00+01:00",
        "author": author,
        "op": "put",
        "path": path,
        "body": body,
    } | more


def history(folder: Path, *lines: Any) -> Path:
    file = folder / "history.jsonl"
    file.write_text("".join(f"{json.dumps(each)}\n" for each in lines))
    return file


def test_the_projects_own_handbook_is_a_history() -> None:
    found = read(FIRST_HANDBOOK, "handbook")
    assert (found.changes + len(found.problems), len(found.authors)) == (5_843, 309)


def test_lines_that_cannot_be_kept_are_known_before_anything_is_sent(tmp_path: Path) -> None:
    file = history(tmp_path, line("a.md"), {"op": "sing"}, line("b.md", author="bo"), line("../c.md"))
    found = read(file, "book")
    assert (found.changes, found.authors) == (2, ["ann", "bo"])
    assert [problem.line for problem in found.problems] == [2, 4]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no change"),
        (b'{"op": "sing"}\n', "holds no change"),
        (lzma.compress(b"{}\n" * 1000)[:40], "ends too early"),
        (b"\xfd7zXZ\x00 and nonsense", "is broken"),
    ],
)
def test_a_file_that_is_no_history_is_refused_in_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "history"
    file.write_bytes(content)
    with pytest.raises(Fault, match=said):
        read(file, "book")


def test_a_missing_file_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="cannot be read: No such file"):
        read(tmp_path / "nowhere", "book")


def test_a_request_holds_no_more_changes_and_bytes_than_the_services_take() -> None:
    many: list[dict[str, Any]] = [{"line": number, "body": "x"} for number in range(450)]
    pace = Pace(MOST_CHANGES)
    assert [len(batch) for batch in portions(many, pace)] == [MOST_CHANGES, MOST_CHANGES, 50]
    large: list[dict[str, Any]] = [{"line": number, "body": "x" * (MOST_BYTES // 2)} for number in range(3)]
    assert [len(batch) for batch in portions(large, pace)] == [1, 1, 1]
    assert list(portions([], pace)) == []


def test_requests_grow_while_they_are_answered_quickly_and_shrink_when_they_are_not() -> None:
    many: list[dict[str, Any]] = [{"line": number} for number in range(400)]
    pace, sizes = Pace(50), []
    for batch, seconds in zip(portions(many, pace), (0.5, 0.5, 9.0, 2.0, 9.0), strict=False):
        sizes.append(len(batch))
        pace.took(seconds)
    assert sizes == [50, 100, 200, 50]


def test_the_order_of_changes_is_kept() -> None:
    many: list[dict[str, Any]] = [{"line": number} for number in range(450)]
    assert [change for batch in portions(many, Pace()) for change in batch] == many


def test_an_author_is_the_same_member_in_every_run_and_another_in_every_source() -> None:
    assert member_of("book", "ann") == member_of("book", "ann")
    assert len({member_of("book", "ann"), member_of("book", "bo"), member_of("other", "ann")}) == 3


def test_the_report_counts_what_was_kept_and_says_why_the_rest_was_not(tmp_path: Path) -> None:
    report = Report("book", "space", done=5, already=1_200, pages=3)
    report.not_kept = [Problem(number, "path-taken", "Choose another.") for number in (1, 2)]
    assert report.summary() == [
        "1,205 changes kept (1,200 of them earlier), 2 not; 3 live pages",
        "  2 x path-taken: Choose another.",
    ]
    report.write(tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text())["not_kept"][1]["line"] == 2


def test_reads_after_a_commit_are_asked_for_as_the_services_understand_it() -> None:
    assert (platform.AFTER_HEADER, platform.BEHIND_HEADER) == (http.AFTER_HEADER, http.BEHIND_HEADER)


def test_what_is_imported_fits_what_the_services_accept() -> None:
    (limit,) = (each for each in Import.model_fields["changes"].metadata if hasattr(each, "max_length"))
    assert limit.max_length >= importing.MOST_CHANGES
    assert importing.MOST_MEMBERS <= MOST_IMPORTED


def test_short_lines_are_never_cut_into_small_requests() -> None:
    pace = Pace(MOST_CHANGES, 100)
    for _ in range(5):
        pace.took(60.0)
    assert pace.most == 100


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ([("changes.0.at", "Wrong.")], "changes.0.at: Wrong."),
        ([("a", "Wrong."), ("b", "Too long.")], "Some of it. (a: Wrong.; b: Too long.)"),
    ],
)
def test_what_is_wrong_with_one_field_is_said_once(faults: list[tuple[str, str]], said: str) -> None:
    errors = [{"field": field, "message": message, "code": "c"} for field, message in faults]
    detail = f"{faults[0][0]}: {faults[0][1]}" if len(faults) == 1 else "Some of it."
    answer = httpx.Response(422, json={"code": "invalid-input", "detail": detail, "errors": errors})
    assert str(Refusal(answer)) == said
