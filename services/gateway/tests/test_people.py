"""People: found by name or by filters, with what they know and shared; what members decide themselves."""

import re
from html import unescape

import httpx
import pytest

from services.gateway.tests.house import House
from services.gateway.tests.test_pages import EVIL, NOWHERE, Fields, start, text_of
from services.gateway.tests.test_talk import in_english
from services.gateway.tests.visitors import SITE, Gateway, Visitor
from shared.runtime.ids import new_id
from shared.tests.eventually import eventually


async def placed(gateway: Gateway, house: House, who: str, unit: str, title: str) -> None:
    """In a unit of their own, by those who run the organisation."""
    alva = house.members["alva"]
    async with gateway.client(**alva.bearer) as api:
        founded = await api.post("/api/v1/units", json={"unit_id": unit, "name": f"Unit {unit}"})
        assert founded.status_code == 201, founded.text
        place = {"unit_id": unit, "title": title, "manager_id": alva.member_id, "country": "SE"}
        path = f"/api/v1/members/{house.members[who].member_id}/place"
        answer = await api.put(path, json=place)
        assert answer.status_code == 204, answer.text


async def test_the_directory_lists_colleagues_by_name_and_narrows_them_down(
    gateway: Gateway, house: House
) -> None:
    unit = f"tills-{new_id()[-8:]}"
    await placed(gateway, house, "saga", unit, "Shop assistant")
    jonas = await gateway.visitor(house.members["jonas"])
    everybody = text_of(await jonas.see_soon("/people", "Saga Demo"))
    assert everybody.index("Alva Demo") < everybody.index("Eskil Demo") < everybody.index("Saga Demo")
    assert f"/people?unit={unit}" in (await jonas.see("/people")).text
    inside = text_of(await jonas.see_soon(f"/people?unit={unit}", "Saga Demo"))
    assert "Eskil Demo" not in inside and f"Unit {unit}" in inside and "Shop assistant" in inside
    german = text_of(await jonas.see("/people?country=DE"))
    assert "Jonas Demo" in german and "Alva Demo" not in german
    assert "Nobody fits" in text_of(await jonas.see("/people?country=DE&language=tlh"))


async def test_somebody_is_found_by_a_part_of_the_name(gateway: Gateway, house: House) -> None:
    jonas = await gateway.visitor(house.members["jonas"])
    found = (await jonas.see_soon("/people?q=eskil", "Eskil Demo")).text.partition('id="found-h"')[2]
    assert "Eskil Demo" in found and "Jonas Demo" not in found
    assert "Eskil Demo" not in text_of(await jonas.see("/people?q=eskil&country=DE"))
    assert "Nobody fits" in text_of(await jonas.see("/people?q=zzyzx"))


async def _asked_of_identity(house: House) -> dict[str, float]:
    """How often it was asked, by route."""
    async with httpx.AsyncClient(trust_env=False) as client:
        told = (await client.get(f"{house.settings.url_of('identity')}/metrics")).text
    lines = re.findall(r'^fikarum_http_requests_total\{.*route="([^"]*)".*\} (\S+)$', told, re.MULTILINE)
    return {route: float(times) for route, times in lines}


@pytest.mark.parametrize("path", ["/mentionable?q=demo", "/people?q=demo"])
async def test_people_who_are_found_are_asked_for_in_one_question(
    gateway: Gateway, house: House, path: str
) -> None:
    """At every pause in typing six came one by one."""
    jonas = await gateway.visitor(house.members["jonas"])
    others = [member.name for member in house.members.values() if member is not house.members["jonas"]]

    async def several() -> bool:
        found = (await jonas.see(path)).text
        return sum(name in found for name in others) > 1

    await eventually(several)
    before = await _asked_of_identity(house)
    await jonas.see(path)
    after = await _asked_of_identity(house)
    asked = {route: times - before.get(route, 0.0) for route, times in after.items()}
    assert (asked["/members/cards"], asked.get("/members/{member_id}", 0.0)) == (1.0, 0.0)


async def test_a_profile_shows_place_manager_and_what_they_shared(gateway: Gateway, house: House) -> None:
    unit = f"stock-{new_id()[:8]}"
    await placed(gateway, house, "eskil", unit, "Stock keeper")
    eskil, jonas = (
        await gateway.visitor(house.members["eskil"]),
        await gateway.visitor(house.members["jonas"]),
    )
    title = f"Pallets {new_id()}"
    page = await start(eskil, title)
    address = f"/people/{house.members['eskil'].member_id}"
    await jonas.see_soon(address, title)
    shown = await jonas.see_soon(address, "Stock keeper")
    seen = text_of(shown)
    assert "Alva Demo" in seen and f"Unit {unit}" in seen and "Sweden" in seen and "English" in seen
    assert f'href="{page}"' in shown.text and "Edit your profile" not in seen
    assert re.search(r"Time there \d\d:\d\d", seen)


async def test_members_say_themselves_what_they_know(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    address = f"/people/{house.members['saga'].member_id}"
    topic = f"gluten-free till rolls {new_id()}"
    told = {"ask_me_about": f"  {topic} \n\nqueues", "about": "I like\r\nshops.", "phone": "+46 31 000 11 22"}
    zone: Fields = {"time_zone": "Europe/Helsinki", "languages": ["sv", "fi"]}
    answer = await saga.send("/settings/profile", {**told, **zone})
    assert answer.headers["location"] == address, text_of(answer)
    shown = await saga.see(address)
    seen = text_of(shown)
    assert topic in seen and "queues" in seen and "+46 31 000 11 22" in seen and "Suomi" in seen
    assert f'lang="sv" dir="ltr">{topic}</a>' in shown.text and "I like\nshops." in unescape(shown.text)
    jonas = await gateway.visitor(house.members["jonas"])
    assert "Saga Demo" in text_of(await jonas.see_soon(f"/people?q={topic.replace(' ', '+')}", "Saga Demo"))


async def test_what_cannot_be_kept_stands_beside_its_field(gateway: Gateway, house: House) -> None:
    jonas = await gateway.visitor(house.members["jonas"])
    wrong = await jonas.send("/settings/profile", {"phone": "call me", "about": "Kept"})
    assert wrong.status_code == 422 and 'id="phone-error"' in wrong.text and "Kept</textarea>" in wrong.text
    evil: Fields = {"about": EVIL, "ask_me_about": EVIL[:60], "time_zone": "Europe/Berlin"}
    same = await jonas.send("/settings/profile", evil)
    assert same.status_code == 303, text_of(same)
    shown = (await jonas.see(same.headers["location"])).text
    assert "<script>alert" not in shown and "<img src=x" not in shown


async def test_somebody_whom_nobody_knows_has_no_profile(gateway: Gateway, house: House) -> None:
    jonas = await gateway.visitor(house.members["jonas"])
    assert (await jonas.see(f"/people/{new_id()}")).status_code == 404


async def test_a_profile_says_that_somebody_has_left(gateway: Gateway, house: House) -> None:
    jonas, name = await gateway.visitor(house.members["jonas"]), f"Passing {new_id()[:8]}"
    async with gateway.client(**house.members["alva"].bearer) as api:
        new = {"name": name, "language": "en", "time_zone": "Europe/Stockholm", "country": "SE"}
        member_id = (await api.post("/api/v1/members", json=new)).json()["member_id"]
        assert "Has left" not in text_of(await jonas.see_soon(f"/people/{member_id}", name))
        assert (await api.post(f"/api/v1/members/{member_id}/deactivate")).status_code == 204
    left = await jonas.see_soon(f"/people/{member_id}", "Has left")
    assert name in text_of(left) and "Time there" not in text_of(left)


async def test_guests_see_of_those_whom_they_met_the_name_only(gateway: Gateway, house: House) -> None:
    gemma = await gateway.visitor(house.members["gemma"])
    directory = text_of(await gemma.see("/people"))
    assert "Gemma Demo" in directory and "Saga Demo" not in directory and "Alva Demo" not in directory
    unit = f"secret-{new_id()[:8]}"
    await placed(gateway, house, "eskil", unit, "Secret title")
    eskil = house.members["eskil"].member_id
    # Staff asked for the name, which is remembered for staff only.
    assert "Eskil Demo" in text_of(await (await gateway.visitor(house.members["jonas"])).see("/people"))
    assert (await gemma.see(f"/people/{eskil}")).status_code == 404
    guest = gateway.client(**house.members["gemma"].bearer)
    assert (await guest.get(f"/api/v1/members?ids={eskil}")).json()["items"] == []
    owner = gateway.client(**house.members["eskil"].bearer)
    new = {"name": f"With guests {new_id()}", "purpose": "", "openness": "closed", "language": "en"}
    group = (await owner.post("/api/v1/groups", json=new)).json()["id"]
    invited = {"member_id": house.members["gemma"].member_id}
    assert (await owner.post(f"/api/v1/groups/{group}/invitations", json=invited)).is_success

    async def accepted() -> bool:
        return (await guest.put(f"/api/v1/invitations/{group}")).is_success

    async def named() -> bool:
        return (await gemma.see(f"/people/{eskil}")).status_code == 200

    await eventually(accepted)
    await eventually(named)
    shown = text_of(await gemma.see(f"/people/{eskil}"))
    assert "Eskil Demo" in shown and "Secret title" not in shown and unit not in shown


@pytest.mark.parametrize("away", ["search", "groups", "feed", "engagement"])
async def test_people_are_there_while_others_are_away(gateway: Gateway, house: House, away: str) -> None:
    without = house.settings.model_copy(update={f"{away}_url": NOWHERE})
    async with Gateway(without) as smaller:
        jonas = await smaller.visitor(house.members["jonas"])
        assert "Eskil Demo" in text_of(await jonas.see("/people"))
        profile = await jonas.see(f"/people/{house.members['eskil'].member_id}")
        assert profile.status_code == 200
        assert ("cannot be shown right now" in text_of(profile)) is (away == "search")
        found = await jonas.see("/people?q=eskil")
        assert ("cannot be looked for" in text_of(found)) is (away == "search")
        consent = await jonas.see("/settings/privacy")
        assert ("cannot be shown right now" in text_of(consent)) is (away == "engagement")


async def _devices(visitor: Visitor) -> str:
    return text_of(await visitor.see("/settings/sessions"))


async def test_a_password_is_changed_by_who_knows_it_and_ends_other_sessions(
    gateway: Gateway, house: House
) -> None:
    name, old, new = f"m{new_id()[:12]}", "correct horse battery", "staple paper clip three"
    registered = {"name": "Passing By", "language": "en", "time_zone": "Europe/Stockholm"}
    async with gateway.client(**house.members["alva"].bearer) as api:
        account = {"user_name": name, "password": old}
        answer = await api.post("/api/v1/members", json={**registered, **account})
        assert answer.status_code == 201, answer.text
    here, there = await gateway.visitor(), await gateway.visitor()
    for visitor in (here, there):
        signed = await visitor.send("/sign-in", {"username": name, "password": old, "back": "/settings"})
        assert signed.status_code == 303, text_of(signed)
    path = "/settings/password"

    async def change(current: str, first: str, again: str) -> httpx.Response:
        return await here.send(path, {"current": current, "new": first, "again": again})

    for given, field in (
        (("", new, new), "current"),
        (("wrong horse battery", new, new), "current"),
        ((old, new, f"{new}x"), "again"),
        ((old, "short", "short"), "new"),
    ):
        refused = await change(*given)
        assert refused.status_code == 422 and f'id="{field}-error"' in refused.text, text_of(refused)
        assert all(typed not in refused.text for typed in given if typed and typed != "short")
    assert (await _devices(here)).count("Signed in ") == 2
    assert (await change(old, new, new)).headers["location"] == "/settings"
    # At once, not when the other one is used again.
    devices = await _devices(here)
    assert devices.count("Signed in ") == 1 and "this device" in devices
    assert "Your password is changed." in devices
    gateway.app.state.visits.reception.sessions._known.clear()
    assert (await there.see("/settings")).headers["location"].startswith("/sign-in")


async def test_nobody_is_counted_who_has_not_said_yes(gateway: Gateway, house: House) -> None:
    eskil = await gateway.visitor(house.members["eskil"])
    first = await eskil.see("/settings/privacy")
    assert 'value="no" checked' in first.text
    await eskil.send("/settings/privacy", {"counted": "yes"})
    agreed = await eskil.see("/settings/privacy")
    assert 'value="yes" checked' in agreed.text and "Thank you." in agreed.text
    await eskil.send("/settings/privacy", {"counted": "no"})
    assert 'value="no" checked' in (await eskil.see("/settings/privacy")).text


async def test_no_other_site_changes_what_somebody_decided(gateway: Gateway, house: House) -> None:
    eskil = await gateway.visitor(house.members["eskil"])
    for path in ("/settings/privacy", "/settings/password", "/settings/profile", "/groups/new"):
        answer = await eskil.client.post(path, data={"counted": "yes"}, headers={"Origin": SITE})
        assert answer.status_code == 403, path


async def test_readers_of_a_unit_are_called_by_its_name_where_a_post_is_shown(
    gateway: Gateway, house: House
) -> None:
    unit = f"tills-{new_id()[-8:]}"
    await placed(gateway, house, "saga", unit, "Shop assistant")
    text = f"For our unit {new_id()}"
    async with gateway.client(**house.members["alva"].bearer) as api:

        async def published() -> str:
            """As soon as the feed knows that somebody is in the unit."""
            sent = await api.post("/api/v1/posts", json={"text": text, "audience": [f"unit:{unit}"]})
            assert sent.status_code == 201, sent.text
            return str(sent.json()["id"])

        post = await eventually(published)
    saga = await in_english(gateway, house.members["saga"])
    assert f"Unit Unit {unit}" in text_of(await saga.see_soon("/", text))
    assert f"among these readers: Unit Unit {unit}." in text_of(await saga.see(f"/posts/{post}"))
