"""Belonging and finding: a guest sees their group and nothing else, somebody joins and reads, somebody looks
for a word in another form and finds it."""

import html
import re
from collections.abc import Callable, Iterator
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from playwright.sync_api import expect

from e2e_tests.conftest import Site
from e2e_tests.people import Person
from e2e_tests.test_eyes import looked_at
from shared.runtime.ids import new_id

Enter = Callable[..., Person]

#: Pages that a guest may reach by following every link, at most.
MOST_PAGES = 200
_LINK = re.compile(r'<a\b[^>]*?\shref="([^"]*)"')


class Owner:
    """Somebody who prepares what the stories are about, through the API."""

    def __init__(self, site: Site, name: str) -> None:
        self.site = site
        self.api = httpx.Client(
            base_url=f"{site.url}/api/v1", headers=site.house.members[name].bearer, timeout=30.0
        )

    def does(self, method: str, path: str, /, **body: object) -> dict[str, object]:
        answer = self.api.request(method, path, json=body or None)
        assert answer.is_success, f"{path}: {answer.text}"
        found: dict[str, object] = answer.json()
        return found

    def group(self, name: str, openness: str = "open") -> str:
        new = {"name": name, "purpose": f"Purpose of {name}", "openness": openness, "language": "en"}
        return str(self.does("POST", "/groups", **new)["id"])

    def says(self, text: str, group: str = "") -> None:
        where: dict[str, object] = {"group_id": group} if group else {"audience": ["staff"]}
        self.does("POST", "/posts", text=text, language="en", **where)

    def page(self, title: str) -> None:
        space = self.does("POST", "/wiki/spaces", name=f"Space of {title}", language="en")["id"]
        self.does("POST", "/wiki/pages", space_id=space, path="a", body=f"# {title}\n\nText.\n")


@pytest.fixture(scope="module")
def owner(site: Site) -> Iterator[Owner]:
    owner = Owner(site, "saga")
    yield owner
    owner.api.close()


def crawled(guest: Person, site: Site) -> dict[str, str]:
    """Every page that links lead to from the start, by address, with all that the server says in it: asked
    with the browser's own session, as drawing each takes five times as long and shows no more."""
    seen: dict[str, str] = {}
    waiting = ["/"]
    while waiting and len(seen) < MOST_PAGES:
        path = waiting.pop()
        if path in seen:
            continue
        answer = guest.page.request.get(site.url + path)
        assert answer.status < 500, path
        seen[path] = answer.text()
        for link in _LINK.findall(seen[path]):
            there = urlsplit(urljoin(site.url + path, html.unescape(link)))
            if f"{there.scheme}://{there.netloc}" == site.url and not there.path.startswith("/static"):
                waiting.append(there.path + (f"?{there.query}" if there.query else ""))
    assert len(seen) < MOST_PAGES, "there is no end to it"
    return seen


@pytest.mark.timeout(600)
def test_a_guest_sees_exactly_their_group_and_no_trace_of_anything_else(
    enter: Enter, site: Site, owner: Owner
) -> None:
    secret, ours = f"Zuvako{new_id()[:8]}", f"Shared {new_id()[:8]}"
    hidden = [owner.group(f"{secret} open"), owner.group(f"{secret} closed", "closed")]
    for group in hidden:
        owner.says(f"{secret} was said #{secret}topic", group)
    owner.says(f"{secret} to all staff #{secret}topic")
    owner.page(f"{secret} page")
    group = owner.group(ours)
    owner.says(f"Welcome to {ours}", group)
    guest_id = site.house.members["gemma"].member_id
    owner.does("POST", f"/groups/{group}/invitations", member_id=guest_id)

    guest = enter("gemma")
    guest.go("/groups")
    guest.reloads_until(ours)
    guest.page.get_by_role("button", name=re.compile(f"Accept.*{ours}")).click()
    guest.sees("You are in. Say hello.")
    guest.reloads_until(f"Welcome to {ours}")

    pages = crawled(guest, site)
    assert f"/groups/{group}" in pages and "/people" in pages and "/search" in pages
    for path, content in pages.items():
        assert secret not in content, path
        assert not [each for each in hidden if each in content], path
    for path in (f"/groups/{hidden[0]}", f"/groups/{hidden[1]}", f"/groups/{new_id()}"):
        answer = guest.page.goto(site.url + path)
        assert answer is not None and answer.status == 404
        guest.sees("There is nothing here")
    for path in (f"/search?q={secret}", f"/groups?q={secret}", f"/search/suggestions?q={secret}"):
        guest.go(path)
        assert secret not in guest.page.locator("a").all_inner_texts()
        assert not [each for each in hidden if each in guest.page.content()], path


def test_somebody_joins_a_group_and_sees_what_is_said_in_it(enter: Enter, owner: Owner) -> None:
    name = f"Forklifts {new_id()[:8]}"
    group = owner.group(name)
    owner.says(f"The new one turns on a plate, says {name}", group)
    jonas = enter("jonas")
    jonas.go("/groups")
    jonas.page.get_by_label("Name of a group").first.fill(name)
    jonas.page.keyboard.press("Enter")
    jonas.page.wait_for_url("**/groups?q=*")
    jonas.reloads_until(f"Purpose of {name}")
    jonas.page.get_by_role("button", name=re.compile(f"Join.*{name}")).click()
    jonas.sees("You are in. Say hello.")
    jonas.reloads_until("The new one turns on a plate")
    expect(jonas.page.get_by_role("feed").get_by_role("article")).to_have_count(1)
    expect(jonas.page.get_by_role("navigation", name="Main", exact=True).get_by_text(name)).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_word_is_found_in_another_form(enter: Enter, owner: Owner, scripts: bool) -> None:
    mark = f"Zuvelo{new_id()[:8]}"
    owner.page(f"{mark}: returned pallets were counted")
    jonas = enter("jonas", java_script_enabled=scripts)
    jonas.go(f"/search?q={mark}+counting+pallet")
    jonas.reloads_until("returned pallets were counted")
    marked = jonas.page.locator(".hits mark").all_inner_texts()
    assert {"pallets", "counted"} <= {word.lower() for word in marked}


def test_the_box_is_one_key_away_and_suggests_while_one_types(enter: Enter, owner: Owner) -> None:
    mark = f"Zuvilo{new_id()[:8]}"
    owner.page(f"{mark} handbook")
    jonas = enter("jonas")
    jonas.go(f"/search?q={mark}")
    jonas.reloads_until(f"{mark} handbook")
    jonas.go("/people")
    jonas.page.keyboard.press("/")
    expect(jonas.page.locator("#q")).to_be_focused()
    jonas.page.keyboard.type(mark[:9])
    expect(jonas.page.locator("#suggestions a").first).to_contain_text(mark)
    assert jonas.faults() == []
    jonas.page.keyboard.press("ArrowDown")
    expect(jonas.page.locator("#suggestions a").first).to_be_focused()
    jonas.page.keyboard.press("Escape")
    expect(jonas.page.locator("#suggestions a")).to_have_count(0)
    jonas.page.keyboard.type("x")
    jonas.page.keyboard.press("Enter")
    expect(jonas.page.locator("#found")).to_be_visible()


def test_results_follow_what_is_typed_and_so_does_the_address(enter: Enter, owner: Owner) -> None:
    mark = f"Zuvulo{new_id()[:8]}"
    owner.page(f"{mark} first")
    jonas = enter("jonas")
    jonas.go(f"/search?q={mark}")
    jonas.reloads_until(f"{mark} first")
    jonas.go("/search")
    jonas.page.locator("#q").press_sequentially(mark)
    expect(jonas.page.locator(".hits h3").get_by_text("first")).to_be_visible()
    expect(jonas.page).to_have_url(f"{owner.site.url}/search?q={mark}")
    jonas.page.locator(".facets").get_by_role("link", name="This week").click()
    assert f"q={mark}" in jonas.page.url and "when=week" in jonas.page.url


@pytest.mark.timeout(400)
def test_axe_finds_nothing_on_the_pages_of_belonging(enter: Enter, site: Site, owner: Owner) -> None:
    name = f"Looked at {new_id()[:8]}"
    group = owner.group(name)
    owner.says(f"A line in {name}", group)
    saga = enter("saga")
    saga.go(f"/groups/{group}")
    saga.reloads_until(f"A line in {name}")
    me = site.house.members["saga"].member_id
    of_group = [f"/groups/{group}{page}" for page in ("", "/people", "/edit", "/invite?q=demo")]
    settings = [f"/settings/{page}" for page in ("profile", "password", "privacy")]
    places = ["/groups", "/groups/new", "/people", f"/people/{me}", "/search?q=demo"]
    pages = (*places, *of_group, *settings)
    assert (
        looked_at(saga, {"belonging" + re.sub(r"[0-9a-f]{32}|\W+", "-", page): page for page in pages}) == []
    )
