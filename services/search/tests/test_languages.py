# ruff: noqa: E501, RUF001
"""Every language finds a word in another inflection, on the real engine."""

from itertools import zip_longest

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


#: What somebody types, and each of the forms by which it is found though more than an ending is changed in it.
CHANGED: dict[str, str] = {
    "sv": """
        möbel möblerna möbler, cykel cyklarna cykeln, nyckel nycklarna, nyckeln nycklar, vinter vintrarna, vintern vintrar,
        fönster fönstren fönstret, syster systrarna, regel regler reglernas, titel titlar, exempel exemplen, sommar somrar,
        bok böckerna böcker, böcker boken, mannen männen män, land länder länderna, stad städer, hand händerna, natt nätter,
        son söner, bror bröder bröderna, dotter döttrar döttrarna, ledamot ledamöter ledamöternas, fot fötter, tand tänder,
        strand stränder, brand bränder, rot rötter, mus möss, gås gäss, öga ögon ögonen, öra öron, handbok handböckerna,
        tjänsteman tjänstemännen, rum rummen, nummer numren numret, medlem medlemmarna, program programmet, år året,
        vän vännerna, tecken tecknen, museum museet museerna, förälder föräldrarna, ny nya, gammal gamla""",
    "nb": """
        sykkel sykler syklene, nøkkel nøkler nøklene, regel regler, middel midlene, nummer numre nummeret, vinter vintrene,
        søster søstre, leder ledere lederne, kalender kalendere, uke uker ukene, uken uka, bok bøker bøkene, mann menn mennene,
        land lender, hånd hender, natt netter, fot føtter, tann tenner, bror brødrene, datter døtre, far fedre, øye øyne,
        tre trærne, by byer byen, år året årene, håndbok håndbøker, medlem medlemmene, rom rommet, museum museet""",
    "da": """
        cykel cykler cyklerne, nøgle nøglerne, regel regler, middel midler, vinter vintre, søster søstrene, leder lederne,
        kalender kalendere, uge uger ugerne, bog bøger bøgerne, mand mænd mændene, hånd hænder, nat nætter, fod fødder,
        tand tænder, bror brødre, datter døtre, øje øjne øjnene, barn børn børnene, by byer, træ træerne, håndbog håndbøger""",
    "en": """
        shelf shelves, child children, man men, woman women, foot feet, tooth teeth, knife knives, life lives, leaf leaves,
        half halves, wife wives, thief thieves, person people, mouse mice, bookshelf bookshelves, chairman chairmen,
        analysis analyses, crisis crises, criterion criteria, index indices, appendix appendices""",
    "de": """
        Buch Bücher Büchern, Haus Häuser Häusern, Mann Männer, Wort Wörter, Land Länder, Stadt Städte, Regel Regeln,
        Fenster Fensters, Museum Museen, Thema Themen, Firma Firmen, Konto Konten, Ergebnis Ergebnissen,
        Lehrerin Lehrerinnen, Kollege Kollegin, Risiko Risiken""",
    "fr": """
        travail travaux, journal journaux, bail baux, œil yeux, ciel cieux, monsieur messieurs, madame mesdames,
        nouveau nouvelles, actif actives, long longue""",
    "fi": """
        avain avaimia avaimet, puhelin puhelimet puhelimia, tulostin tulostimet, jäsen jäseniä, nainen naiset naisia,
        ihminen ihmisiä, mies miehet, mahdollisuus mahdollisuudet, yhteys yhteydet, vuosi vuoden, kuukausi kuukaudet,
        kaupunki kaupungit, pöytä pöydät, katu kadulla, laki lait, opas oppaat""",
    "nl": """
        stad steden, lid leden, kind kinderen, schip schepen, ei eieren, man mannen, bus bussen, oog ogen, foto foto's,
        bureau bureaus, commissielid commissieleden, kleinkind kleinkinderen, museum musea""",
    "it": "uomo uomini, lago laghi",
}  # fmt: skip
#: What somebody types, and what it has nothing to do with.
APART: dict[str, str] = {
    "sv": "nyckel nick, mannen maten, land lund, bok bock, fot fött, rot rött, hand hund, mus mössa, bror bröd, mor moderna, dotter datorer, stång stänger, regel reglage",
    "nb": "nøkkel nok, mann mat, bok bukk, land kalender, fot født, tre tro, by bygg",
    "da": "nøgle nøgen, mand mad, bog bagt, barn børs, ko kød, møde mødre",
    "en": "safe save, leaf leap, man many, foot food, shelf shell, child chill, prof prove, mouse moss",
    "de": "Buch Bauch, Land Lende, Datum Kandidaten, Termin Term",
    "fr": "travail travers, ciel cible, bail verbaux, œil oie",
    "fi": "avain avaus, mies mieli, vesi vasta",
    "nl": "lid lied, stad stand, kind kin, schip schapen",
}  # fmt: skip


@pytest.mark.parametrize("language", SAID)
async def test_another_inflection_is_found(house: House, language: str) -> None:
    text, asked = SAID[language]
    said = await house.world.post(text, language=language)
    missed = [
        word for word in asked if said.id not in await house.found("bob", word, said.after, language=language)
    ]
    assert not missed


@pytest.mark.parametrize("language", CHANGED)
async def test_a_noun_is_found_in_forms_that_are_more_than_an_ending(house: House, language: str) -> None:
    nouns = [noun.split() for noun in CHANGED[language].split(",")]
    forms = list(zip_longest(*(forms for _, *forms in nouns), fillvalue=""))
    said = [await house.world.post(" ".join(some), language=language) for some in forms]
    missed = []
    for typed, *some in nouns:
        found = await house.found("bob", typed, said[-1].after, language=language)
        missed += [(typed, form) for form, one in zip(some, said, strict=False) if one.id not in found]
    assert not missed


@pytest.mark.parametrize("language", APART)
async def test_what_merely_looks_alike_is_not_found(house: House, language: str) -> None:
    found = []
    for two in APART[language].split(","):
        typed, other = two.split()
        said = await house.world.post(other, language=language)
        if said.id in await house.found("bob", typed, said.after, language=language):
            found.append(two)
    assert not found


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
