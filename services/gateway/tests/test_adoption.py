"""Figures on pages: for all staff, with their past, their definition, and what they count for those who may
know."""

import re

import pytest

from services.gateway.pages.adoption import figure_of as told
from services.gateway.pages.figure_answers import SeriesSaid
from services.gateway.tests.house import House
from services.gateway.tests.test_pages import text_of
from services.gateway.tests.visitors import Gateway
from shared.runtime.ids import new_id
from shared.tests.eventually import eventually


async def test_the_board_reads_each_figure_as_a_sentence_and_finds_how_it_is_counted(
    gateway: Gateway, house: House
) -> None:
    eskil = await gateway.visitor(house.members["eskil"])
    text = f"Counted {new_id()}"
    program = gateway.client(**house.members["saga"].bearer)
    posted = await program.post("/api/v1/posts", json={"text": text, "audience": ["staff"], "language": "en"})
    assert posted.status_code == 201

    async def counted() -> None:
        """The month that is not over has somebody who wrote."""
        page = await eskil.see("/adoption/monthly-contributors")
        row = re.search(r"not over</span></th>\s*<td class=\"n\">(\d+)</td>", page.text)
        assert row and int(row[1]) > 0, text_of(page)

    await eventually(counted)
    page = (await eskil.see("/adoption")).text
    assert page.count('class="stat"') == 8
    links = re.findall(r'href="(/adoption/[a-z-]+)"', page)
    assert {"/adoption/passive-share", "/adoption/ladder", "/adoption/mine"} <= set(links)
    for link in dict.fromkeys(links):
        if link != "/adoption/mine":
            seen = await eskil.see_soon(link, "Complete up to")
            assert "How it is counted" in seen.text, link
            assert f'href="/api/v1/metrics/{link.rpartition("/")[2]}?format=csv"' in seen.text


@pytest.mark.parametrize("by", ["unit", "country", "language"])
async def test_a_group_of_fewer_than_five_is_not_told(gateway: Gateway, house: House, by: str) -> None:
    """There are fewer than five of every kind in this house."""
    eskil = await gateway.visitor(house.members["eskil"])
    seen = await eskil.see(f"/adoption/monthly-contributors?by={by}")
    assert seen.status_code == 200 and f"By {by}" in text_of(seen)
    assert "never shown" in text_of(seen) and "<progress" not in seen.text
    # Nobody here is in a unit.
    assert by == "unit" or "too few to tell" in text_of(seen)


async def test_a_day_that_there_was_nothing_on_is_said_beside_the_field(
    gateway: Gateway, house: House
) -> None:
    eskil = await gateway.visitor(house.members["eskil"])
    for path in ("/adoption", "/adoption/ladder"):
        for wrong in ("1999-01-01", "yesterday"):
            seen = await eskil.see(f"{path}?as_of={wrong}")
            assert seen.status_code == 422 and 'id="as_of-error"' in seen.text, (path, wrong)
    wrong_by = await eskil.see("/adoption/ladder?by=nope")
    assert wrong_by.status_code == 422 and 'id="by-error"' in wrong_by.text
    assert (await eskil.see("/adoption/ladder/events")).status_code == 404
    assert (await eskil.see("/adoption/no-such-thing")).status_code == 404
    assert (await eskil.see("/adoption?unit=nowhere")).status_code == 404


async def test_guests_see_their_own_figures_only(gateway: Gateway, house: House) -> None:
    gemma = await gateway.visitor(house.members["gemma"])
    assert (await gemma.see("/adoption")).status_code == 403
    assert (await gemma.see("/adoption/ladder")).status_code == 403
    mine = await gemma.see("/adoption/mine")
    assert mine.status_code == 200 and 'href="/adoption"' not in mine.text


async def test_only_the_board_is_led_to_what_a_figure_counts(gateway: Gateway, house: House) -> None:
    eskil = await gateway.visitor(house.members["eskil"])
    alva = await gateway.visitor(house.members["alva"])
    page = (await eskil.see("/adoption/posts-and-comments")).text
    assert "/adoption/posts-and-comments/events" not in page
    page = (await alva.see("/adoption/posts-and-comments")).text
    found = re.search(r'href="(/adoption/posts-and-comments/events\?[^"]+)"', page)
    assert found
    assert (await eskil.see(found[1])).status_code == 403
    seen = await alva.see(found[1])
    assert seen.status_code == 200 and "<tbody>" in seen.text


async def test_it_speaks_swedish(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"])
    seen = await saga.see("/adoption/monthly-contributors")
    assert "Bidragande per månad" in seen.text and "Så räknas det" in seen.text


def test_what_is_hidden_is_not_called_nothing() -> None:
    """A unit of which one figure may be told and another may not."""
    complete = {"recorded_at": None, "behind": True}
    measure = {"name": "taking_part_share", "title": "Share", "unit": "share"}
    metric = {
        "name": "leaders-participation",
        "version": 1,
        "in_force": True,
        "title": "Leaders",
        "words": "",
        "formula": "",
        "source": "",
        "changed": "",
        "measures": [measure],
    }
    hidden = {"group": "unit:small", "hidden": True, "people": None, "values": None}
    period = {
        "period": "2026-10",
        "first": "2026-10-01",
        "last": "2026-10-31",
        "complete": True,
        "people": 30,
        "values": {"taking_part_share": 0.5},
        "groups": [hidden],
    }
    said = {
        "metric": metric,
        "every": "month",
        "as_of": "2026-11-01",
        "complete_up_to": complete,
        "groups": [],
        "periods": [period],
    }
    series = SeriesSaid.model_validate(said)
    assert told(series, "unit:small").hidden and not told(series, "unit:gone").hidden
    assert told(series).value == 0.5 and not told(series).hidden
