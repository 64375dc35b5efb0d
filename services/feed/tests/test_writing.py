"""What texts say about themselves, and which are accepted."""

# ruff: noqa: RUF001 - letters of other scripts that look like ours are the point here

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feed.domain import writing
from shared.kernel.errors import Refused


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("\u2067outside\u2069", "outside"),
        ("pass\u200bword\u2060\ufeff", "password"),
        ("flag \U0001f3f4\U000e0067\U000e0062\U000e007f", "flag \U0001f3f4\U000e0067\U000e0062\U000e007f"),
        ("hidden\U000e0068\U000e0069", "hidden"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("שלום\u200f!", "שלום\u200f!"),
        ("e" + "\u0301" * 40, unicodedata.normalize("NFC", "e" + "\u0301" * 7)),
    ],
)
def test_what_hides_or_turns_other_text_is_removed_and_nothing_else(typed: str, kept: str) -> None:
    assert writing.cleaned(typed) == kept


@pytest.mark.parametrize(
    "text", ["", " \n\t", "\u3164", "\u200b\u200d", "\u2800\u2800", "\u00ad", "\U000e0041"]
)
def test_a_text_that_shows_nothing_is_no_text(text: str) -> None:
    with pytest.raises(Refused) as refused:
        writing.checked_post(text)
    assert refused.value.code == "text-missing"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("#Fika and #FIKA and \uff03\uff46\uff49\uff4b\uff41", ("fika",)),
        ("#Straße #STRASSE", ("strasse",)),
        ("#smörgåsbord, #kaffe-rast. (#året)", ("smörgåsbord", "kaffe-rast", "året")),
        ("C# a#b &#35; https://x.example/#anchor #1 ##", ()),
        ("#हिन्दी #日本語 #קפה", ("हिन्दी", "日本語", "קפה")),
        ("#fi\u200dka", ("fika",)),
        ("#" + "x" * 80, ("x" * 50,)),
    ],
)
def test_topics_are_compared_folded(text: str, found: tuple[str, ...]) -> None:
    assert writing.topics(text) == found


@pytest.mark.parametrize(
    ("text", "code"),
    [("safe\u202etxt.exe", "text-turned-around"), ("a\x00b", "text-with-control-character")],
)
def test_what_makes_readers_see_another_text_is_refused(text: str, code: str) -> None:
    for check in (writing.checked_post, writing.checked_comment):
        with pytest.raises(Refused) as refused:
            check(text)
        assert refused.value.code == code


def test_a_mention_names_a_member_by_id() -> None:
    assert writing.mentions("@[ann] a@b.example @ann @[no such] @[bob]@[ann]") == ("ann", "bob")


def test_addresses_mentions_and_signs_say_nothing_of_a_language() -> None:
    assert writing.spoken("Hej @[ann] https://a.example/b #kaffe").split() == ["Hej", "kaffe"]


@given(st.text(max_size=200))
def test_cleaning_is_total_and_done_once(text: str) -> None:
    once = writing.cleaned(text)
    assert writing.cleaned(once) == once
    assert not set(once) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_topics_found_in_any_text_are_their_own_form(text: str) -> None:
    try:
        found = writing.topics(text)
    except Refused:
        return
    assert all(writing.topic(topic) == topic for topic in found)
