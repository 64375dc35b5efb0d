"""What Swedish nouns lose by their endings: the same, however long they are."""

import re

import pytest

from services.search.endings import backwards

#: Each rule has one of them, at least.
NOUNS = (
    "plan planen planer planerna planens",
    "möte mötet möten mötena mötets",
    "resa resan resor resorna resornas",
    "skola skolan skolor skolorna skolornas",
    "rapport rapporten rapporter rapporterna",
    "bulle bullen bullar bullarna bullarnas",
    "ledare ledaren ledarna ledarens",
    "sommar sommaren somrar somrarna",
    "semester semestern semestrar semestrarna",
    "nummer numret numren",
    "finger fingret fingrar fingrarna",
    "feber febern febrar febrarna",
    "fjäder fjädern fjädrar fjädrarna",
    "socker sockret",
    "papper pappret pappren",
    "rum rummet rummen",
    "ansökan ansökningar ansökningarna",
    "anmälan anmälningar anmälningarna",
    "inbjudan inbjudningar inbjudningarna",
    "kontor kontoret kontoren kontorets",
    "dator datorn datorer datorerna",
    "motor motorn motorer motorerna",
    "faktor faktorn faktorer faktorerna",
    "sektor sektorn sektorer sektorerna",
    "doktor doktorn doktorer doktorerna",
    "policy policyn policyer policyerna",
    "nyckel nyckeln",
    "konto kontot konton kontona",
    "paket paketet paketen",
    "budget budgeten budgetar budgetarna",
    "enhet enheten enheter enheterna",
    "muffin muffinen muffins",
    "leverans leveransen leveranser leveranserna",
)


def left(word: str, least: int = 3, **how: bool) -> str:
    return re.sub(backwards(least, **how), "", word[::-1])[::-1]


@pytest.mark.parametrize("forms", NOUNS)
def test_a_noun_and_what_ends_with_it_are_left_with_the_same_in_all_forms(forms: str) -> None:
    said = [*forms.split(), *(f"arbets{form}" for form in forms.split())]
    assert len({left(word).removeprefix("arbets") for word in said}) == 1


@pytest.mark.parametrize("two", ["kontor konto", "paket pakt", "plan plats", "sektor sekt"])
def test_other_words_are_left_with_something_else(two: str) -> None:
    one, other = two.split()
    assert left(one) != left(other)


def test_so_much_stays() -> None:
    assert [left(word, 4, left=False) for word in ("mötet", "veckan", "semestern", "ansökningar")] == [
        "mötet",
        "veck",
        "semest",
        "ansökning",
    ]
