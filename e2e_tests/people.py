"""Somebody at a browser: what they see and do, in their words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from services.gateway.tests import browser
from services.gateway.tests.house import Member

#: Chromium tells of every page that is no success in the console; the stories look at those themselves.
_TOLD_ANYWAY = "Failed to load resource: the server responded with a status of"


class Person:
    def __init__(self, page: Page, site: str) -> None:
        self.page = page
        self.site = site
        self.complaints: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    @classmethod
    @contextmanager
    def entering(cls, chromium: Browser, site: str, *, width: int = 1280, **how: Any) -> Iterator["Person"]:
        options = {"locale": "en-GB", "reduced_motion": "reduce", **how}
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        try:
            yield cls(context.new_page(), site)
        finally:
            context.close()

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning") and not said.text.startswith(_TOLD_ANYWAY):
            self.complaints.append(said.text)

    def go(self, path: str) -> None:
        self.page.goto(f"{self.site}{path}")

    def sign_in(self, member: Member) -> None:
        self.go("/sign-in")
        self.page.locator("#username").fill(member.user_name)
        self.page.locator("#password").fill(member.password)
        self.page.locator("form:has(#password) button").click()
        expect(self.page.locator("#main h1")).to_be_visible()
        assert "/sign-in" not in self.page.url

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()

    def reloads_until(self, text: str) -> None:
        """What somebody else did shows a moment later."""

        def look() -> bool:
            self.page.reload()
            return text in self.page.inner_text("body")

        for _ in range(100):
            if look():
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"{text!r} never showed")

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.site)

    def faults(self) -> list[str]:
        """What axe finds on the page as it is."""
        return browser.faults(self.page)

    def overflow(self) -> int:
        """Pixels by which the page is wider than the screen."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))
