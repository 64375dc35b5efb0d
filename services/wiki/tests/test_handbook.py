"""The real history, whole; and histories that are broken or mean harm."""

import bz2
import gzip
import io
import json
import lzma
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import pytest

from services.wiki import handbook
from services.wiki.handbook import BrokenHistory, Change, Problem, lines, page_id, plan

HANDBOOK = Path(__file__).parent.parent / "data" / "handbook-history.jsonl.xz"


def put(path: str, body: str = "x", **other: object) -> dict[str, object]:
    said = {"at": "2020-01-01T00:00:00+00:00", "author": "author-1", "op": "put", "path": path, "body": body}
    return {**said, **other}


def delete(path: str) -> dict[str, object]:
    return {"at": "2020-01-01T00:00:00+00:00", "author": "author-1", "op": "delete", "path": path}


def move(origin: str, path: str, body: str = "x") -> dict[str, object]:
    return {**put(path, body), "op": "move", "from": origin}


def planned(*said: object) -> list[Change | Problem]:
    return list(plan((json.dumps(line).encode() for line in said), "test"))


def outcome(*said: object) -> list[str]:
    return [each.code if isinstance(each, Problem) else each.op for each in planned(*said)]


def test_the_whole_history_is_kept() -> None:
    with HANDBOOK.open("rb") as file:
        raw = list(lines(file))
    changes = [change for change in plan(raw, "handbook") if isinstance(change, Change)]
    assert len(changes) == len(raw) == 5_843
    said = [json.loads(line) for line in raw]
    assert Counter(line["op"] for line in said) == {"put": 4_970, "move": 466, "delete": 407}
    assert Counter(change.op for change in changes) == {
        "start": 653,
        "revise": 4_970 - 653,
        "move": 466,
        "delete": 407,
    }
    assert len({change.author for change in changes}) == 309
    assert [change.body for change in changes] == [line.get("body") for line in said]
    assert [change.at.isoformat() for change in changes] == [line["at"] for line in said]


def test_the_history_ends_with_its_live_pages_and_reused_paths_begin_new_ones() -> None:
    live: dict[str, str] = {}
    paths: dict[str, set[str]] = {}
    reused, used = 0, set()
    with HANDBOOK.open("rb") as file:
        for change in plan(lines(file), "handbook"):
            assert isinstance(change, Change)
            if change.op == "start":
                reused += change.path in used
            if change.op == "delete":
                assert live.pop(change.page_id) == change.path
            else:
                live[change.page_id] = change.path
                used.add(change.path)
            paths.setdefault(change.page_id, set()).add(change.path)
    assert len(live) == len(set(live.values())) == 246
    assert reused == 109
    assert len(paths) == 653


def test_the_same_line_starts_the_same_page_in_every_run_and_another_in_another_source() -> None:
    assert planned(put("a"))[0] == planned(put("a"))[0]
    assert page_id("handbook", 1) != page_id("handbook", 2)
    assert page_id("handbook", 1) != page_id("other", 1)


def test_a_path_that_was_freed_begins_a_new_page() -> None:
    first, _, again = planned(put("a"), delete("a"), put("a"))
    assert isinstance(first, Change) and isinstance(again, Change)
    assert first.op == again.op == "start"
    assert first.page_id != again.page_id


def test_a_moved_page_stays_itself_and_its_old_path_is_free() -> None:
    first, moved, other = planned(put("a"), move("a", "b"), put("a", "y"))
    assert isinstance(first, Change) and isinstance(moved, Change) and isinstance(other, Change)
    assert moved.page_id == first.page_id
    assert other.op == "start"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ([], "line-op-unknown"),
        ({"op": "explode"}, "line-op-unknown"),
        ({"op": ["put"]}, "line-op-unknown"),
        (put("a", extra=1), "line-fields"),
        ({"op": "put"}, "line-fields"),
        ({**put("a"), "body": 7}, "line-not-text"),
        (put("a", at="yesterday"), "line-time"),
        (put("a", at="2020-01-01T00:00:00"), "line-time-local"),
        (put("a", author=""), "line-author"),
        (put("a", author="x\x1b[31m"), "line-author"),
        (put("../a"), "path-climbs"),
        (put("/etc/passwd"), "path-absolute"),
        (put("a\\b"), "path-characters"),
        (put("a", "half \ud800"), "text-not-unicode"),
        (put("a", "x" * 500_001), "page-too-long"),
        (delete("a"), "line-path-not-live"),
        (move("a", "b"), "line-path-not-live"),
    ],
)
def test_a_line_that_cannot_be_kept_is_named_with_its_reason(line: object, code: str) -> None:
    found = planned(put("first"), line, put("last"))
    assert [each.code for each in found if isinstance(each, Problem)] == [code]
    assert [each.line for each in found] == [1, 2, 3]


def test_a_put_that_changes_nothing_and_a_move_onto_a_page_are_named() -> None:
    assert outcome(put("a"), put("a")) == ["start", "line-changes-nothing"]
    assert outcome(put("a"), put("b", "y"), move("a", "b")) == ["start", "start", "line-path-taken"]


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b"[" * 100_000, b'{"op": NaN', b"\x00"])
def test_a_line_that_is_no_json_is_named(raw: bytes) -> None:
    found = list(plan([raw], "test"))
    assert [each.code for each in found if isinstance(each, Problem)] == ["line-not-json"]


def test_a_refused_line_says_nothing_that_could_act_in_a_terminal() -> None:
    found = planned(put("a", **{"\x1b[2J": "x"}))[0]
    assert isinstance(found, Problem) and found.message.isprintable()


def archive(rows: Iterable[bytes]) -> bytes:
    return lzma.compress(b"\n".join(rows))


def test_archives_and_plain_files_hold_the_same_lines() -> None:
    rows = [json.dumps(put(f"p{n}", "x" * 5_000)).encode() for n in range(50)]
    plain = b"\n".join(rows)
    assert list(lines(io.BytesIO(plain))) == rows
    assert list(lines(io.BytesIO(lzma.compress(plain)))) == rows
    assert list(lines(io.BytesIO(archive(rows[:20]) + lzma.compress(b"\n") + archive(rows[20:])))) == rows
    assert list(lines(io.BytesIO(b""))) == []


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.95])
def test_an_archive_that_ends_too_early_is_broken(cut: float) -> None:
    packed = HANDBOOK.read_bytes()
    with pytest.raises(BrokenHistory, match="too early"):
        list(lines(io.BytesIO(packed[: int(len(packed) * cut)])))


def test_an_archive_with_damage_is_broken() -> None:
    packed = bytearray(HANDBOOK.read_bytes())
    packed[len(packed) // 2] ^= 0xFF
    with pytest.raises(BrokenHistory, match="broken"):
        list(lines(io.BytesIO(bytes(packed))))


def test_a_bomb_is_noticed_before_it_fills_the_memory() -> None:
    bomb = lzma.compress(b"\x00" * 50_000_000)
    with pytest.raises(BrokenHistory, match="Line 1 is longer"):
        list(lines(io.BytesIO(bomb)))


def test_a_bomb_of_short_lines_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handbook, "LONGEST_HISTORY", 1_000_000)
    with pytest.raises(BrokenHistory, match="longer than"):
        for _ in lines(io.BytesIO(lzma.compress(b"\n" * 3_000_000))):
            pass


def test_a_bomb_of_empty_lines_ends_before_it_costs_minutes() -> None:
    with pytest.raises(BrokenHistory, match="lines"):
        for _ in lines(io.BytesIO(lzma.compress(b"\n" * 3_000_000))):
            pass


def test_a_bomb_of_nonsense_is_not_remembered_line_by_line() -> None:
    found = 0
    with pytest.raises(BrokenHistory, match="Is this a history at all"):
        for _ in plan(lines(io.BytesIO(lzma.compress(b"x\n" * 1_000_000))), "s"):
            found += 1
    assert found == handbook.MOST_PROBLEMS + 1


@pytest.mark.parametrize(
    ("packed", "name"),
    [(gzip.compress(b"{}\n", mtime=0), "gzip"), (bz2.compress(b"{}\n"), "bzip2"), (b"PK\x03\x04rest", "zip")],
)
def test_another_kind_of_archive_is_named(packed: bytes, name: str) -> None:
    with pytest.raises(BrokenHistory, match=f"a {name} archive"):
        list(lines(io.BytesIO(packed)))


def test_a_change_travels_to_the_wiki_with_its_author_as_a_member() -> None:
    change = planned(put("a", "text"))[0]
    assert isinstance(change, Change)
    assert handbook.request(change, "m1") == {
        "line": 1,
        "op": "start",
        "page_id": change.page_id,
        "path": "a",
        "from_path": None,
        "body": "text",
        "by": "m1",
        "at": "2020-01-01T00:00:00+00:00",
    }


def test_the_projects_copy_is_the_history_that_its_note_describes() -> None:
    note = (HANDBOOK.parent / "README.md").read_text()
    assert "CC0 1.0" in note
    assert sha256(HANDBOOK.read_bytes()).hexdigest() in note
