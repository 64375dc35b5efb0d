"""A platform with a made-up company says so on every page, and leads newcomers through it; others do not."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.gateway.tests.house import House
from services.gateway.tests.test_groups import start as start_group
from services.gateway.tests.test_pages import text_of
from services.gateway.tests.visitors import Gateway

MARK = "these people do not exist"


def manifest(**more: Any) -> dict[str, Any]:
    return {
        "counts": {"members": 500, "posts": 2_744},
        "since": "2025-03-03T07:00:00Z",
        "film": {"first_time_after": 35, "first_time_before": 10},
        "mails": {"replaced_on": "2025-09-09", "mails_before": 51, "announcements_since": 18},
        "announcements": [{"post_id": "p2", "people": 452, "acknowledged": 296}],
        "island": {"members": 26},
        "unread": {"language": "es", "members": 47, "read_english": 9},
        "stops": {
            "film": "p1",
            "announcement": "p2",
            "friday": "g1",
            "list": "g2",
            "suppliers": "g3",
            "island_unit": "demo-logistics-poznan",
            "page": "w1",
        },
        **more,
    }


def in_main(page: str) -> str:
    """Without the navigation, which is the same on every page."""
    return page.partition("<main")[2].partition("</main>")[0]


@pytest.fixture
def broken(shown: Path) -> None:
    shown.write_text('{"counts": 5}')


@pytest.fixture
def older(shown: Path) -> None:
    shown.write_text(json.dumps({name: what for name, what in manifest().items() if name != "unread"}))


@pytest.fixture
def shown(house: House) -> Iterator[Path]:
    """The file that says what was planted, gone afterwards."""
    path = house.settings.folder / "demo" / "manifest.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(manifest()))
    yield path
    path.unlink()


async def test_without_a_made_up_company_there_is_no_tour(gateway: Gateway, house: House) -> None:
    saga = await gateway.visitor(house.members["saga"], **{"accept-language": "en"})
    assert (await saga.see("/tour")).status_code == 404
    home = (await saga.see("/")).text
    assert "/tour" not in home and "demo-mark" not in home


async def test_every_page_says_that_it_is_made_up_and_home_leads_to_the_tour(
    gateway: Gateway, house: House, shown: Path
) -> None:
    eskil = await gateway.visitor(house.members["eskil"])
    for path in ("/", "/people", "/groups", "/wiki", "/search?q=demo", "/tour"):
        assert MARK in text_of(await eskil.see(path)), path
    assert 'href="/tour"' in (await eskil.see("/")).text
    async with gateway.client() as stranger:
        assert "demo-mark" in (await stranger.get("/sign-in")).text
    people = (await eskil.see_soon("/people", "Saga Demo")).text
    assert 'title="There is no such person."' in people


async def test_the_tour_tells_what_was_planted_and_leads_to_it(
    gateway: Gateway, house: House, shown: Path
) -> None:
    eskil = await gateway.visitor(house.members["eskil"])
    seen = await eskil.see("/tour")
    for place in (
        "/posts/p1",
        "/posts/p2",
        "/posts/p2/acknowledgements",
        "/groups/g1",
        "/groups/g2",
        "/people?unit=demo-logistics-poznan",
        "/wiki/pages/w1/history",
        "/adoption",
    ):
        assert f'href="{place}"' in seen.text, place
    words = text_of(seen)
    assert "35 people wrote something for the first time" in words and "452 were asked" in words
    assert "Of the 47 people who prefer Spanish, 9 read it" in words
    assert "an editor, who announces" in words and "/operate" not in seen.text.partition("<main")[2]


async def test_it_speaks_swedish_and_shows_each_role_its_own(
    gateway: Gateway, house: House, shown: Path
) -> None:
    saga = await gateway.visitor(house.members["saga"])
    seen = await saga.see("/tour")
    assert "En rundtur" in seen.text and "/posts/p2/acknowledgements" not in seen.text
    alva = await gateway.visitor(house.members["alva"])
    assert 'href="/operate"' in (await alva.see("/tour")).text.partition("<main")[2]


async def test_a_guest_is_led_to_their_groups_and_told_nothing_of_the_rest(
    gateway: Gateway, house: House, shown: Path
) -> None:
    """No figure of what they cannot see, no place that is not theirs, nobody else's way in."""
    gemma = await gateway.visitor(house.members["gemma"], **{"accept-language": "en"})
    seen = await gemma.see("/tour")
    main = re.sub(r'<ul class="list">.*?</ul>', "", in_main(seen.text), flags=re.DOTALL)
    assert "a guest from outside" in text_of(seen)
    planted = manifest()
    places = planted["stops"].values()
    figures = ("500", "2,744", "35", "51", "18", "452", "296", "26", "47", "2025")
    for told in (*places, *figures, "fikarum demo", "eskil", "olivia", "/posts/", "/people", "/adoption"):
        assert not re.search(rf"(?<!\w){re.escape(told)}(?!\w)", main), told
    eskil = await gateway.visitor(house.members["eskil"])
    group = await start_group(eskil, openness="closed")
    member = house.members["gemma"].member_id
    await eskil.see_soon(f"{group}/invite?q=Gemma", member)
    await eskil.send(f"{group}/invite?q=Gemma", {"member": member})
    await gemma.see_soon(group, f"{group}/join")
    await gemma.send(f"{group}/join", seen=group)
    assert f'href="{group}"' in in_main((await gemma.see_soon("/tour", f'href="{group}"')).text)


async def test_a_company_from_before_the_language_was_planted_has_its_tour_too(
    gateway: Gateway, house: House, older: None
) -> None:
    eskil = await gateway.visitor(house.members["eskil"])
    words = text_of(await eskil.see("/tour"))
    assert "A walk through" in words and "A language that is left out" not in words


async def test_a_manifest_that_cannot_be_read_is_none(gateway: Gateway, house: House, broken: None) -> None:
    eskil = await gateway.visitor(house.members["eskil"])
    assert (await eskil.see("/tour")).status_code == 404
