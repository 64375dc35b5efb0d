"""Every page, looked at: what axe finds in both themes, nothing past the edge, and pictures to look at for
who wants them."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest

from e2e_tests.conftest import Site
from e2e_tests.people import Person
from e2e_tests.test_reading import most_revised
from services.gateway.tests import browser

Enter = Callable[..., Person]

#: The folder for a picture of every look; without it none is made, which would take half of the time.
PICTURES = os.environ.get("FIKARUM_TEST_PICTURES")
#: Where axe looks, in turn at one page after the other: its run costs more than the rest of a look, and the
#: gateway's own tests show it every page in both. Where pictures are made it looks at all of them.
AXE = ((360, "dark"), (1280, "light"))
#: Every width is measured. What a theme changes is seen by axe, or in the pictures.
LOOKS = [(width, theme) for width in (360, 768, 1280) for theme in ("light", "dark")]
if not PICTURES:
    LOOKS = [*AXE, (768, "light")]
SIGNED_IN = (
    "home",
    "compose",
    "announce",
    "post",
    "post-edit",
    "report",
    "topic",
    "topics",
    "wiki",
    "space",
    "page",
    "history",
    "compare",
    "revision",
    "edit",
    "new",
    "move",
    "delete",
    "deleted",
    "settings",
    "tokens",
    "sessions",
    "operate",
    "nowhere",
)


@pytest.fixture(scope="module")
def addresses(site: Site) -> dict[str, str]:
    page = most_revised(site)
    with httpx.Client(base_url=f"{site.url}/api/v1", headers=site.house.members["alva"].bearer) as api:
        new = {"space_id": site.handbook.rpartition("/")[2], "path": "gone", "body": "# Gone\n\nOld."}
        gone = api.post("/wiki/pages", json=new).json()["id"]
        api.delete(f"/wiki/pages/{gone}", params={"note": "Nobody needs it any more"})
        post = _announced(api)
    return {
        "home": "/",
        "compose": "/posts/new",
        "announce": "/announcements/new",
        "post": f"/posts/{post}",
        "post-edit": f"/posts/{post}/edit",
        "report": f"/posts/{post}/acknowledgements",
        "topic": "/topics/nattlarm",
        "topics": "/topics",
        "wiki": "/wiki",
        "space": site.handbook,
        "page": page,
        **{name: f"{page}/{name}" for name in ("history", "compare", "edit", "move", "delete")},
        "revision": f"{page}/revisions/1",
        "new": "/wiki/new",
        "deleted": f"/wiki/pages/{gone}",
        "settings": "/settings",
        "tokens": "/settings/tokens",
        "sessions": "/settings/sessions",
        "operate": "/operate",
        "nowhere": "/nowhere",
    }


def _announced(api: httpx.Client) -> str:
    """An announcement that somebody must read, with a comment and an answer to it."""
    said = {"kind": "announcement", "title": "Two close together", "text": "Nobody closes alone. #nattlarm"}
    post = api.post("/posts", json={**said, "must_acknowledge": True}).json()["id"]
    comment = api.post(f"/posts/{post}/comments", json={"text": "From when?"}).json()["id"]
    api.post(f"/posts/{post}/comments", json={"text": "From Monday.", "parent_id": comment})
    return str(post)


def looked_at(person: Person, pages: Mapping[str, str]) -> list[str]:
    """What is wrong with the pages, by name, at these addresses."""
    faults = []
    for turn, (name, address) in enumerate(pages.items()):
        person.go(address)
        for width, theme in LOOKS:
            asks = bool(PICTURES) or (width, theme) == AXE[turn % len(AXE)]
            faults += look(person, name, theme, width, asks=asks)
    return faults


def look(person: Person, name: str, theme: str, width: int, *, asks: bool = True) -> list[str]:
    """`asks`: axe, where it is one of its looks."""
    person.page.set_viewport_size({"width": width, "height": 900})
    person.page.evaluate(browser.PUT_ON, theme)
    if PICTURES:
        picture = Path(PICTURES) / f"{name}-{width}-{theme}.png"
        person.page.screenshot(path=picture, full_page=name != "page")
    asked = person.faults() if asks and (width, theme) in AXE else []
    faults = [f"{name} {width} {theme}: {fault}" for fault in asked]
    if (over := person.overflow()) > 0:
        faults.append(f"{name} {width}: {over} pixels past the edge")
    return faults


@pytest.mark.timeout(300)
def test_axe_finds_nothing_on_any_page(enter: Enter, site: Site, addresses: dict[str, str]) -> None:
    assert looked_at(enter("alva"), {name: addresses[name] for name in SIGNED_IN}) == []


def test_axe_finds_nothing_at_the_door(enter: Enter) -> None:
    stranger = enter()
    stranger.go("/sign-in")
    assert [f for width, theme in LOOKS for f in look(stranger, "sign-in", theme, width)] == []
    stranger.page.locator("form:has(#password) button").click()
    assert [f for width, theme in LOOKS for f in look(stranger, "sign-in-refused", theme, width)] == []


def test_pages_are_light_enough_for_a_phone(enter: Enter, site: Site, addresses: dict[str, str]) -> None:
    reader, sizes = enter("saga"), []
    reader.page.on("response", lambda answer: sizes.append(int(answer.header_value("content-length") or 0)))
    for name in ("home", "page", "space"):
        sizes.clear()
        reader.go(addresses[name])
        reader.page.wait_for_load_state("networkidle")
        assert sum(sizes) < 100_000, f"{name} takes {sum(sizes)} bytes"
