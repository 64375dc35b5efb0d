"""Engagement over HTTP on real engines: what is kept under consent, and that nothing is kept without."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from contracts.identity import MemberDeactivated
from shared.kernel.events import Occasion
from shared.runtime.ids import new_id
from shared.tests.company import House, refused
from shared.tests.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]


def signal(item: str, kind: str = "post", signal: str = "view", ago: timedelta = timedelta()) -> Json:
    at = datetime.now(UTC) - ago
    return {"kind": kind, "id": item, "signal": signal, "at": at.isoformat()}


async def give(house: House, who: str, *items: Json, **how: Any) -> httpx.Response:
    answer = await house.ask(who, "POST", "/signals", json={"items": list(items)}, **how)
    assert answer.status_code == 200, answer.text
    return answer


async def consents(house: House, who: str, counted: bool) -> httpx.Response:
    answer = await house.ask(who, "PUT", "/consent", json={"counted": counted})
    assert (answer.status_code, answer.json()) == (200, {"counted": counted})
    return answer


async def stored(house: House, who: str) -> int:
    """Commits of what the member opened, in the store itself."""
    where = {"_id": {"$gte": f"signals-{who}-", "$lt": f"signals-{who}."}}
    return await house.service.store.commits.count_documents(where)


async def kept(house: House, who: str, after: httpx.Response | None = None) -> dict[str, Json]:
    answer = await house.get(who, "/signals", after=after)
    return {item["id"]: item for item in answer.json()["items"]}


async def test_without_a_decision_nothing_that_is_opened_is_kept(house: House) -> None:
    assert (await house.get("ann", "/consent")).json() == {"counted": False, "decided_at": None}
    answer = await give(house, "ann", signal("p1"))
    assert answer.json() == {"counted": False} and "Fikarum-Commit" not in answer.headers
    assert await stored(house, "ann") == 0


async def test_a_decision_is_read_back_and_what_is_opened_is_kept_from_then_on(house: House) -> None:
    said = await consents(house, "bob", True)
    shown = (await house.get("bob", "/consent", after=said)).json()
    assert shown["counted"] is True and shown["decided_at"] is not None
    answer = await give(house, "bob", signal("p1"), signal("p1", signal="read"), signal("w1", kind="page"))
    assert answer.json() == {"counted": True}
    found = await kept(house, "bob", after=answer)
    assert {(i["kind"], i["id"], i["days_opened"], i["days_read"]) for i in found.values()} == {
        ("post", "p1", 1, 1),
        ("page", "w1", 1, 0),
    }


async def test_a_no_counts_at_the_next_request(house: House) -> None:
    await consents(house, "cat", True)
    first = await give(house, "cat", signal("p1"))
    await consents(house, "cat", False)
    assert (await give(house, "cat", signal("p2"))).json() == {"counted": False}
    assert await stored(house, "cat") == 1
    assert (await kept(house, "cat", after=first)).keys() == {"p1"}


async def test_a_device_that_was_offline_tells_of_several_days_at_once(house: House) -> None:
    await consents(house, "dan", True)
    answer = await give(
        house,
        "dan",
        signal("p1", ago=timedelta(days=2)),
        signal("p1"),
        signal("old", ago=timedelta(days=8)),
        signal("ahead", ago=timedelta(days=-400)),
    )

    async def both_days() -> None:
        found = await kept(house, "dan", after=answer)
        assert found.keys() == {"p1", "ahead"} and found["p1"]["days_opened"] == 2
        assert datetime.fromisoformat(found["ahead"]["last_at"]) <= datetime.now(UTC)

    await eventually(both_days)
    assert await stored(house, "dan") == 2


async def test_the_same_request_or_the_same_thing_again_adds_nothing(house: House) -> None:
    await consents(house, "eve", True)
    items, key = [signal("p1"), signal("p2")], {"Idempotency-Key": new_id()}
    first, again = [await give(house, "eve", *items, headers=key) for _ in range(2)]
    assert first.headers["Fikarum-Commit"] == again.headers["Fikarum-Commit"]
    await give(house, "eve", signal("p1"), signal("p2"))
    assert await stored(house, "eve") == 1


async def test_nobody_sees_what_another_member_opened(house: House) -> None:
    await consents(house, "fay", True)
    answer = await give(house, "fay", signal("secret-plan"))
    assert (await kept(house, "fay", after=answer)).keys() == {"secret-plan"}
    assert await kept(house, "gil") == {}
    await consents(house, "gil", True)
    mine = await give(house, "gil", signal("secret-plan"), signal("no-such-thing"))
    assert mine.json() == {"counted": True}
    assert (await kept(house, "gil", after=mine)).keys() == {"secret-plan", "no-such-thing"}


async def test_what_is_kept_is_listed_page_by_page_the_latest_first(house: House) -> None:
    await consents(house, "gil", True)
    many = [signal(f"m{n}", ago=timedelta(seconds=60 + n)) for n in range(5)]
    answer = await give(house, "gil", *many)
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await house.get("gil", "/signals", after=answer, params=params)).json()
        seen += [item["id"] for item in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert [item for item in seen if item.startswith("m")] == [f"m{n}" for n in range(5)]
    assert len(seen) == len(set(seen))


async def test_who_is_gone_gives_no_signals(house: House) -> None:
    await consents(house, "leo", True)
    if len(await house.identity.load("member-leo")) == 1:
        gone = MemberDeactivated(member_id="leo")
        await house.identity.append("member-leo", 2, [gone], Occasion(None, new_id()))

    async def closed() -> bool:
        answer = await house.ask("leo", "POST", "/signals", json={"items": [signal("p1")]})
        return answer.status_code == 401

    await eventually(closed)


async def test_what_is_no_signal_is_refused_in_words(house: House) -> None:
    good = signal("p1")
    broken: list[tuple[Any, str]] = [
        ([], "items"),
        ([good] * 101, "items"),
        ([good | {"kind": "person"}], "items.0.kind"),
        ([good | {"id": "a b"}], "items.0.id"),
        ([good | {"id": "x" * 65}], "items.0.id"),
        ([good | {"id": "\u202e"}], "items.0.id"),
        ([good | {"signal": "stare"}], "items.0.signal"),
        ([good | {"at": "2026-03-02T12:00:00"}], "items.0.at"),
        ([good | {"at": "soon"}], "items.0.at"),
        ([good | {"title": "no titles"}], "items.0.title"),
    ]
    for items, field in broken:
        answer = await house.ask("bob", "POST", "/signals", json={"items": items})
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["field"].endswith(field), answer.text
    for body in ({"counted": "yes"}, {"counted": 1}, {}):
        assert (await house.ask("bob", "PUT", "/consent", json=body)).status_code == 422
    refused(await house.ask("bob", "GET", "/signals", params={"cursor": "W10"}), 422, "bad-cursor")
    await consents(house, "bob", True)
    for at in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        answer = await give(house, "bob", good | {"at": at})
        assert answer.json() == {"counted": True}
