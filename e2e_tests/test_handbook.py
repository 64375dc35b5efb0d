"""The whole handbook: nine years of a real intranet, brought in as operators do it."""

from collections.abc import Callable
from datetime import UTC

import httpx
import pytest

from e2e_tests.conftest import LINES, Site, import_handbook
from e2e_tests.people import Person
from infra.cli.handbook import FIRST_HANDBOOK
from services.wiki import handbook
from services.wiki.handbook import Change

Enter = Callable[..., Person]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_whole_handbook_is_read_with_its_history_since_2016(enter: Enter, site: Site) -> None:
    space = import_handbook(site.house, FIRST_HANDBOOK, "whole")
    headers = site.house.members["saga"].bearer
    listed = httpx.get(
        f"{site.url}/api/v1/wiki/pages", params={"space": space, "limit": 100}, headers=headers, timeout=30
    ).json()
    assert listed["total"] == 246
    reader = enter("eskil")
    reader.go(f"/wiki/spaces/{space}")
    reader.sees("246 pages")
    longest = max(listed["items"], key=lambda item: int(item["revision"]))
    reader.go(f"/wiki/pages/{longest['id']}/history")
    assert reader.page.locator("#revisions > li").count() == 40
    while reader.page.locator("#more a").count():
        before = reader.page.locator("#revisions > li").count()
        reader.page.locator("#more a").click()
        reader.page.wait_for_function(
            "before => document.querySelectorAll('#revisions > li').length > before", arg=before
        )
    assert reader.page.locator("#revisions > li").count() == longest["revision"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_monthly_contributors_are_what_a_direct_count_of_the_history_gives(site: Site) -> None:
    """Also of the beginning that other stories read, whose authors are members of their own."""
    import_handbook(site.house, FIRST_HANDBOOK, "whole")
    authors: dict[str, set[str]] = {}
    with FIRST_HANDBOOK.open("rb") as file:
        for number, change in enumerate(handbook.plan(handbook.lines(file), "direct")):
            assert isinstance(change, Change)
            month = authors.setdefault(change.at.astimezone(UTC).strftime("%Y-%m"), set())
            month |= {change.author, f"again {change.author}"} if number < LINES else {change.author}
    params = {"from": min(authors), "to": max(authors)}
    headers = site.house.members["saga"].bearer
    address = f"{site.url}/api/v1/metrics/monthly-contributors"
    told = httpx.get(address, params=params, headers=headers, timeout=60).json()
    found = {each["period"]: each["values"]["contributors"] for each in told["periods"]}
    assert found == {month: len(authors.get(month, ())) for month in found}
    assert set(authors) <= found.keys() and told["complete_up_to"]["recorded_at"] is not None
