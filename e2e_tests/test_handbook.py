"""The whole handbook: nine years of a real intranet, brought in as operators do it."""

from collections.abc import Callable

import httpx
import pytest

from e2e_tests.conftest import Site, import_handbook
from e2e_tests.people import Person
from infra.cli.handbook import FIRST_HANDBOOK

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
