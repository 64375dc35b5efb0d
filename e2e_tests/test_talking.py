"""Members talk: two at once, on a phone and at a desk, with the keyboard alone, and without a script."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from e2e_tests.people import Person
from e2e_tests.test_keyboard import tab_to
from shared.runtime.ids import new_id

Enter = Callable[..., Person]
PHONE = {"width": 360, "has_touch": True, "is_mobile": True}


def say(writer: Person, text: str) -> None:
    writer.go("/")
    writer.page.locator("#compose-text").fill(text)
    expect(writer.page.locator("#compose-reach")).to_contain_text("9")
    writer.page.locator("#compose .btn.primary").click()
    expect(writer.page.locator(".toast")).to_be_visible()


def test_one_posts_from_a_phone_and_the_other_sees_it_at_once(enter: Enter) -> None:
    saga, jonas = enter("saga", **PHONE), enter("jonas")
    text = f"The new trolleys are here {new_id()}"
    jonas.go("/")
    jonas.page.locator("#feed, .empty").first.wait_for()
    top = jonas.page.locator("[data-feed] > article").first
    first = top.get_attribute("id") if top.count() else None
    say(saga, text)
    news = jonas.page.locator("[data-new-posts]")
    expect(news).to_be_visible()
    expect(news).to_have_text(re.compile("1 new post"))
    if first:
        expect(jonas.page.locator("[data-feed] > article").first).to_have_id(first)
    news.click()
    jonas.sees(text)
    jonas.page.get_by_role("article").filter(has_text=text).get_by_role("link", name="Comment").click()
    jonas.page.get_by_placeholder("Write a comment").fill("They turn as on rails.")
    saga.page.get_by_role("article").filter(has_text=text).locator(".meta a").first.click()
    jonas.press("Comment")
    jonas.sees("They turn as on rails.")
    expect(saga.page.locator("[data-new-comments]")).to_be_visible()
    mine = saga.page.locator(".write-comment textarea")
    mine.fill("Half a thou")
    saga.page.locator("[data-new-comments]").click()
    saga.sees("They turn as on rails.")
    expect(mine).to_have_value("Half a thou")


def test_what_was_just_published_is_taken_back_by_one_button(enter: Enter) -> None:
    saga = enter("saga")
    text = f"Too early {new_id()}"
    say(saga, text)
    saga.page.locator(".toast button").click()
    expect(saga.page.get_by_text(text)).to_have_count(0)
    saga.go("/")
    expect(saga.page.locator("[data-draft-offer]")).to_be_hidden()


@pytest.mark.parametrize("script", [True, False])
def test_members_talk_with_and_without_a_script(enter: Enter, script: bool) -> None:
    eskil = enter("eskil", java_script_enabled=script)
    text = f"Till three is mended {new_id()}"
    eskil.page.locator("#compose-text").fill(text)
    eskil.page.locator("#compose .btn.primary").click()
    eskil.sees(text)
    post = eskil.page.get_by_role("article").filter(has_text=text)
    post.get_by_role("button", name="Like").click()
    expect(post.locator("[aria-pressed=true]").first).to_be_visible()
    post.get_by_role("link", name="Comment").click()
    eskil.page.get_by_placeholder("Write a comment").fill("And till four.")
    eskil.page.locator(".write-comment button.primary").click()
    eskil.sees("And till four.")
    eskil.page.locator(".comment summary", has_text="Reply").click()
    eskil.page.get_by_placeholder("Reply to Eskil").fill("Five waits.")
    eskil.page.locator(".comment form button", has_text="Reply").click()
    expect(eskil.page.locator(".comment ol .comment")).to_contain_text("Five waits.")


def test_talking_by_keyboard_alone(enter: Enter) -> None:
    eskil = enter("eskil")
    text = f"By keyboard {new_id()}"
    eskil.go("/")
    while not eskil.page.evaluate("document.activeElement.id === 'compose-text'"):
        eskil.page.keyboard.press("Tab")
    ring = eskil.page.locator("#compose").evaluate("form => getComputedStyle(form).outlineStyle")
    assert ring != "none", "the whole line shows the focus"
    eskil.page.keyboard.type(text)
    tab_to(eskil, "#compose .btn.primary")
    eskil.page.keyboard.press("Enter")
    eskil.sees(text)
    tab_to(eskil, "[data-feed] > article")
    before = eskil.page.evaluate("document.activeElement.id")
    eskil.page.keyboard.press("PageDown")
    after = eskil.page.evaluate("document.activeElement.id")
    assert before != after or eskil.page.locator("[data-feed] > article").count() == 1


def test_an_announcement_waits_until_it_is_confirmed(enter: Enter) -> None:
    alva, jonas = enter("alva"), enter("jonas", **PHONE)
    title = f"Two people close {new_id()}"
    alva.go("/announcements/new")
    alva.page.locator("#title").fill(title)
    alva.page.locator("#text").fill("From December nobody closes alone.")
    alva.page.locator("[name=to][value=some]").check()
    alva.page.locator("[value='country:DE']").check()
    expect(alva.page.locator("#announce-reach")).to_contain_text("1 person")
    alva.page.locator("form .btn.primary").click()
    alva.page.wait_for_url(re.compile("/posts/"))
    post = alva.path
    jonas.go("/")
    jonas.reloads_until(title)
    jonas.page.get_by_role("article").filter(has_text=title).get_by_role(
        "button", name="I have read it"
    ).click()
    jonas.sees("Thank you. Its sender sees that you have read it.")
    alva.go(f"{post}/acknowledgements")
    alva.reloads_until("1 av 1 person")
    assert jonas.faults() == [] and alva.faults() == []
