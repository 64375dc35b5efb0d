"""Who may see what is written, as its writers say: nobody writes for whom there is not, or shuts themselves
out, and what is hidden is not told by the names that it takes."""

from typing import Any

import httpx
import pytest

from services.wiki.domain.spaces import OpenSpace, spaces
from services.wiki.tests.test_api import page_of, refused, space_of, start
from shared.kernel.events import Occasion
from shared.runtime.ids import new_id
from shared.tests.company import House

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY = [
    "unit:nowhere",
    "country:XX",
    "role:ambassador",
    "language:tlh",
    "office:atlantis",
    "group:none",
    "member:nobody",
    "language:en&role:ambassador",
]


def visibility(*clauses: str, level: str = "internal") -> dict[str, Any]:
    return {"json": {"audience": list(clauses), "classification": level}}


@pytest.mark.parametrize("clause", NOBODY)
async def test_nothing_is_written_for_an_audience_that_is_not_there(house: House, clause: str) -> None:
    """Beside one that is, so that nobody is shut out."""
    space = await space_of(house)
    page = await page_of(house, space, "a", "one")
    new = {"name": "x", "language": "en", "audience": ["staff", clause]}
    for answer in (
        await start(house, space, "b", "x", audience=["staff", clause]),
        await house.ask("ann", "PUT", f"/wiki/pages/{page}/audience", **visibility("staff", clause)),
        await house.ask("ann", "POST", "/wiki/spaces", json=new),
        await house.ask("ann", "PUT", f"/wiki/spaces/{space}/audience", **visibility("staff", clause)),
    ):
        assert refused(answer, 422, "audience-unknown")["field"] == "audience"
    listed = (await house.get("ann", "/wiki/pages", params={"space": space})).json()
    assert (listed["total"], listed["items"][0]["audience"]) == (1, ["staff"])


@pytest.mark.parametrize("clause", ["role:editor", "language:en", "member:bob", "everyone"])
async def test_an_audience_that_is_there_may_be_written_for(house: House, clause: str) -> None:
    space = await space_of(house)
    assert (await start(house, space, "a", "x", audience=["member:ann", clause])).status_code == 201


async def test_whoever_writes_sees_what_they_wrote(house: House) -> None:
    space = await space_of(house)
    page = await page_of(house, space, "a", "one")
    new = {"name": "x", "language": "en", "audience": ["member:bob"]}
    for answer in (
        await start(house, space, "b", "x", audience=["role:editor"]),
        await house.ask("ann", "PUT", f"/wiki/pages/{page}/audience", **visibility("member:bob")),
        await house.ask("ann", "POST", "/wiki/spaces", json=new),
        await house.ask("ann", "PUT", f"/wiki/spaces/{space}/audience", **visibility("member:bob")),
    ):
        assert refused(answer, 422, "audience-without-you")["field"] == "audience"
    above = await start(house, space, "b", "x", who="bob", classification="confidential")
    assert refused(above, 422, "above-your-clearance")["field"] == "classification"


async def test_the_owner_is_not_shut_out_by_others(house: House) -> None:
    space = await space_of(house, who="bob")
    page = await page_of(house, space, "a", "one", who="bob")
    for thing in (f"pages/{page}", f"spaces/{space}"):
        without = await house.ask("edi", "PUT", f"/wiki/{thing}/audience", **visibility("role:editor"))
        assert refused(without, 422, "audience-without-owner")["field"] == "audience"
        above = visibility("staff", level="confidential")
        refused(
            await house.ask("edi", "PUT", f"/wiki/{thing}/audience", **above), 422, "audience-without-owner"
        )
        both = visibility("role:editor", "member:bob")
        assert (await house.ask("edi", "PUT", f"/wiki/{thing}/audience", **both)).status_code == 200


async def test_nobody_owns_what_they_may_not_see(house: House) -> None:
    space = await space_of(house)
    page = await page_of(house, space, "a", "one")
    for thing in (f"pages/{page}", f"spaces/{space}"):
        for owner, code in (("nobody", "member-unknown"), ("gil", "owner-cannot-see")):
            answer = await house.ask("ann", "PUT", f"/wiki/{thing}/owner", json={"owner_id": owner})
            assert refused(answer, 422, code)["field"] == "owner_id"
    refused(await start(house, space, "b", "x", owner_id="nobody"), 422, "member-unknown")
    refused(await start(house, space, "b", "x", owner_id="gil"), 422, "audience-without-owner")


async def test_what_a_space_is_for_may_be_written_for_without_belonging(house: House) -> None:
    """An open group's space is written in by all staff, also by those who are not in the group."""
    space_id, group = new_id(), f"group:{new_id()}"
    opened = OpenSpace(space_id, "Choir", "", (group, "staff"), "internal", "en", "bob")
    await house.service.store.handle(spaces, opened, Occasion(None, new_id()))
    page = await page_of(house, space_id, "a", "one", audience=["staff", group])
    shown = (await house.get("ann", f"/wiki/pages/{page}")).json()
    assert shown["audience"] == sorted([group, "staff"])
    kept = await house.ask(
        "ann", "PUT", f"/wiki/pages/{page}/audience", **visibility(group, "staff", level="open")
    )
    assert kept.status_code == 200
    refused(await start(house, space_id, "b", "x", audience=[group]), 422, "audience-without-you")


async def test_an_audience_of_two_conditions_is_those_who_meet_both(house: House) -> None:
    space = await space_of(house)
    begun = await start(house, space, "a", "x", who="edi", audience=["role:editor&language:en"])
    path = f"/wiki/pages/{begun.json()['id']}"
    seen = (await house.get("edi", path, after=begun)).json()
    assert seen["audience"] == ["language:en&role:editor"]
    assert (await house.get("ann", path, after=begun)).status_code == 404
    listed = (await house.get("edi", "/wiki/pages", after=begun, params={"space": space})).json()
    assert [item["id"] for item in listed["items"]] == [begun.json()["id"]]
    narrowed = await house.ask("edi", "PUT", f"{path}/audience", **visibility("staff&role:editor"))
    assert narrowed.status_code == 200
    assert (await house.get("edi", path, after=narrowed)).status_code == 200
    refused(
        await start(house, space, "b", "x", audience=["language:en&role:editor"]), 422, "audience-without-you"
    )


async def test_a_path_does_not_tell_of_a_page_that_is_hidden(house: House) -> None:
    space = await space_of(house)
    hidden = await page_of(house, space, "plans", "# Sack bob", audience=["member:ann"])
    begun = await start(house, space, "plans", "# Ours", who="bob")
    elsewhere = await start(house, space, "ours", "# More", who="bob")
    assert begun.status_code == elsewhere.status_code == 201
    ours, more = begun.json()["id"], elsewhere.json()["id"]
    await _leads(house, "bob", space, "plans", ours, after=begun)
    await _leads(house, "ann", space, "plans", hidden, after=begun)
    refused(await start(house, space, "plans", "# Third"), 409, "path-taken")
    refused(
        await house.ask("bob", "POST", f"/wiki/pages/{more}/move", json={"path": "plans"}), 409, "path-taken"
    )
    assert (await house.ask("bob", "POST", f"/wiki/pages/{ours}/move", json={"path": "b"})).status_code == 200
    moved = await house.ask("bob", "POST", f"/wiki/pages/{more}/move", json={"path": "plans"})
    assert moved.status_code == 200
    await _leads(house, "bob", space, "plans", more, after=moved)
    gone = await house.ask("ann", "DELETE", f"/wiki/pages/{hidden}")
    refused(await house.ask("ann", "POST", f"/wiki/pages/{hidden}/restore", json={}), 409, "path-taken")
    await _leads(house, "ann", space, "plans", more, after=gone)


async def test_a_deleted_page_comes_back_to_a_path_that_a_hidden_one_took(house: House) -> None:
    space = await space_of(house)
    page = await page_of(house, space, "a", "# Ours", who="bob")
    assert (await house.ask("bob", "DELETE", f"/wiki/pages/{page}")).status_code == 200
    hidden = await start(house, space, "a", "# Hidden", audience=["member:ann"])
    await _leads(house, "bob", space, "a", page, after=hidden)
    back = await house.ask("bob", "POST", f"/wiki/pages/{page}/restore", json={})
    assert back.status_code == 200, back.text
    await _leads(house, "ann", space, "a", hidden.json()["id"], after=back)
    await _leads(house, "bob", space, "a", page, after=back)


async def _leads(
    house: House, who: str, space: str, path: str, page: str, after: httpx.Response | None = None
) -> None:
    answer = await house.get(who, "/wiki/at", after=after, params={"space": space, "path": path})
    assert answer.json()["id"] == page
