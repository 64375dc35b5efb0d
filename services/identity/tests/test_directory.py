"""The directory: by name in the reader's alphabet, filtered, trimmed, and free of who left or was erased."""

from typing import Any

import pytest

from contracts.identity import Kind
from services.identity.projections import members
from services.identity.tests.conftest import House, code, register
from shared.runtime.ids import new_id
from shared.tests.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _staff(house: House, name: str, country: str, **more: Any) -> str:
    answer = await register(house, name=name, country=country, **more)
    return str(answer.json()["member_id"])


#: Of islands in which no other test has anybody.
_COUNTRIES = iter(["CK", "FK", "FO", "GS", "KI", "NU", "PN", "TK", "TV", "WF"])


def _country() -> str:
    """One that only this test uses, so that others' members are not counted."""
    return next(_COUNTRIES)


async def _names(house: House, who: str, query: str) -> list[str]:
    answer = await house.ask(who, "GET", f"/members/directory?{query}")
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


async def test_names_come_in_the_readers_alphabet(house: House) -> None:
    country = _country()
    for name in ("Örjan Test", "zoe test", "Åsa Test", "Anna Test"):
        await _staff(house, name, country)

    async def all_there() -> bool:
        return len(await _names(house, "ada", f"country={country}")) == 4

    await eventually(all_there)
    swedish = ["Anna Test", "zoe test", "Åsa Test", "Örjan Test"]
    assert await _names(house, "ada", f"country={country}&alphabet=sv") == swedish
    english = ["Anna Test", "Åsa Test", "Örjan Test", "zoe test"]
    assert await _names(house, "ada", f"country={country}&alphabet=en") == english


async def test_pages_follow_each_other_without_a_gap(house: House) -> None:
    country = _country()
    names = sorted(f"Member {number:02}" for number in range(7))
    for name in names:
        await _staff(house, name, country)

    async def all_there() -> bool:
        return len(await _names(house, "ada", f"country={country}")) == 7

    await eventually(all_there)
    seen: list[str] = []
    query = f"country={country}&limit=3"
    while query:
        page = (await house.ask("ada", "GET", f"/members/directory?{query}")).json()
        seen += [item["name"] for item in page["items"]]
        query = f"country={country}&limit=3&cursor={page['next']}" if page["next"] else ""
    assert seen == names
    bad = await house.ask("ada", "GET", "/members/directory?cursor=nonsense")
    assert code(bad) == (422, "bad-cursor")


async def test_filters_ask_for_place_and_language(house: House) -> None:
    country = _country()
    boss = await house.member(f"boss{country.lower()}")
    ann = await _staff(house, "Ann Placed", country)
    await _staff(house, "Bo Elsewhere", country)
    unit = f"unit-{new_id()[-8:]}"
    await house.ask("ada", "POST", "/units", json={"unit_id": unit, "name": "Unit"})
    place = {"unit_id": unit, "manager_id": boss, "office": "lund", "country": country}
    assert (await house.ask("ada", "PUT", f"/members/{ann}/place", json=place)).status_code == 204

    async def placed() -> None:
        for query in (f"unit={unit}", f"manager={boss}", f"country={country}&office=lund"):
            assert await _names(house, "ada", query) == ["Ann Placed"], query

    await eventually(placed)
    assert await _names(house, "ada", f"country={country}&language=sv") == ["Ann Placed", "Bo Elsewhere"]
    assert await _names(house, "ada", f"country={country}&language=fi") == []


async def test_who_left_or_was_erased_is_listed_no_more_and_no_name_stays(house: House) -> None:
    country = _country()
    left = await _staff(house, "Leaving Person", country)
    erased = await _staff(house, "Unmistakably Erased", country)
    await _staff(house, "Staying Person", country)

    async def listed() -> bool:
        return len(await _names(house, "ada", f"country={country}")) == 3

    await eventually(listed)
    assert (await house.ask("ada", "POST", f"/members/{left}/deactivate")).status_code == 204
    assert (await house.ask("ada", "DELETE", f"/members/{erased}")).status_code == 204

    async def gone() -> bool:
        return await _names(house, "ada", f"country={country}") == ["Staying Person"]

    await eventually(gone)
    database = house.identity.service.database
    kept = [
        document
        for name in await database.list_collection_names()
        if name.endswith(".directory")
        for document in await database[name].find({"_id": erased}).to_list()
    ]
    assert kept and not any("name" in document for document in kept)
    assert (await house.ask("ada", "POST", f"/members/{left}/reactivate")).status_code == 204

    async def back() -> bool:
        return await _names(house, "ada", f"country={country}") == ["Leaving Person", "Staying Person"]

    await eventually(back)


async def test_erasing_takes_the_name_out_of_generations_that_nobody_follows(house: House) -> None:
    country = _country()
    erased = await _staff(house, "Unmistakably Erased", country)
    database = house.identity.service.database
    # An older image began it, and nobody goes on with it.
    await database["generations"].update_one({"_id": members.name}, {"$set": {"building.0": {"number": 0}}})
    left = database[f"{members.name}.v0.g0.directory"]
    await left.insert_one({"_id": erased, "rev": 1, "listed": True, "name": "Unmistakably Erased"})
    assert (await house.ask("ada", "DELETE", f"/members/{erased}")).status_code == 204
    document = await left.find_one({"_id": erased})
    assert document is not None and "name" not in document and not document["listed"]
    await database["generations"].update_one({"_id": members.name}, {"$unset": {"building.0": ""}})
    await left.drop()


async def test_a_guest_finds_only_themselves(house: House) -> None:
    await house.member("gus", kind=Kind.GUEST)

    async def alone() -> bool:
        return await _names(house, "gus", "") == ["Gus Test"]

    await eventually(alone)
