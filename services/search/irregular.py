"""Nouns whose plural is no ending: `bok` and `böcker`, `child` and `children`. Pure.

The engine's stemmers leave the two with different things. Before them go rules that are made of these lists:
they put the singular in the place of the plural, in longer words that end with it, too (`handböcker`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

#: The singular, and what is written instead, with its ending where it has one. `^`: not in longer words.
#: What another word may mean as often is not here: Swedish `moderna`, Danish `søer`.
PLURALS: Mapping[str, str] = {
    "sv": """
        bok böcker, fot fötter, rot rötter, natt nätter, land länder, stad städer, strand stränder,
        brand bränder, rand ränder, hand händer, tand tänder, man män, man männen, man mannen,
        vän vänner, vän vännen, son söner, bonde bönder, ledamot ledamöter, bror bröder, bror brodern,
        mor mödrar, far fäder, far fadern, dotter döttrar, mus möss, gås gäss, öga ögon, öra öron,
        vatten vattn, tecken teckn, vapen vapn, botten bottnar, öken öknar, socken socknar,
        museum museer, museum museet, centrum centra, centrum centret, gammal gamla""",
    "nb": """
        bok bøker, fot føtter, rot røtter, natt netter, ^land lender, hjemland hjemlender, hånd hender,
        tann tenner, strand strender, kraft krefter, bonde bønder, mann menn, bror brødre, far fedre,
        mor mødre, datter døtre, øye øyne, tre trær, kne knær, gås gjess, museum museer, museum museet,
        senter sentr""",
    "da": """
        bog bøger, fod fødder, rod rødder, nat nætter, hånd hænder, tand tænder, kraft kræfter,
        stad stæder, bonde bønder, mand mænd, bror brødre, bror broderen, far fædre, mor mødre,
        datter døtre, øje øjn, barn børn, gås gæs, kollega kolleger, museum museer, museum museet""",
    "en": """
        man men, woman women, child children, person people, foot feet, tooth teeth, goose geese,
        mouse mice, ^louse lice, ^ox oxen, shelf shelves, self selves, half halves, calf calves,
        wolf wolves, ^elf elves, leaf leaves, sheaf sheaves, loaf loaves, thief thieves, knife knives,
        life lives, wife wives, scarf scarves, wharf wharves, dwarf dwarves, hoof hooves,
        analysis analyses, ^basis bases, crisis crises, thesis theses, diagnosis diagnoses,
        criterion criteria, phenomenon phenomena, index indices, appendix appendices, matrix matrices,
        medium media, datum data""",
    "de": """
        museum museen, zentrum zentren, ^datum daten, praktikum praktika, visum visa, gremium gremien,
        studium studien, ministerium ministerien, kriterium kriterien, material materialien,
        thema themen, firma firmen, konto konten, risiko risiken, bus busse, bonus boni,
        prinzip prinzipien""",
    "fr": """
        travail travaux, vitrail vitraux, ^bail baux, ^corail coraux, ^émail émaux, œil yeux,
        ciel cieux, monsieur messieurs, madame mesdames, mademoiselle mesdemoiselles, nouveau nouvel,
        nouveau nouvelle, ^beau bel, ^beau belle, ^vieux vieil, ^vieux vieille""",
    "fi": """
        mies miehe, mies miehi, ^käsi käde, ^vesi vede, vuosi vuode, kuukausi kuukaude, ^uusi uude,
        kevät kevää, ^laki lai, ^veli velje, tytär tyttäre, opas oppaa, sääntö säännö, ^tapa tava""",
    "nl": """
        stad steden, lid leden, schip schepen, smid smeden, kind kinderen, ei eieren, blad bladeren,
        rad raderen, kalf kalveren, lam lammeren, rund runderen, gemoed gemoederen, volk volkeren,
        lied liederen, kleed klederen, ^oog ogen, ^oor oren, ^uur uren, museum musea, broer broeders""",
    "it": "uomo uomini, lago laghi, tempio templi",
}
#: What a plural ends with, and all that it may end with instead.
_ENDS: Mapping[str, Mapping[str, str]] = {
    "sv": {"er": "er ers erna ernas", "ar": "ar ars arna arnas", "": "s en ens et ets na nas nen nens"},
    "nb": {"er": "er ers ene enes", "re": "re res rer rene renes rne", "": "a s e ene enes ne nes et ets"},
    "da": {"er": "er ers erne ernes", "re": "re res rene renes", "": "s e es ene enes"},
    "de": {"": "n"},
    "fi": {
        "": "n t ä en in lla llä lle lta ltä ssa ssä sta stä ksi na nä"
        " illa illä ille ilta iltä issa issä ista istä iksi"
    },
    "fr": {"": "s"},
}
_NO_ENDS: Mapping[str, str] = {"": ""}


@dataclass(frozen=True, slots=True)
class _Change:
    """What is put in the place of what in one noun: after `before`, with `rest` and one of `ends` behind it.
    `before` and `rest` stand backwards, as patterns need them."""

    old: str
    new: str
    before: str
    rest: str
    ends: str


def backwards(code: str) -> Sequence[tuple[str, str]]:
    """Patterns for words that stand backwards, since hardly a word is looked at further than its end, and
    what stands in for what they find. As few as can be: one for all nouns that get the same."""
    ends = _ENDS.get(code, _NO_ENDS)
    alike: dict[str, list[_Change]] = {}
    for pair in PLURALS.get(code, "").replace("\n", " ").split(","):
        if pair.strip():
            one, many = pair.split()
            change = _change(one, many, ends)
            alike.setdefault(change.new, []).append(change)
    return [_pattern(some) for some in alike.values()]


def _change(one: str, many: str, ends: Mapping[str, str]) -> _Change:
    alone, one = one.startswith("^"), one.removeprefix("^")
    end = max((end for end in ends if many.endswith(end)), key=len)
    many = many.removesuffix(end)
    begin = _alike(one, many)
    rest = _alike(one[begin:][::-1], many[begin:][::-1])
    old, new = many[begin : len(many) - rest], one[begin : len(one) - rest]
    # a plural that has no ending may end with nothing
    some = ends[end] if end else f"{ends[end]} "
    return _Change(old, new, many[:begin][::-1] + "$" * alone, many[len(many) - rest :][::-1], some)


def _alike(one: str, other: str) -> int:
    """Letters with which both begin."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _pattern(some: Sequence[_Change]) -> tuple[str, str]:
    where: dict[tuple[str, str, str], list[str]] = {}
    for each in some:
        where.setdefault((each.ends, each.rest, each.old), []).append(each.before)
    found = [
        f"(?:{_any(end[::-1] for end in ends.split(' '))})({rest}){old[::-1]}(?={_any(before)})"
        for (ends, rest, old), before in where.items()
    ]
    kept = "".join(f"${number}" for number, _ in enumerate(found, 1))
    return f"^(?:{_any(found)})", f"{kept}{some[0].new[::-1]}"


def _any(some: Iterable[str]) -> str:
    return "|".join(some)
