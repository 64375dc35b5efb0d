"""A company from elsewhere: units, members, places and profiles, by the rules, in the names of who did it."""

from typing import Any

import pytest

from contracts.identity import Role
from services.identity.imports_api import ProfileOf
from services.identity.tests.conftest import House, code
from shared.kernel.errors import Conflict, Unavailable
from shared.kernel.events import Occasion
from shared.runtime.ids import new_id
from shared.runtime.imports import Batch, Order, Rules
from shared.runtime.store import TOO_BUSY, Committed, Idempotency
from shared.tests.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT = "2025-03-03T07:00:00Z"


def register(line: int, by: str, member_id: str, **more: Any) -> dict[str, Any]:
    said = {"op": "register", "line": line, "by": by, "at": AT, "member_id": member_id, "synthetic": True}
    about = {"name": "Åsa Öberg", "country": "SE", "language": "sv", "time_zone": "Europe/Stockholm"}
    return {**said, **about, **more}


async def sent(
    house: House, source: str, *commands: dict[str, Any], who: str = "ada"
) -> list[tuple[str, str | None]]:
    asked = {"source": source, "commands": list(commands)}
    answer = await house.ask(who, "POST", "/members/import/commands", json=asked)
    assert answer.status_code == 200, answer.text
    return [(each["outcome"], each["code"]) for each in answer.json()["results"]]


async def me(house: House, who: str = "ada") -> str:
    return str((await house.get(who, "/me"))["member_id"])


async def test_a_company_arrives_with_its_units_places_and_profiles(house: House) -> None:
    ada, member, leader = await me(house), new_id(), new_id()
    top, part = f"t-{new_id()[:8]}", f"p-{new_id()[:8]}"
    common = {"by": ada, "at": AT}
    batch = (
        {"op": "found-unit", "line": 1, "unit_id": top, "name": "Top", **common},
        {"op": "found-unit", "line": 2, "unit_id": part, "name": "Part", "parent_id": top, **common},
        register(3, ada, leader, roles=["leader"]),
        register(4, ada, member),
        {"op": "place", "line": 5, "member_id": member, "unit_id": part, "manager_id": leader, **common},
        {
            "op": "profile",
            "line": 6,
            "by": member,
            "at": "2025-03-09T08:00:00Z",
            "about": "Jag gillar kaffe",
            "time_zone": "Europe/Stockholm",
            "ask_me_about": ["kaffe"],
        },
    )
    assert await sent(house, "company", *batch) == [("done", None)] * 6
    assert await sent(house, "company", *batch) == [("already", None)] * 6

    async def whole() -> bool:
        answer = await house.ask("ada", "GET", f"/members/{member}")
        return answer.status_code == 200 and answer.json()["about"] == "Jag gillar kaffe"

    await eventually(whole)
    shown = await house.get("ada", f"/members/{member}")
    assert (shown["name"], shown["synthetic"], shown["signs_in"]) == ("Åsa Öberg", True, True)
    assert (shown["units"], shown["manager_id"], shown["registered_at"]) == ([top, part], leader, AT)
    assert (await house.get("ada", "/me"))["synthetic"] is False
    events = await house.identity.service.store.load(f"member-{member}")
    assert [(each.by, each.imported) for each in events] == [(ada, True), (ada, True), (member, True)]
    assert "Öberg" not in str(events[0].data), "it is sealed"


async def test_who_may_not_did_not(house: House) -> None:
    ada, member, unit = await me(house), new_id(), f"u-{new_id()[:8]}"
    found = {"op": "found-unit", "at": AT, "unit_id": unit, "name": "Unit"}
    place = {"op": "place", "at": AT, "member_id": member}
    assert await sent(
        house,
        "rules",
        register(1, ada, member),
        {**found, "line": 2, "by": member},
        register(3, member, new_id()),
        {**place, "line": 4, "by": ada, "unit_id": "nowhere-at-all"},
        {**place, "line": 5, "by": ada, "manager_id": new_id()},
        register(6, ada, member, name="Somebody else"),
        register(7, ada, new_id(), kind="guest", roles=["leader"]),
        register(8, new_id(), new_id()),
        register(9, ada, new_id(), country="Sweden"),
        register(10, ada, new_id(), at="2999-01-01T00:00:00Z"),
    ) == [
        ("done", None),
        ("refused", "not-permitted"),
        ("refused", "not-permitted"),
        ("refused", "unit-unknown"),
        ("refused", "manager-unknown"),
        ("refused", "member-exists"),
        ("refused", "guest-has-no-roles"),
        ("refused", "line-member-unknown"),
        ("refused", "country-unknown"),
        ("refused", "line-time-future"),
    ]


async def test_an_operator_does_nothing_in_an_administrators_name_that_they_may_not(house: House) -> None:
    await house.member("opal", roles=frozenset({Role.OPERATOR}))
    ada, plain = await me(house), new_id()
    profile = {"op": "profile", "at": AT, "by": ada, "about": "Not me", "time_zone": "Etc/UTC"}
    assert await sent(
        house,
        "rights",
        register(1, ada, plain),
        register(2, ada, new_id(), roles=["admin"]),
        register(3, ada, new_id(), roles=["board"]),
        {"op": "place", "line": 4, "at": AT, "by": ada, "member_id": ada, "title": "Nobody"},
        {**profile, "line": 5},
        {**profile, "line": 6, "by": plain},
        who="opal",
    ) == [
        ("done", None),
        ("refused", "for-admins-only"),
        ("refused", "not-permitted"),
        ("refused", "for-admins-only"),
        ("refused", "for-admins-only"),
        ("done", None),
    ]


async def test_a_line_that_met_too_many_others_is_sent_again_and_not_refused(house: House) -> None:
    async def busy(line: ProfileOf, occasion: Occasion, key: Idempotency) -> Committed:
        raise Conflict(TOO_BUSY, "Many people are changing this right now. Try again.")

    line = ProfileOf.model_validate(
        {"op": "profile", "line": 1, "by": new_id(), "at": AT, "time_zone": "Etc/UTC"}
    )
    rules: Rules[ProfileOf] = Rules(lambda _: Order((), ()), busy)
    store = house.identity.service.store
    with pytest.raises(Unavailable, match="too much"):
        await Batch(store, Occasion(None, new_id()), "identity", "busy", rules).taken([line])


async def test_only_who_may_import_members_does(house: House) -> None:
    await house.member("bea")
    asked = {"source": "x", "commands": [register(1, await me(house), new_id())]}
    answer = await house.ask("bea", "POST", "/members/import/commands", json=asked)
    assert code(answer) == (403, "not-permitted")


async def test_a_malformed_line_is_named_by_its_number(house: House) -> None:
    ada = await me(house)
    asked = {"source": "x", "commands": [register(7, ada, new_id()), register(8, ada, "short")]}
    answer = await house.ask("ada", "POST", "/members/import/commands", json=asked)
    assert code(answer) == (422, "invalid-input")
    assert answer.json()["errors"][0]["field"] == "commands.1.register.member_id"
    assert answer.json()["errors"][0]["message"].startswith("Line 8: ")
