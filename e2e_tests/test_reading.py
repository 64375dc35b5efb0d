"""A new colleague reads the handbook."""

import re
from collections.abc import Callable

import httpx
from playwright.sync_api import expect

from e2e_tests.conftest import Site
from e2e_tests.people import Person

Enter = Callable[..., Person]


def test_a_colleague_signs_in_and_reads_a_page_with_its_history(enter: Enter, site: Site) -> None:
    reader = enter()
    reader.go("/")
    expect(reader.page).to_have_title(re.compile("Sign in"))
    reader.sign_in(site.house.members["eskil"])
    reader.sees("Hello, Eskil Demo (editor)")
    reader.page.get_by_role("navigation", name="Main", exact=True).get_by_role("link", name="Wiki").click()
    reader.page.get_by_role("link", name=re.compile("^Handbook")).click()
    expect(reader.page).to_have_url(f"{site.url}{site.handbook}")
    tree = reader.page.get_by_role("navigation", name="Pages")
    for folder in tree.locator("summary").all():
        folder.click()
    tree.get_by_role("link").first.click()
    title = reader.page.locator("h1").inner_text()
    expect(reader.page.locator(".prose")).to_be_visible()
    reader.page.locator("main").get_by_role("link", name="History", exact=True).first.click()
    reader.sees(title)
    expect(reader.page.locator("#revisions > li").first).to_be_visible()
    assert "2016" in reader.page.inner_text("#revisions")


def test_a_reader_compares_two_versions(enter: Enter, site: Site) -> None:
    reader = enter("saga", locale="en-GB")
    page = most_revised(site)
    reader.go(f"{page}/history")
    versions = reader.page.locator("#revisions > li")
    assert versions.count() > 2
    reader.page.locator('input[name="old"]').last.check()
    reader.page.locator('input[name="new"]').first.check()
    reader.page.locator(".page-head button").click()
    assert {"old=1", f"new={versions_of(page, site)}"} <= set(reader.page.url.partition("?")[2].split("&"))
    assert reader.page.locator("ins").count() + reader.page.locator("del").count() > 1
    reader.go(f"{page}/compare?old=2&new=3")
    reader.page.locator('.page-head a[href*="compare"]').first.click()
    assert reader.path == f"{page}/compare?old=1&new=2"
    expect(reader.page.locator(".diff")).to_be_visible()


def test_headings_lead_to_their_place_and_links_to_their_page(enter: Enter, site: Site) -> None:
    reader = enter("eskil")
    reader.go(site.handbook)
    pages = [link.get_attribute("href") or "" for link in reader.page.locator(".tree.roomy a").all()]
    followed = False
    for page in pages[:40]:
        reader.go(page)
        toc = reader.page.locator(".toc a")
        if not followed and toc.count() > 1:
            toc.last.click()
            target = reader.page.evaluate("decodeURIComponent(location.hash.slice(1))")
            expect(reader.page.locator(f"[id='{target}']")).to_be_in_viewport()
            followed = True
        inside = reader.page.locator(".prose a[href^='/wiki/pages/']:visible")
        if followed and inside.count():
            inside.first.click()
            expect(reader.page.locator("h1").first).to_be_visible()
            assert reader.path.startswith("/wiki/pages/")
            return
    raise AssertionError("no page with headings and links among the first")


def test_a_page_that_is_nowhere_offers_a_way_on(enter: Enter, site: Site) -> None:
    reader = enter("eskil")
    reader.go("/wiki/pages/" + "0" * 32)
    reader.sees("There is nothing here")
    reader.follow("To the wiki")
    expect(reader.page).to_have_url(f"{site.url}/wiki")


def test_everything_reads_without_any_script(enter: Enter, site: Site) -> None:
    reader = enter("eskil", java_script_enabled=False)
    reader.go(site.handbook)
    reader.page.locator(".tree.roomy summary").first.click()
    reader.page.locator(".tree.roomy a:visible").first.click()
    expect(reader.page.locator(".prose")).to_be_visible()
    reader.page.locator('main a[href$="/history"]').first.click()
    expect(reader.page.locator("#revisions")).to_be_visible()


def versions_of(page: str, site: Site) -> int:
    headers = site.house.members["saga"].bearer
    return int(httpx.get(f"{site.url}/api/v1{page}", headers=headers).json()["revision"])


def most_revised(site: Site) -> str:
    """The address of a page of the handbook with the longest history."""
    api = f"{site.url}/api/v1/wiki/pages"
    space = site.handbook.rpartition("/")[2]
    query: dict[str, str | int] = {"space": space, "limit": 100}
    listed = httpx.get(api, params=query, headers=site.house.members["saga"].bearer).json()["items"]
    return f"/wiki/pages/{max(listed, key=lambda item: int(item['revision']))['id']}"
