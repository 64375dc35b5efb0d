"""What changed between two texts, in words, and never for long."""

import random
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.wiki.compare import Block, Comparison, Line, compare, replaced


def text(lines: Sequence[Line]) -> list[str]:
    return ["".join(run.text for run in line.runs) for line in lines]


def marked(block: Block) -> str:
    """As a reader sees it: [-gone-] and {+come+}."""
    signs = {"same": "{}", "del": "[-{}-]", "ins": "{{+{}+}}"}
    lines = (*block.before, *(line for line in block.after if block.kind != "same"))
    return "\n".join("".join(signs[run.kind].format(run.text) for run in line.runs) for line in lines)


def kinds(comparison: Comparison) -> list[str]:
    return [block.kind for block in comparison.blocks]


def test_equal_texts_have_no_change() -> None:
    comparison = compare("a\nb\n", "a\nb\n")
    assert comparison.equal
    assert (comparison.words_added, comparison.words_removed) == (0, 0)
    assert compare("", "").equal


def test_a_changed_word_is_marked_within_its_line() -> None:
    comparison = compare("Cash out is limited to 100 euro.", "Cash out is limited to 200 euro a day.")
    assert marked(comparison.blocks[0]) == (
        "Cash out is limited to [-100-] euro.\nCash out is limited to {+200+} euro{+ a day+}."
    )
    assert (comparison.words_added, comparison.words_removed) == (3, 1)


def test_new_and_lost_lines_are_told_apart() -> None:
    assert kinds(compare("a\nc\n", "a\nb\nc\n")) == ["same", "added", "same"]
    assert kinds(compare("a\nb\nc\n", "a\nc\n")) == ["same", "removed", "same"]


def test_lines_that_have_little_in_common_are_shown_as_replaced() -> None:
    block = compare("The quick brown fox", "Nothing of that sort at all").blocks[0]
    assert marked(block) == "[-The quick brown fox-]\n{+Nothing of that sort at all+}"


def test_long_equal_stretches_are_folded_around_the_change() -> None:
    before = [f"line {n}" for n in range(40)]
    after = [*before[:20], "changed", *before[21:]]
    comparison = compare("\n".join(before), "\n".join(after))
    assert kinds(comparison) == ["folded", "same", "changed", "same", "folded"]
    assert [block.folded for block in comparison.blocks] == [17, 0, 0, 0, 16]
    assert comparison.blocks[2].before_line == 21


def test_scripts_without_spaces_are_compared_by_character() -> None:
    assert (
        marked(compare("明天去东京出差", "明天去大阪出差").blocks[0])
        == "明天去[-东京-]出差\n明天去{+大阪+}出差"
    )


def test_line_ends_of_another_system_are_no_change() -> None:
    assert compare("a\r\nb\r\n", "a\nb\n").equal


def test_a_comparison_that_was_given_up_shows_both_texts_whole() -> None:
    assert marked(replaced("a b\nc", "d").blocks[0]) == "[-a b-]\n[-c-]\n{+d+}"
    assert kinds(replaced("", "d")) == ["added"] and kinds(replaced("d", "")) == ["removed"]


@settings(deadline=None)
@given(st.text(alphabet="ab \n.é漢", max_size=80), st.text(alphabet="ab \n.é漢", max_size=80))
def test_both_texts_can_be_read_back(before: str, after: str) -> None:
    comparison = compare(before, after)
    old: list[str] = []
    new: list[str] = []
    for block in comparison.blocks:
        assert block.before_line == len(old) + 1 and block.after_line == len(new) + 1
        if block.kind == "folded":
            hidden = before.split("\n")[len(old) : len(old) + block.folded]
            assert hidden == after.split("\n")[len(new) : len(new) + block.folded]
            old += hidden
            new += hidden
        old += text(block.before)
        new += text(block.after)
    assert old == (before.removesuffix("\n").split("\n") if before else [])
    assert new == (after.removesuffix("\n").split("\n") if after else [])


N = 500_000
DICE = random.Random(1)
LARGE = {
    "blank lines": ("x" + "\n" * N + "x", "y" + "\n" * (N - 100) + "y"),
    "two lines in turn": ("a\nb\n" * (N // 4), "b\na\n" * (N // 4)),
    "nothing in common": (
        "\n".join(str(DICE.random()) for _ in range(N // 20)),
        "\n".join(str(DICE.random()) for _ in range(N // 20)),
    ),
    "one line": (
        " ".join(str(DICE.randrange(1000)) for _ in range(N // 5)),
        " ".join(str(DICE.randrange(1000)) for _ in range(N // 5)),
    ),
    "spaces": (" " * N, "\t" * N),
}


@pytest.mark.parametrize("name", LARGE)
def test_the_longest_texts_are_compared_in_bounded_time(name: str) -> None:
    begun = time.process_time()
    comparison = compare(*LARGE[name])
    assert time.process_time() - begun < 30
    assert not comparison.equal


def test_an_edit_in_a_very_long_page_is_still_found_exactly() -> None:
    before = [f"line {n} {DICE.random()}" for n in range(20_000)]
    after = [*before[:5_000], "new", *before[5_000:15_000], *before[15_001:]]
    comparison = compare("\n".join(before), "\n".join(after))
    assert [block.kind for block in comparison.blocks if block.kind in ("added", "removed")] == [
        "added",
        "removed",
    ]
    assert not comparison.coarse
