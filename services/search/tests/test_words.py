"""Texts and questions before the index sees them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.search.api.showing import highlights, title_pieces
from services.search.words import (
    CLOSE,
    LONGEST_TITLE,
    OPEN,
    beginning,
    clean,
    folded,
    of_markdown,
    question,
)
from shared.kernel.errors import Refused


def test_a_question_has_words_phrases_and_what_is_left_out() -> None:
    asked = question('board "red house" -lake -"old roof" e-mail')
    assert asked.words == ("board", "e-mail")
    assert asked.phrases == ("red house",)
    assert asked.without == ("lake", "old roof")
    assert str(asked) == 'board e-mail "red house" -lake -"old roof"'
    assert question(str(asked)) == asked


def test_what_cannot_be_seen_is_no_part_of_a_question() -> None:
    assert question("bud\u200bget\u202e \ufeffplan").words == ("budget", "plan")
    assert question(f"{OPEN}board{CLOSE}").words == ("board",)


def test_full_width_letters_are_letters() -> None:
    assert question("\uff22oard").words == ("Board",)


@given(st.text(max_size=300))
def test_any_text_is_a_question_or_refused_in_words(typed: str) -> None:
    try:
        asked = question(typed)
    except Refused as refused:
        assert refused.code.startswith("search-") and refused.field == "q"
    else:
        assert asked.words or asked.phrases


def test_a_page_is_read_without_its_markup() -> None:
    body = (
        "---\ntitle: x\nsecret: y\n---\n# Travel & *food*\n\n"
        "See [the policy](https://a.example/x) and `code`.\n\n<script>alert(1)</script>\n\n"
        "| a | b |\n|---|---|\n| one | two |\n\n```\nblock\n```\n![a boat](b.png)\n"
    )
    text = of_markdown(body)
    assert text.split("\n")[:2] == ["Travel & food", "See the policy and code."]
    assert all(word in text for word in ("one", "two", "block", "a boat"))
    assert not any(word in text for word in ("secret", "example", "script", "|"))


@given(st.text(max_size=400))
def test_a_beginning_is_one_short_line(text: str) -> None:
    line = beginning(text)
    assert len(line) <= LONGEST_TITLE + 1 and "\n" not in line


@given(st.text(max_size=60), st.lists(st.text(min_size=1, max_size=8), max_size=3))
def test_a_marked_title_is_still_the_title(title: str, typed: list[str]) -> None:
    assert "".join(piece.text for piece in title_pieces(title, typed)) == title


def test_a_title_is_marked_where_words_begin_like_those_typed() -> None:
    pieces = title_pieces("Årsmöte i Malmö", ["ars", "MA"])
    assert [(piece.text, piece.found) for piece in pieces] == [
        ("Års", True),
        ("möte i ", False),
        ("Ma", True),
        ("lmö", False),
    ]


@pytest.mark.parametrize("passage", ["", "no marks", f"{OPEN}a{CLOSE}", f"a {OPEN}b{CLOSE}{OPEN}c{CLOSE} d"])
def test_the_pieces_of_a_passage_are_the_passage(passage: str) -> None:
    hit = {"_source": {"language": "sv", "begins": ""}, "highlight": {"text.sv": [passage]}}
    (highlight,) = highlights(hit)
    assert "".join(piece.text for piece in highlight.pieces) == clean(passage)


def test_words_are_compared_without_accents() -> None:
    assert folded("Élan") == folded("elan") and folded("STRASSE") == folded("straße")
