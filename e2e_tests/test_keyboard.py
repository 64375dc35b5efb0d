"""Somebody who uses no mouse."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from e2e_tests.conftest import Site
from e2e_tests.people import Person
from shared.runtime.ids import new_id

Enter = Callable[..., Person]


def tab_to(person: Person, selector: str, most: int = 80) -> None:
    """Presses Tab until what `selector` names has the focus, which must be seen."""
    for _ in range(most):
        person.page.keyboard.press("Tab")
        if person.page.evaluate("selector => document.activeElement.matches(selector)", selector):
            seen = person.page.evaluate(
                """() => { const style = getComputedStyle(document.activeElement);
                return style.outlineStyle !== "none" || style.boxShadow !== "none"; }"""
            )
            assert seen, f"the focus on {selector} is not seen"
            return
    raise AssertionError(f"{selector} is not reached by Tab")


def test_signing_in_reading_and_writing_by_keyboard_alone(enter: Enter, site: Site) -> None:
    somebody, eskil = enter(), site.house.members["eskil"]
    somebody.go("/sign-in")
    expect(somebody.page.locator("#username")).to_be_focused()
    somebody.page.keyboard.type(eskil.user_name)
    tab_to(somebody, "#password")
    somebody.page.keyboard.type(eskil.password)
    somebody.page.keyboard.press("Enter")
    somebody.sees("Hello, Eskil Demo (editor)")

    somebody.page.keyboard.press("Tab")
    expect(somebody.page.locator(".skip")).to_be_focused()
    somebody.page.keyboard.press("Enter")
    expect(somebody.page.locator("#main")).to_be_focused()

    somebody.go("/wiki")
    tab_to(somebody, f"a[href='{site.handbook}']")
    somebody.page.keyboard.press("Enter")
    expect(somebody.page).to_have_url(f"{site.url}{site.handbook}")
    tab_to(somebody, ".tree.roomy summary")
    somebody.page.keyboard.press("Enter")
    tab_to(somebody, ".tree.roomy a")
    somebody.page.keyboard.press("Enter")
    expect(somebody.page.locator(".prose")).to_be_visible()
    page = somebody.path
    tab_to(somebody, f"a[href='{page}/history']")
    somebody.page.keyboard.press("Enter")
    expect(somebody.page.locator("#revisions")).to_be_visible()

    somebody.go("/wiki/new")
    tab_to(somebody, "#title")
    somebody.page.keyboard.type("By keyboard")
    tab_to(somebody, "#body")
    somebody.page.keyboard.type("No mouse was here.")
    tab_to(somebody, ".form-foot .btn.primary")
    somebody.page.keyboard.press("Enter")
    somebody.sees("Choose a space, or name a new one.")
    tab_to(somebody, "#space[aria-invalid]")
    tab_to(somebody, "#space_name")
    somebody.page.keyboard.type(f"Space {new_id()}")
    tab_to(somebody, ".form-foot .btn.primary")
    somebody.page.keyboard.press("Enter")
    somebody.sees("No mouse was here.")


def test_menus_open_and_close_by_keyboard(enter: Enter) -> None:
    somebody = enter("eskil")
    somebody.go("/")
    tab_to(somebody, "summary.me")
    somebody.page.keyboard.press("Enter")
    expect(somebody.page.get_by_role("button", name=re.compile("Sign out"))).to_be_visible()
    somebody.page.keyboard.press("Escape")
    expect(somebody.page.get_by_role("button", name=re.compile("Sign out"))).to_be_hidden()
    expect(somebody.page.locator("summary.me")).to_be_focused()
