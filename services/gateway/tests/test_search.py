"""Searching without any script: what is found and marked, filters as links, suggestions, who sees what."""

import re
from html import unescape
from urllib.parse import quote_plus

import pytest
from markupsafe import escape

from services.gateway.tests.house import House
from services.gateway.tests.markup import elements
from services.gateway.tests.test_groups import start as start_group
from services.gateway.tests.test_pages import EVIL, NOWHERE, start, text_of
from services.gateway.tests.test_talk import say
from services.gateway.tests.visitors import Gateway
from shared.runtime.ids import new_id


def word() -> str:
    """A word that nobody else has used."""
    letters = "bdfgklmnprstv"
    return "zu" + "".join(letters[int(digit, 16) % len(letters)] + "a" for digit in new_id()[-8:])


async def test_a_page_is_found_by_another_inflection_and_the_words_are_marked(
    gateway: Gateway, house: House
) -> None:
    saga = await gateway.visitor(house.members["saga"])
    mine = word()
    page = await start(saga, f"{mine} och returer", "Kunderna får lämna tillbaka varorna.\n", language="sv")
    shown = await saga.see_soon(f"/search?q={mine}+retur", f'href="{page}"')
    assert re.search(r"<mark>retur\w*</mark>", shown.text) and f"<mark>{mine}</mark>" in shown.text
    assert 'lang="sv"' in shown.text.partition('class="hits"')[2]
    assert "1 träff" in text_of(shown)


async def test_filters_are_plain_links_that_keep_the_question(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    mine = word()
    page = await start(saga, f"Page about {mine}")
    group = await start_group(saga, f"Group about {mine}")
    both = await saga.see_soon(f"/search?q={mine}", f'href="{page}"')
    both = await saga.see_soon(f"/search?q={mine}", f'href="{group}"')
    links = {unescape(a["href"]) for a in elements(both.text, "a")}
    for wanted in (f"/search?q={mine}&kind=page", f"/search?q={mine}&kind=group"):
        assert wanted in links
    assert f"/search?q={mine}&when=week" in links and f"/search?q={mine}&sort=newest" in links
    pages = (await saga.see(f"/search?q={mine}&kind=page")).text
    assert f'href="{page}"' in pages and f'href="{group}"' not in pages.partition('id="found"')[2]
    assert '<input type="hidden" name="kind" value="page">' in pages
    for filtered in ("when=week", "language=en", "sort=newest", "when=year&kind=page"):
        assert f'href="{page}"' in (await saga.see(f"/search?q={mine}&{filtered}")).text, filtered
    nothing = await saga.see(f"/search?q={mine}&kind=person")
    assert "Search without filters" in text_of(nothing) or "Sök utan filter" in text_of(nothing)


async def test_what_is_misspelled_is_asked_back_and_nothing_found_invites(
    gateway: Gateway, house: House
) -> None:
    jonas = await gateway.visitor(house.members["jonas"])
    mine = word()
    page = await start(jonas, f"About {mine}")
    await jonas.see_soon(f"/search?q={mine}", f'href="{page}"')
    wrong = mine[:6] + "x" + mine[7:]
    meant = await jonas.see(f"/search?q={wrong}")
    assert "Did you mean" in text_of(meant) and f"/search?q={mine}" in meant.text
    nothing = text_of(await jonas.see("/search?q=qqqqjjjjxxxx"))
    assert "Nothing found" in nothing and "Ask your colleagues" in nothing
    assert "What do you need to know?" in text_of(await jonas.see("/search"))


async def test_only_the_results_are_sent_while_somebody_types(gateway: Gateway, house: House) -> None:
    jonas = await gateway.visitor(house.members["jonas"])
    headers = {"HX-Request": "true", "HX-Target": "found"}
    part = await jonas.see("/search?q=demo", **headers)
    assert part.status_code == 200 and "<html" not in part.text and "results" in part.text
    assert "<html" in (await jonas.see("/search?q=demo")).text


async def test_suggestions_lead_to_what_begins_like_it(gateway: Gateway, house: House) -> None:
    jonas = await gateway.visitor(house.members["jonas"])
    mine = word()
    page = await start(jonas, f"{mine} handbook")
    shown = await jonas.see_soon(f"/search/suggestions?q={mine[:7]}", f'href="{page}"')
    assert f"<mark>{mine[:7]}" in shown.text and "<html" not in shown.text
    assert (await jonas.see("/search/suggestions?q=")).text.strip() == ""


async def test_nothing_of_a_closed_group_is_found_by_others(gateway: Gateway, house: House) -> None:
    saga, jonas = await gateway.visitor(house.members["saga"]), await gateway.visitor(house.members["jonas"])
    mine = word()
    group = await start_group(saga, f"Hidden {mine}", "closed")
    await saga.see_soon(f"/search?q={mine}", f'href="{group}"')
    for path in (f"/search?q={mine}", f"/search/suggestions?q={mine}", f"/search?group={group[8:]}"):
        shown = await jonas.see(path)
        assert f"Hidden {mine}" not in shown.text and f'href="{group}"' not in shown.text, path


async def test_what_was_found_is_shown_as_text(gateway: Gateway, house: House) -> None:
    jonas = await gateway.visitor(house.members["jonas"])
    mine = word()
    page = await start(jonas, f"{mine} <b>bold</b>", f"{mine} {EVIL}\n")
    shown = await jonas.see_soon(f"/search?q={mine}", f'href="{page}"')
    listed = shown.text.partition('class="hits"')[2]
    assert "<b>" not in listed and "<img" not in listed and "<script" not in listed
    assert f"<mark>{mine}</mark>" in listed
    echoed = (await jonas.see(f"/search?q={quote_plus(EVIL)}")).text
    assert "<script>alert" not in echoed and "<img src=x" not in echoed


@pytest.mark.parametrize("away", ["search", "groups", "wiki", "feed"])
async def test_search_that_is_away_says_so_and_keeps_the_question(
    gateway: Gateway, house: House, away: str
) -> None:
    without = house.settings.model_copy(update={f"{away}_url": NOWHERE})
    async with Gateway(without) as smaller:
        jonas = await smaller.visitor(house.members["jonas"])
        shown = await jonas.see("/search?q=demo")
        assert shown.status_code == 200 and 'value="demo"' in shown.text
        assert ("does not answer right now" in text_of(shown)) is (away == "search")
        assert (await jonas.see("/search/suggestions?q=demo")).status_code == 200


async def test_whom_a_post_mentions_is_found_by_name_and_not_by_id(gateway: Gateway, house: House) -> None:
    saga, jonas = await gateway.visitor(house.members["saga"]), house.members["jonas"]
    mine = word()
    post = await say(saga, f"{mine} @[{jonas.member_id}] knows all about {mine}")
    shown = await saga.see_soon(f"/search?q={mine}", f'href="{post}"')
    begun = await saga.see_soon(f"/search/suggestions?q={mine[:7]}", f'href="{post}"')
    for answer in (shown, begun):
        assert f"@{jonas.name}" in text_of(answer) and "@[" not in answer.text


@pytest.mark.parametrize("typed", ['"', "-", "/", "-tills"])
async def test_what_cannot_be_looked_for_is_said_beside_the_field(
    gateway: Gateway, house: House, typed: str
) -> None:
    jonas = await gateway.visitor(house.members["jonas"])
    page = await jonas.see(f"/search?q={quote_plus(typed)}")
    assert page.status_code == 422 and 'id="q-error"' in page.text and "Nothing was saved" not in page.text
    assert f'value="{escape(typed)}"' in page.text and 'aria-describedby="q-error"' in page.text
    part = await jonas.see(f"/search?q={quote_plus(typed)}", **{"HX-Request": "true", "HX-Target": "found"})
    assert part.status_code == 200 and 'id="q-error"' in part.text and "<html" not in part.text
    begun = await jonas.see(f"/search/suggestions?q={quote_plus(typed)}")
    assert begun.status_code == 200 and "<ul" not in begun.text and text_of(begun).strip()
