"""How pages are shown: nothing in a text does harm, and what people write arrives."""

import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.wiki import links
from services.wiki.handbook import Change, lines, plan
from services.wiki.liquid import expand
from services.wiki.markdown import Destination, as_written, finish, prepare, targets

HANDBOOK = Path(__file__).parent.parent / "data" / "handbook-history.jsonl.xz"
ACTIVE = "script style iframe object embed form input img svg math link meta base button textarea".split()  # noqa: SIM905
SWALLOWING = "script style iframe object template noscript svg math select textarea SELECT !--".split()  # noqa: SIM905
SWALLOWING += "title xmp plaintext noembed noframes".split()  # noqa: SIM905
ALLOWED_ATTRIBUTES = "href id class rel lang dir title start colspan rowspan scope tabindex datetime".split()  # noqa: SIM905


def shown(body: str, found: dict[str, Destination] | None = None, path: str = "folder/page.md") -> str:
    return finish(prepare(body, path), path, "s1", found or {})


class Harmless(HTMLParser):
    """Reads HTML as a browser would and fails on anything that could act."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ACTIVE
        for name, value in attrs:
            assert name in ALLOWED_ATTRIBUTES, f"{tag} has {name}"
            if name == "href":
                scheme = re.match(r"\s*([a-z][a-z0-9+.\-]*):", value or "", re.IGNORECASE)
                assert scheme is None or scheme[1].lower() in {"http", "https", "mailto", "tel"}, value
            if name == "id":
                assert (value or "").startswith("s-")


def harmless(html: str) -> None:
    parser = Harmless(convert_charrefs=True)
    parser.feed(html)
    parser.close()


HOSTILE = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//x.test/a.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<b onclick=alert(1) style='position:fixed'>x</b>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "[x](<javascript:alert(1)>)",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    '<a href="jav&#x09;ascript:alert(1)">x</a>',
    '<a href="\x01javascript:alert(1)">x</a>',
    '<a href=" &#14; javascript:alert(1)">x</a>',
    "![x](javascript:alert(1))",
    '![x](https://x.test/a.png" onerror="alert(1))',
    '<a title=\'<a href="javascript:alert(1)">\' href="/x">k</a>',
    '<b title="<table onmouseover=alert(1)>">x</b>',
    '<table title="</table><script>alert(1)</script>"><tr><td>1',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    "<svg><animate onbegin=alert(1) attributeName=x></svg>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<form action=//x.test><input name=password><button>Sign in</button></form>",
    "<style>@import '//x.test'</style>",
    "<base href=//x.test/><meta http-equiv=refresh content='0;url=//x.test'>",
    "<div id=main class='top banner'><a href=x id=location name=cookie>x</a></div>",
    "<a href='/x' target=_blank ping=//x.test>x</a>",
    "`<script>`\n\n    <script>\n\n```html\n<script>\n```\n",
    "# <img src=x onerror=alert(1)> {#x\" onclick=\"alert(1)}",
    "[^1]\n\n[^1]: <script>alert(1)</script>",
    '---\ntitle: "<script>"\n---\n{% alert "<script>alert(1)</script>" %}<script>{% endalert %}',
    '---\nx: y\n---\n{% page "javascript:alert(1)" %} [x]({% page "javascript:alert(1)" %})',
    '---\nx: y\n---\n{% image "x.png" "<script>alert(1)</script>" %}{{ "<script>" }}',
    "<!-- --!> <script>alert(1)</script> -->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<p lang='\"><script>'>x</p>",
    "\u202eevil <b>x",
]  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE)
def test_nothing_in_a_text_can_act(body: str) -> None:
    harmless(shown(body))
    harmless(shown(f"text {body} text"))
    harmless(shown(f"> - {body}\n\n|a|\n|-|\n|{body}|\n"))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from([*HOSTILE, "\n", "\n\n", "> ", "- ", "|", "`", "<", '"', "'", "&", "[", "](", ")"]),
        max_size=8,
    )
)
def test_nothing_can_act_in_any_combination(parts: list[str]) -> None:
    harmless(shown("".join(parts)))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_text_can_be_shown(body: str) -> None:
    harmless(shown(body))
    harmless(as_written(body).html)


def test_what_people_write_arrives() -> None:
    html = shown(
        "---\ntitle: Title\n---\n# Page\n\n## One **two**\n\n- [ ] open\n- [x] done\n\n"
        "|a|b|\n|-|-:|\n|1|2|\n\nterm\n: meaning\n\n"
        "~~gone~~ https://example.org [^1]\n\n[^1]: a note\n\n```python\nif a < b: pass\n```\n"
    )
    for part in (
        '<h2 id="s-page">Page</h2>',
        '<h3 id="s-one-two">One <strong>two</strong></h3>',
        '<li class="task">☐ open</li>',
        '<li class="task">☑ done</li>',
        '<div class="table" tabindex="0"><table>',
        '<th scope="col">a</th>',
        '<td class="n">2</td>',
        "<dt>term</dt>",
        "<s>gone</s>",
        "if a &lt; b: pass",
        'href="#s-fn1"',
        '<a href="https://example.org" class="external" rel="noopener noreferrer">',
    ):
        assert part in html, part


@pytest.mark.parametrize("tag", SWALLOWING)
def test_a_tag_that_is_not_closed_hides_nothing(tag: str) -> None:
    """Somebody writes about <select>, and forgets to quote it."""
    page = shown(f"Use the <{tag}> tag with care.\n\n## After\n\nIMPORTANT")
    assert '<h2 id="s-after">After</h2>' in page and "<p>IMPORTANT</p>" in page
    assert f"&lt;{tag}&gt; tag" in page or f"&lt;{tag}> tag" in page
    block = shown(f"# T\n\n<{tag}>\n\nIMPORTANT")
    assert "IMPORTANT" in block


def test_what_is_closed_is_left_out_alone() -> None:
    page = shown("Before <script>act()</script> between <!-- a note --> after <select><option>x</select>.")
    assert page == "<p>Before  between  after .</p>\n"


def test_the_title_is_not_shown_twice_and_headings_begin_on_the_second_level() -> None:
    prepared = prepare("# Booking\n\n# Trains\n\n## Night trains\n", "a.md")
    assert [(h.level, h.id, h.text) for h in prepared.headings] == [
        (2, "s-trains", "Trains"),
        (3, "s-night-trains", "Night trains"),
    ]
    assert "Booking" not in prepared.html


def test_a_heading_written_as_html_does_not_pose_as_the_title() -> None:
    html = prepare('Text\n\n<h1 lang="sv">One</h1>\n<H1>Two</H1>\n<h1>Three\n', "a.md").html
    assert "<h1" not in html.lower()
    assert '<h2 lang="sv">One</h2>' in html and "<h2>Two</h2>" in html


def test_headings_that_say_the_same_can_each_be_linked() -> None:
    prepared = prepare("---\ntitle: t\n---\n## A\n## A\n## A\n## Own {#side-nav}\n", "x.md")
    assert [h.id for h in prepared.headings] == ["s-a", "s-a-1", "s-a-2", "s-side-nav"]
    assert "{#" not in prepared.html


def test_links_lead_to_pages_wherever_they_are_now() -> None:
    found = {"about": Destination("p9"), "gone": Destination("p8", deleted=True)}
    html = shown("## x\n[a](/about/#team) [b](/gone) [c](/nowhere) [d](#top) [e](/) [f](mailto:a@b.c)", found)
    assert '<a href="/wiki/pages/p9#s-team">a</a>' in html
    assert '<a href="/wiki/pages/p8" class="deleted">b</a>' in html
    assert '<a href="/wiki/at?space=s1&amp;path=nowhere" class="missing">c</a>' in html
    assert '<a href="#s-top">d</a>' in html
    assert '<a href="/wiki/spaces/s1">e</a>' in html
    assert '<a href="mailto:a@b.c">f</a>' in html


def test_raw_html_links_are_resolved_too() -> None:
    assert 'href="/wiki/pages/p9"' in shown('x <a href="/about/">a</a>', {"about": Destination("p9")})


def test_a_picture_is_told_in_words() -> None:
    html = shown("x ![Our house](house.png) ![](https://example.org/cat.jpg)")
    assert '<span class="picture">Our house</span>' in html
    assert '<a href="https://example.org/cat.jpg" class="external" rel="noopener noreferrer">' in html
    assert ">cat.jpg</span>" in html


TAGS = [
    ('[x]({% page "/a/b/#c" %})', "[x](/a/b/#c)"),
    ('[x]({% page "a/b" %})', "[x](/a/b)"),
    ("[x]({%- link _pages/a.md -%})", "[x](/_pages/a.md)"),
    ("[x]({{site.baseurl}}/a/)", "[x](/a/)"),
    ("[x]({{ site.base_url }}/a/)", "[x](/a/)"),
    ("[x]({{site.baseurl/a/#b}})", "[x](/a/#b)"),
    ('[x]({{ "/a/" | relative_url }})', "[x](/a/)"),
    ('{% slack_channel "tts_jobs" %}', "\\#tts\\_jobs"),
    ('{% slack_channel "dev" "the *dev* channel" %}', "the \\*dev\\* channel"),
    ('{% image "_img/a.png" "a cat" %}', "![a cat](</_img/a.png>)"),
    ("{% raw %}{% page %}{{x}}{% endraw %}", "{% page %}{{x}}"),
    ("a{% comment %}{% x %} b{% endcomment %}c", "ac"),
    ('{% alert "Mind", "warning" %}\n- a\n{% endalert %}', "\n\n> **Mind**\n>\n>\n> - a\n\n"),
    ('{% include "alert.html" heading:"H" content:"C" %}', "\n\n> **H**\n>\n> C\n\n"),
    ('{% include "low-system.html" %}', ""),
    ("{{emoji_name}} {% frobnicate %} 100{% 5", "{{emoji_name}} {% frobnicate %} 100{% 5"),
    ("{% raw %} never closed", "{% raw %} never closed"),
    ("{% endalert %}", "{% endalert %}"),
]


@pytest.mark.parametrize(("tag", "text"), TAGS)
def test_template_tags_become_text_and_links(tag: str, text: str) -> None:
    assert expand(tag).text == text


def test_components_that_are_left_out_are_named() -> None:
    assert expand('{% include "low-system.html" %}{% uswds_icon "x" %}').left_out == (
        "include low-system.html",
        "uswds_icon",
    )


def test_template_tags_are_read_only_where_a_page_has_front_matter() -> None:
    assert "{%" in shown('x {% include "a.html" %}')
    assert "{%" not in shown('---\ntitle: t\n---\nx {% include "a.html" %}')


@settings(deadline=None)
@given(st.text(alphabet="{}%\"' -aplert", max_size=200))
def test_any_text_can_be_expanded(text: str) -> None:
    expand(text)


def test_the_handbook_as_it_is_today_is_shown_and_its_links_arrive() -> None:
    live: dict[str, tuple[str, str]] = {}
    with HANDBOOK.open("rb") as file:
        for change in plan(lines(file), "handbook"):
            assert isinstance(change, Change)
            if change.op == "delete":
                del live[change.page_id]
            else:
                live[change.page_id] = (change.path, change.body or "")
    known = {address for path, body in live.values() for address in links.addresses(body, [path])}
    known |= {links.name(path) for path, _ in live.values()}
    wanted = missing = 0
    for path, body in live.values():
        prepared = prepare(body, path)
        harmless(prepared.html)
        pages = {t.address for t in targets(prepared, path) if not links.is_file(t.address)}
        quick = set(links.references(body, path))
        wanted += len(pages)
        missing += len([address for address in pages if address and address not in known])
        assert len(pages - quick) <= 1, (path, pages - quick)
    assert wanted > 450
    assert missing <= 0.02 * wanted


@pytest.mark.parametrize(
    "body",
    [
        "<div>" * 10_000,
        "> " * 10_000,
        "- " * 10_000,
        "*" * 10_000,
        "|" + "a|" * 1_000 + "\n|" + "-|" * 1_000 + "\n" + ("|" + "a|" * 1_000 + "\n") * 20,
        "<b><p>" * 2_000,
        "&" * 10_000,
        "```\n" * 10_000,
    ],
    ids=["divs", "quotes", "lists", "stars", "table", "formatting", "entities", "fences"],
)
def test_deep_and_large_texts_end_in_seconds(body: str) -> None:
    begun = time.process_time()
    harmless(shown(body))
    assert time.process_time() - begun < 10
