"""Pages from views: every template, in every language, with whatever members may have written."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from services.gateway import assets, places
from services.gateway.locale import offered
from services.gateway.render import environment, icon, render, tint
from services.gateway.tests import samples, samples_talk
from services.gateway.tests.markup import elements, scripted
from services.gateway.view_models import (
    HomeView,
    Notice,
    Person,
    PreviewView,
    SettingsView,
    SignInView,
    initials,
)
from services.gateway.view_models.talk import CommentForm, FeedPart, PictureCard, PostCard

pytestmark = pytest.mark.usefixtures("built")

NAMES = sorted(samples.views())
PAGES = [name for name, view in sorted(samples.views().items()) if view.template.startswith("pages/")]
PICTURES = "/api/v1/pictures/"
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>"
    "\"' style='color:red' onclick='alert(3) {{ 7*7 }} %(x)s"
)


def shown(name: str, language: str = "en", text: str = "") -> str:
    signed_in = not name.startswith("sign-in")
    return render(samples.views(text)[name], samples.shell(language, text=text, signed_in=signed_in))


@pytest.mark.parametrize("language", offered())
@pytest.mark.parametrize("name", NAMES)
def test_every_view_is_shown_in_every_language(name: str, language: str) -> None:
    html = shown(name, language)
    assert elements(html)
    if name in PAGES:
        assert elements(html, "html")[0].attributes["lang"] == language


def _cards(marks: str) -> list[PostCard]:
    """A feed, the newest first: `n` is new to the reader, `m` is their own, `s` they have seen."""
    post = replace(samples_talk.views("")["post-own"].post, unread=False, own=False)  # type: ignore[attr-defined]
    return [
        replace(post, id=f"p{place}", unread=mark == "n", own=mark == "m") for place, mark in enumerate(marks)
    ]


@pytest.mark.parametrize(
    ("marks", "later", "above"),
    [
        ("nnss", False, 2),
        ("nmns", False, 3),  # what the reader wrote between two that are new has its place in time
        ("mnss", False, 2),
        ("nmss", False, 1),
        ("nnnn", False, 0),
        ("nnnm", False, 0),  # more that is new may follow on the next page
        ("mmss", False, 0),
        ("nnms", True, 0),
    ],
)
def test_what_is_new_stands_above_what_was_seen_on_the_first_page(
    marks: str, later: bool, above: int
) -> None:
    """A later page joins what is shown already, in one piece."""
    posts = _cards(marks)
    part = FeedPart(posts, later=later)
    assert [*part.unread, *part.rest] == posts and len(part.unread) == above


def _keys(html: str) -> dict[str, list[str]]:
    """The idempotency keys that a page's forms carry, by the form's address."""
    found: dict[str, list[str]] = {}
    for element in elements(html, "input"):
        if element["name"] == "key":
            found.setdefault(next(e for e in element.inside if e.tag == "form")["action"], []).append(
                element["value"]
            )
    return found


@pytest.mark.parametrize(
    "form",
    [CommentForm("K"), CommentForm("K-c1", "x", parent="c1"), CommentForm("K-c1", "x", changes="c1")],
)
def test_a_comment_that_comes_back_keeps_its_key_and_shares_it_with_no_other_form(form: CommentForm) -> None:
    view = replace(samples_talk.views("")["post"], form=form)  # type: ignore[type-var]
    keys = _keys(render(view, samples.shell()))
    every = [key for some in keys.values() for key in some]
    assert len(every) == len(set(every)) > 2
    kept = keys[places.change_comment("p1", "c1", "edit") if form.changes else places.comments("p1")]
    assert form.key in kept


def test_a_page_is_called_by_a_name_and_not_by_its_markup() -> None:
    for name in PAGES:
        # browsers take all of it for text
        title = shown(name, text="Maja & co").partition("<title>")[2].partition("</title>")[0]
        assert title and "<" not in title, name


def test_every_template_of_a_page_has_a_sample() -> None:
    folder = assets.TEMPLATES / "pages"
    seen = {assets.TEMPLATES / view.template for view in samples.views().values()}
    assert set(folder.iterdir()) == {page for page in seen if page.parent == folder}


@pytest.mark.parametrize("name", NAMES)
def test_what_members_write_stays_text(name: str) -> None:
    html = shown(name, text=HOSTILE)
    assert list(scripted(html)) == []
    assert not [e for e in elements(html, "img") if not e["src"].startswith((assets.MOUNTED_AT, PICTURES))]
    assert "alert(1)</script>" not in html
    assert "alert(3) 49" not in html


@pytest.mark.parametrize("name", NAMES)
def test_no_page_needs_inline_script_or_style(name: str) -> None:
    assert list(scripted(shown(name))) == []


def test_the_test_sees_what_the_policy_would_stop() -> None:
    loose = "<p style='color:red' onclick='x()'><a href=' JavaScript:x'>a</a></p>"
    assert len(list(scripted(f"{loose}<script>x</script><style>p{{}}</style>"))) == 5


@pytest.mark.parametrize("name", PAGES)
def test_every_icon_is_in_the_sprite(name: str) -> None:
    used = {e["href"] for e in elements(shown(name), "use")}
    sprite = assets.asset_url("icons.svg")
    assert used and used <= {f"{sprite}#i-{icon_name}" for icon_name in assets.icons()}


def test_the_sprite_holds_nothing_that_no_template_uses() -> None:
    used = {e["href"].partition("#i-")[2] for name in PAGES for e in elements(shown(name), "use")}
    used |= {e["href"].partition("#i-")[2] for e in elements(_anonymous_problem(), "use")}
    used |= {e["href"].partition("#i-")[2] for e in elements(_with_notices(), "use")}
    assert assets.icons() == used


def _anonymous_problem() -> str:
    return render(samples.views()["problem-not-found"], samples.shell(signed_in=False))


def _with_notices() -> str:
    notices = [Notice("One"), Notice("Two", "info"), Notice("Three", "bad"), Notice("Four", published="p1")]
    return render(SettingsView(), samples.shell(notices=notices, behind=True))


@pytest.mark.parametrize("name", PAGES)
def test_headings_begin_with_one_first_level_and_never_skip_one(name: str) -> None:
    levels = [int(e.tag[1]) for e in elements(shown(name), "h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("name", PAGES)
def test_every_field_has_a_label_and_every_reference_a_target(name: str) -> None:
    page = elements(shown(name))
    ids = [e["id"] for e in page if e["id"]]
    assert len(ids) == len(set(ids))
    for attribute in ("for", "aria-labelledby", "aria-describedby"):
        assert {part for e in page for part in e[attribute].split()} <= set(ids), attribute
    labelled = {e["for"] for e in page if e.tag == "label"}
    for e in page:
        if e.tag in ("input", "select", "textarea") and e["type"] != "hidden":
            wrapped = any(outer.tag == "label" for outer in e.inside)
            assert wrapped or e["id"] in labelled, e.attributes


@pytest.mark.parametrize("name", PAGES)
def test_no_link_is_dead_and_every_sent_form_carries_its_token(name: str) -> None:
    page = elements(shown(name))
    assert not [e for e in page if e.tag == "a" and e["href"] in ("", "#")]
    forms = [e for e in page if e.tag == "form" and e["method"] == "post"]
    tokens = [e for e in page if e["name"] == "csrf_token" and e["value"] == "csrf-1"]
    assert len(tokens) == len(forms)


def test_refused_input_is_kept_and_the_error_stands_beside_it() -> None:
    page = elements(shown("wiki-new-wrong"))
    title = next(e for e in page if e["id"] == "title")
    error = next(e for e in page if e["id"] == "title-error")
    assert title["value"] == "Returns"
    assert title["aria-invalid"] == "true"
    assert title["aria-describedby"] == "title-error"
    assert "1 to 200 characters" in error.text


def test_a_password_is_never_sent_back() -> None:
    fields = {e["name"]: e for e in elements(shown("sign-in-refused"), "input")}
    assert fields["username"]["value"] == "maja"
    assert "value" not in fields["password"].attributes


def test_a_conflict_loses_neither_text() -> None:
    texts = {e["id"]: e.text for e in elements(shown("wiki-conflict"), "textarea")}
    assert "Scan the receipt." in texts["body"]
    assert "Their text" in texts["theirs"]


@pytest.mark.parametrize("body", ["\nstarts with an empty line", "  spaces kept\n\n", "no end"])
def test_the_text_in_the_editor_is_the_text_to_the_letter(body: str) -> None:
    view = samples.views()["wiki-edit"]
    form = type(view.form)("k", "T", body)  # type: ignore[attr-defined]
    html = render(type(view)(form, [], page=view.page), samples.shell())  # type: ignore[attr-defined, call-arg]
    text = html.partition('id="body"')[2].partition(">")[2].partition("</textarea>")[0]
    # A browser drops the first line end of a textarea.
    assert text.removeprefix("\n") == body
    assert text.startswith("\n")


def test_text_in_another_language_says_so() -> None:
    prose = elements(render(PreviewView(Markup("<p>مرحبا</p>"), "ar"), samples.shell()), "div")[0]
    assert (prose["lang"], prose["dir"]) == ("ar", "rtl")


def test_the_theme_is_the_devices_until_one_is_chosen() -> None:
    assert "data-theme" not in elements(shown("home"), "html")[0].attributes
    dark = elements(render(SettingsView(), samples.shell(theme="dark")), "html")[0]
    assert dark["data-theme"] == "dark"


def test_strangers_see_no_places_and_members_no_desks() -> None:
    stranger = elements(_anonymous_problem(), "a")
    assert not [e for e in stranger if e["href"] in (places.WIKI, places.OPERATE, places.SETTINGS)]
    member = elements(render(SettingsView(), samples.shell(operator=False, may_write=False)), "a")
    assert not [e for e in member if e["href"] in (places.OPERATE, places.NEW_PAGE)]


def test_erased_members_have_no_name_and_no_colour() -> None:
    gone = Person.erased("m-1")
    html = shown("home")
    assert "Former member" in html and "/people/m-gone" not in html
    assert tint(gone) == "gone"


@pytest.mark.parametrize("name", sorted(samples.views()))
def test_a_browser_gives_what_was_typed_back_to_nobody_who_comes_later(name: str) -> None:
    """Who signs in next on a shared device and goes back is shown the form as it is, and their own draft."""
    for field in elements(shown(name), "textarea"):
        for form in (each for each in field.inside if each.tag == "form"):
            assert form["autocomplete"] == "off", field["id"]


def test_a_members_colour_never_changes() -> None:
    assert tint(Person.named("m-nowak", "Elżbieta Nowak")) == tint(
        Person.named("m-nowak", "Elżbieta Dąbrowska")
    )
    assert {tint(Person.named(f"m-{n}", "A")) for n in range(100)} == {f"t{n}" for n in range(1, 9)}


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Elżbieta Nowak", "EN"),
        ("Cher", "C"),
        ("author-001", "A0"),
        ("Ana de la Cruz", "AC"),
        ("", ""),
        ("李 小龙", "李小"),
    ],
)
def test_initials_are_those_of_the_first_and_the_last_word(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_nothing_is_shown_for_a_name_that_no_view_has() -> None:
    with pytest.raises(UndefinedError):
        environment().from_string("{{ view.nothing }}").render(
            view=HomeView(FeedPart()), shell=samples.shell()
        )


def test_an_icon_with_a_label_is_a_picture_and_one_without_is_hidden() -> None:
    assert 'role="img" aria-label="Say &lt;b&gt;"' in icon("plus", "Say <b>")
    assert 'aria-hidden="true"' in icon("plus")


@pytest.mark.parametrize(
    ("language", "readers"), [("en", "Staff (United Kingdom)"), ("sv", "Anställda (Storbritannien)")]
)
def test_the_staff_of_a_country_is_named_without_an_article(language: str, readers: str) -> None:
    view: Any = samples.views()["post"]
    post = replace(view.post, audience=["country:GB"], group=None)
    html = render(replace(view, post=post, seen_because="country:GB"), samples.shell(language))
    assert [each for each in elements(html, "p") if f": {readers}. " in each.text]
    assert [each for each in elements(html, "span") if each.text == readers]


def test_a_picture_leads_to_all_of_it_and_moves_only_when_asked() -> None:
    for name in ("home", "post-reply-wrong"):
        html = shown(name)
        still, decoration = [
            each for each in elements(html, "a") if each["href"] in (f"{PICTURES}f1", f"{PICTURES}f2")
        ]
        assert still.text.split() == decoration.text.split() == ["Show", "in", "full", "size"]
        pictures = [each for each in elements(html, "img") if each["src"].startswith(PICTURES)]
        assert [each["alt"] for each in pictures] == ["Red boathouses by still water", ""]
        assert not [each for each in pictures if "moving" in each["src"]]
        sizes = [(each["width"], each["height"]) for each in pictures]
        assert sizes == [("960", "600"), ("4", "3")]
        (play,) = [each for each in elements(html, "a") if each["href"] == f"{PICTURES}f1?size=moving"]
        assert play.text.split() == ["Play", "Red", "boathouses", "by", "still", "water"]


def test_times_carry_their_moment_for_machines() -> None:
    ago = samples.NOW - timedelta(minutes=12)
    time = next(time for time in elements(shown("home"), "time") if time["datetime"] == ago.isoformat())
    assert time.text == "12 minutes ago"
    assert time["title"] == "21 November 2026, 10:18"


def test_a_page_goes_back_only_to_this_site() -> None:
    assert places.safe_return("/wiki?x=1") == "/wiki?x=1"
    for elsewhere in (None, "", "https://x.example", "//x.example", "/\\x.example", "wiki", "/a\nb", "/\t/x"):
        assert places.safe_return(elsewhere) == places.HOME


def test_ids_are_quoted_in_addresses() -> None:
    assert places.page("../settings?x") == "/wiki/pages/..%2Fsettings%3Fx"


def test_the_sign_in_page_offers_every_language() -> None:
    buttons = elements(render(SignInView(), samples.shell("sv", signed_in=False)), "button")
    assert [e["lang"] for e in buttons if e["name"] == "lang"] == list(offered())


@pytest.mark.parametrize(
    ("size", "seen"), [((960, 600), (960, 600)), ((600, 2_400), (180, 720)), ((1, 20_000), (1, 720))]
)
def test_a_tall_picture_is_told_to_be_seen_whole(size: tuple[int, int], seen: tuple[int, int]) -> None:
    assert PictureCard("f1", *size).seen_whole == seen
