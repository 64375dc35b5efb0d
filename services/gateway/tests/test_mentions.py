"""Mentions between what members type and what the feed keeps: nothing of it is lost on the way and back."""

from services.gateway.pages import mentions, said
from services.gateway.pages.people import Known
from services.gateway.pages.visit import Form, Names
from services.gateway.view_models import Piece
from services.gateway.view_models.talk import Mention

ANNA, OTHER, GONE = "a" * 32, "b" * 32, "c" * 32
NAMES = Names(
    {
        ANNA: Known(member_id=ANNA, name="Anna Berg"),
        OTHER: Known(member_id=OTHER, name="Anna Berg"),
        GONE: Known(member_id=GONE, erased=True),
    }
)
NAMELESS = said.Nameless("Former member", "Unknown member")


def round_trip(text: str) -> str:
    shown, pairs = mentions.typed(text, NAMES, "Unknown member")
    return mentions.stored(shown, pairs)


def test_nobody_reads_an_id_and_the_text_goes_back_unchanged() -> None:
    text = f"Ask @[{ANNA}], or @[{OTHER}]! @[{GONE}] was there: @[{ANNA}]"
    shown, pairs = mentions.typed(text, NAMES, "Unknown member")
    assert shown == "Ask @Anna Berg, or @Anna Berg (2)! @Unknown member was there: @Anna Berg"
    assert pairs == [
        Mention(ANNA, "Anna Berg"),
        Mention(OTHER, "Anna Berg (2)"),
        Mention(GONE, "Unknown member"),
    ]
    assert round_trip(text) == text


def test_a_name_that_was_typed_and_meant_nobody_still_means_nobody() -> None:
    text = f"@Anna Berg is not @[{ANNA}]"
    assert mentions.typed(text, NAMES, "")[0] == "@Anna Berg is not @Anna Berg (2)"
    assert round_trip(text) == text


def test_a_longer_name_is_another_one() -> None:
    pairs = [Mention(ANNA, "Anna Berg"), Mention(OTHER, "Anna Berg Lind")]
    text = mentions.stored("@Anna Bergman, @Anna Berg Lind, @Anna Berg.", pairs)
    assert text == f"@Anna Bergman, @[{OTHER}], @[{ANNA}]."
    assert round_trip(f"@[{ANNA}]s bok") == f"@[{ANNA}]s bok"


def test_pairs_are_taken_only_as_our_forms_send_them() -> None:
    sent = Form(
        {"mention": [f"{ANNA} Anna Berg", "../x Evil", f"{OTHER}", f"{OTHER}  ", f"{OTHER} {'x' * 300}"]}
    )
    assert mentions.pairs_of(sent) == [Mention(ANNA, "Anna Berg")]


def passage(*pieces: str) -> str:
    """`*` marks what was found."""
    found = [Piece(piece.strip("*"), piece.startswith("*")) for piece in pieces]
    return "".join(
        f"*{piece.text}*" if piece.found else piece.text for piece in said.with_names(found, NAMES, NAMELESS)
    )


def test_what_was_found_shows_names() -> None:
    assert passage(f"Ask @[{ANNA}] about ", "*tills*", ".") == "Ask @Anna Berg about *tills*."
    assert passage("Ask @[", f"*{ANNA}", "]!") == "Ask *@Anna Berg*!"
    assert passage(f"@[{GONE}]") == "@Former member"


def test_a_mention_that_was_cut_shows_no_part_of_an_id() -> None:
    assert passage(f"{ANNA}] knows, as @[{OTHER[:9]}\u2026") == "@Anna Berg knows, as \u2026"
    assert passage(f"as does @[{OTHER}") == "as does @Anna Berg"
    assert passage("write to a@b.example") == "write to a@b.example"
    assert said.mentioned_in([Piece(f"{ANNA}] and @[{OTHER}] and @[{GONE[:5]}")]) == [ANNA, OTHER]
