"""What members typed, as it is shown: nothing of it becomes markup but what we make of it."""

import pytest

from services.gateway.pages import said
from services.gateway.pages.people import Known
from services.gateway.pages.visit import Names

NAMES = Names(
    {
        "m-1": Known(member_id="m-1", name="Aino <Korhonen>"),
        "m-4": Known(member_id="m-4", erased=True),
    }
)
NAMELESS = said.Nameless("Former member", "Unknown member")


def shown(text: str, *topics: str) -> str:
    return str(said.shown(text, NAMES, topics, NAMELESS))


def test_empty_lines_part_paragraphs_and_line_ends_stay() -> None:
    assert shown("One\ntwo\n\n \nThree") == "<p>One<br>two</p><p>Three</p>"


def test_what_looks_like_markup_is_text() -> None:
    assert shown("<b>&") == "<p>&lt;b&gt;&amp;</p>"


def test_members_are_named_and_the_unknown_are_not() -> None:
    assert '<a class="mention" href="/people/m-1">@<bdi>Aino &lt;Korhonen&gt;</bdi></a>' in shown("@[m-1]!")
    assert "<bdi>Unknown member</bdi>" in shown("@[m-2]")
    assert shown("@[m-4]") == "<p>@<bdi>Former member</bdi></p>", "a link would lead nowhere"
    assert said.mentioned("@[m-1] and @[m-2]", "@[m-3]") == ["m-1", "m-2", "m-3"]


@pytest.mark.parametrize(
    ("text", "address", "after"),
    [
        ("See https://a.example/x.", "https://a.example/x", "."),
        ("(https://a.example/b_(c))", "https://a.example/b_(c)", ")"),
        ('https://a.example/?q="x', "https://a.example/?q=", "&#34;x"),
    ],
)
def test_addresses_become_links_without_what_ends_the_sentence(text: str, address: str, after: str) -> None:
    assert f'href="{address}" rel="noopener nofollow ugc"' in shown(text)
    assert f"</a>{after}" in shown(text)


def test_nothing_but_web_addresses_becomes_a_link() -> None:
    assert "<a" not in shown("javascript:alert(1) ftp://x data:text/html,x")


def test_only_topics_that_the_feed_found_are_links() -> None:
    assert shown("#Kassa", "kassa") == '<p><a class="topic" href="/topics/kassa">#Kassa</a></p>'
    assert "<a" not in shown("#kassa and C#kassa", "other")
    assert "<a" not in shown("https")


def test_a_long_text_is_cut_between_words() -> None:
    text = "word " * 400
    short = said.shortened(text, 900)
    assert len(short) <= 901 and short.endswith("word\u2026")
    assert said.shortened("x" * 2_000, 900) == "x" * 900 + "\u2026"
    assert said.shortened("short", 900) == "short"
