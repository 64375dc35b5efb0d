"""The pages, as members use them without any script: reading, writing, saving at once, keeping order."""

import asyncio
import re
from html import unescape

import httpx
import pytest

from services.gateway.tests.house import House
from services.gateway.tests.visitors import SITE, Gateway, Visitor
from shared.kernel.errors import TooMany
from shared.runtime.ids import new_id
from shared.tests.eventually import eventually

Fields = dict[str, str | list[str]]
NOWHERE = "http://127.0.0.1:9"
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"


async def start(visitor: Visitor, title: str, body: str = "Text.\n", **fields: str | list[str]) -> str:
    """A page in a new space of its own; its address."""
    name = f"Space {new_id()}"
    new: Fields = {"title": title, "body": body, "space_name": name, "space": "", "note": "First"}
    chosen: Fields = {"language": "en", "classification": "internal", "audience": ["staff"]}
    answer = await visitor.send("/wiki/new", {**new, **chosen, **fields})
    assert answer.status_code == 303, _errors(answer)
    return str(answer.headers["location"])


def _errors(answer: httpx.Response) -> str:
    return (
        " | ".join(re.findall(r'class="error".*?<span>(.*?)</span>', answer.text, re.DOTALL)) or answer.text
    )


def text_of(answer: httpx.Response) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


async def test_a_member_writes_a_page_and_everybody_reads_it(gateway: Gateway, house: House) -> None:
    saga, jonas = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["jonas"])
    page = await start(
        saga, "Returns from abroad", "Say *welcome* first.\n\n## In short\n\nScan it.\n\n## Then\n\nx\n"
    )
    shown = await saga.see(page)
    assert shown.status_code == 200 and "Sidan är publicerad." in shown.text
    assert "<em>welcome</em>" in shown.text and "<h1" in shown.text and 'href="#s-in-short"' in shown.text
    assert "Sidan är publicerad." not in (await saga.see(page)).text
    seen = text_of(await jonas.see_soon(page))
    assert "Returns from abroad" in seen and "Saga Demo" in seen and "Changed just now" in seen
    home = text_of(await jonas.see("/"))
    assert "Returns from abroad" in home and "First" in home


async def test_what_was_just_written_is_in_every_list_at_once(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    for number in range(5):
        page = await start(saga, f"Page {number} {new_id()}")
        space = re.search(r'href="(/wiki/spaces/[0-9a-f]{32})"', (await saga.see(page)).text)
        assert space and f"Page {number}" in (await saga.see(space[1])).text
        assert f"Page {number}" in (await saga.see("/")).text


async def test_a_change_is_a_new_version_with_its_note(gateway: Gateway, house: House) -> None:
    eskil = await gateway.visitor(house.members["eskil"])
    page = await start(eskil, "Till", "Press green.\n")
    editor = await eskil.see(f"{page}/edit")
    assert "# Till\n\nPress green." in unescape(editor.text)
    answer = await eskil.send(f"{page}/edit", {"body": "# Till\r\n\r\nPress red.\r\n", "note": "Red now"})
    assert answer.headers["location"] == page, _errors(answer)
    history = text_of(await eskil.see(f"{page}/history"))
    assert "Version 2 Red now" in history and "Version 1 First" in history and "2 versions" in history
    compared = (await eskil.see(f"{page}/compare")).text
    assert "<del>green</del>" in compared and "<ins>red</ins>" in compared
    assert (await eskil.see(f"{page}/compare?old=2&new=1")).text.count("<del>green</del>") == 1
    old = text_of(await eskil.see(f"{page}/revisions/1"))
    assert "Press green." in old
    answer = await eskil.send(f"{page}/restore", {"revision": "1"}, seen=f"{page}/revisions/1")
    assert answer.headers["location"] == page
    assert "Press green." in text_of(await eskil.see(page))
    assert "3 versions" in text_of(await eskil.see(f"{page}/history"))


async def test_saving_without_a_change_saves_nothing(gateway: Gateway, house: House) -> None:
    eskil = await gateway.visitor(house.members["eskil"])
    page = await start(eskil, "Calm", "As it was.\n")
    answer = await eskil.send(f"{page}/edit", {"body": "# Calm\r\n\r\nAs it was.\r\n"})
    assert answer.headers["location"] == page
    assert "Nothing was changed" in (await eskil.see(page)).text
    assert "1 version" in text_of(await eskil.see(f"{page}/history"))


async def test_a_form_that_is_sent_twice_begins_one_page(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    fields: Fields = {
        "title": "Once",
        "body": "x",
        "space_name": f"Space {new_id()}",
        "language": "en",
        "classification": "internal",
        "audience": ["staff"],
        "key": new_id(),
        "csrf_token": await saga.token(),
    }
    answers = await asyncio.gather(
        *(saga.client.post("/wiki/new", data=fields, headers={"Origin": SITE}) for _ in range(3))
    )
    assert {answer.headers["location"] for answer in answers} == {answers[0].headers["location"]}


async def test_two_who_save_at_once_lose_nothing(gateway: Gateway, house: House) -> None:
    saga, eskil = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["eskil"])
    page = await start(eskil, "Shared", "One.\n")
    await saga.see_soon(page)
    token = await saga.token(f"{page}/edit")
    mine: Fields = {
        "csrf_token": token,
        "revision": "1",
        "body": "# Shared\r\n\r\nMine.\r\n",
        "note": "My note",
    }
    await eskil.send(f"{page}/edit", {"body": "# Shared\n\nTheirs.\n", "note": "Their note"})
    await saga.see_soon(page, "Theirs.")
    late = await saga.client.post(f"{page}/edit", data=mine, headers={"Origin": SITE})
    assert late.status_code == 409
    shown = unescape(late.text)
    assert "# Shared\n\nMine.\n</textarea>" in shown and "# Shared\n\nTheirs.\n</textarea>" in shown
    assert "My note" in shown and "Their note" in shown and "Eskil Demo" in shown
    assert "<del>Theirs" in late.text and "<ins>Mine" in late.text
    both: Fields = {**mine, "revision": "2", "body": "# Shared\r\n\r\nTheirs. Mine.\r\n"}
    assert 'name="revision" value="2"' in late.text
    saved = await saga.client.post(f"{page}/edit", data=both, headers={"Origin": SITE})
    assert saved.headers["location"] == page
    await eskil.see_soon(page, "Theirs. Mine.")


FOR_STAFF: Fields = {"audience": ["staff"], "classification": "internal"}


def hidden_in(page: str) -> Fields:
    """What a page's forms send besides what is typed and chosen."""
    found = re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in found}


async def test_who_writes_while_a_page_is_moved_saves_their_text_where_it_is_now(
    gateway: Gateway, house: House
) -> None:
    """There are no two texts to bring together. That it has moved is told."""
    saga, eskil = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["eskil"])
    page = await start(eskil, "Shelf", "One.\n", path="shelf")
    editor = (await saga.see_soon(f"{page}/edit", "One.")).text
    mine = hidden_in(editor)
    assert (mine["revision"], mine["seen_at"]) == ("1", "shelf")
    await eskil.send(f"{page}/move", {"path": "cellar/shelf", "note": "Down"})
    await saga.see_soon(f"{page}/edit", "cellar")
    typed: Fields = {**mine, **FOR_STAFF, "body": "# Shelf\r\n\r\nTwo.\r\n"}
    saved = await saga.client.post(f"{page}/edit", data=typed, headers={"Origin": SITE})
    assert saved.status_code == 303, text_of(saved)
    shown = await saga.see(page)
    assert "Two." in shown.text and "Någon flyttade den medan du skrev" in shown.text
    assert hidden_in((await saga.see(f"{page}/edit")).text)["seen_at"] == "cellar/shelf"


async def test_a_page_that_moves_at_the_very_last_moment_loses_nothing(
    gateway: Gateway, house: House
) -> None:
    """Between looking and saving: the form comes again with the text, and with no other."""
    eskil = await gateway.visitor(house.members["eskil"], **{"accept-language": "en"})
    page = await start(eskil, "Drawer", "One.\n", path="drawer")
    async with gateway.client(**house.members["alva"].bearer) as api:
        clients, moved = gateway.app.state.visits.reception.clients, list[int]()
        ask = clients.ask

        async def after_a_move(service: str, method: str, path: str, **how: object) -> object:
            if method == "PUT" and not moved:
                to = {"path": "cellar/drawer", "note": ""}
                moved.append((await api.post(f"/api/v1{page}/move", json=to)).status_code)
            return await ask(service, method, path, **how)

        clients.ask = after_a_move
        try:
            answer = await eskil.send(f"{page}/edit", {"body": "# Drawer\n\nTwo.\n"})
        finally:
            clients.ask = ask
    assert moved == [200] and answer.status_code == 409
    assert "Somebody moved this page" in answer.text and "Two.\n</textarea>" in unescape(answer.text)
    assert 'id="theirs"' not in answer.text
    again: Fields = {**hidden_in(answer.text), **FOR_STAFF, "body": "# Drawer\n\nTwo.\n"}
    saved = await eskil.client.post(f"{page}/edit", data=again, headers={"Origin": SITE})
    assert saved.status_code == 303 and "Two." in (await eskil.see(page)).text


async def test_a_preview_without_a_script_does_not_hide_that_somebody_saved(
    gateway: Gateway, house: House
) -> None:
    saga, eskil = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["eskil"])
    page = await start(eskil, "Looked at", "One.\n")
    await saga.see_soon(page)
    mine: Fields = {
        "csrf_token": await saga.token(f"{page}/edit"),
        "revision": "1",
        "body": "# Looked at\n\nMine.\n",
    }
    await eskil.send(f"{page}/edit", {"body": "# Looked at\n\nTheirs.\n"})
    await saga.see_soon(page, "Theirs.")
    looked = await saga.client.post(f"{page}/edit", data={**mine, "preview": "yes"}, headers={"Origin": SITE})
    again = re.search(r'name="revision" value="(\d+)"', looked.text)
    assert looked.status_code == 200 and again and again[1] == "1"
    late = await saga.client.post(
        f"{page}/edit", data={**mine, "revision": again[1]}, headers={"Origin": SITE}
    )
    assert late.status_code == 409 and "Theirs.\n</textarea>" in unescape(late.text)


async def test_half_of_a_character_does_not_hide_that_somebody_saved(gateway: Gateway, house: House) -> None:
    saga, eskil = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["eskil"])
    page = await start(eskil, "Broken", "One.\n")
    await saga.see_soon(page)
    mine = f"csrf_token={await saga.token(f'{page}/edit')}&revision=1&body=%23+Broken%0A%0AMine+%ED%A0%BD."
    await eskil.send(f"{page}/edit", {"body": "# Broken\n\nTheirs.\n"})
    await saga.see_soon(page, "Theirs.")
    headers = {"Origin": SITE, "Content-Type": "application/x-www-form-urlencoded"}
    answer = await saga.client.post(f"{page}/edit", content=mine, headers=headers)
    assert answer.status_code == 422 and 'id="body-error"' in answer.text
    assert "Mine \ufffd.</textarea>" in answer.text and hidden_in(answer.text)["revision"] == "1"
    again: Fields = {**hidden_in(answer.text), **FOR_STAFF, "body": "# Broken\n\nMine.\n"}
    late = await saga.client.post(f"{page}/edit", data=again, headers={"Origin": SITE})
    assert late.status_code == 409 and "Theirs.\n</textarea>" in unescape(late.text)


async def test_a_race_to_the_very_last_moment_is_a_conflict_too(gateway: Gateway, house: House) -> None:
    people = [await gateway.visitor(house.members[name]) for name in ("saga", "eskil", "jonas", "alva")]
    page = await start(people[0], "Race", "Start.\n")
    for person in people:
        await person.see_soon(page)
    tokens = [await person.token(f"{page}/edit") for person in people]
    answers = await asyncio.gather(
        *(
            person.client.post(
                f"{page}/edit",
                data={
                    "csrf_token": token,
                    "revision": "1",
                    "body": f"# Race\n\nBy {number}.\n",
                    "audience": "staff",
                },
                headers={"Origin": SITE},
            )
            for number, (person, token) in enumerate(zip(people, tokens, strict=True))
        )
    )
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409]
    for number, answer in enumerate(answers):
        if answer.status_code == 409:
            assert f"By {number}." in unescape(answer.text)
            assert 'name="revision" value="2"' in answer.text


async def test_errors_stand_beside_their_field_and_nothing_typed_is_lost(
    gateway: Gateway, house: House
) -> None:
    saga = await gateway.visitor(house.members["saga"], **{"Accept-Language": "en"})
    wrong: Fields = {
        "title": "A title",
        "body": "My long text.",
        "note": "n" * 600,
        "space_name": "A space",
        "path": "../up",
        "audience": [],
        "language": "en",
        "classification": "internal",
    }
    answer = await saga.send("/wiki/new", wrong)
    assert answer.status_code == 422
    for typed in ("A title", "My long text.", "n" * 600, "../up", "A space"):
        assert typed in answer.text
    assert re.search(r'id="(path|note|audience)-error"', answer.text)
    nothing = await saga.send("/wiki/new", {"title": "", "body": "Text", "space_name": "x"})
    assert nothing.status_code == 422 and 'id="title-error"' in nothing.text


async def test_a_page_that_is_refused_opens_its_new_space_once(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    name = f"Once {new_id()}"
    typed: Fields = {"title": "T", "body": "Text.", "space_name": name, "path": "../up", "language": "en"}
    answer = await saga.send("/wiki/new", {**typed, "audience": ["staff"], "classification": "internal"})
    assert answer.status_code == 422 and 'id="path-error"' in answer.text
    chosen = re.search(rf'<option value="([0-9a-f]{{32}})" selected>{name}<', answer.text)
    assert chosen, "the space is there, and chosen"
    assert re.search(r'id="space_name" name="space_name" value=""', answer.text)
    again: Fields = {**typed, "space": chosen[1], "space_name": "", "path": f"up/{new_id()}"}
    assert (await saga.send("/wiki/new", again)).status_code == 303
    async with gateway.client(**house.members["saga"].bearer) as program:
        spaces = (await program.get("/api/v1/wiki/spaces?limit=100")).json()["items"]
    assert [space["id"] for space in spaces if space["name"] == name] == [chosen[1]]


async def group_of_saga(gateway: Gateway, house: House, name: str, openness: str, language: str) -> str:
    """One that she has just started."""
    async with gateway.client(**house.members["saga"].bearer) as program:
        new = {"name": name, "purpose": "Hers.", "openness": openness, "language": language}
        answer = await program.post("/api/v1/groups", json=new)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


async def test_the_writers_groups_are_offered_again_when_a_page_comes_back(
    gateway: Gateway, house: House
) -> None:
    saga = await gateway.visitor(house.members["saga"])
    async with gateway.client(**house.members["saga"].bearer) as program:
        new = {"name": f"Group {new_id()}", "purpose": "Mine.", "openness": "open", "language": "en"}
        group = f"group:{(await program.post('/api/v1/groups', json=new)).json()['id']}"
        space = {"name": f"Space {new_id()}", "language": "en", "audience": ["staff", group]}

        async def made() -> str:
            answer = await program.post("/api/v1/wiki/spaces", json=space)
            assert answer.status_code == 201, answer.text
            return str(answer.json()["id"])

        opened = await eventually(made)
    form = f"/wiki/new?space={opened}"
    await saga.see_soon(form, f'value="{group}"')
    typed: Fields = {"title": "T", "body": "Text.", "path": "../up", "audience": ["staff"], "language": "en"}
    answer = await saga.send("/wiki/new", {**typed, "space": opened}, seen=form)
    assert answer.status_code == 422 and f'name="audience" value="{group}"' in answer.text
    many = "unit:" + ",".join(f"u{n}" for n in range(200))
    answer = await saga.send("/wiki/new", {**typed, "audience": ["staff", many]})
    assert answer.status_code == 422 and 'value="../up"' in answer.text, "what was typed is kept"


def _choices(page: str) -> list[tuple[str, str]]:
    """Values and names of the spaces to choose from, as they stand."""
    shown = page.partition('id="space"')[2].partition("</select>")[0]
    return [
        (value, unescape(name)) for value, name in re.findall(r'<option value="([^"]*)"[^>]*>(.*?)<', shown)
    ]


async def test_a_new_page_lies_where_its_writer_says_and_nowhere_else(gateway: Gateway, house: House) -> None:
    saga, eskil = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["eskil"])
    theirs = await group_of_saga(gateway, house, f"! {new_id()}", "open", "es")
    form = (await eskil.see_soon("/wiki/new", theirs)).text
    assert re.search(r'<option value="" selected>', form), "no space is taken for granted"
    assert re.search(r'<option value="en" selected>', form) and re.search(r'value="internal" checked', form)
    typed: Fields = {"title": "Where to", "body": "Long work.", "note": "Why", "space_name": ""}
    answer = await eskil.send("/wiki/new", typed)
    assert answer.status_code == 422 and "Choose a space, or name a new one." in _errors(answer)
    assert 'id="space-error"' in answer.text
    assert all(kept in answer.text for kept in ("Where to", "Long work.", "Why"))
    assert (await eskil.send("/wiki/new", {**typed, "space_name": f"Mine {new_id()}"})).status_code == 303
    named = (await saga.see_soon(f"/wiki/new?space={theirs}", f'<option value="{theirs}" selected>')).text
    assert re.search(r'<option value="es" selected>', named)


async def test_a_page_put_into_a_closed_groups_space_is_not_for_all_staff_unless_that_was_chosen(
    gateway: Gateway, house: House
) -> None:
    saga = await gateway.visitor(house.members["saga"])
    ours = await group_of_saga(gateway, house, f"Closed {new_id()}", "closed", "sv")
    form = (await saga.see_soon("/wiki/new", ours)).text
    seen_by = re.search(r'name="seen_by" value="([^"]+)"', form)
    assert seen_by
    asked: Fields = {"title": "Ours", "space": ours, "audience": ["staff"], "classification": "internal"}
    answer = await saga.send("/wiki/new", {**asked, "seen_by": seen_by[1]})
    assert answer.status_code == 422 and "Färre läser det här området." in _errors(answer)
    assert re.search(rf'value="group:{ours}" checked', answer.text)
    assert not re.search(r'value="staff" checked', answer.text) and 'name="seen_by" value=""' in answer.text
    assert (await saga.send("/wiki/new", {**asked, "audience": [f"group:{ours}"]})).status_code == 303
    chosen: Fields = {**asked, "audience": ["staff", "everyone"], "path": "chosen", "seen_by": seen_by[1]}
    assert (await saga.send("/wiki/new", chosen)).status_code == 303


async def test_spaces_of_the_house_and_of_ones_own_groups_come_before_those_of_others(
    gateway: Gateway, house: House
) -> None:
    saga, eskil = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["eskil"])
    hers = await group_of_saga(gateway, house, f"! {new_id()}", "open", "es")
    page = await start(eskil, "Of the house", space_name=f"zz {new_id()}")
    house_wide = re.search(r'href="/wiki/spaces/([0-9a-f]{32})"', (await eskil.see(page)).text)
    assert house_wide

    async def ordered(visitor: Visitor, own_first: bool) -> None:
        values = [value for value, _ in _choices((await visitor.see("/wiki/new")).text)]
        assert (values.index(hers) < values.index(house_wide[1])) == own_first
        shown = (await visitor.see("/wiki")).text
        mine, _sep, others = shown.partition('id="others-h"')
        assert f"/wiki/spaces/{house_wide[1]}" in mine
        assert f"/wiki/spaces/{hers}" in (mine if own_first else others)

    await eventually(lambda: ordered(eskil, False))
    await eventually(lambda: ordered(saga, True))


async def test_readers_are_told_by_the_names_of_their_groups_and_never_by_an_id(
    gateway: Gateway, house: House
) -> None:
    saga, eskil = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["eskil"])
    async with gateway.client(**house.members["saga"].bearer) as program:
        name = f"Hers {new_id()}"
        new = {"name": name, "purpose": "Hers.", "openness": "closed", "language": "en"}
        hers = str((await program.post("/api/v1/groups", json=new)).json()["id"])
    assert name in text_of(await saga.see_soon("/wiki/new", f'value="group:{hers}"'))
    page = await start(saga, "For two kinds", audience=["staff", f"group:{hers}"])
    for shown in (page, f"{page}/edit"):
        hers_told = text_of(await saga.see_soon(shown))
        assert f"Medlemmar i {name}" in hers_told and hers not in hers_told
    told = text_of(await eskil.see_soon(page))
    assert "Members of a group" in told and name not in told and hers not in told


async def test_a_text_that_is_too_long_for_a_page_is_refused_beside_it(
    gateway: Gateway, house: House
) -> None:
    saga = await gateway.visitor(house.members["saga"])
    page = await start(saga, "Long")
    long = "# Long\n\n" + "å" * 260_000
    answer = await saga.send(f"{page}/edit", {"body": long})
    assert answer.status_code in (413, 422)
    assert 'id="body-error"' in answer.text and "å" * 260_000 in unescape(answer.text)


async def test_script_in_any_field_stays_text(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    page = await start(saga, EVIL, EVIL, note=EVIL, space_name=f"{EVIL}{new_id()}", path=f"a/{new_id()}")
    await saga.send(
        f"{page}/edit", {"body": f"# {EVIL}\n\nNew {EVIL}\n\n[x](javascript:alert(3))", "note": EVIL}
    )
    space = re.search(r'href="(/wiki/spaces/[0-9a-f]{32})"', (await saga.see(page)).text)
    assert space
    places = ("", "/edit", "/history", "/compare", "/revisions/1", "/move", "/delete")
    for address in [*(page + place for place in places), space[1], "/wiki", "/"]:
        answer = await saga.see(address)
        assert answer.status_code == 200, address
        assert "<script>alert" not in answer.text and "onerror=alert" not in answer.text.replace(
            "&#34;", '"'
        ).split("<textarea")[0].replace("&lt;img src=x onerror=alert", ""), address
        assert 'href="javascript' not in answer.text
        assert "49" not in re.findall(r"<h1[^>]*>(.*?)</h1>", answer.text, re.DOTALL)


async def test_a_preview_needs_no_script_and_keeps_what_was_typed(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    new: Fields = {
        "title": "T",
        "body": "Some **bold** text",
        "preview": "yes",
        "space_name": "X",
        "audience": ["staff"],
    }
    answer = await saga.send("/wiki/new", new)
    assert answer.status_code == 200
    assert "<strong>bold</strong>" in answer.text and "Some **bold** text" in answer.text
    page = await start(saga, "P")
    answer = await saga.send(f"{page}/edit", {"body": "# P\n\n*it*", "preview": "yes"})
    assert "<em>it</em>" in answer.text and "# P\n\n*it*" in unescape(answer.text)


async def test_a_preview_while_typing_is_a_fragment(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    page = await start(saga, "P")
    fields = {"csrf_token": await saga.token(), "body": "# P\n\n~~gone~~"}
    address = f"/wiki/preview?page={page.rpartition('/')[2]}"
    answer = await saga.client.post(address, data=fields, headers={"Origin": SITE, "HX-Request": "true"})
    assert (
        answer.status_code == 200 and answer.text.lstrip().startswith("<div") and "<s>gone</s>" in answer.text
    )


async def test_a_preview_shows_what_it_can_whatever_is_typed(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    for body, path, shown in (
        ("*x*", "../up", "<em>x</em>"),
        ("*x*", "", "<em>x</em>"),
        ("a\x00b", "a", "<p>"),
    ):
        fields = {"csrf_token": await saga.token(), "title": "", "body": body, "path": path}
        answer = await saga.client.post("/wiki/preview", data=fields, headers={"Origin": SITE})
        assert answer.status_code == 200 and shown in answer.text, (body, path)


async def test_a_page_moves_with_its_history(gateway: Gateway, house: House) -> None:
    eskil = await gateway.visitor(house.members["eskil"])
    page = await start(eskil, "Mover", path=f"old/{new_id()}")
    taken = await eskil.send(f"{page}/move", {"path": "../x", "note": "why"})
    assert taken.status_code == 422 and 'id="path-error"' in taken.text and "why" in taken.text
    answer = await eskil.send(f"{page}/move", {"path": "new/place", "note": "tidy"})
    assert answer.headers["location"] == page
    shown = text_of(await eskil.see(f"{page}/history"))
    assert "tidy" in shown and "2 versions" in shown


async def test_a_deleted_page_says_so_and_comes_back(gateway: Gateway, house: House) -> None:
    eskil, jonas = (
        await gateway.visitor(house.members["eskil"]),
        await gateway.visitor(house.members["jonas"]),
    )
    page = await start(eskil, "Goner", path="here")
    await jonas.see_soon(page)
    assert (await jonas.see(f"{page}/delete")).status_code == 403
    answer = await eskil.send(f"{page}/delete", {"note": "old"})
    assert answer.headers["location"] == page
    gone = await eskil.see(page)
    assert gone.status_code == 410 and "old" in gone.text and "Goner" in gone.text
    await jonas.see_soon(page, status=410)
    assert (await jonas.see(f"{page}/edit")).headers["location"] == page
    back = await jonas.send(f"{page}/restore", seen=page)
    assert back.headers["location"] == page
    await eskil.see_soon(page)


async def test_a_page_of_which_the_place_is_taken_says_so(gateway: Gateway, house: House) -> None:
    eskil = await gateway.visitor(house.members["eskil"])
    page = await start(eskil, "First", path="here")
    space = re.search(r'href="/wiki/spaces/([0-9a-f]{32})"', (await eskil.see(page)).text)
    assert space
    await eskil.send(f"{page}/delete", {"note": ""})
    other: Fields = {
        "title": "Second",
        "body": "x",
        "space": space[1],
        "path": "here",
        "audience": ["staff"],
        "language": "en",
        "classification": "internal",
    }
    assert (await eskil.send("/wiki/new", other, seen=f"/wiki/new?space={space[1]}")).status_code == 303
    refused = await eskil.send(f"{page}/restore", seen=page)
    assert refused.status_code == 409 and "another page at this path" in refused.text
    again = await eskil.send("/wiki/new", other, seen=f"/wiki/new?space={space[1]}")
    assert again.status_code == 409 and 'id="path-error"' in again.text


async def test_what_is_not_yours_and_what_is_not_there_look_the_same(gateway: Gateway, house: House) -> None:
    saga, jonas = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["jonas"])
    member = house.members["saga"].member_id
    mine = await start(saga, "Mine alone", audience=[f"member:{member}"])
    assert "Mine alone" in (await saga.see(mine)).text
    nowhere = f"/wiki/pages/{new_id()}"
    for place in ("", "/edit", "/history", "/compare", "/revisions/1", "/move", "/delete"):
        hidden, missing = await jonas.see(mine + place), await jonas.see(nowhere + place)
        assert hidden.status_code == missing.status_code == 404
        assert _alike(hidden, mine) == _alike(missing, nowhere)
    for fields in ({"body": "x", "revision": "1"}, {"path": "x", "revision": "1"}):
        token = await jonas.token()
        data = {**fields, "csrf_token": token}
        for place in ("/edit", "/move", "/delete", "/restore"):
            answers = [
                await jonas.client.post(page + place, data=data, headers={"Origin": SITE})
                for page in (mine, nowhere)
            ]
            assert [answer.status_code for answer in answers] == [404, 404]


def _alike(answer: httpx.Response, page: str) -> str:
    text = answer.text.replace(page.replace("/", "%2F"), "").replace(page, "")
    text = text.replace(answer.headers["x-correlation-id"], "")
    return re.sub(r'name="csrf_token" value="[^"]+"', "", text)


async def test_the_owner_decides_who_reads_and_others_cannot(gateway: Gateway, house: House) -> None:
    saga, jonas = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["jonas"])
    page = await start(saga, "Readers")
    await jonas.see_soon(page)
    assert 'type="checkbox" name="audience"' not in (await jonas.see(f"{page}/edit")).text
    member = house.members["saga"].member_id
    answer = await saga.send(
        f"{page}/edit",
        {"body": "# Readers\n\nText.\n", "audience": [f"member:{member}"], "classification": "internal"},
    )
    assert answer.headers["location"] == page, _errors(answer)
    assert (await saga.see(page)).status_code == 200
    await jonas.see_soon(page, status=404)
    empty = await saga.send(f"{page}/edit", {"body": "# Readers\n\nText.\n", "audience": []})
    assert empty.status_code == 422 and 'id="audience-error"' in empty.text


async def test_guests_read_what_is_for_everyone_and_change_nothing(gateway: Gateway, house: House) -> None:
    saga, gemma = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["gemma"])
    page = await start(saga, "For all", audience=["everyone"], classification="open")
    shown = await gemma.see_soon(page)
    assert f"{page}/edit" not in shown.text
    assert (await gemma.see(f"{page}/edit")).status_code == 403
    assert (await gemma.see("/wiki/new")).status_code == 403
    token = await gemma.token()
    data = {"csrf_token": token, "body": "x", "revision": "1"}
    refused = await gemma.client.post(f"{page}/edit", data=data, headers={"Origin": SITE})
    assert refused.status_code == 403 and "This is not open to you" in refused.text


async def test_a_link_to_a_missing_page_leads_to_beginning_it(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    page = await start(saga, "Linker", "See [that](other-page) and [self](here).", path="here")
    link = re.search(r'href="(/wiki/at\?[^"]+)"', (await saga.see(page)).text)
    assert link
    answer = await saga.see(unescape(link[1]))
    assert answer.headers["location"].startswith("/wiki/new?space=")
    form = await saga.see(answer.headers["location"])
    assert 'value="other-page"' in form.text and 'value="Other page"' in form.text
    space = unescape(link[1]).partition("space=")[2].partition("&")[0]
    assert (await saga.see(f"/wiki/at?space={space}&path=here")).headers["location"] == page


async def test_line_ends_of_a_text_stay_as_they_were(gateway: Gateway, house: House) -> None:
    saga = house.members["saga"]
    visitor = await gateway.visitor(saga)
    page = await start(visitor, "Ends")
    api = gateway.client(**saga.bearer)
    address = f"/api/v1{page}"
    await api.put(address, json={"body": "# Ends\r\n\r\nOne.\r\n"}, headers={"If-Match": '"1"'})
    await visitor.see_soon(page, "One.")
    answer = await visitor.send(f"{page}/edit", {"body": "# Ends\r\n\r\nTwo.\r\n"})
    assert answer.status_code == 303
    await visitor.see_soon(page, "Two.")
    assert (await api.get(address)).json()["body"] == "# Ends\r\n\r\nTwo.\r\n"


async def test_a_long_history_comes_in_parts(gateway: Gateway, house: House) -> None:
    saga = house.members["saga"]
    visitor, api = await gateway.visitor(saga), gateway.client(**saga.bearer)
    page = await start(visitor, "Often")
    for version in range(1, 46):
        body = {"body": f"# Often\n\n{version}\n"}
        await api.put(f"/api/v1{page}", json=body, headers={"If-Match": f'"{version}"'})
    first = await visitor.see_soon(f"{page}/history", "Version 46")
    older = re.search(r'<a href="([^"]+)" hx-get', first.text)
    assert older
    rest = await visitor.see(unescape(older[1]))
    assert "Version 1 " in text_of(rest) and "hx-get" not in rest.text.partition('id="revisions"')[2]
    bad = await visitor.see(f"{page}/history?cursor=nonsense")
    assert bad.status_code == 422 and "Traceback" not in bad.text


async def test_without_the_wiki_the_first_page_still_opens(house: House) -> None:
    async with Gateway(house.settings.model_copy(update={"wiki_url": NOWHERE})) as gateway:
        saga = await gateway.visitor(house.members["eskil"])
        home = await saga.see("/")
        assert home.status_code == 200 and "The wiki does not answer right now" in home.text
        away = await saga.see("/wiki")
        assert away.status_code == 503 and "Something is away" in away.text and "127.0.0.1" not in away.text
        assert (await saga.see("/settings/tokens")).status_code == 200


async def test_without_identity_pages_go_on_and_lack_only_names(gateway: Gateway, house: House) -> None:
    eskil = await gateway.visitor(house.members["eskil"])
    page = await start(eskil, "Nameless")
    reception = gateway.app.state.visits.reception
    reception.clients._settings = house.settings.model_copy(update={"identity_url": NOWHERE})
    gateway.app.state.visits.people._known.clear()
    shown = await eskil.see(page)
    assert shown.status_code == 200
    assert "Nameless" in shown.text and "Unknown member" in shown.text
    stranger = await gateway.visitor()
    answer = await stranger.send("/sign-in", {"username": "saga", "password": "x" * 20})
    assert answer.status_code == 503 and "does not answer right now" in answer.text


async def test_a_writer_whose_wiki_goes_away_keeps_the_text(gateway: Gateway, house: House) -> None:
    eskil = await gateway.visitor(house.members["eskil"])
    page = await start(eskil, "Typed")
    token = await eskil.token(f"{page}/edit")
    clients = gateway.app.state.visits.reception.clients
    ask = clients.ask

    async def away_for_writing(service: str, method: str, path: str, **how: object) -> object:
        if method == "PUT":
            clients._settings = house.settings.model_copy(update={"wiki_url": NOWHERE})
        try:
            return await ask(service, method, path, **how)
        finally:
            clients._settings = house.settings

    clients.ask = away_for_writing
    data = {"csrf_token": token, "revision": "1", "body": "# Typed\n\nLong work."}
    answer = await eskil.client.post(f"{page}/edit", data=data, headers={"Origin": SITE})
    assert answer.status_code == 503
    assert "Long work." in answer.text and "does not answer right now" in answer.text


async def test_a_text_sent_while_the_wiki_is_away_comes_back_to_be_sent_again(
    gateway: Gateway, house: House
) -> None:
    eskil = await gateway.visitor(house.members["eskil"])
    page = await start(eskil, "Sent")
    token = await eskil.token(f"{page}/edit")
    clients = gateway.app.state.visits.reception.clients
    long = "\n# Sent\n\n<b>Long</b> work."
    new = {"csrf_token": token, "title": "New", "body": long, "space_name": f"S {new_id()}", "language": "en"}
    new |= {"key": new_id(), "audience": "staff", "classification": "internal"}
    changed = {"csrf_token": token, "key": new_id(), "revision": "1", "body": long, "note": "Why"}
    changed |= {"audience": "staff", "classification": "internal"}
    for path, fields in (("/wiki/new", new), (f"{page}/edit", changed)):
        clients._settings = house.settings.model_copy(update={"wiki_url": NOWHERE})
        away = await eskil.client.post(path, data=fields, headers={"Origin": SITE})
        clients._settings = house.settings
        assert away.status_code == 503 and f'action="{path}"' in away.text
        form = away.text[away.text.index(f'action="{path}"') :].partition("</form>")[0]
        again = {m[0]: unescape(m[1]) for m in re.findall(r'name="([a-z_]+)" value="([^"]*)"', form)}
        typed = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", form, re.DOTALL)
        assert typed and unescape(typed[1]) == long
        sent = await eskil.client.post(path, data={**again, "body": long}, headers={"Origin": SITE})
        assert sent.status_code == 303, text_of(sent)


async def test_a_space_that_is_gone_is_said_beside_it_and_the_text_stays(
    gateway: Gateway, house: House
) -> None:
    saga = await gateway.visitor(house.members["saga"])
    gone: Fields = {"title": "T", "body": "Long work.", "space": new_id(), "space_name": ""}
    answer = await saga.send("/wiki/new", {**gone, "audience": ["staff"], "language": "en"})
    assert answer.status_code == 422 and 'id="space-error"' in answer.text and "Long work." in answer.text
    spaces = answer.text.partition('id="space"')[2].partition("</select>")[0]
    assert '<option value="" selected>' in spaces, "no other space is taken in its place"
    link = await saga.see(f"/wiki/new?space={new_id()}")
    assert 'id="space-error"' in link.text and '<option value="" selected>' in link.text


async def test_no_form_of_any_page_fails_at_a_key_that_none_of_ours_holds(
    gateway: Gateway, house: House
) -> None:
    alva = await gateway.visitor(house.members["alva"])
    sent = {"csrf_token": await alva.token(), "key": "a\r\nX-Evil: 1", "text": "Text", "name": "N"}
    sent |= {"to": "staff", "title": "T", "purpose": "hear-why", "country": "SE", "naming": "named"}
    sent |= {"note": "A note.", "reason": "A reason."}
    post = f"/posts/{new_id()}"
    paths = ("/posts/new", "/announcements/new", "/groups/new", "/adoption/coach", "/adoption/policies")
    for path in (*paths, f"{post}/edit", f"{post}/comments", f"{post}/comments/c/edit"):
        answer = await alva.client.post(path, data=sent, headers={"Origin": SITE})
        assert answer.status_code < 500, path


@pytest.mark.parametrize("key", ["a\r\nX-Evil: 1", "å", "", "k" * 300])
async def test_a_key_that_no_form_of_ours_holds_harms_nothing(
    gateway: Gateway, house: House, key: str
) -> None:
    saga = await gateway.visitor(house.members["saga"])
    page = await start(saga, "Keyed", key=key)
    moved = await saga.send(f"{page}/move", {"path": f"k/{new_id()}", "key": key})
    assert moved.status_code == 303


async def test_a_token_is_made_shown_once_and_revoked(gateway: Gateway, house: House) -> None:
    jonas = await gateway.visitor(house.members["jonas"])
    form: dict[str, str | list[str]] = {"name": "Export <b>", "days": "30", "key": new_id()}
    made = await jonas.send("/settings/tokens", form)
    again = await jonas.send("/settings/tokens", form)
    assert again.status_code == 409 and "This token was made and shown before." in again.text
    assert again.text.count("Export &lt;b&gt;") == made.text.count("Export &lt;b&gt;") + 1, "in the form"
    secret = re.search(r"fik_[A-Za-z0-9_-]{64}", made.text)
    assert made.status_code == 200 and secret
    client = gateway.client(Authorization=f"Bearer {secret[0]}")
    assert (await client.get("/api/v1/me")).json()["name"] == "Jonas Demo"
    listed = (await jonas.see("/settings/tokens")).text
    assert secret[0] not in listed and "Export &lt;b&gt;" in listed
    address = re.findall(r'action="(/settings/tokens/[0-9a-f]+/revoke)"', listed)[0]
    assert (await jonas.send(address, seen="/settings/tokens")).headers["location"] == "/settings/tokens"
    assert (await client.get("/api/v1/me")).status_code == 401


async def test_a_token_that_only_a_session_can_make_says_so(gateway: Gateway, house: House) -> None:
    program = await gateway.visitor()
    cookie = gateway.app.state.visits.reception.session_cookie
    program.client.cookies.set(cookie, house.members["jonas"].token)
    answer = await program.send("/settings/tokens", {"name": "Another", "days": "30"})
    assert answer.status_code == 403 and 'role="alert"' in answer.text
    assert "Sign in with your password to make an access token." in answer.text


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "", "days": "30"}, "name"),
        ({"name": "x", "days": "31"}, "days"),
        ({"name": "x" * 101, "days": "7"}, "name"),
        ({"name": "x", "days": "-1"}, "days"),
    ],
)
async def test_a_token_that_cannot_be_made_says_why(
    gateway: Gateway, house: House, fields: Fields, field: str
) -> None:
    jonas = await gateway.visitor(house.members["jonas"])
    answer = await jonas.send("/settings/tokens", fields)
    assert answer.status_code == 422 and f'id="{field}-error"' in answer.text


async def test_devices_are_listed_and_signed_out(gateway: Gateway, house: House) -> None:
    jonas = house.members["jonas"]
    here = await gateway.visitor(jonas, **{"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0"})
    there = await gateway.visitor(jonas, **{"User-Agent": "Mozilla/5.0 (iPhone) Version/18 Safari/600"})
    listed = await here.see("/settings/sessions")
    assert "Firefox, Linux" in listed.text and "Safari, iPhone" in listed.text
    rows = re.findall(r"<p class=\"strong\">(.*?)</li>", listed.text, re.DOTALL)
    (other,) = [row for row in rows if "Safari, iPhone" in row][:1]
    address = re.search(r'action="([^"]+)"', other)
    assert address
    assert (await here.send(address[1], seen="/settings/sessions")).headers[
        "location"
    ] == "/settings/sessions"
    gateway.app.state.visits.reception.sessions._known.clear()
    assert (await there.see("/settings")).headers["location"].startswith("/sign-in")
    assert (await here.see("/settings")).status_code == 200
    mine = [row for row in rows if 'class="tag accent"' in row]
    address = re.search(r'action="([^"]+)"', mine[0])
    assert address
    assert (await here.send(address[1], seen="/settings/sessions")).headers["location"] == "/sign-in"


async def test_operators_see_the_platform_and_build_a_view_anew(gateway: Gateway, house: House) -> None:
    alva = await gateway.visitor(house.members["alva"])
    page = await alva.see("/operate")
    assert page.status_code == 200
    for name in ("identity", "wiki", "wiki.pages", "identity.members"):
        assert name in page.text
    answer = await alva.send("/operate/views/wiki.paths/rebuild", seen="/operate")
    assert answer.headers["location"] == "/operate"
    assert (await alva.see("/operate")).status_code == 200
    eskil = await gateway.visitor(house.members["eskil"])
    token = await eskil.token()
    refused = await eskil.client.post(
        "/operate/views/wiki.paths/rebuild", data={"csrf_token": token}, headers={"Origin": SITE}
    )
    assert refused.status_code in (403, 404)


async def test_a_session_that_ended_meanwhile_says_so_and_shows_what_was_typed(
    gateway: Gateway, house: House
) -> None:
    visitor = await gateway.visitor(house.members["jonas"])
    word = f"<b>{new_id()}"
    typed = {"csrf_token": await visitor.token(), "text": f"{word}\nAll morning", "to": "staff"}
    session = visitor.client.cookies[gateway.app.state.visits.reception.session_cookie]
    await visitor.send("/sign-out", seen="/settings")
    # A browser whose session was ended from elsewhere sends it still.
    visitor.client.cookies.set(gateway.app.state.visits.reception.session_cookie, session)
    ours, picture = {"Origin": SITE}, {"picture": ("x.jpg", b"", "image/jpeg")}
    for files in (None, picture):
        answer = await visitor.client.post("/posts/new", data=typed, files=files, headers=ours)
        assert answer.status_code == 401, text_of(answer)
        assert "You are signed out" in answer.text and 'href="/sign-in' in answer.text
        assert f"&lt;b&gt;{word[3:]}\nAll morning</textarea>" in answer.text and word not in answer.text
        assert "Send it again" not in answer.text
    for headers in ({"Origin": "https://x.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await visitor.client.post("/posts/new", data=typed, headers=headers)
        assert answer.status_code == 401 and "All morning" not in answer.text
    long = {**typed, "text": "All morning" * 500_000}
    answer = await visitor.client.post("/posts/new", data=long, files=picture, headers=ours)
    assert answer.status_code == 401 and "All morning" not in answer.text
    eskil = await gateway.visitor(house.members["eskil"])
    assert word[3:] not in (await eskil.see("/")).text


async def test_whatever_was_typed_is_shown_to_who_was_signed_out_meanwhile(
    gateway: Gateway, house: House
) -> None:
    cookie = gateway.app.state.visits.reception.session_cookie
    for path, typed in (
        ("/settings/profile", {"about": "I know <tills> well.", "ask_me_about": "Tills\nNight shifts"}),
        ("/groups/new", {"name": "Tills", "purpose": "What we learn of tills."}),
        ("/adoption/policies", {"country": "SE", "reason": "Agreed with the union."}),
    ):
        visitor = await gateway.visitor(house.members["jonas"])
        sent, session = {"csrf_token": await visitor.token(), **typed}, visitor.client.cookies[cookie]
        await visitor.send("/sign-out", seen="/settings")
        visitor.client.cookies.set(cookie, session)
        answer = await visitor.client.post(path, data=sent, headers={"Origin": SITE})
        shown = [
            unescape(text) for text in re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", answer.text, re.S)
        ]
        assert answer.status_code == 401
        assert set(shown) == {text for text in typed.values() if " " in text}


async def test_what_was_typed_is_shown_to_who_asked_too_often_and_can_be_sent_again(house: House) -> None:
    limits = house.settings.limits.model_copy(update={"requests_a_minute": 60, "requests_burst": 60})
    async with Gateway(house.settings.model_copy(update={"limits": limits})) as slow:
        member = house.members["saga"]
        visitor = await slow.visitor(member)
        typed = {"csrf_token": await visitor.token(), "text": "All morning long", "key": new_id()}
        with pytest.raises(TooMany):
            while True:
                slow.app.state.visits.reception.rate.take(member.member_id)
        path, ours = f"/posts/{new_id()}/comments", {"Origin": SITE}
        answer = await visitor.client.post(path, data=typed, headers=ours)
        assert answer.status_code == 429 and "All morning long</textarea>" in answer.text
        form = answer.text[answer.text.index(f'action="{path}"') :].partition("</form>")[0]
        assert f'name="key" value="{typed["key"]}"' in form and "Skicka igen" in form
        foreign = await visitor.client.post(path, data=typed, headers={"Origin": "https://x.example"})
        assert foreign.status_code == 429 and "All morning long" not in foreign.text


async def test_a_form_of_an_earlier_session_is_refused_and_shows_what_was_typed(
    gateway: Gateway, house: House
) -> None:
    visitor = await gateway.visitor(house.members["jonas"])
    typed = {"csrf_token": await visitor.token(), "text": f"All day {new_id()}", "to": "staff"}
    await visitor.send("/sign-out", seen="/settings")
    await visitor.sign_in(house.members["jonas"])
    answer = await visitor.client.post("/posts/new", data=typed, headers={"Origin": SITE})
    assert answer.status_code == 403 and "This form has grown old" in answer.text
    assert f"{typed['text']}</textarea>" in answer.text and "Send it again" not in answer.text
    assert typed["text"] not in (await visitor.see("/")).text
    foreign = await visitor.client.post("/posts/new", data=typed, headers={"Origin": "https://x.example"})
    assert foreign.status_code == 403 and typed["text"] not in foreign.text


async def test_an_old_form_does_not_open_what_was_narrowed_meanwhile(gateway: Gateway, house: House) -> None:
    member = house.members["eskil"]
    eskil, saga = await gateway.visitor(member), await gateway.visitor(house.members["saga"])
    page = await start(eskil, "Pay", "Old.\n")
    await saga.see_soon(page)
    program = gateway.client(**member.bearer)
    mine = {"audience": [f"member:{member.member_id}"], "classification": "internal"}
    address = f"/api/v1{page}"
    assert (await program.put(f"{address}/audience", json=mine)).status_code == 200
    await saga.see_soon(page, status=404)
    old: Fields = {"seen_by": "internal staff", "audience": ["staff"], "classification": "internal"}
    answer = await eskil.send(f"{page}/edit", {**old, "body": "# Pay\n\nNew.\n"})
    assert answer.headers["location"] == page, _errors(answer)
    assert "New." in (await eskil.see(page)).text
    assert (await saga.see(page)).status_code == 404
    other: Fields = {**old, "audience": ["everyone"], "body": "# Pay\n\nNewer.\n"}
    answer = await eskil.send(f"{page}/edit", other)
    assert answer.status_code == 422 and "Somebody else changed who may read" in _errors(answer)
    assert "Newer." in answer.text and (await saga.see(page)).status_code == 404


async def test_readers_who_are_not_there_or_leave_the_writer_out_are_told_of_beside_them(
    gateway: Gateway, house: House
) -> None:
    member = house.members["eskil"]
    eskil = await gateway.visitor(member)
    typed: Fields = {"title": "Pay", "body": "So much.", "space_name": f"Space {new_id()}", "language": "en"}
    colleague = f"member:{house.members['saga'].member_id}"
    for audience, said in (
        (["staff", "unit:nowhere"], "There is no such audience"),
        ([colleague], "You could not see this yourself"),
    ):
        fields: Fields = {**typed, "classification": "internal", "audience": audience}
        answer = await eskil.send("/wiki/new", fields)
        assert answer.status_code == 422 and said in _errors(answer)
        assert "So much." in answer.text and str(typed["space_name"]) in answer.text
    page = await start(eskil, "Pay", "Old.\n")
    now: Fields = {"seen_by": "internal staff", "audience": [colleague], "classification": "internal"}
    answer = await eskil.send(f"{page}/edit", {**now, "body": "# Pay\n\nNew.\n"})
    assert answer.status_code == 422 and "You could not see this yourself" in _errors(answer)
    assert "New." in answer.text


async def test_a_new_page_of_no_certain_space_is_not_meant_for_groups_of_others(
    gateway: Gateway, house: House
) -> None:
    program = gateway.client(**house.members["saga"].bearer)
    new = {"name": f"Group {new_id()}", "purpose": "Theirs.", "openness": "open", "language": "en"}
    answer = await program.post("/api/v1/groups", json=new)
    assert answer.status_code == 201, answer.text
    theirs = f"group:{answer.json()['id']}"
    # The first by name.
    first = {"name": f"! {new_id()}", "language": "en", "audience": ["staff", theirs]}
    eskil = await gateway.visitor(house.members["eskil"])

    async def made() -> str:
        answer = await program.post("/api/v1/wiki/spaces", json=first)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    space = await eventually(made)

    async def offered() -> str:
        page = (await eskil.see("/wiki/new")).text
        assert space in page
        return page

    assert theirs not in await eventually(offered)
    assert theirs in (await eskil.see(f"/wiki/new?space={space}")).text
    typed: Fields = {"title": "Pay", "body": "So much.", "space_name": f"Space {new_id()}"}
    assert (await eskil.send("/wiki/new", typed)).status_code == 303
