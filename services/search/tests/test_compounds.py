# ruff: noqa: E501
"""Words that are written as one: found by what they begin and end with, behind whole words, on the real engine."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.search.finding import ENOUGH
from services.search.tests.test_api import everything, found_pieces, word
from services.search.tests.world import House, Said
from shared.kernel.audience import Classification
from shared.runtime import cursors
from shared.runtime.ids import new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: What somebody wrote, and what finds it: a word in any form, and the longer word that it is a part of.
SAID: dict[str, tuple[str, dict[str, str]]] = {
    "sv": (
        "Blåbärsmuffins till årsmötena, semesteransökningarna och tjänsteresan från hemmakontoret.",
        {
            "muffins": "Blåbärsmuffins",
            "muffin": "Blåbärsmuffins",
            "blåbär": "Blåbärsmuffins",
            "möte": "årsmötena",
            "mötet": "årsmötena",
            "semester": "semesteransökningarna",
            "semestern": "semesteransökningarna",
            "ansökan": "semesteransökningarna",
            "ansökningar": "semesteransökningarna",
            "resor": "tjänsteresan",
            "kontor": "hemmakontoret",
            "kontoren": "hemmakontoret",
        },
    ),
    "de": (
        "Die Urlaubsanträge für den Jahresurlaub in den Krankenhäusern, ohne Reisekosten; ein Vertragsentwurf der Heimbüros.",
        {
            "Urlaub": "Urlaubsanträge Jahresurlaub",
            "Antrag": "Urlaubsanträge",
            "Anträgen": "Urlaubsanträge",
            "Haus": "Krankenhäusern",
            "Häuser": "Krankenhäusern",
            "Kosten": "Reisekosten",
            "Reise": "Reisekosten",
            "Verträge": "Vertragsentwurf",
            "Büro": "Heimbüros",
        },
    ),
    "nb": (
        "Ferieplanene og styremøtet, med feriesøknader fra hjemmekontoret, og årsbudsjettets kalenderår.",
        {
            "ferie": "Ferieplanene feriesøknader",
            "ferien": "Ferieplanene feriesøknader",
            "plan": "Ferieplanene",
            "planer": "Ferieplanene",
            "møte": "styremøtet",
            "søknaden": "feriesøknader",
            "kontor": "hjemmekontoret",
            "budsjett": "årsbudsjettets",
            "kalenderen": "kalenderår",
        },
    ),
    "da": (
        "Feriekalenderen og bestyrelsesmøderne, med ferieansøgninger og årsbudgettet for kontortid.",
        {
            "ferie": "Feriekalenderen ferieansøgninger",
            "kalender": "Feriekalenderen",
            "kalendere": "Feriekalenderen",
            "møde": "bestyrelsesmøderne",
            "mødet": "bestyrelsesmøderne",
            "ansøgningen": "ferieansøgninger",
            "budget": "årsbudgettet",
            "kontoret": "kontortid",
        },
    ),
    "nl": (
        "Vakantieaanvragen in ziekenhuizen, en het zwangerschapsverlof van de bestuursvergadering. Sollicitatiebrieven op briefpapier, zomervakanties, huisregels en klasgenoten van basisklassen.",
        {
            "vakantie": "Vakantieaanvragen zomervakanties",
            "vakanties": "Vakantieaanvragen zomervakanties",
            "aanvraag": "Vakantieaanvragen",
            "huis": "ziekenhuizen huisregels",
            "huizen": "ziekenhuizen huisregels",
            "brief": "Sollicitatiebrieven briefpapier",
            "brieven": "Sollicitatiebrieven briefpapier",
            "klas": "klasgenoten basisklassen",
            "klassen": "klasgenoten basisklassen",
            "verlof": "zwangerschapsverlof",
            "vergaderingen": "bestuursvergadering",
        },
    ),
    "fi": (
        "Lomahakemukset, kesälomalla hallituksenkokouksissa ja kotitoimistossa, hakemuslomake.",
        {
            "loma": "Lomahakemukset kesälomalla",
            "lomat": "kesälomalla",
            "hakemus": "Lomahakemukset hakemuslomake",
            "hakemuksia": "Lomahakemukset hakemuslomake",
            "hakemukset": "Lomahakemukset hakemuslomake",
            "kokous": "hallituksenkokouksissa",
            "hallitus": "hallituksenkokouksissa",
            "toimistot": "kotitoimistossa",
        },
    ),
}  # fmt: skip


def noun() -> str:
    """A word that nobody else says, with no ending that Swedish would take from it."""
    return f"{word()}olk"


@pytest.mark.parametrize("language", SAID)
async def test_a_word_is_found_at_both_ends_of_longer_ones_which_are_marked_whole(
    house: House, language: str
) -> None:
    text, asked = SAID[language]
    own = noun()
    said = await house.world.post(f"{own}. {text}", language=language)
    found: dict[str, Any] = {}
    for typed in asked:
        items = (await house.search("bob", f"{own} {typed}", said.after))["items"]
        found[typed] = " ".join(piece for item in items for piece in found_pieces(item) if piece != own)
    assert found == asked


async def test_a_language_that_joins_no_words_is_asked_for_whole_ones_only(house: House) -> None:
    own = noun()
    english = await house.world.post(f"{own} blueberrymuffins")
    assert await house.found("bob", f"{own} muffins", english.after) == []


async def test_whole_words_come_first_however_old_they_are(house: House) -> None:
    own = noun()
    long = "och mycket annat stod där om allt som hände den våren " * 1_000
    old = await house.world.post(f"{long} {own}en", at=datetime(2015, 1, 1, tzinfo=UTC), language="sv")
    joined = [await house.world.post(f"Sommar{own}er", language="sv") for _ in range(3)]
    found = await house.found("bob", own, joined[-1].after)
    assert found[0] == old.id and set(found[1:]) == {one.id for one in joined}


async def test_pages_and_counts_of_one_search_agree(house: House) -> None:
    own = noun()
    whole = [await house.world.post(f"{own} nummer {n}", language="sv") for n in range(3)]
    joined = [await house.world.post(f"höst{own}er nummer {n}", language="sv") for n in range(9)]
    ids = {one.id for one in (*whole, *joined)}
    await everything(house, "bob", own, ids)
    for sort, limit in (("relevance", 5), ("relevance", 2), ("newest", 5)):
        there, cursor = list[str](), None
        while True:
            more: dict[str, Any] = {"cursor": cursor} if cursor else {}
            found = await house.search("bob", own, limit=limit, sort=sort, **more)
            assert found["total"] == 12
            if not cursor:
                assert found["facets"]["language"] == [{"value": "sv", "count": 12}]
            there += [item["id"] for item in found["items"]]
            if (cursor := found["next"]) is None:
                break
        assert len(there) == 12 and set(there) == ids
        if sort == "relevance":
            assert set(there[:3]) == {one.id for one in whole}


async def test_where_enough_whole_words_are_found_longer_ones_are_not_looked_in(house: House) -> None:
    """Whatever a page shows, and whichever facet is chosen: else a facet would count what its filter does not
    show."""
    own = noun()
    whole = [await house.world.post(f"{own} nummer {n}", language="sv") for n in range(ENOUGH)]
    joined = await house.world.comment(whole[0].id, f"höst{own}er", author="bob", language="sv")
    await everything(house, "bob", f"höst{own}er", {joined.id})
    for limit in (1, 100):
        found = await house.search("bob", own, limit=limit)
        assert found["total"] == ENOUGH
        assert found["facets"]["kind"] == [{"value": "post", "count": ENOUGH}]
    assert (await house.search("bob", own, kind="comment"))["total"] == 0
    by_bob = await house.found("bob", own, author="bob")
    assert by_bob == [joined.id], "what no facet counts is part of the question"


async def test_what_a_language_leaves_out_neither_hinders_nor_finds_everything(house: House) -> None:
    own = noun()
    said = await house.world.post(f"Kaffe, höst{own}er", language="sv")
    assert await house.found("bob", f"kaffe och {own}", said.after) == [said.id]
    assert said.id not in await house.found("bob", "under eller från")
    assert said.id not in await house.found("bob", f"soppa och {own}")


async def test_phrases_and_left_out_words_stay_as_they_are(house: House) -> None:
    own = noun()
    said = await house.world.post(f"Sommar{own}er i köket", language="sv")
    assert await house.found("bob", own, said.after) == [said.id]
    assert await house.found("bob", f'"{own}"') == []
    assert await house.found("bob", f'{own} "i köket"') == [said.id]
    assert await house.found("bob", f"{own} -köket") == []
    assert await house.found("bob", f"sommar{own} -{own}") == [said.id]


async def test_hidden_compounds_are_neither_found_nor_counted(house: House) -> None:
    own = noun()

    async def both(text: str) -> tuple[Said, Said]:
        hidden: dict[str, Any] = {"audience": ("member:ann",), "classification": Classification.CONFIDENTIAL}
        secret = await house.world.post(text, language="sv", **hidden)
        return secret, await house.world.post(text, language="sv")

    secret, seen = await both(f"höst{own}er")
    await everything(house, "ann", own, {secret.id, seen.id})
    found = await house.search("bob", own)
    assert (found["total"], [item["id"] for item in found["items"]]) == (1, [seen.id])
    assert found["facets"]["language"] == [{"value": "sv", "count": 1}]


async def test_hidden_whole_words_do_not_tell_of_themselves_by_what_else_is_found(house: House) -> None:
    """Were they counted, longer words would not be looked in."""
    own = noun()
    seen = await house.world.post(f"höst{own}er", language="sv")
    last = ""
    for n in range(ENOUGH):
        last = (await house.world.post(f"{own} {n}", language="sv", audience=("member:ann",))).after
    assert await house.found("bob", own, last) == [seen.id]


async def test_another_word_is_suggested_only_where_no_longer_one_has_it(house: House) -> None:
    own = noun()
    said = await house.world.post(f"höst{own}kaka och {own}elda", language="sv")
    found = await house.search("bob", f"{own}kaka", said.after)
    assert (found["total"], found["did_you_mean"]) == (1, None)
    found = await house.search("bob", f"{own}kaka {own}elga")
    assert (found["total"], found["did_you_mean"]) == (0, f"{own}kaka {own}elda")
    assert (await house.search("bob", f"{own}kaka {own}elda"))["total"] == 1


async def test_more_longer_words_than_a_question_may_have_parts_are_found(house: House) -> None:
    own = noun()
    many = " ".join(f"{own}{new_id()[-6:]} {new_id()[-6:]}{own}" for _ in range(4_500))
    said = await house.world.page("Ordlista", many, language="sv")
    assert await house.found("bob", own, said.after) == [said.id]


async def test_a_page_of_another_search_can_be_asked_for_without_harm(house: House) -> None:
    """A cursor says that longer words are looked in; for these questions they are not."""
    own = noun()
    said = [await house.world.post(f"höst{own}er", language="sv") for _ in range(2)]
    await everything(house, "bob", own, {one.id for one in said})
    cursor = (await house.search("bob", own, limit=1, sort="newest"))["next"]
    assert (await house.search("bob", "ab", cursor=cursor, sort="newest", limit=1))["total"] == 0
    many = " ".join(f"{new_id()[-5:]}a" for _ in range(25))
    assert (await house.ask("bob", "/search", q=many, cursor=cursor, sort="newest")).status_code == 200


async def test_page_marks_that_nobody_gave_are_refused(house: House) -> None:
    """So are those of searches that did not say yet whether longer words are looked in."""
    now = datetime.now(UTC)
    deep: list[list[Any]] = [[5], [1, 5], [True, True], [True, 0], [True, 9_001], [None, 5]]
    newest: list[list[Any]] = [[5, "key"], [True, "5", "key"], [True, 5]]
    for sort, marks in (("relevance", deep), ("newest", newest)):
        for mark in marks:
            answer = await house.ask(
                "bob", "/search", q="möte", cursor=cursors.encode([now, *mark]), sort=sort
            )
            assert (answer.status_code, answer.json()["code"]) == (422, "bad-cursor"), mark
