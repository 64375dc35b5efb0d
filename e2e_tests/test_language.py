"""The interface in the reader's language, and pages in their own."""

from collections.abc import Callable

from playwright.sync_api import expect

from e2e_tests.conftest import Site
from e2e_tests.people import Person

Enter = Callable[..., Person]


def test_a_swede_is_met_in_swedish_from_the_first_page_on(enter: Enter, site: Site) -> None:
    reader = enter(locale="sv-SE")
    reader.go("/")
    expect(reader.page.locator("html")).to_have_attribute("lang", "sv")
    reader.sees("Användarnamn")
    reader.sign_in(site.house.members["saga"])
    reader.sees("Hej, Saga Demo")
    reader.go(site.handbook)
    reader.page.locator(".tree.roomy summary").first.click()
    reader.page.locator(".tree.roomy a:visible").first.click()
    expect(reader.page.locator(".prose")).to_have_attribute("lang", "en")
    reader.sees("Historik")
    reader.go("/wiki/pages/" + "0" * 32)
    expect(reader.page.locator("h1")).to_have_text("Här finns inget")


def test_the_profile_decides_and_the_device_may_differ(enter: Enter, site: Site) -> None:
    reader = enter("saga", locale="en-GB")
    expect(reader.page.locator("html")).to_have_attribute("lang", "sv")
    reader.go("/settings")
    reader.page.locator("main").get_by_role("button", name="English").click()
    expect(reader.page.locator("html")).to_have_attribute("lang", "en")
    reader.go("/")
    reader.sees("Hello, Saga Demo")


def test_refusals_are_translated_too(enter: Enter, site: Site) -> None:
    reader = enter(locale="sv-SE")
    reader.go("/sign-in")
    reader.page.locator("#username").fill("saga")
    reader.page.locator("#password").fill("not the password")
    reader.page.locator("form:has(#password) button").click()
    expect(reader.page.get_by_role("alert")).to_contain_text("lösenord")
    expect(reader.page.locator("#username")).to_have_value("saga")
    expect(reader.page.locator("#password")).to_have_value("")
