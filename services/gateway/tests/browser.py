"""A real browser that is shown rendered pages under the gateway's own policy, with no server between."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Route, expect, sync_playwright

from infra.checks.chromium import chromium
from services.gateway import assets, places
from services.gateway.headers import CONTENT_SECURITY_POLICY

#: A name that no resolver is asked for: every request is answered here.
SITE = "https://fikarum.test"
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
_PICTURES = "/api/v1/pictures/"
_PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"><rect width="4" height="3"/></svg>'
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

#: From the path and query that the browser asks for, and the method, to a page.
Answer = Callable[[str, str], str]


#: Milliseconds. Generous: on a busy machine everything still shows, only later.
_PATIENCE = 40_000


@contextmanager
def started() -> Iterator[Browser]:
    expect.set_options(timeout=_PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=_ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def page(browser: Browser, answer: Answer, width: int = 1280, scripts: bool = True) -> Iterator[Page]:
    """A page of this site. Fails at its end where the browser complained about anything."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        locale="en-GB",
        reduced_motion="reduce",
        java_script_enabled=scripts,
    )

    def answered(route: Route) -> None:
        asked = urlsplit(route.request.url)
        if asked.path.startswith(assets.MOUNTED_AT):
            file = assets.DIST / Path(asked.path).name
            route.fulfill(body=file.read_bytes(), content_type=_TYPES[file.suffix])
        elif asked.path.startswith(_PICTURES):
            route.fulfill(body=_PICTURE, content_type="image/svg+xml")
        elif asked.path == places.LIVE:
            route.fulfill(status=204)  # nothing will come; do not ask again
        else:
            path = asked.path + (f"?{asked.query}" if asked.query else "")
            headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
            body = answer(path, route.request.method)
            route.fulfill(body=body, content_type="text/html; charset=utf-8", headers=headers)

    context.route("**/*", answered)
    shown = context.new_page()
    with calm(shown):
        try:
            yield shown
        finally:
            context.close()


@contextmanager
def calm(shown: Page) -> Iterator[None]:
    """Fails at its end where the browser complained about anything meanwhile."""
    complaints: list[str] = []

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def failed(error: Error) -> None:
        complaints.append(str(error))

    shown.on("console", said)
    shown.on("pageerror", failed)
    try:
        yield
    finally:
        shown.remove_listener("console", said)
        shown.remove_listener("pageerror", failed)
    assert complaints == []


#: Colours fade into those of another theme; what is looked at is how they stay. What the page measures itself
#: is measured once a frame was shown.
PUT_ON = """async theme => {
    document.documentElement.dataset.theme = theme;
    document.getAnimations().filter(each => each instanceof CSSTransition).forEach(each => each.finish());
    await new Promise(shown => requestAnimationFrame(() => requestAnimationFrame(shown)));
}"""
#: Only what is wrong is handed over: all that axe tells costs as much again as its look.
_LOOK = "axe.run({ resultTypes: ['violations'] }).then(found => found.violations)"


def faults(shown: Page) -> list[str]:
    """What axe finds on the page as it is."""
    if not shown.evaluate("'axe' in window"):
        shown.evaluate(AXE_SCRIPT)
    found = shown.evaluate(_LOOK)
    return [f"{fault['id']}: {node['html'][:200]}" for fault in found for node in fault["nodes"]]
