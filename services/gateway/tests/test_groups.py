"""Groups, as members use them without any script: starting, joining, inviting, leaving, keeping order."""

import re
from html import unescape

import pytest

from services.gateway.tests.house import House
from services.gateway.tests.test_pages import EVIL, NOWHERE, Fields, text_of
from services.gateway.tests.visitors import Gateway, Visitor
from shared.runtime.ids import new_id


async def start(visitor: Visitor, name: str = "", openness: str = "open", purpose: str = "Tills.") -> str:
    """A new group; its address."""
    fields: Fields = {"name": name or f"Group {new_id()}", "purpose": purpose, "openness": openness}
    answer = await visitor.send("/groups/new", {**fields, "language": "en"})
    assert answer.status_code == 303, text_of(answer)
    return str(answer.headers["location"])


def bare(page: str, path: str) -> str:
    """Without what differs from one request to the next."""
    return re.sub(r'(csrf_token" value=|<code>)"?[^"<]+', "", page).replace(path, "")


async def test_a_group_needs_a_name_and_a_purpose_and_is_there_at_once(
    gateway: Gateway, house: House
) -> None:
    saga = await gateway.visitor(house.members["saga"])
    name = f"Shop floor {new_id()}"
    group = await start(saga, name, purpose="What we learn between two customers.")
    shown = await saga.see(group)
    assert shown.status_code == 200 and f">{name}</h1>" in shown.text
    seen = text_of(shown)
    assert "What we learn between two customers." in seen and "Ägare" in seen and "1 person" in seen
    assert f'<a href="{group}" aria-current="true">' in shown.text, "it is in the navigation"
    assert name in text_of(await saga.see("/groups"))


async def test_a_name_that_is_missing_is_asked_for_and_nothing_typed_is_lost(
    gateway: Gateway, house: House
) -> None:
    eskil = await gateway.visitor(house.members["eskil"])
    answer = await eskil.send("/groups/new", {"name": " ", "purpose": "Kept", "openness": "closed"})
    assert answer.status_code == 422 and 'id="name-error"' in answer.text
    assert "Kept</textarea>" in answer.text
    assert re.search(r'value="closed" checked', answer.text)


async def test_a_group_that_may_have_been_started_is_the_same_when_it_is_sent_again(house: House) -> None:
    async with Gateway(house.settings.model_copy(update={"groups_url": NOWHERE})) as alone:
        saga = await alone.visitor(house.members["saga"])
        key = new_id()
        typed: Fields = {
            "name": "Tills",
            "purpose": "Tills.",
            "openness": "open",
            "language": "en",
            "key": key,
        }
        answer = await saga.send("/groups/new", typed)
        assert answer.status_code == 503 and f'name="key" value="{key}"' in answer.text
        wrong = await saga.send("/groups/new", {**typed, "name": " "})
        assert wrong.status_code == 422 and f'name="key" value="{key}"' not in wrong.text


async def test_all_that_is_new_in_a_group_follows_and_ones_own_among_it(
    gateway: Gateway, house: House
) -> None:
    saga, jonas = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["jonas"])
    group = await start(saga)
    people = {name: gateway.client(**house.members[name].bearer) for name in ("saga", "jonas")}
    before = await people["saga"].post("/api/v1/posts", json={"text": "From here on it is new"})
    await jonas.see_soon("/", before.json()["id"])
    await jonas.see_soon(group)
    said = []
    await jonas.send(f"{group}/join", seen=group)
    for number in range(25):
        writer = people["jonas" if number == 3 else "saga"]
        new = {"text": f"Number {number}", "group_id": group.rpartition("/")[2]}
        answer = await writer.post("/api/v1/posts", json=new)
        assert answer.status_code == 201, answer.text
        said.append(answer.json()["id"])
    await jonas.see_soon(group, said[-1])
    first = await jonas.see_soon(group, 'class="post unread"')
    more = re.search(r'<a class="btn block" href="([^"]+)"', first.text)
    assert more
    second = (await jonas.see(unescape(more[1]))).text
    joined = second[second.index('id="feed"') : second.index('id="more"')]
    shown = re.findall(r'<article [^>]*id="post-([0-9a-f]{32})"', first.text + joined)
    assert shown == said[::-1]


async def test_somebody_finds_an_open_group_joins_it_and_leaves_it(gateway: Gateway, house: House) -> None:
    saga, jonas = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["jonas"])
    name = f"Forklifts {new_id()}"
    group = await start(saga, name)
    found = await jonas.see_soon(f"/groups?q={name.replace(' ', '+')}", group)
    assert name in text_of(found)
    await jonas.see_soon(group, f"{group}/join")
    assert (await jonas.send(f"{group}/join", seen=group)).headers["location"] == group
    inside = text_of(await jonas.see(group))
    assert "You are in. Say hello." in inside and "2 people" in inside and "Leave the group" in inside
    assert "Jonas Demo" in text_of(await jonas.see(f"{group}/people"))
    assert (await jonas.send(f"{group}/leave", seen=group)).headers["location"] == group
    assert "1 person" in text_of(await jonas.see(group))


async def test_a_closed_group_exists_for_those_it_invites_only(gateway: Gateway, house: House) -> None:
    saga, jonas = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["jonas"])
    name = f"Surprise {new_id()}"
    group = await start(saga, name, "closed", purpose="A secret party")
    nowhere = f"/groups/{new_id()}"
    pages = [await jonas.see(path) for path in (group, nowhere)]
    assert [page.status_code for page in pages] == [404, 404]
    hidden, none = (bare(page.text, path) for page, path in zip(pages, (group, nowhere), strict=True))
    assert hidden == none, "what is hidden looks as what is not there"
    assert name not in (await jonas.see("/groups")).text
    for path in ("/people", "/edit", "/invite"):
        assert (await jonas.see(group + path)).status_code == 404

    invited = await invite(saga, group, house.members["jonas"].member_id, "Jonas")
    assert "Jonas Demo" in invited
    offer = await jonas.see_soon(group, name)
    seen = text_of(offer)
    assert "A secret party" in seen and "Saga Demo asked you in" in seen and "members" not in offer.url.path
    assert name in text_of(await jonas.see("/groups"))
    assert (await jonas.see(f"{group}/people")).status_code == 404
    await jonas.send(f"{group}/join", seen=group)
    assert "Member" in text_of(await jonas.see(group))


async def invite(owner: Visitor, group: str, member_id: str, name: str) -> str:
    """Looked for by name, asked in; the list that shows it."""
    await owner.see_soon(f"{group}/invite?q={name}", member_id)
    answer = await owner.send(f"{group}/invite?q={name}", {"member": member_id})
    assert answer.headers["location"] == f"{group}/people", text_of(answer)
    return text_of(await owner.see(f"{group}/people"))


async def test_an_invitation_is_declined_or_taken_back(gateway: Gateway, house: House) -> None:
    saga, gemma = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["gemma"])
    group = await start(saga, openness="closed")
    guest = house.members["gemma"].member_id
    await invite(saga, group, guest, "Gemma")
    await gemma.see_soon(group, "asked you in")
    answer = await gemma.send(f"{group}/decline", seen="/groups")
    assert answer.headers["location"] == "/groups"
    assert (await gemma.see(group)).status_code == 404
    await invite(saga, group, guest, "Gemma")
    await saga.send(f"{group}/invitations/{guest}/take-back", seen=f"{group}/people")
    assert "Inbjudan är återtagen." in (await saga.see(f"{group}/people")).text
    await gemma.see_soon(group, status=404)


async def test_owners_keep_order_and_the_last_one_stays(gateway: Gateway, house: House) -> None:
    saga, jonas = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["jonas"])
    mine, theirs = house.members["saga"].member_id, house.members["jonas"].member_id
    group = await start(saga)
    people = f"{group}/people"
    await jonas.see_soon(group)
    await jonas.send(f"{group}/join", seen=group)
    refused = await saga.send(f"{group}/leave", seen=group)
    assert refused.status_code >= 400 and 'class="banner bad"' in refused.text and group in refused.text
    await saga.see_soon(people, theirs)
    await saga.send(f"{people}/{theirs}/standing", seen=people)
    assert (await saga.see(people)).text.count('class="tag accent"') == 2
    await jonas.see_soon(people, f"{people}/{mine}/remove")
    await jonas.send(f"{people}/{mine}/remove", seen=people)
    assert "Saga Demo" not in text_of(await jonas.see(people))


async def test_an_administrator_finds_an_owner_for_a_group_that_lost_its_last(
    gateway: Gateway, house: House
) -> None:
    alva, saga = await gateway.visitor(house.members["alva"]), await gateway.visitor(house.members["saga"])
    user_name, password, name = f"m{new_id()[:12]}", "correct horse battery", f"Orphans {new_id()}"
    registered = {"name": "Passing Through", "language": "en", "time_zone": "Europe/Stockholm"}
    async with gateway.client(**house.members["alva"].bearer) as api:
        account = {"user_name": user_name, "password": password}
        member_id = (await api.post("/api/v1/members", json={**registered, **account})).json()["member_id"]
        passing = await gateway.visitor()
        await passing.send("/sign-in", {"username": user_name, "password": password, "back": "/"})
        await passing.see_soon("/groups/new")  # identity has heard by then that they are staff
        group = await start(passing, name, "closed")
        assert (await api.post(f"/api/v1/members/{member_id}/deactivate")).status_code == 204
    assert "/groups/ownerless" in (await alva.see("/groups")).text
    assert "/groups/ownerless" not in (await saga.see("/groups")).text
    choosing = f"{group}/owner"
    for path in ("/groups/ownerless", choosing):
        assert (await saga.see(path)).status_code == 404
    assert name in text_of(await alva.see_soon("/groups/ownerless", choosing))

    jonas = house.members["jonas"].member_id
    looked = f"{choosing}?q=jonas"
    await alva.see_soon(looked, jonas)
    guest = house.members["gemma"].member_id
    await saga.see_soon(f"{await start(saga)}/invite?q=gemma", guest)
    assert guest not in (await alva.see(f"{choosing}?q=gemma")).text, "guests cannot answer for a group"
    nobody = await alva.send(looked, {"member": "nobody"})
    assert nobody.status_code == 422 and "Välj någon i katalogen" in text_of(nobody) and name in nobody.text
    assert (await alva.send(looked, {"member": jonas})).headers["location"] == "/groups/ownerless"
    left = await alva.see("/groups/ownerless")
    assert "Gruppen har en ägare igen." in left.text and choosing not in left.text
    owner = await gateway.visitor(house.members["jonas"])
    assert "Owner" in text_of(await owner.see_soon(group, name))
    late = await alva.see(choosing)
    assert late.status_code == 409 and "Något har ändrats under tiden" in late.text


async def test_owners_describe_the_group_and_others_may_not(gateway: Gateway, house: House) -> None:
    saga, jonas = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["jonas"])
    group = await start(saga, purpose="Old purpose")
    name = f"Renamed {new_id()}"
    answer = await saga.send(f"{group}/edit", {"name": name, "purpose": "New purpose", "language": "sv"})
    assert answer.headers["location"] == group, text_of(answer)
    shown = await saga.see(group)
    assert f'<h1 lang="sv" dir="ltr">{name}</h1>' in shown.text and "New purpose" in shown.text
    await jonas.see_soon(group, name)
    assert (await jonas.see(f"{group}/edit")).status_code == 403
    assert (await jonas.see(f"{group}/invite")).status_code == 403


async def test_two_owners_who_describe_at_once_hear_of_it(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    group = await start(saga)
    first = await saga.see(f"{group}/edit")
    assert 'name="version" value="1"' in first.text
    described: Fields = {"name": f"First {new_id()}", "purpose": "x", "language": "en"}
    await saga.send(f"{group}/edit", described)
    late = await saga.send(f"{group}/edit", {**described, "name": "Second", "version": "1"})
    assert late.status_code == 409 and 'value="Second"' in late.text and 'class="banner bad"' in late.text


async def test_guests_see_their_group_and_start_none(gateway: Gateway, house: House) -> None:
    saga, gemma = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["gemma"])
    open_to_staff, theirs = f"Staff only {new_id()}", f"With guests {new_id()}"
    await start(saga, open_to_staff)
    group = await start(saga, theirs)
    await invite(saga, group, house.members["gemma"].member_id, "Gemma")
    await gemma.see_soon(group, theirs)
    await gemma.send(f"{group}/join", seen=group)
    listed = text_of(await gemma.see("/groups"))
    assert theirs in listed and open_to_staff not in listed and "Start a group" not in listed
    assert (await gemma.see("/groups/new")).status_code == 403


async def test_a_guest_who_leaves_an_open_group_is_shown_their_groups(gateway: Gateway, house: House) -> None:
    saga, gemma = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["gemma"])
    group = await start(saga)
    await invite(saga, group, house.members["gemma"].member_id, "Gemma")
    await gemma.see_soon(group, "asked you in")
    await gemma.send(f"{group}/join", seen=group)
    left = await gemma.send(f"{group}/leave", seen=group)
    assert left.headers["location"] == "/groups"
    assert "You have left the group." in text_of(await gemma.see("/groups"))


async def test_every_group_of_mine_and_everybody_asked_in_is_behind_some_link(
    gateway: Gateway, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.pages.groups.MINE", 1)
    monkeypatch.setattr("services.gateway.pages.group_people.INVITED", 1)
    saga = await gateway.visitor(house.members["saga"])
    started = [await start(saga, openness="closed") for _ in range(2)]
    pages = await following(saga, "/groups", r'href="(/groups\?mine=[^"]+)"')
    assert all(any(f'href="{group}"' in main_of(page) for page in pages) for group in started)
    assert not any(all(f'href="{group}"' in main_of(page) for group in started) for page in pages)
    group, names = started[0], {"jonas": "Jonas", "gemma": "Gemma"}
    for user, name in names.items():
        await invite(saga, group, house.members[user].member_id, name)
    pages = await following(saga, f"{group}/people", rf'href="({group}/people\?asked=[^"]+)"')
    assert [sum(f"{name} Demo" in main_of(page) for page in pages) for name in names.values()] == [1, 1]


async def test_every_group_that_somebody_is_asked_into_is_behind_some_link(
    gateway: Gateway, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.pages.groups.OFFERS", 1)
    saga, jonas = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["jonas"])
    names = [f"Asked into {new_id()}" for _ in range(3)]
    for name in names:
        await invite(
            saga, await start(saga, name, openness="closed"), house.members["jonas"].member_id, "Jonas"
        )
    await jonas.see_soon("/groups", names[-1])
    pages = await following(jonas, "/groups", r'href="(/groups\?asked=[^"]+)"')
    assert [sum(name in main_of(page) for page in pages) for name in names] == [1, 1, 1]
    assert "Discover" in text_of(await jonas.see("/groups")) and "Discover" not in pages[1]


def main_of(page: str) -> str:
    """Without the navigation, which names groups, too."""
    return page[page.index("<main") :]


async def following(visitor: Visitor, path: str, link: str) -> list[str]:
    """The page and all that follow it behind such links."""
    pages: list[str] = []
    following: str | None = path
    while following is not None:
        page = await visitor.see(following)
        assert page.status_code == 200
        pages.append(page.text)
        more = re.search(link, page.text)
        following = unescape(more[1]) if more else None
    return pages


async def test_what_people_call_a_group_stays_text(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    name = f"{EVIL[:60]} {new_id()}"
    group = await start(saga, name, purpose=EVIL)
    for path in (group, f"{group}/people", f"{group}/edit", f"{group}/invite", "/groups", "/"):
        page = (await saga.see(path)).text
        assert "<script>alert" not in page and "<img src=x" not in page and "49" not in unescape(page[:0])


@pytest.mark.parametrize("away", ["groups", "feed", "wiki", "search"])
async def test_a_service_that_is_away_takes_its_own_part_only(
    gateway: Gateway, house: House, away: str
) -> None:
    saga = await gateway.visitor(house.members["saga"])
    group = await start(saga)
    without = house.settings.model_copy(update={f"{away}_url": NOWHERE})
    async with Gateway(without) as smaller:
        visitor = await smaller.visitor(house.members["saga"])
        listed, home = await visitor.see("/groups"), await visitor.see("/")
        assert listed.status_code == home.status_code == 200
        assert ("svarar inte" in text_of(listed)) is (away == "groups")
        shown = await visitor.see(group)
        assert shown.status_code == (503 if away == "groups" else 200)
        if away == "feed":
            assert "1 person" in text_of(shown) and 'class="banner warn"' in shown.text
        invite_page = await visitor.see(f"{group}/invite?q=Jonas")
        if away == "search":
            assert "Det går inte att söka personer just nu" in text_of(invite_page)
