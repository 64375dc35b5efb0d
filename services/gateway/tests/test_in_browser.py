"""What only a browser can tell: what axe finds, that nothing is past the edge, and what the script adds."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from services.gateway import assets, places
from services.gateway.render import render
from services.gateway.tests import browser, samples
from services.gateway.tests.browser import faults
from services.gateway.view_models import Person, SettingsView

pytestmark = pytest.mark.usefixtures("built")

#: A page each, in its fullest state: other states have fewer parts, or other words.
PAGES = [
    "adoption",
    "adoption-unit",
    "announce-wrong",
    "coach",
    "coach-list",
    "coach-policies",
    "compose",
    "figure",
    "figure-events",
    "figure-ladder",
    "group",
    "group-invite",
    "group-new-wrong",
    "group-offer",
    "group-owner",
    "group-people",
    "groups",
    "groups-ownerless",
    "home",
    "home-empty",
    "my-figures",
    "operate",
    "people",
    "post",
    "post-edit",
    "problem-typed",
    "profile",
    "profile-form-wrong",
    "report",
    "search",
    "search-nothing",
    "sessions",
    "settings",
    "settings-consent",
    "settings-password-wrong",
    "sign-in-refused",
    "tokens-created",
    "topic",
    "topics",
    "tour",
    "tour-guest",
    "wiki-compare",
    "wiki-conflict",
    "wiki-delete",
    "wiki-deleted",
    "wiki-edit",
    "wiki-history",
    "wiki-move-wrong",
    "wiki-new",
    "wiki-new-wrong",
    "wiki-page",
    "wiki-page-open",
    "wiki-revision",
    "wiki-space",
    "wiki-space-empty",
    "wiki-spaces",
]
TEMPLATES = assets.GATEWAY / "templates" / "pages"
#: Width and theme: every part is seen in both themes. In Swedish, whose words are the longest.
LOOKS = ((320, "dark"), (1280, "light"))
#: What stands beside the page where it is wide is seen in the dark with these.
WIDE_IN_THE_DARK = {"home", "wiki-page"}


#: Pixels past the edge.
OVER = "document.documentElement.scrollWidth - innerWidth"
#: What is fixed to the screen does not widen the page that it hangs out of.
PAST_THE_EDGE = """() => [...document.querySelectorAll(".bar *, .side *")].filter(e => e.checkVisibility())
    .filter(e => e.getBoundingClientRect().right > innerWidth || e.scrollWidth > (e.clientWidth || 9e9))
    .map(e => e.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.started() as started:
        yield started


@pytest.fixture(scope="module")
def easel(chromium: Browser) -> Iterator[Page]:
    """One page for every sample that is only looked at: to make a new one takes as long as the look."""
    with browser.page(chromium, sample) as page:
        yield page


@contextmanager
def shown(easel: Page, sample: str, width: int) -> Iterator[Page]:
    """Fails at its end where the browser complained about the sample."""
    with browser.calm(easel):
        easel.set_viewport_size({"width": width, "height": 900})
        easel.goto(f"{browser.SITE}/{sample}")
        yield easel


def sample(path: str, method: str = "GET") -> str:
    """`/wiki-page?sv.dark` is that sample in Swedish, in the dark."""
    name, _, how = path.strip("/").partition("?")
    language, _, theme = (how or "en").partition(".")
    signed_in = not name.startswith("sign-in")
    return render(samples.views()[name], samples.shell(language, signed_in=signed_in, theme=theme or None))


def test_no_page_is_left_out() -> None:
    views = samples.views()
    assert {views[name].template for name in PAGES} == {f"pages/{page.name}" for page in TEMPLATES.iterdir()}


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_nothing_stands_past_the_edge(easel: Page, name: str) -> None:
    with browser.calm(easel):
        easel.goto(f"{browser.SITE}/{name}?sv")
        for width, theme in (*LOOKS, *([(1280, "dark")] if name in WIDE_IN_THE_DARK else [])):
            easel.set_viewport_size({"width": width, "height": 900})
            easel.evaluate(browser.PUT_ON, theme)
            assert easel.evaluate(OVER) <= 0, width
            assert easel.evaluate(PAST_THE_EDGE) == [], width
            assert faults(easel) == [], (width, theme)


@pytest.mark.parametrize("name", ["figure", "figure-ladder", "figure-events", "my-figures"])
def test_a_table_of_figures_is_seen_whole_on_a_phone(easel: Page, name: str) -> None:
    over = """() => [...document.querySelectorAll(".table.stacked")]
        .map(table => table.scrollWidth - table.clientWidth)"""
    with shown(easel, f"{name}?sv", 320) as page:
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        found = page.evaluate(over)
        # What only a screen reader is told takes one.
        assert found and max(found) <= 1
        labels = """() => [...document.querySelectorAll(".table.stacked td[data-label]")]
            .map(each => getComputedStyle(each, "::before").textAlign)"""
        assert set(page.evaluate(labels)) <= {"start"}, "also one of two lines"


def test_no_word_of_anybodys_widens_the_pages_of_all(chromium: Browser) -> None:
    """A title may have 200 characters without a space, and stands on everybody's first page."""
    long = samples.views("W" * 200)

    def worded(path: str, method: str = "GET") -> str:
        name = path.strip("/").partition("?")[0]
        if name not in long:
            return ""
        return render(long[name], samples.shell("sv", signed_in=not name.startswith("sign-in")))

    wide = []
    with browser.page(chromium, worded, scripts=False) as page:
        for name in PAGES:
            page.goto(f"{browser.SITE}/{name}")
            for width, _ in LOOKS:
                page.set_viewport_size({"width": width, "height": 900})
                if (over := page.evaluate(OVER)) > 0:
                    wide.append((name, width, over))
    assert wide == []


@pytest.mark.parametrize("name", ["home", "wiki-page", "wiki-history", "wiki-new", "operate", "sessions"])
def test_everything_to_press_is_large_enough(easel: Page, name: str) -> None:
    small = """() => [...document.querySelectorAll("a, button, summary, select, input:not([type=hidden])")]
        .filter(e => e.checkVisibility() && !e.closest(".prose") && !e.matches(".skip"))
        .map(e => e.closest("label") ?? e)
        .filter(e => Math.min(e.getBoundingClientRect().height, e.getBoundingClientRect().width) < 23.5)
        .map(e => e.outerHTML.slice(0, 120))"""
    with shown(easel, name, 360) as page:
        assert page.evaluate(small) == []


def test_the_theme_changes_at_once_and_is_kept_for_the_server(chromium: Browser) -> None:
    with browser.page(chromium, sample) as page:
        page.goto(f"{browser.SITE}/settings")
        dark = page.get_by_role("main").get_by_role("button", name="Dark")
        dark.click()
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        assert {c["name"]: c["value"] for c in page.context.cookies()} == {"theme": "dark"}
        expect(dark).to_have_attribute("aria-pressed", "true")
        page.get_by_role("main").get_by_role("button", name="As the device").click()
        assert page.evaluate("document.documentElement.dataset.theme") is None
        assert page.context.cookies() == []
        assert page.url == f"{browser.SITE}/settings"


def test_a_menu_closes_by_escape_and_by_a_click_elsewhere(chromium: Browser) -> None:
    with browser.page(chromium, sample) as page:
        page.goto(f"{browser.SITE}/home")
        menu = page.locator("details.menu:has(summary.me)")
        menu.locator("summary").click()
        expect(menu).to_have_attribute("open", "")
        page.keyboard.press("Escape")
        expect(menu).not_to_have_attribute("open", "")
        expect(menu.locator("summary")).to_be_focused()
        menu.locator("summary").click()
        page.get_by_role("heading", name="Newest").click()
        expect(menu).not_to_have_attribute("open", "")


@pytest.mark.parametrize("name", ["wiki-page", "tokens-created"])
@pytest.mark.parametrize("width", [320, 360, 1280])
def test_open_menus_can_be_seen_and_reached_whole(easel: Page, name: str, width: int) -> None:
    reached = """list => {
        const { left, right } = list.getBoundingClientRect();
        list.scrollIntoView({ block: "center" });
        const { top, bottom } = list.getBoundingClientRect();
        const corners = [[left, top], [right, top], [left, bottom], [right, bottom]]
            .map(([x, y]) => [x === left ? x + 12 : x - 12, y === top ? y + 12 : y - 12]);
        return left >= 0 && right <= innerWidth
            && corners.every(([x, y]) => list.contains(document.elementFromPoint(x, y)));
    }"""
    with shown(easel, f"{name}?sv", width) as page:
        assert page.locator("summary.me").is_visible()
        for menu in page.locator("details.menu").all():
            if not menu.is_visible():
                continue  # that of the other width
            menu.locator("summary").click()
            assert menu.locator(".menu-list").evaluate(reached)
            page.keyboard.press("Escape")


def test_without_script_every_menu_opens_and_the_preview_has_its_button(chromium: Browser) -> None:
    with browser.page(chromium, sample, scripts=False) as page:
        page.goto(f"{browser.SITE}/wiki-edit")
        page.locator("summary.me").click()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        expect(page.get_by_role("button", name="Preview")).to_be_visible()


NOT_SAVED = "You wrote something here that was not saved"


def anything(path: str, method: str) -> str:
    """Samples by their names, the preview for the preview, and for whatever was sent the page."""
    if path.endswith("/reach"):
        return "<b>9</b> people, 8 languages"
    known = path.strip("/").partition("?")[0] in samples.views()
    return sample(path if known else "/preview" if path.endswith("/preview") else "/wiki-page")


def test_what_is_typed_survives_a_closed_tab(chromium: Browser) -> None:
    with browser.page(chromium, anything) as page:
        page.goto(f"{browser.SITE}/wiki-new")
        page.get_by_label("Title").fill("Half a thought")
        expect(page.get_by_text("Draft kept on this device")).to_be_visible()
        page.goto(f"{browser.SITE}/wiki-new")
        expect(page.get_by_text(NOT_SAVED)).to_be_visible()
        assert faults(page) == []
        page.get_by_role("button", name="Take it up again").click()
        expect(page.get_by_label("Title")).to_have_value("Half a thought")


@pytest.mark.parametrize("offered", [True, False])
def test_what_was_begun_for_a_group_is_not_taken_up_again_for_all(chromium: Browser, offered: bool) -> None:
    with browser.page(chromium, anything) as page:
        page.goto(f"{browser.SITE}/home-empty")
        page.locator("#compose-text").fill("About the wages")
        page.locator("#compose-to").select_option("group:g1")
        expect(page.get_by_text("Draft kept on this device")).to_be_visible()
        page.goto(f"{browser.SITE}/home")
        expect(page.locator("#compose-to")).to_have_value("staff")
        if not offered:
            page.evaluate("document.querySelector('#compose-to [value=\"group:g1\"]').remove()")
        page.locator("#compose-text").focus()
        page.get_by_role("button", name="Take it up again").click()
        expect(page.locator("#compose-text")).to_have_value("About the wages")
        expect(page.locator("#compose-to")).to_have_value("group:g1" if offered else "")


def _middle(shown: Locator) -> tuple[float, float]:
    """In pixels. What is pressed shrinks a little about it."""
    place = shown.bounding_box()
    assert place
    return place["x"] + place["width"] / 2, place["y"] + place["height"] / 2


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", ["home-empty", "wiki-new", "wiki-conflict", "announce"])
def test_nothing_moves_under_the_pointer_when_a_draft_is_kept(
    chromium: Browser, name: str, width: int
) -> None:
    """A press takes the focus from the field, the draft is kept and told, and the button is still there."""
    with browser.page(chromium, anything, width=width) as page:
        page.goto(f"{browser.SITE}/{name}?sv")
        field, button = (
            page.locator("textarea[data-draft-field]"),
            page.locator("form[data-draft] .btn.primary"),
        )
        field.press_sequentially("About the wages")
        button.scroll_into_view_if_needed()
        before = _middle(button)
        page.mouse.move(*before)
        page.mouse.down()
        expect(page.locator("[data-draft-told]")).to_be_visible()
        assert _middle(button) == pytest.approx(before, abs=1)
        page.mouse.up()
        expect(page).not_to_have_url(f"{browser.SITE}/{name}?sv")


def test_what_was_typed_and_chosen_last_is_kept_by_who_leaves_at_once(chromium: Browser) -> None:
    """Nothing waits between the last change and the next page."""
    with browser.page(chromium, anything) as page:
        page.goto(f"{browser.SITE}/home-empty")
        page.evaluate("""() => {
            const [text, to] = ["text", "to"].map((name) => document.getElementById(`compose-${name}`));
            text.value = "About the wages";
            text.dispatchEvent(new Event("input", { bubbles: true }));
            to.value = "group:g1";
            to.dispatchEvent(new Event("input", { bubbles: true }));
            location.assign("/home");
        }""")
        page.wait_for_url(f"{browser.SITE}/home")
        page.locator("#compose-text").focus()
        page.get_by_role("button", name="Take it up again").click()
        expect(page.locator("#compose-text")).to_have_value("About the wages")
        expect(page.locator("#compose-to")).to_have_value("group:g1")


def test_an_announcement_is_taken_up_again_for_whom_it_was_begun(chromium: Browser) -> None:
    with browser.page(chromium, anything) as page:
        page.goto(f"{browser.SITE}/announce")
        page.get_by_label("Only some of them").check()
        page.get_by_label("Leaders").check()
        page.get_by_label("Only those who fit one of each kind").check()
        page.get_by_label("Everybody confirms").uncheck()
        page.get_by_label("Title").fill("The wages")
        expect(page.get_by_text("Draft kept on this device")).to_be_visible()
        page.goto(f"{browser.SITE}/announce")
        expect(page.get_by_label("All staff")).to_be_checked()
        expect(page.get_by_label("Everybody confirms")).to_be_checked()
        page.get_by_role("button", name="Take it up again").click()
        expect(page.get_by_label("Only some of them")).to_be_checked()
        expect(page.get_by_label("Leaders")).to_be_checked()
        expect(page.get_by_label("Only those who fit one of each kind")).to_be_checked()
        expect(page.get_by_label("Everybody confirms")).not_to_be_checked()


def by_turns(name: str, *members: str) -> browser.Answer:
    """The sample, for whose turn it is at the device."""
    turns = iter(members)

    def answer(path: str, method: str) -> str:
        if path == places.REACH:
            return ""
        viewer = Person.named(next(turns), "Somebody")
        return render(samples.views()[name], samples.shell(viewer=viewer))

    return answer


def test_a_draft_is_offered_to_who_typed_it_and_to_nobody_else_on_the_same_device(chromium: Browser) -> None:
    with browser.page(chromium, by_turns("wiki-new", "m-maja", "m-omar", "m-maja")) as page:
        page.goto(f"{browser.SITE}/wiki-new")
        page.get_by_label("Title").fill("Half a thought")
        expect(page.get_by_text("Draft kept on this device")).to_be_visible()
        for offered in (False, True):
            page.goto(f"{browser.SITE}/wiki-new")
            expect(page.get_by_text(NOT_SAVED)).to_be_visible(visible=offered)


def test_who_goes_back_finds_the_form_as_it_is_and_their_own_draft(chromium: Browser) -> None:
    with browser.page(chromium, by_turns("home-empty", "m-maja", "m-omar", "m-omar")) as page:
        page.goto(f"{browser.SITE}/home-empty")
        page.locator("#compose-text").fill("What Omar must not read")
        expect(page.locator("#compose [data-draft-told]")).to_be_visible()
        page.goto(f"{browser.SITE}/home")
        page.go_back()
        expect(page.locator("body")).to_have_attribute("data-viewer", "m-omar")
        expect(page.locator("#compose-text")).to_have_value("")
        expect(page.locator("#compose [data-draft-offer]")).to_be_hidden()


def test_where_one_is_can_be_seen_among_more_than_fit(chromium: Browser) -> None:
    with browser.page(chromium, sample, width=360) as page:
        page.goto(f"{browser.SITE}/sessions?sv")
        expect(page.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=1)


def test_a_draft_that_names_nobody_is_dropped(chromium: Browser) -> None:
    """As they were kept once: it may be anybody's."""
    with browser.page(chromium, anything) as page:
        page.goto(f"{browser.SITE}/settings")
        page.evaluate("""() => localStorage.setItem("draft:new", JSON.stringify(
            { revision: "0", at: Date.now(), fields: { title: "Whose?", body: "", note: "" } }))""")
        page.goto(f"{browser.SITE}/wiki-new")
        expect(page.locator("[data-draft-offer]")).to_be_hidden()
        assert page.evaluate("localStorage.length") == 0


def test_a_draft_that_is_thrown_away_stays_away(chromium: Browser) -> None:
    with browser.page(chromium, anything) as page:
        page.goto(f"{browser.SITE}/wiki-new")
        page.get_by_label("Title").fill("Half a thought")
        expect(page.get_by_text("Draft kept on this device")).to_be_visible()
        page.goto(f"{browser.SITE}/wiki-new")
        page.get_by_role("button", name="Throw it away").click()
        expect(page.get_by_text("Draft kept on this device")).to_be_hidden()
        page.goto(f"{browser.SITE}/wiki-new")
        expect(page.get_by_text(NOT_SAVED)).to_be_hidden()


@pytest.mark.parametrize(
    ("title", "left"), [("Returns bought in another country", False), ("Another title", True)]
)
def test_a_draft_goes_once_the_page_is_there_and_not_before(
    chromium: Browser, title: str, left: bool
) -> None:
    with browser.page(chromium, anything) as page:
        page.goto(f"{browser.SITE}/wiki-new")
        page.get_by_label("Title").fill(title)
        page.get_by_role("button", name="Publish").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Returns bought in another country")
        page.wait_for_load_state("load")  # its script has run
        page.goto(f"{browser.SITE}/wiki-new")
        expect(page.get_by_text(NOT_SAVED)).to_be_visible(visible=left)


def test_the_preview_follows_what_is_typed(chromium: Browser) -> None:
    def answer(path: str, method: str) -> str:
        return sample("/preview" if method == "POST" else path)

    with browser.page(chromium, answer) as page:
        page.goto(f"{browser.SITE}/wiki-new")
        page.get_by_label("Text", exact=True).press_sequentially("## In short")
        expect(page.get_by_role("region", name="Preview").get_by_text("Say welcome")).to_be_visible()


def test_older_versions_join_the_list_and_can_be_compared_with_it(chromium: Browser) -> None:
    def answer(path: str, method: str) -> str:
        return sample(
            "/wiki-history-single" if "cursor=" in path else "/wiki-compare" if "/compare" in path else path
        )

    with browser.page(chromium, answer) as page:
        page.goto(f"{browser.SITE}/wiki-history")
        page.get_by_role("link", name="Older versions").click()
        expect(page.locator("#revisions > li")).to_have_count(5)
        expect(page.get_by_role("link", name="Older versions")).to_have_count(0)
        page.get_by_label("Compare from version 1", exact=True).check()
        page.get_by_role("button", name="Compare the chosen").click()
        assert page.url.endswith("/compare?new=17&old=1")


def test_a_form_is_sent_once_however_often_it_is_pressed(chromium: Browser) -> None:
    press_twice = """() => { const stopped = [];
        addEventListener("submit", sent => { stopped.push(sent.defaultPrevented); sent.preventDefault(); });
        const button = document.querySelector("main form .btn"); button.click(); button.click();
        return stopped; }"""
    with browser.page(chromium, sample) as page:
        page.goto(f"{browser.SITE}/tokens")
        assert page.evaluate(press_twice) == [False, True]


def test_figures_that_move_are_asked_for_again(chromium: Browser) -> None:
    calm = iter(["/operate-parked", *["/operate-calm"] * 100])
    with browser.page(chromium, lambda path, method: sample(next(calm))) as page:
        page.clock.install()
        page.goto(f"{browser.SITE}/operate")
        expect(page.get_by_role("heading", level=1)).to_have_text("Everything runs, 1 event is parked")
        page.clock.fast_forward(6_000)
        expect(page.get_by_role("heading", level=1)).to_have_text("Everything runs")


def test_reading_runs_from_right_to_left_where_the_language_does(chromium: Browser) -> None:
    with browser.page(chromium, lambda path, method: render(SettingsView(), samples.shell("ar"))) as page:
        page.goto(browser.SITE)
        side, main = page.locator(".side").bounding_box(), page.locator("main").bounding_box()
        assert side is not None and main is not None
        assert side["x"] > main["x"]
        assert faults(page) == []
