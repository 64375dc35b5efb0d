"""What a script adds to talk: comments that come in, people offered by name, drafts, posts that go."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from services.gateway import places
from services.gateway.render import render
from services.gateway.tests import browser, samples, samples_talk
from services.gateway.view_models.talk import FeedPart, PictureCard, PostCard, Thread

pytestmark = pytest.mark.usefixtures("built")

#: What the feed would tell, told by the test.
LIVE = """window.EventSource = class extends EventTarget {
    constructor() { super(); window.live = this; }
    close() {}
};"""
TOLD = (
    "(items) => window.live.dispatchEvent(new MessageEvent('changed', { data: JSON.stringify({ items }) }))"
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.started() as started:
        yield started


def post_page(*more: str) -> str:
    """The sample's thread, and comments that came in since."""
    view: Any = samples_talk.views("")["post"]
    card: Any = samples_talk._comment
    said = [Thread(card(each, f"Said meanwhile {each}")) for each in more]
    if "c9" in more:
        said = [each for each in said if each.first and each.first.id != "c9"]
        first = view.threads[0]
        view = replace(
            view,
            threads=[replace(first, replies=[*first.replies, card("c9", "An answer")]), *view.threads[1:]],
        )
    post = replace(view.post, comments=view.post.comments + len(more))
    return render(replace(view, post=post, threads=[*view.threads, *said]), samples.shell())


def asked(page: Page) -> None:
    page.evaluate(TOLD, [{"id": "p1", "comments": 5, "reactions": {}}])


@pytest.mark.parametrize("by_keyboard", [False, True])
def test_what_somebody_commented_comes_in_beside_what_is_half_typed(
    chromium: Browser, by_keyboard: bool
) -> None:
    pages = iter([post_page(), post_page("c8", "c9")])
    with browser.page(chromium, lambda path, method: next(pages)) as page:
        page.add_init_script(LIVE)
        page.goto(f"{browser.SITE}/posts/p1#comments")
        mine = page.get_by_placeholder("Write a comment")
        page.locator("#comment-c1 > div summary", has_text="Reply").click()
        page.get_by_placeholder("Reply to Jonas Brandt").first.fill("Half an answer")
        mine.fill("Half a thought")
        asked(page)
        show = page.locator("[data-new-comments]")
        if by_keyboard:
            show.press("Enter")
        else:
            show.click()
        expect(page.locator("#comment-c8")).to_contain_text("Said meanwhile c8")
        expect(page.locator("#comment-c1 ol > #comment-c9")).to_contain_text("An answer")
        expect(mine).to_have_value("Half a thought")
        expect(page.get_by_placeholder("Reply to Jonas Brandt").first).to_have_value("Half an answer")
        expect(page.locator("#comment-c9" if by_keyboard else "#comment-on-p1")).to_be_focused()
        expect(page.locator("#comments-h")).to_have_text("5 comments")
        expect(show).to_be_hidden()
        page.locator("#comment-c8 summary", has_text="Reply").click()
        page.locator("#comment-on-c8").fill("kept")
        expect(page.locator("#comment-c8 [data-draft-told]")).to_be_visible()


def test_without_a_script_the_way_to_new_comments_loads_the_page(chromium: Browser) -> None:
    with browser.page(chromium, lambda path, method: post_page()) as page:
        page.goto(f"{browser.SITE}/posts/p1")
        assert page.locator("[data-new-comments]").get_attribute("href") == "/posts/p1"


def people(path: str, method: str) -> str:
    if not path.startswith(places.MENTIONABLE):
        return samples_page(path)
    return render(samples.views()["mentionable"], samples.shell()) if "q=El" in path else ""


def samples_page(path: str) -> str:
    known = samples.views().get(path.strip("/").partition("?")[0], samples.views()["reach"])
    return render(known, samples.shell())


@pytest.mark.parametrize("name", ["home-empty", "post", "post-edit", "announce"])
def test_somebody_is_mentioned_by_keyboard(chromium: Browser, name: str) -> None:
    with browser.page(chromium, people, width=360) as page:
        page.goto(f"{browser.SITE}/{name}")
        field = page.locator("textarea[data-mentions]").last
        field.fill("")
        field.press_sequentially("Ask @El")
        offered = page.get_by_role("listbox")
        expect(offered.get_by_role("option")).to_have_count(2)
        expect(page.get_by_role("status").filter(has_text="2 people")).to_have_count(1)
        assert browser.faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        near = """(list) => {
            const [a, b] = [list, document.activeElement].map((each) => each.getBoundingClientRect());
            return Math.min(Math.abs(a.top - b.bottom), Math.abs(b.top - a.bottom)); }"""
        assert page.locator(".mentionable").evaluate(near) == pytest.approx(4, abs=1)
        active = field.get_attribute("aria-activedescendant")
        assert page.locator(f"#{active}").get_attribute("aria-selected") == "true"
        page.keyboard.press("Enter")
        expect(field).to_have_value("Ask @Elżbieta Nowak ")
        expect(offered).to_have_count(0)
        field.press_sequentially("or @El")
        expect(offered).to_be_visible()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(field).to_have_value("Ask @Elżbieta Nowak or @Elżbieta Nowak (2) ")
        pairs = "field => [...field.form.querySelectorAll('[name=mention]')].map(each => each.value)"
        assert field.evaluate(pairs) == ["m-nowak Elżbieta Nowak", "m-other Elżbieta Nowak (2)"]
        field.press_sequentially("and @El")
        expect(offered).to_be_visible()
        page.keyboard.press("Escape")
        expect(offered).to_have_count(0)
        expect(field).to_be_focused()


def test_a_draft_keeps_whom_it_mentions(chromium: Browser) -> None:
    with browser.page(chromium, people) as page:
        page.goto(f"{browser.SITE}/post")
        page.locator("#comment-on-p1").press_sequentially("Ask @El")
        page.locator(".mentionable li").first.click()
        expect(page.locator(".write-comment [data-draft-told]")).to_be_visible()
        page.goto(f"{browser.SITE}/post")
        form = page.locator(".write-comment form")
        form.get_by_role("button", name="Take it up again").click()
        expect(page.locator("#comment-on-p1")).to_have_value("Ask @Elżbieta Nowak ")
        expect(form.locator("[name=mention]")).to_have_value("m-nowak Elżbieta Nowak")


def test_a_group_that_was_being_begun_is_taken_up_again(chromium: Browser) -> None:
    with browser.page(chromium, people) as page:
        page.goto(f"{browser.SITE}/group-new")
        page.get_by_label("Name", exact=True).fill("Shop floor")
        expect(page.get_by_text("Draft kept on this device")).to_be_visible()
        page.goto(f"{browser.SITE}/group-new")
        page.get_by_role("button", name="Take it up again").click()
        expect(page.get_by_label("Name", exact=True)).to_have_value("Shop floor")


def test_the_first_comment_counts_and_a_deleted_post_says_so_in_its_place(chromium: Browser) -> None:
    with browser.page(chromium, people) as page:
        page.add_init_script(LIVE)
        page.goto(f"{browser.SITE}/home")
        count = page.locator("[data-comments=p2]")
        expect(count).to_be_hidden()
        page.evaluate(TOLD, [{"id": "p2", "comments": 1}])
        expect(count).to_have_text("1")
        expect(count).to_be_visible()
        after = page.locator("#post-p2")
        before = after.bounding_box()
        page.evaluate(TOLD, [{"id": "p1", "gone": True}])
        expect(page.locator("#post-p1")).to_have_text("This post was deleted.")
        assert after.bounding_box() == before


TALL = '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="3000"><path d="M0 0h600v3000z"/></svg>'


def test_what_moves_plays_when_asked_and_rests_when_told(chromium: Browser) -> None:
    with browser.page(chromium, people) as page:
        page.goto(f"{browser.SITE}/home")
        picture = page.get_by_alt_text("Red boathouses")
        still = picture.get_attribute("src")
        button = page.get_by_role("button", name="Play Red boathouses by still water")
        button.press("Enter")
        expect(picture).to_have_attribute("src", re.compile("size=moving$"))
        stop = page.get_by_role("button", name="Stop Red boathouses by still water")
        expect(stop).to_be_focused()
        expect(stop).not_to_have_attribute("aria-busy", "true")
        assert browser.faults(page) == []
        stop.press("Space")
        expect(picture).to_have_attribute("src", still or "")
        expect(button).to_be_focused()


def test_what_cannot_be_played_says_so_and_stays_a_still(chromium: Browser) -> None:
    with browser.page(chromium, people) as page:
        page.route("**/*size=moving", lambda route: route.fulfill(body="away", content_type="text/plain"))
        page.goto(f"{browser.SITE}/home")
        picture = page.get_by_alt_text("Red boathouses")
        still = picture.get_attribute("src")
        page.get_by_role("button", name="Play Red boathouses").click()
        expect(page.get_by_role("button", name="It cannot be played right now")).to_be_visible()
        expect(picture).to_have_attribute("src", still or "")


def test_without_a_script_a_link_opens_what_moves(chromium: Browser) -> None:
    with browser.page(chromium, people, scripts=False) as page:
        page.goto(f"{browser.SITE}/home")
        link = page.get_by_role("link", name="Play Red boathouses by still water")
        assert link.get_attribute("href") == places.picture("f1", "moving")


@pytest.mark.parametrize("width", [360, 1280])
def test_a_tall_picture_is_seen_whole_on_its_page_and_in_full_size_from_everywhere(
    chromium: Browser, width: int
) -> None:
    look = """async each => { each.loading = "eager"; await each.decode();
        const box = each.getBoundingClientRect();
        return [getComputedStyle(each).objectFit, box.width, box.height]; }"""
    tall = [PictureCard("f1", 600, 3_000, "A long poster"), PictureCard("f2", 600, 3_000)]
    views: Any = samples_talk.views("")
    for pictures in (tall[:1], tall):
        post = replace(views["post"].post, pictures=pictures)

        def answer(path: str, method: str, post: PostCard = post) -> str:
            if path == "/post":
                return render(replace(views["post"], post=post), samples.shell())
            return render(replace(views["home"], feed=FeedPart([post])), samples.shell())

        with browser.page(chromium, answer, width=width) as page:
            page.route(
                "**/api/v1/pictures/**", lambda route: route.fulfill(body=TALL, content_type="image/svg+xml")
            )
            for path, fit in (("post", "contain"), ("home", "cover")):
                page.goto(f"{browser.SITE}/{path}")
                full = page.get_by_role("link", name="A long poster Show in full size")
                full.focus()
                expect(full).to_be_focused()
                assert full.get_attribute("href") == places.picture("f1")
                fits, across, height = page.get_by_alt_text("A long poster").evaluate(look)
                assert fits == fit
                assert path == "home" or (across * 5 == pytest.approx(height, rel=0.02) and height <= 720)
                assert browser.faults(page) == []


@pytest.mark.parametrize("width", [320, 360])
@pytest.mark.parametrize("language", ["en", "sv"])
def test_no_dot_stands_at_the_beginning_or_the_end_of_a_line(
    chromium: Browser, language: str, width: int
) -> None:
    """Each belongs to what follows it; where that begins a line it lies before what is shown."""
    look = """() => [...document.querySelectorAll(".meta")].flatMap(meta => {
        const edge = meta.getBoundingClientRect().left, parts = [...meta.children];
        return parts.map((part, at) => {
            const box = part.getBoundingClientRect(), dot = getComputedStyle(part, "::before");
            const first = !at || box.top > parts[at - 1].getBoundingClientRect().top + 4;
            const middle = box.left + parseFloat(dot.width) / 2;
            const own = dot.content.includes("·") && getComputedStyle(part, "::after").content === "none";
            return { first, own, shown: middle + 2 > edge, clips: getComputedStyle(meta).overflowX };
        }); })"""

    def answer(path: str, method: str) -> str:
        return render(samples.views()[path.strip("/")], samples.shell(language))

    with browser.page(chromium, answer, width=width) as page:
        for name in ("home", "post", "search", "wiki-history"):
            page.goto(f"{browser.SITE}/{name}")
            parts = page.evaluate(look)
            assert parts and all(part["own"] and part["clips"] == "clip" for part in parts)
            assert [part["shown"] for part in parts] == [not part["first"] for part in parts], name
