"""Audiences in words, in both languages, and what several conditions are together."""

import pytest

from services.gateway.clauses import Words
from services.gateway.locale import Locale
from services.gateway.pages.addressees import together
from shared.kernel.audience import MOST_CLAUSES
from shared.kernel.errors import Refused

NAMED = {"group:g1": "Shop floor", "unit:nordics": "Nordics"}
ENGLISH, SWEDISH = Words(Locale("en"), "m-1", NAMED), Words(Locale("sv"), "m-1", NAMED)


@pytest.mark.parametrize(
    ("clause", "english", "swedish"),
    [
        ("role:leader", "Leaders", "Chefer"),
        ("country:SE", "Staff (Sweden)", "Anställda (Sverige)"),
        ("country:SE&role:leader", "Leaders (Sweden)", "Chefer (Sverige)"),
        (
            "country:SE&language:fi",
            "Staff (Sweden) who read Finnish",
            "Anställda (Sverige) som läser finska",
        ),
        ("country:SE&staff", "Staff (Sweden)", "Anställda (Sverige)"),
        (
            "group:g1&role:board",
            "Members of the digital board who are members of Shop floor",
            "Medlemmar i den digitala styrelsen som är med i Shop floor",
        ),
        ("country:SE&group:g1", "Members of Shop floor (Sweden)", "Medlemmar i Shop floor (Sverige)"),
        (
            "country:SE&group:g1&language:fi&role:leader&unit:nordics",
            "Leaders (Sweden), in the unit Nordics who are members of Shop floor and who read Finnish",
            "Chefer (Sverige), i enheten Nordics som är med i Shop floor och som läser finska",
        ),
        ("everyone&role:editor", "Editors", "Redaktörer"),
        ("role:editor&role:leader", "Editors who are leaders", "Redaktörer som är chefer"),
        (
            "group:g2&staff",
            "Members of a group who are staff",
            "Medlemmar i en grupp som är anställda",
        ),
        ("unit:elsewhere", "A unit", "En enhet"),
        ("role:leader&unit:elsewhere", "Leaders in a unit", "Chefer i en enhet"),
        ("member:m-1", "Only you", "Bara du"),
        ("role:juggler", "People with the role juggler", "Personer med rollen juggler"),
    ],
)
def test_a_clause_of_several_conditions_is_one_phrase(clause: str, english: str, swedish: str) -> None:
    assert (ENGLISH.said(clause), SWEDISH.said(clause)) == (english, swedish)


@pytest.mark.parametrize(
    ("chosen", "every", "english", "swedish"),
    [
        (
            ["country:SE", "country:DE", "role:leader"],
            False,
            "It goes to those whose country is Sweden or Germany, or who are leaders.",
            "Det går till dem som finns i Sverige eller Tyskland, eller som är chefer.",
        ),
        (
            ["country:SE", "country:DE", "role:leader", "unit:nordics"],
            True,
            "It goes only to those whose country is Sweden or Germany, and who are leaders, "
            "and who belong to Nordics.",
            "Det går bara till dem som finns i Sverige eller Tyskland, och som är chefer, "
            "och som hör till Nordics.",
        ),
        (
            ["group:g1"],
            True,
            "It goes to those who are members of Shop floor.",
            "Det går till dem som är med i Shop floor.",
        ),
    ],
)
def test_a_choice_is_told_in_a_sentence(chosen: list[str], every: bool, english: str, swedish: str) -> None:
    assert ENGLISH.told(chosen, every=every) == english
    assert SWEDISH.told(chosen, every=every) == swedish


def test_one_of_each_kind_is_each_way_to_meet_them() -> None:
    chosen = ["role:leader", "country:SE", "country:DE", "country:SE"]
    assert together(chosen, every=False) == ("country:DE", "country:SE", "role:leader")
    assert together(chosen, every=True) == ("country:DE&role:leader", "country:SE&role:leader")
    assert together(chosen[1:], every=True) == ("country:DE", "country:SE")


def test_what_is_too_much_is_said_of_the_audience() -> None:
    countries = [f"country:{letter}X" for letter in "ABCDEFGHIJKLMNOPQRSTU"]
    assert len(countries) > MOST_CLAUSES
    long = [f"{kind}:{'x' * 60}" for kind in ("unit", "group", "office", "country")]
    for chosen, every, code in (
        (countries, False, "audience-too-long"),
        (countries, True, "audience-too-long"),
        ([*countries, "role:leader"], True, "audience-too-many-ways"),
        (
            [f"{kind}:{n}" for kind in ("unit", "group", "role") for n in range(50)],
            True,
            "audience-too-many-ways",
        ),
        (long, True, "audience-too-joined"),
        ([], True, "audience-empty"),
    ):
        with pytest.raises(Refused) as refused:
            together(chosen, every=every)
        assert (refused.value.code, refused.value.field) == (code, "audience")
