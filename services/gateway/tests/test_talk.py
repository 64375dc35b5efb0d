"""Talk, as members use it without any script: the feed, posts, comments, announcements, pictures, live."""

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx
import pytest
from PIL import Image

from services.gateway.reception import LANGUAGE_COOKIE, Reception
from services.gateway.tests.house import House, Member
from services.gateway.tests.test_groups import start as start_group
from services.gateway.tests.visitors import SITE, Gateway, Visitor
from shared.runtime.ids import new_id

Fields = dict[str, str | list[str]]
NOWHERE = "http://127.0.0.1:9"
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
_POST = re.compile(r'id="post-([0-9a-f]{32})"')


def text_of(answer: httpx.Response) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


async def say(visitor: Visitor, text: str, **fields: str) -> str:
    """Publishes a post from the first page; its address."""
    answer = await visitor.send("/posts/new", {"text": text, "to": "staff", **fields}, seen="/")
    assert answer.status_code == 303, text_of(answer)
    home = await visitor.see(answer.headers["location"])
    taken_back = re.search(r'action="/posts/([0-9a-f]{32})/delete"', home.text)
    assert taken_back, "what was just published can be taken back"
    return f"/posts/{taken_back[1]}"


async def test_what_one_says_the_other_reads_and_answers(gateway: Gateway, house: House) -> None:
    saga, jonas = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["jonas"])
    word = f"w{new_id()[-12:]}"
    post = await say(
        saga, f"Solen är tillbaka i butiken i dag {word}.\n\nSe https://a.example/x?y=1. #Sol{word}"
    )
    home = await jonas.see_soon("/", word)
    article = home.text[home.text.index(f'id="{post.replace("/posts/", "post-")}"') :].partition(
        "</article>"
    )[0]
    assert 'lang="sv" dir="ltr"' in article and "Saga Demo" in article
    assert 'href="https://a.example/x?y=1" rel="noopener nofollow ugc"' in article
    assert f'href="/topics/sol{word}"' in article
    assert post in (await jonas.see_soon(f"/topics/sol{word}", word)).text
    answer = await jonas.send(f"{post}/comments", {"text": "Hier auch, endlich."}, seen=post)
    assert answer.status_code == 303 and answer.headers["location"].startswith(f"{post}#comment-")
    comment = answer.headers["location"].partition("#comment-")[2]
    await saga.see_soon(post, "Hier auch, endlich.")
    await saga.see_soon(post, "1 kommentar")
    await saga.send(f"{post}/comments", {"text": "Kul!", "parent": comment}, seen=post)
    page = (await saga.see(post)).text
    assert re.search(rf'id="comment-{comment}".*<ol>\s*<li class="comment"', page, re.DOTALL)


async def test_a_post_is_taken_back_by_one_button(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    post = await say(saga, f"Too early {new_id()}")
    assert "data-seconds" not in (await saga.see("/")).text
    answer = await saga.send(f"{post}/delete", {"back": "/"}, seen=f"{post}/edit")
    assert answer.headers["location"] == "/"
    assert post not in (await saga.see("/")).text
    assert (await saga.see(post)).status_code == 404


async def test_reactions_come_and_go(gateway: Gateway, house: House) -> None:
    saga, jonas = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["jonas"])
    post = await say(saga, f"Cake in the coffee room {new_id()}")
    await jonas.see_soon(post)
    answer = await jonas.send(f"{post}/reaction", {"kind": "thanks"}, seen=post)
    assert answer.headers["location"] == f"{post}#{post.replace('/posts/', 'post-')}"
    assert re.search(r'aria-pressed="true">.*?Thanks', (await jonas.see(post)).text, re.DOTALL)
    token = await jonas.token()
    gone = await jonas.client.post(
        f"{post}/reaction",
        data={"csrf_token": token, "kind": "", "back": "/"},
        headers={"Origin": SITE, "HX-Request": "true"},
    )
    assert gone.status_code == 200 and gone.text.strip().startswith("<footer")
    assert 'name="kind" value="like" aria-pressed="false"' in gone.text


async def test_a_post_is_changed_and_its_language_corrected(gateway: Gateway, house: House) -> None:
    saga, eskil = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["eskil"])
    post = await say(saga, f"Hej {new_id()}", language="fi")
    answer = await saga.send(f"{post}/edit", {"text": "Hej igen, alla."})
    assert answer.headers["location"] == post
    assert "Hej igen, alla." in (await saga.see(post)).text
    stale = await saga.client.post(
        f"{post}/edit",
        data={"csrf_token": await saga.token(), "version": "1", "text": "Lost?", "key": new_id()},
        headers={"Origin": SITE},
    )
    assert stale.status_code == 409 and "Lost?</textarea>" in stale.text
    assert "Hej igen, alla.</textarea>" in stale.text, "what was saved meanwhile stands beside it"
    again = re.search(r'name="version" value="(\d+)"', stale.text)
    assert again is not None and again[1] == "2"
    await eskil.see_soon(post)
    answer = await eskil.send(f"{post}/language", {"language": "sv"}, seen=f"{post}/edit")
    assert answer.headers["location"] == post
    assert 'lang="sv"' in (await eskil.see(post)).text
    jonas = await gateway.visitor(house.members["jonas"])
    assert (await jonas.see(f"{post}/edit")).status_code == 403


async def test_a_comment_is_changed_and_deleted(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    post = await say(saga, f"Ask {new_id()}")
    wrong = await saga.send(f"{post}/comments", {"text": "  "}, seen=post)
    assert wrong.status_code == 422 and 'aria-invalid="true"' in wrong.text
    answer = await saga.send(f"{post}/comments", {"text": "First thought"}, seen=post)
    comment = answer.headers["location"].partition("#comment-")[2]
    path = f"{post}/comments/{comment}"
    assert (await saga.send(f"{path}/edit", {"text": "Second thought"}, seen=post)).status_code == 303
    page = (await saga.see(post)).text
    assert "Second thought" in page and "First thought" not in page
    typed = {"csrf_token": await saga.token(), "version": "1", "text": "In another tab", "key": new_id()}
    stale = await saga.client.post(f"{path}/edit", data=typed, headers={"Origin": SITE})
    assert stale.status_code == 409
    assert "In another tab</textarea>" in stale.text and "Second thought</textarea>" in stale.text
    assert (await saga.send(f"{path}/delete", seen=post)).status_code == 303
    assert "Second thought" not in (await saga.see(post)).text


async def test_what_members_type_stays_text(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    post = await say(saga, EVIL)
    await saga.send(f"{post}/comments", {"text": EVIL}, seen=post)
    for path in ("/", post, f"{post}/edit"):
        page = (await saga.see(path)).text
        assert "<script>alert" not in page and "onerror=alert(2)>" not in page.replace("&gt;", "")
        assert "49}}" not in page


async def test_a_refused_post_loses_nothing(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    answer = await saga.send(
        "/posts/new", {"text": "Kept", "to": "group:nowhere", "language": "sv"}, seen="/posts/new"
    )
    assert answer.status_code == 404 or "Kept" in answer.text
    answer = await saga.send("/posts/new", {"text": " ", "to": "staff"}, seen="/posts/new")
    assert answer.status_code == 422 and 'id="text-error"' in answer.text
    many = "".join(f" #topic{chr(97 + n)}" for n in range(20))
    answer = await saga.send("/posts/new", {"text": many, "to": "staff"}, seen="/posts/new")
    assert answer.status_code == 422 and "#topict" in answer.text


_CHOSEN = re.compile(r'<option value="([^"]*)" selected>')


def chosen_in(page: str) -> list[str]:
    """Whom the post is for, as a browser would send it: without a choice it takes the first option."""
    options = page.partition('id="compose-to"')[2].partition("</select>")[0]
    return _CHOSEN.findall(options) or re.findall(r'<option value="([^"]*)"', options)[:1]


async def test_what_is_written_for_a_group_never_goes_to_more_when_its_writer_is_removed(
    gateway: Gateway, house: House
) -> None:
    saga, jonas = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["jonas"])
    path = await start_group(saga, openness="closed")
    group, member = path.replace("/groups/", "group:"), house.members["jonas"].member_id
    await saga.see_soon(f"{path}/invite?q=Jonas", member)
    await saga.send(f"{path}/invite?q=Jonas", {"member": member})
    await jonas.see_soon(path, f"{path}/join")
    await jonas.send(f"{path}/join", seen=path)
    typed: Fields = {"text": "About the wages", "to": group}
    looked = await jonas.send("/posts/new", {**typed, "look": "yes"}, seen="/")
    assert chosen_in(looked.text) == [group]
    await saga.send(f"{path}/people/{member}/remove", seen=f"{path}/people")
    await jonas.see_soon(path, status=404)
    for more in ({"look": "yes"}, {}, {"text": " "}):
        answer = await jonas.send("/posts/new", {**typed, **more}, seen="/")
        assert chosen_in(answer.text) == [""] and 'id="to-error"' in answer.text
        assert answer.status_code == (200 if "look" in more else 422)
        assert "About the wages</textarea>" in answer.text or "text" in more
    again = await jonas.send("/posts/new", {**typed, "to": ""}, seen="/")
    assert again.status_code == 422 and 'id="to-error"' in again.text
    token = {"csrf_token": await jonas.token(), "text": "About the wages"}
    nobody = await jonas.client.post("/posts/new", data=token, headers={"Origin": SITE})
    assert nobody.status_code == 422 and chosen_in(nobody.text) == [""]
    assert "About the wages" not in (await saga.see("/")).text
    link = await jonas.see(f"/posts/new?to={group}")
    assert chosen_in(link.text) == [""] and 'id="to-error"' in link.text


async def test_while_nobody_can_say_who_may_be_written_to_the_choice_stays(
    gateway: Gateway, house: House
) -> None:
    saga, alva = await gateway.visitor(house.members["saga"]), house.members["alva"]
    group = (await start_group(saga, openness="closed")).replace("/groups/", "group:")
    typed: Fields = {"text": " ", "to": group}
    async with Gateway(house.settings.model_copy(update={"groups_url": NOWHERE})) as smaller:
        visitor = await smaller.visitor(house.members["saga"])
        for more in ({"look": "yes"}, {}):
            answer = await visitor.send("/posts/new", {**typed, **more}, seen="/")
            assert chosen_in(answer.text) == [group], more
        announced = await (await smaller.visitor(alva)).send(
            "/announcements/new", {"title": "T", "text": " ", "to": "some", "audience": [group, "unit:x"]}
        )
        for clause in (group, "unit:x"):
            assert f'value="{clause}" checked' in announced.text
    async with Gateway(house.settings.model_copy(update={"feed_url": NOWHERE})) as alone:
        visitor = await alone.visitor(house.members["saga"])
        answer = await visitor.send("/posts/new", {"text": "Kept", "to": "country:DE"}, seen="/")
        assert answer.status_code == 503 and chosen_in(answer.text) == ["country:DE"]


async def test_a_group_beyond_those_that_are_listed_stays_chosen(
    gateway: Gateway, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.pages.addressees.MOST_GROUPS", 1)
    saga = await gateway.visitor(house.members["saga"])
    groups = [await start_group(saga, f"{name} {new_id()}") for name in ("A", "B")]
    for path in groups:
        group = path.replace("/groups/", "group:")
        answer = await saga.send("/posts/new", {"text": " ", "to": group}, seen="/")
        assert answer.status_code == 422 and chosen_in(answer.text) == [group]


async def test_an_announcement_that_is_for_nobody_goes_to_nobody(gateway: Gateway, house: House) -> None:
    alva = await gateway.visitor(house.members["alva"])
    typed = {"csrf_token": await alva.token(), "title": "T", "text": "x", "must_acknowledge": "yes"}
    for to in ({}, {"to": "nonsense"}):
        answer = await alva.client.post("/announcements/new", data={**typed, **to}, headers={"Origin": SITE})
        assert answer.status_code == 422 and 'id="audience-error"' in answer.text
        assert not re.search(r'type="radio" name="to" value="\w+" checked', answer.text)


async def test_reach_is_told_before_sending(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    answer = await saga.send("/posts/new", {"text": "Soon", "to": "staff", "look": "yes"}, seen="/")
    assert answer.status_code == 200 and "Soon</textarea>" in answer.text
    # how many there are depends on who was registered meanwhile; that the count is right, the feed proves
    told = re.search(r"(\d+) personer ?, (\d+) språk", text_of(answer))
    assert told and int(told[1]) >= 3 and int(told[2]) >= 3
    assert 'value="country:DE"' in answer.text
    token = await saga.token()
    asked = {"csrf_token": token, "to": "country:DE"}
    part = await saga.client.post("/posts/reach", data=asked, headers={"Origin": SITE, "HX-Request": "true"})
    assert re.search(r"[1-9]\d* (person|personer)\b", text_of(part)) and "<html" not in part.text


def _jpeg() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (80, 60), "#b9c9bd").save(file, "JPEG")
    return file.getvalue()


def _gif(frames: int) -> bytes:
    """One point, by turns in two colours."""
    file = io.BytesIO()
    first, *rest = [Image.new("L", (1, 1), 255 * (at % 2)) for at in range(frames)]
    first.save(file, "GIF", save_all=True, append_images=rest, duration=50)
    return file.getvalue()


async def test_what_moves_is_played_from_where_its_picture_is(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    fields = {"csrf_token": await saga.token(), "text": f"Dance {new_id()}", "to": "staff", "key": new_id()}
    files = {"picture": ("x.gif", _gif(3), "image/gif")}
    sent = await saga.client.post(
        "/posts/new", data={**fields, "alt": "A dance"}, files=files, headers={"Origin": SITE}
    )
    assert sent.status_code == 303, text_of(sent)
    home = (await saga.see("/")).text
    moving = re.search(r'href="(/api/v1/pictures/[^"]+size=moving)"', home)
    assert moving
    shown = await saga.see(unescape(moving[1]))
    assert shown.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(shown.content)).n_frames == 3  # type: ignore[attr-defined]


async def test_a_language_that_nobody_assigned_is_refused_beside_its_field(
    gateway: Gateway, house: House
) -> None:
    saga = await gateway.visitor(house.members["saga"])
    fields = {"csrf_token": await saga.token(), "text": "Bork", "to": "staff", "key": new_id()}
    refused = await saga.client.post(
        "/posts/new", data={**fields, "language": "zz"}, headers={"Origin": SITE}
    )
    assert refused.status_code == 422 and 'id="language-error"' in refused.text
    assert "Inget språk är känt under den här koden" in refused.text and "Bork" in refused.text


async def test_a_picture_goes_with_what_it_shows(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    token = await saga.token()
    fields: dict[str, Any] = {"csrf_token": token, "text": f"Look {new_id()}", "to": "staff", "key": new_id()}
    files = {"picture": ("x.jpg", _jpeg(), "image/jpeg")}
    headers = {"Origin": SITE}
    asked = await saga.client.post("/posts/new", data=fields, files=files, headers=headers)
    assert asked.status_code == 422 and 'id="alt-error"' in asked.text and fields["text"] in asked.text
    held = re.search(r'name="picture_id" value="([^"]+)"', asked.text)
    assert held, "the picture need not be chosen again"
    again = {**fields, "key": new_id(), "picture_id": held[1], "alt": "A grey field"}
    sent = await saga.client.post("/posts/new", data=again, headers=headers)
    assert sent.status_code == 303, text_of(sent)
    home = (await saga.see("/")).text
    picture = re.search(
        r'<img src="(/api/v1/pictures/[^"]+)" width="80" height="60" alt="A grey field"', home
    )
    assert picture
    shown = await saga.see(unescape(picture[1]))
    assert shown.status_code == 200 and shown.headers["content-type"].startswith("image/")
    stranger = await gateway.visitor()
    assert (await stranger.see(unescape(picture[1]))).status_code == 401
    lie = {"picture": ("x.jpg", b"GIF89a no picture", "image/jpeg")}
    refused = await saga.client.post("/posts/new", data=fields, files=lie, headers=headers)
    assert refused.status_code == 422 and 'id="picture-error"' in refused.text
    endless = {"picture": ("x.gif", _gif(501), "image/gif")}
    refused = await saga.client.post("/posts/new", data=fields, files=endless, headers=headers)
    assert 'id="picture-error"' in refused.text and "högst 500 bildrutor" in refused.text
    assert fields["text"] in refused.text
    foreign = await saga.client.post(
        "/posts/new", data=fields, files=files, headers={"Origin": "https://x.example"}
    )
    assert foreign.status_code == 403


async def test_an_announcement_is_confirmed_and_its_report_is_right(gateway: Gateway, house: House) -> None:
    alva, jonas = await gateway.visitor(house.members["alva"]), await gateway.visitor(house.members["jonas"])
    title = f"New routine {new_id()}"
    fields: Fields = {"title": title, "text": "Two people close.", "to": "some", "audience": ["country:DE"]}
    answer = await alva.send("/announcements/new", {**fields, "must_acknowledge": "yes"})
    assert answer.status_code == 303, text_of(answer)
    post = str(answer.headers["location"])
    home = await jonas.see_soon("/", title)
    assert home.text.index(title) < home.text.index('id="compose"'), "what must be read stands first"
    saga = await gateway.visitor(house.members["saga"])
    assert title not in (await saga.see("/")).text and (await saga.see(post)).status_code == 404
    report = text_of(await alva.see(f"{post}/acknowledgements"))
    assert "0 av 1 person har bekräftat" in report
    answer = await jonas.send(f"{post}/acknowledgement", seen=post)
    assert answer.status_code == 303
    assert "You have confirmed it" in text_of(await jonas.see(post))
    await alva.see_soon(f"{post}/acknowledgements", "1 av 1 person")
    found = await alva.see(f"{post}/acknowledgements.csv")
    rows = list(csv.DictReader(io.StringIO(found.text.removeprefix("\ufeff"))))
    assert [(row["name"], row["state"]) for row in rows] == [("Jonas Demo", "present")]
    assert rows[0]["acknowledged_at"]
    assert (await jonas.see(f"{post}/acknowledgements")).status_code == 403
    assert (await jonas.see("/announcements/new")).status_code == 403
    nobody = await alva.send("/announcements/new", {"title": "T", "text": "x", "to": "some"})
    assert nobody.status_code == 422 and 'id="audience-error"' in nobody.text


async def in_english(gateway: Gateway, member: Member) -> Visitor:
    """Whatever language they prefer, on this device they chose it."""
    visitor = await gateway.visitor(member)
    visitor.client.cookies.set(LANGUAGE_COOKIE, "en")
    return visitor


async def told_whom(visitor: Visitor, **chosen: str | list[str]) -> str:
    """What the form says of who will get it, asked as its script does."""
    answer = await visitor.client.post(
        "/announcements/new/reach",
        data={"csrf_token": await visitor.token(), **chosen},
        headers={"Origin": SITE, "HX-Request": "true"},
    )
    assert answer.status_code == 200 and "<html" not in answer.text
    return text_of(answer).strip()


async def test_an_announcement_goes_to_a_role_and_says_so(gateway: Gateway, house: House) -> None:
    alva = await in_english(gateway, house.members["alva"])
    form = await alva.see_soon("/announcements/new", 'value="role:leader"')
    assert re.search(r'value="role:leader"[^>]*><span>Leaders <span class="muted">\d+<', form.text)
    assert 'value="role:admin"' not in form.text, "nobody but who asks"
    told = await told_whom(alva, to="some", audience=["country:SE", "role:leader"])
    assert told.startswith("It goes to those whose country is Sweden, or who are leaders.")
    title = f"For who leads {new_id()}"
    fields: Fields = {"title": title, "text": "Read this.", "to": "some", "audience": ["role:leader"]}
    post = str((await alva.send("/announcements/new", fields)).headers["location"])
    leena = await in_english(gateway, house.members["leena"])
    saga = await gateway.visitor(house.members["saga"])
    assert "among these readers: Leaders." in text_of(await leena.see_soon(post, title))
    assert (await saga.see(post)).status_code == 404


async def test_an_announcement_goes_only_to_who_fits_one_of_each_kind(gateway: Gateway, house: House) -> None:
    """Reach, the sentence, and who sees it are of the same people; with and without a script."""
    alva = await in_english(gateway, house.members["alva"])
    chosen: Fields = {"to": "some", "audience": ["country:SE", "country:DE", "role:editor"]}
    either, each = [await told_whom(alva, **chosen, fits=fits) for fits in ("any", "each")]
    assert "It goes to those whose country is Sweden or Germany, or who are editors." in either
    assert "It goes only to those whose country is Sweden or Germany, and who are editors." in each
    counted = [
        int(found[1]) for told in (either, each) if (found := re.search(r"(\d+) (?:person|people)", told))
    ]
    assert counted[1] == 1 < counted[0]
    title = f"For editors there {new_id()}"
    fields: Fields = {**chosen, "title": title, "text": "Read this.", "fits": "each"}
    looked = await alva.send("/announcements/new", {**fields, "look": "yes"})
    assert (
        "It goes only to those whose country is Sweden or Germany, and who are editors. 1 person"
        in text_of(looked)
    )
    wrong = await alva.send("/announcements/new", {**fields, "title": " "})
    for value in ("each", "country:SE", "country:DE", "role:editor"):
        assert wrong.status_code == 422 and f'value="{value}" checked' in wrong.text, value
    post = str((await alva.send("/announcements/new", fields)).headers["location"])
    eskil = await in_english(gateway, house.members["eskil"])
    assert "among these readers: Editors (Sweden)." in text_of(await eskil.see_soon(post, title))
    assert "Editors (Germany), Editors (Sweden)" in text_of(await eskil.see(post))
    for other in ("saga", "jonas", "leena"):
        assert (await (await gateway.visitor(house.members[other])).see(post)).status_code == 404, other


async def test_too_many_conditions_are_refused_beside_them_and_kept(gateway: Gateway, house: House) -> None:
    alva = await in_english(gateway, house.members["alva"])
    many = [f"{kind}:{name}" for kind in ("country", "unit") for name in ("AA", "BB", "CC", "DD", "EE")]
    chosen: Fields = {"to": "some", "audience": many, "fits": "each"}
    said = "can be met in 25 ways, and an audience has at most 20"
    assert said in await told_whom(alva, **chosen)
    answer = await alva.send("/announcements/new", {**chosen, "title": "T", "text": "x"})
    assert answer.status_code == 422 and 'id="audience-error"' in answer.text and said in text_of(answer)
    assert all(f'value="{clause}" checked' in answer.text for clause in many)
    nobody: Fields = {"to": "some", "audience": ["country:DE", "role:leader"], "fits": "each"}
    answer = await alva.send("/announcements/new", {**nobody, "title": "T", "text": "x"})
    assert answer.status_code == 422 and "Nobody is in this audience now." in text_of(answer)


async def test_what_is_new_is_marked_until_it_was_seen(gateway: Gateway, house: House) -> None:
    saga, jonas = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["jonas"])
    await say(saga, f"Before {new_id()}")
    await jonas.see("/")
    word = f"after{new_id()}"
    post = await say(saga, f"{word} he looked")
    home = (await jonas.see_soon("/", word)).text
    article = home[home.index(f'id="{post.replace("/posts/", "post-")}"') - 60 :][:120]
    assert "unread" in article and "seen-line" in home
    assert "unread" not in (await jonas.see("/")).text.partition(word)[0][-600:]


async def test_more_follows_behind_a_real_link(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    async with gateway.client(**house.members["saga"].bearer) as api:
        for number in range(24):
            answer = await api.post("/api/v1/posts", json={"text": f"Number {number} of many"})
            assert answer.status_code == 201
    await saga.see_soon("/", "Number 23 of many")
    seen: list[str] = []
    path: str | None = "/"
    for _ in range(2):
        assert path is not None
        page = await saga.see_soon(path)
        seen += _POST.findall(page.text)
        more = re.search(r'<a class="btn block" href="([^"]+)"', page.text)
        path = unescape(more[1]) if more else None
    assert len(seen) >= 24 and len(seen) == len(set(seen))


async def test_a_thread_that_goes_on_behind_a_link_has_no_answer_as_its_head(
    gateway: Gateway, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.pages.cards.COMMENTS_AT_ONCE", 2)
    saga = await gateway.visitor(house.members["saga"])
    post = await say(saga, f"Long talk {new_id()}")
    first = (await saga.send(f"{post}/comments", {"text": "The head"}, seen=post)).headers["location"]
    head = first.partition("#comment-")[2]
    async with gateway.client(**house.members["saga"].bearer) as api:
        for number in range(4):
            said = {"text": f"Answer {number}", "parent_id": head}
            assert (await api.post(f"/api/v1{post}/comments", json=said)).status_code == 201
    await saga.see_soon(post, "5 ")
    pages, path = list[str](), post
    for _ in range(3):
        pages.append((await saga.see_soon(path)).text)
        more = re.search(r'<a class="btn block" href="([^"#]+)#comments"', pages[-1])
        path = unescape(more[1]) if more else ""
    assert not path and f'id="comment-{head}"' in pages[0] and "comment continued" not in pages[0]
    links = [
        re.search(r'"comment continued"[^>]*>.*?href="([^"#]+)#comments"', page, re.DOTALL) for page in pages
    ]
    assert links[1] and links[2], "what goes on says so"
    assert all(re.search(r'continued"[^>]*>.*?<ol>.*?Answer', page, re.DOTALL) for page in pages[1:])
    before = [(await saga.see(unescape(link[1]))).text for link in links[1:] if link]
    assert "The head" in before[0] and "Answer 1" in before[1], "each leads to the page before"


async def test_guests_see_an_empty_feed_and_no_way_to_speak_to_all(gateway: Gateway, house: House) -> None:
    saga, gemma = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["gemma"])
    word = new_id()
    post = await say(saga, f"Among us {word} #secret{word[-6:]}")
    home = await gemma.see("/")
    assert home.status_code == 200 and word not in home.text and 'value="staff"' not in home.text
    assert (await gemma.see(post)).status_code == 404
    assert word not in (await gemma.see(f"/topics/secret{word[-6:]}")).text
    answer = await gemma.client.post(
        "/posts/new",
        data={"csrf_token": await gemma.token(), "text": "Hello all", "to": "staff"},
        headers={"Origin": SITE},
    )
    assert answer.status_code == 403 and "Hello all" in answer.text


async def test_a_feed_that_is_away_takes_only_its_part_of_the_page(house: House) -> None:
    settings = house.settings.model_copy(update={"feed_url": NOWHERE})
    async with Gateway(settings) as alone:
        saga = await alone.visitor(house.members["saga"])
        home = await saga.see("/")
        assert home.status_code == 200
        assert "Flödet svarar inte just nu." in home.text and 'id="compose"' in home.text
        answer = await saga.send("/posts/new", {"text": "Typed and kept", "to": "staff"}, seen="/")
        assert answer.status_code == 503 and "Typed and kept" in answer.text


async def test_live_updates_tell_of_what_the_reader_may_see(gateway: Gateway, house: House) -> None:
    saga, jonas = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["jonas"])
    reception: Reception = gateway.app.state.visits.reception
    secret = jonas.client.cookies[reception.session_cookie]
    live = reception.live
    stream = await live.stream(await reception.sessions.of(secret), {})
    async with asyncio.timeout(30):
        await anext(stream)
        await say(saga, f"Now {new_id()}")
        heard = b""
        while b"event: new" not in heard:
            heard += await anext(stream)
        assert b'"count":1' in heard
        live.end()
        rest = [piece async for piece in stream]
    assert b"event: new" not in b"".join(rest)


async def test_a_stream_ends_with_its_session_and_no_other(house: House) -> None:
    async with Gateway(house.settings) as gateway:
        here, there, third = [await gateway.visitor(house.members["jonas"]) for _ in range(3)]
        reception: Reception = gateway.app.state.visits.reception

        async def opened(visitor: Visitor) -> AsyncIterator[bytes]:
            session = await reception.sessions.of(visitor.client.cookies[reception.session_cookie])
            stream = await reception.live.stream(session, {})
            await anext(stream)
            return stream

        mine, theirs, last = await opened(here), await opened(there), await opened(third)
        async with asyncio.timeout(10):
            signed_out = await here.send("/sign-out", seen="/settings")
            assert signed_out.status_code == 303
            assert [piece async for piece in mine] == []
            # Signed out from elsewhere.
            session = await reception.sessions.of(there.client.cookies[reception.session_cookie])
            token = house.members["jonas"].token
            await third.client.delete(
                f"/api/v1/sessions/{session.held.session_id}", headers={"Authorization": f"Bearer {token}"}
            )
            assert [piece async for piece in theirs] == []
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(last), 3)


async def test_a_member_has_only_so_many_streams(
    gateway: Gateway, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    jonas = await gateway.visitor(house.members["jonas"])
    monkeypatch.setattr("services.gateway.live.MOST_OF_ONE", 0)
    answer = await jonas.see("/api/v1/feed/live")
    assert answer.status_code == 429 and answer.json()["code"] == "too-many-live"
    stranger = await gateway.visitor()
    assert (await stranger.see("/api/v1/feed/live")).status_code == 401


async def test_what_is_answered_to_a_post_that_is_gone_is_not_lost(gateway: Gateway, house: House) -> None:
    saga, jonas = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["jonas"])
    post = await say(saga, f"Soon gone {new_id()}")
    await jonas.see_soon(post)
    await saga.send(f"{post}/delete", {"back": "/"}, seen=f"{post}/edit")
    await jonas.see_soon(post, status=404)
    typed = {"csrf_token": await jonas.token(), "text": "Words that took an hour"}
    answer = await jonas.client.post(f"{post}/comments", data=typed, headers={"Origin": SITE})
    assert answer.status_code == 404 and "Words that took an hour</textarea>" in answer.text
    assert "you may have been removed from a group" in answer.text


async def test_a_name_is_a_mention_without_a_script_and_goes_through_a_change(
    gateway: Gateway, house: House
) -> None:
    saga = await gateway.visitor(house.members["saga"])
    jonas = house.members["jonas"]
    await saga.see_soon("/mentionable?q=jon", f'data-member="{jonas.member_id}"')
    word = new_id()[-8:]
    post = await say(saga, f"Ask @{jonas.name}, or @Nobody Atall {word}.")
    link = f'<a class="mention" href="/people/{jonas.member_id}">@<bdi>{jonas.name}</bdi></a>'
    page = (await saga.see(post)).text
    assert page.count(link) == 1 and "@Nobody Atall" in page
    edit = (await saga.see(f"{post}/edit")).text
    typed = re.search(r'<textarea id="text"[^>]*>\n(.*?)</textarea>', edit, re.DOTALL)
    assert typed and f"Ask @{jonas.name}," in unescape(typed[1]) and "@[" not in typed[1]
    assert f'name="mention" value="{jonas.member_id} {jonas.name}"' in edit
    answer = await saga.send(f"{post}/edit", {"text": unescape(typed[1]) + " Please."})
    assert answer.status_code == 303
    page = (await saga.see(post)).text
    assert page.count(link) == 1 and "Please." in page


async def test_a_refused_comment_comes_back_with_its_names_and_whom_they_mean(
    gateway: Gateway, house: House
) -> None:
    saga = await gateway.visitor(house.members["saga"])
    post = await say(saga, f"Who knows? {new_id()}")
    pair = f"{house.members['jonas'].member_id} Somebody Else"
    long = "@Somebody Else knows. " + "x" * 6_000
    wrong = await saga.send(f"{post}/comments", {"text": long, "mention": pair}, seen=post)
    assert wrong.status_code == 422 and f'name="mention" value="{pair}"' in wrong.text
    assert "@Somebody Else knows" in wrong.text and "@[" not in wrong.text
    sent = await saga.send(f"{post}/comments", {"text": "@Somebody Else knows.", "mention": pair}, seen=post)
    assert sent.status_code == 303
    assert f"@<bdi>{house.members['jonas'].name}</bdi>" in (await saga.see_soon(post, "knows.")).text
    assert f'data-draft-done="comment:{post.removeprefix("/posts/")}"' not in (await saga.see(post)).text


BROKEN = b"Words that took \xed\xa0\xbd an hour, p\xc3\xa5 svenska"
SHOWN = "Words that took \ufffd an hour, på svenska"


def with_broken(fields: Fields, name: str) -> tuple[bytes, str]:
    """A form as it is sent, with half of a character in one of its fields."""
    said = urlencode(fields, doseq=True).encode()
    return b"%b&%b=%b" % (
        said,
        name.encode(),
        quote_plus(BROKEN).encode(),
    ), "application/x-www-form-urlencoded"


def with_broken_parts(fields: Fields, name: str) -> tuple[bytes, str]:
    """The same as forms with files are sent."""
    parts = {**{field: str(value).encode() for field, value in fields.items()}, name: BROKEN}
    head = b'--edge\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
    body = b"".join(head % (field.encode(), value) for field, value in parts.items())
    return body + b"--edge--\r\n", "multipart/form-data; boundary=edge"


async def test_half_of_a_character_costs_nobody_their_text(gateway: Gateway, house: House) -> None:
    """The form comes again with it, a mark where it was, and says so beside it; nothing is kept before."""
    alva = await in_english(gateway, house.members["alva"])
    post = await say(alva, f"To be changed {new_id()}")
    token = {"csrf_token": await alva.token()}
    whom: Fields = {"to": "staff", **token}
    page = {"title": "T", "space_name": f"S {new_id()}", "language": "en", "audience": "staff"}
    forms: list[tuple[str, Fields, str]] = [
        ("/posts/new", whom, "text"),
        ("/announcements/new", {**whom, "title": "T"}, "text"),
        ("/announcements/new", {**whom, "text": "T"}, "title"),
        (f"{post}/edit", {**token, "version": "1"}, "text"),
        (f"{post}/comments", {**token}, "text"),
        ("/groups/new", {**token, "name": f"G {new_id()}", "language": "en", "openness": "open"}, "purpose"),
        ("/wiki/new", {**token, **page, "classification": "internal"}, "body"),
        ("/settings/profile", {**token, "time_zone": "UTC", "version": "1"}, "about"),
        ("/settings/tokens", {**token, "days": "30"}, "name"),
    ]
    for path, fields, name in forms:
        for made in (with_broken, with_broken_parts) if path == "/posts/new" else (with_broken,):
            body, kind = made(fields, name)
            headers = {"Origin": SITE, "Content-Type": kind}
            answer = await alva.client.post(path, content=body, headers=headers)
            assert answer.status_code == 422, (path, answer.text)
            assert SHOWN in unescape(answer.text), path
            assert 'aria-invalid="true"' in answer.text and "could not be read" in answer.text, path
    home = unescape((await alva.see("/")).text)
    assert SHOWN not in home and "To be changed" in home
    sent = await alva.send("/posts/new", {"text": SHOWN, "to": "staff"}, seen="/")
    assert sent.status_code == 303, "once looked at, it is a text as any other"


async def test_what_is_not_there_is_told_in_the_words_of_its_place(gateway: Gateway, house: House) -> None:
    jonas = await gateway.visitor(house.members["jonas"])
    nothing = new_id()
    for path, word in [("/posts", "The post"), ("/people", "Look among people"), ("/groups", "The group")]:
        shown = await jonas.see(f"{path}/{nothing}")
        assert shown.status_code == 404 and word in text_of(shown), path
        assert "Look in the wiki" not in text_of(shown)
    assert "Look in the wiki" in text_of(await jonas.see(f"/wiki/pages/{nothing}"))
    unread = await jonas.see("/groups?cursor=nonsense")
    assert unread.status_code == 422 and "Nothing was saved" not in text_of(unread)
    post = await say(await gateway.visitor(house.members["saga"]), f"Mine {nothing}")
    theirs = await jonas.see_soon(f"{post}/edit", status=403)
    assert theirs.status_code == 403 and "but not do this" not in text_of(theirs)


async def test_what_is_away_is_said_once(house: House) -> None:
    async with Gateway(house.settings.model_copy(update={"feed_url": NOWHERE})) as smaller:
        jonas = await smaller.visitor(house.members["jonas"])
        shown = text_of(await jonas.see(f"/posts/{new_id()}"))
        assert shown.count("does not answer right now") == 1
