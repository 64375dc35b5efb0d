"""Groups from elsewhere: started, joined and left in their members' names, by the same rules, once."""

from typing import Any

import pytest

from shared.runtime.ids import new_id
from shared.tests.company import House, refused
from shared.tests.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT = "2025-04-07T09:30:00Z"


def start(line: int, group_id: str, by: str = "ann", openness: str = "open") -> dict[str, Any]:
    about = {"name": "Coffee", "purpose": "Better coffee", "language": "en", "openness": openness}
    return {"op": "start", "line": line, "by": by, "at": AT, "group_id": group_id, **about}


def step(op: str, line: int, by: str, group_id: str, **more: Any) -> dict[str, Any]:
    return {"op": op, "line": line, "by": by, "at": "2025-04-08T09:30:00Z", "group_id": group_id, **more}


async def sent(house: House, source: str, *commands: dict[str, Any]) -> list[tuple[str, str | None]]:
    asked = {"source": source, "commands": list(commands)}
    answer = await house.ask("ada", "POST", "/groups/import/commands", json=asked)
    assert answer.status_code == 200, answer.text
    return [(each["outcome"], each["code"]) for each in answer.json()["results"]]


async def test_groups_arrive_with_their_members_and_times(house: House) -> None:
    group_id, closed = new_id(), new_id()
    batch = (
        start(1, group_id),
        step("join", 2, "bob", group_id),
        step("join", 3, "cat", group_id),
        step("leave", 4, "cat", group_id),
        start(5, closed, openness="closed"),
        step("invite", 6, "ann", closed, member_id="gil"),
        step("accept", 7, "gil", closed),
    )
    assert await sent(house, "arrive", *batch) == [("done", None)] * 7

    async def counted() -> bool:
        shown = await house.ask("ann", "GET", f"/groups/{group_id}")
        inside = await house.ask("gil", "GET", f"/groups/{closed}/members")
        return shown.status_code == inside.status_code == 200 and (
            (shown.json()["members"], inside.json()["total"]) == (2, 2)
        )

    async def placed() -> None:
        members = (await house.ask("ann", "GET", f"/groups/{group_id}/members")).json()["items"]
        assert [(each["member_id"], each["joined_at"]) for each in members] == [
            ("ann", AT),
            ("bob", "2025-04-08T09:30:00Z"),
        ]

    await eventually(counted)
    await eventually(placed)  # counts and people are two views
    stored = await house.service.store.load(f"membership-{closed}-gil")
    assert [(each.by, each.imported) for each in stored] == [("ann", True), ("gil", True)]
    assert await sent(house, "arrive", *batch) == [("already", None)] * 7


async def test_who_may_not_did_not(house: House) -> None:
    closed = new_id()
    assert await sent(
        house,
        "rules",
        start(1, closed, openness="closed"),
        start(2, new_id(), by="gil"),
        step("join", 3, "bob", closed),
        step("invite", 4, "bob", closed, member_id="cat"),
        step("invite", 5, "ann", closed, member_id="nobody"),
        step("accept", 6, "cat", closed),
        step("leave", 7, "ann", closed),
        step("join", 8, "nobody", closed),
    ) == [
        ("done", None),
        ("refused", "may-not-start"),
        ("refused", "no-such-group"),
        ("refused", "no-such-group"),
        ("refused", "nobody-to-invite"),
        ("refused", "no-such-invitation"),
        ("refused", "last-owner-leaves"),
        ("refused", "line-member-unknown"),
    ]


async def test_only_operators_import_and_only_the_past(house: House) -> None:
    asked = {"source": "x", "commands": [start(1, new_id())]}
    for who in ("ann", "gil"):
        refused(await house.ask(who, "POST", "/groups/import/commands", json=asked), 403, "may-not-import")
    ahead = {**start(1, new_id()), "at": "2999-01-01T00:00:00Z"}
    assert await sent(house, "ahead", ahead) == [("refused", "line-time-future")]
    wrong = {"source": "x", "commands": [{**start(17, new_id()), "openness": "ajar"}]}
    answer = await house.ask("ada", "POST", "/groups/import/commands", json=wrong)
    assert refused(answer, 422, "invalid-input")["detail"].endswith(
        "Line 17: Input should be 'open' or 'closed'"
    )
