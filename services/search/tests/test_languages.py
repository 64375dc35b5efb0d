# ruff: noqa: E501, RUF001
"""Every language finds a word in another inflection, on the real engine."""

import pytest

from contracts.feed import ItemLanguageCorrected
from services.search.tests.world import House
from shared.runtime.ids import new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: What somebody wrote in their language, and what somebody else types to find it.
SAID: dict[str, tuple[str, tuple[str, ...]]] = {
    "sv": (
        "Styrelsen beslutade om semestern på mötet i Lund.",
        ("möten", "styrelse", "besluta", "semester", "mötena"),
    ),
    "en": ("The board decided on holidays at its meetings in Leeds.", ("meeting", "deciding", "holiday", "boards")),
    "de": ("Der Vorstand hat die Verträge in den Sitzungen der Büros geprüft.", ("Vertrag", "Sitzung", "Büro")),
    "fr": ("L'équipe a décidé des congés pendant les réunions des bureaux.", ("équipes", "réunion", "bureau", "congé")),
    "fi": ("Hallitus päätti lomista toimistossa pidetyissä kokouksissa.", ("kokous", "toimisto", "lomat")),
    "es": ("La dirección aprobó las vacaciones en las reuniones de las oficinas.", ("reunión", "oficina", "direcciones")),
    "nb": ("Styret vedtok ferien på møtene i kontorene.", ("møte", "kontor", "ferie")),
    "da": ("Bestyrelsen godkendte ferierne på møderne i kontorerne.", ("møde", "kontor", "bestyrelse")),
    "nl": ("Het bestuur besprak de vakanties tijdens vergaderingen in de huizen.", ("vergadering", "huis", "vakantie")),
    "it": ("La direzione ha approvato le ferie nelle riunioni degli uffici.", ("riunione", "ufficio", "direzioni")),
    "pt": ("A direção decidiu as viagens nas reuniões dos escritórios.", ("viagem", "reunião", "escritório")),
    "pl": ("Zarząd podjął decyzje o urlopach na spotkaniach w biurze.", ("decyzja", "urlop", "spotkanie", "biuro")),
    # No analyser of their own: pieces of words.
    "ru": ("Правление обсудило книги и отпуска на встречах.", ("книга", "отпуск", "встреча")),
    "tr": ("Toplantılarımızda kitapları konuştuk.", ("toplantı", "kitap")),
    "el": ("Το συμβούλιο αποφάσισε για τις άδειες στις συναντήσεις.", ("άδεια", "συνάντηση")),
    "ja": ("来週の会議室の予約について話しました。", ("会議", "予約")),
    "ar": ("ناقش المجلس الإجازات في الاجتماعات.", ("اجتماعات", "إجازات")),
}  # fmt: skip


@pytest.mark.parametrize("language", SAID)
async def test_another_inflection_is_found(house: House, language: str) -> None:
    text, asked = SAID[language]
    said = await house.world.post(text, language=language)
    missed = [
        word for word in asked if said.id not in await house.found("bob", word, said.after, language=language)
    ]
    assert not missed


@pytest.mark.parametrize("language", ["sv", "de", "fr", "pl", "nb", "fi"])
async def test_letters_that_a_keyboard_lacks_are_forgiven(house: House, language: str) -> None:
    words = {
        "sv": ("Överlåtelsen", "overlatelsen"),
        "de": ("Straßenübergänge", "strassenubergange"),
        "fr": ("Déjeuner", "dejeuner"),
        "pl": ("Święcicka", "swiecicka"),
        "nb": ("Ålesundsmøte", "alesundsmote"),
        "fi": ("Hämeenlinnassa", "hameenlinnassa"),
    }
    written, typed = words[language]
    said = await house.world.post(f"{written} {new_id()}", language=language)
    assert said.id in await house.found("bob", typed, said.after)


async def test_a_corrected_language_is_read_by_its_own_rules(house: House) -> None:
    said = await house.world.post("Kokouksissa puhuttiin veneistä.", language="en")
    assert said.id not in await house.found("bob", "kokous", said.after)
    corrected = ItemLanguageCorrected(item_id=said.id, post_id=said.id, old="en", new="fi")
    after = await house.world.say(f"post-{said.id}", corrected)
    assert said.id in await house.found("bob", "kokous", after)
    assert said.id in await house.found("bob", "vene kokous", after, language="fi")
    assert said.id not in await house.found("bob", "kokous", after, language="en")
