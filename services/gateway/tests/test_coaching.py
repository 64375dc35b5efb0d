"""Coaching on pages: a purpose before names, an offer and its answer, and whoever is named sees it and can
say no."""

import re

from services.gateway.pages.member_answers import UNITS_AT_ONCE
from services.gateway.tests.house import House
from services.gateway.tests.test_pages import text_of
from services.gateway.tests.visitors import Gateway, Visitor
from shared.tests.eventually import eventually

LISTS = re.compile(r"/adoption/coach/lists/[0-9a-f]+")
#: Somebody of whom nobody here ever hears anything, and their country.
SILENT, THERE = "Olivia Demo", "ES"


async def decided(visitor: Visitor, naming: str) -> None:
    fields: dict[str, str | list[str]] = {"country": THERE, "naming": naming, "reason": "Agreed in Madrid"}
    answer = await visitor.send("/adoption/policies", fields)
    assert answer.status_code == 303, text_of(answer)


async def listed(claire: Visitor) -> str:
    """The address of a list that the coach asks for in the proper way."""
    wish: dict[str, str | list[str]] = {"country": THERE, "purpose": "help-to-start", "note": "For Monday"}
    answer = await claire.send("/adoption/coach", wish)
    assert answer.status_code == 303, text_of(answer)
    return answer.headers["location"]


async def test_a_country_of_aggregates_only_yields_no_name_on_any_page_to_anybody(
    gateway: Gateway, house: House
) -> None:
    for name, member in house.members.items():
        visitor = await gateway.visitor(member)
        token = await visitor.token()
        wish = {"csrf_token": token, "country": "PL", "purpose": "hear-why", "note": "Why?"}
        origin = {"Origin": str(visitor.client.base_url)}
        asked = [await visitor.client.post("/adoption/coach", data=wish, headers=origin)]
        asked += [
            await visitor.see(path) for path in ("/adoption/coach", "/adoption/policies", "/adoption?unit=")
        ]
        asked.append(await visitor.see("/api/v1/metrics/passive-share?by=country&format=csv"))
        for answer in asked:
            assert name == "tomasz" or "Tomasz" not in answer.text, (name, answer.url)
        assert asked[0].status_code == 403
        assert name != "claire" or ('id="country-error"' in asked[0].text and 'value="Why?"' in asked[0].text)
        assert (asked[1].status_code == 200) is (name == "claire")


async def test_who_decides_gives_a_reason_and_what_they_typed_is_kept(gateway: Gateway, house: House) -> None:
    berit = await gateway.visitor(house.members["berit"])
    refused = await berit.send(
        "/adoption/policies", {"country": THERE, "naming": "names-to-coaches", "reason": " "}
    )
    assert refused.status_code == 422 and 'id="reason-error"' in refused.text
    assert f'value="{THERE}" selected' in refused.text
    nothing = await berit.send("/adoption/policies", {"country": "", "reason": "Kept as typed"})
    assert nothing.status_code == 422 and "Kept as typed" in nothing.text
    assert 'id="country-error"' in nothing.text and 'id="naming-error"' in nothing.text
    saga = await gateway.visitor(house.members["saga"])
    seen = await saga.see("/adoption/policies")
    assert seen.status_code == 200 and 'action="/adoption/policies"' not in seen.text, "staff read"
    gemma = await gateway.visitor(house.members["gemma"])
    assert (await gemma.see("/adoption/policies")).status_code == 403


async def test_names_for_a_purpose_an_offer_and_whoever_is_named_sees_it_and_says_no(
    gateway: Gateway, house: House
) -> None:
    berit, claire, olivia = [
        await gateway.visitor(house.members[name]) for name in ("berit", "claire", "olivia")
    ]
    await decided(berit, "names-to-coaches")
    await claire.see_soon("/adoption/coach", f'value="{THERE}"')
    without = await claire.send("/adoption/coach", {"country": THERE, "note": "Kept as typed"})
    assert without.status_code == 422 and 'id="purpose-error"' in without.text
    assert "Kept as typed" in without.text and SILENT not in without.text
    address = await listed(claire)
    assert LISTS.match(address)
    page = await claire.see(address)
    assert SILENT in page.text and "Silent" in text_of(page)

    nothing = await claire.send(f"{address.partition('?')[0]}/offers", {"offer": ""}, seen=address)
    assert nothing.status_code == 422 and 'id="offer-error"' in nothing.text
    made = await claire.send(f"{address.partition('?')[0]}/offers", {"offer": "talk"}, seen=address)
    assert made.status_code == 303 and made.headers["location"] == address
    await claire.see_soon("/adoption/coach", SILENT)

    seen = await olivia.see_soon("/adoption/mine", "For Monday")
    said = text_of(seen)
    assert "Claire Demo" in said and "Help them to get started" in said and "A talk" in said
    answer = await olivia.send("/adoption/mine/coaches", {"listed": []}, seen="/adoption/mine")
    assert answer.status_code == 303
    assert SILENT not in (await claire.see(address)).text
    assert SILENT not in (await claire.see("/adoption/coach")).text
    again: dict[str, str | list[str]] = {"listed": "yes"}
    await olivia.send("/adoption/mine/coaches", again, seen="/adoption/mine")
    assert SILENT in (await claire.see(address)).text

    await decided(berit, "aggregates-only")
    closed = await claire.see(address)
    assert closed.status_code == 403 and SILENT not in closed.text
    assert SILENT not in (await claire.see("/adoption/coach")).text
    assert "Claire Demo" in text_of(await olivia.see("/adoption/mine")), "what was seen stays told"


async def test_a_coach_chooses_among_all_units(gateway: Gateway, house: House) -> None:
    """More than one request to identity answers."""
    alva = house.members["alva"]
    common = {"op": "found-unit", "by": alva.member_id, "at": "2025-03-03T08:00:00Z"}
    units = [
        {"line": number + 1, "unit_id": f"zz-{number:03}", "name": f"Branch {number}", **common}
        for number in range(UNITS_AT_ONCE + 1)
    ]
    async with gateway.client(**alva.bearer) as api:
        answer = await api.post(
            "/api/v1/members/import/commands", json={"source": "units", "commands": units}
        )
    assert {each["outcome"] for each in answer.json()["results"]} == {"done"}
    berit, claire = [await gateway.visitor(house.members[name]) for name in ("berit", "claire")]
    await decided(berit, "names-to-coaches")
    await claire.see_soon("/adoption/coach", f'value="{THERE}"')
    page = await claire.see_soon("/adoption/coach", f'<option value="zz-{UNITS_AT_ONCE:03}">')
    assert f"Branch {UNITS_AT_ONCE}<" in page.text
    await decided(berit, "aggregates-only")


async def test_only_coaches_are_led_to_the_list_and_only_they_may_see_one(
    gateway: Gateway, house: House
) -> None:
    claire = await gateway.visitor(house.members["claire"])
    berit = await gateway.visitor(house.members["berit"])
    assert 'href="/adoption/coach"' in (await claire.see("/adoption")).text
    await decided(berit, "names-to-coaches")

    async def address() -> str:
        await claire.see_soon("/adoption/coach", f'value="{THERE}"')
        return await listed(claire)

    found = await eventually(address)
    for name in sorted(set(house.members) - {"claire"}):
        visitor = await gateway.visitor(house.members[name])
        assert 'href="/adoption/coach"' not in (await visitor.see("/adoption")).text
        for path in (found, "/adoption/coach/lists/nothing", "/adoption/coach"):
            answer = await visitor.see(path)
            assert answer.status_code == 403, (name, path)
            assert name == "olivia" or SILENT not in answer.text
    await decided(berit, "aggregates-only")
