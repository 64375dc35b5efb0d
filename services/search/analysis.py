"""How texts become words in the index: one analyser per language, one for exact words, one for the rest.

A language's own letters stay apart from those they resemble (`å` is no `a` in Swedish) where words are
reduced to their stems; in `plain`, where words stay as they are, everything is folded, for those whose
keyboard lacks the letter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.search import endings, irregular

#: Words as they are written, all letters folded: names, exact words, languages without a stemmer.
PLAIN = "plain"
#: Pieces of two and three letters, for languages that have no analyser of their own.
GRAMS = "grams"
#: Characters of one word, as the index keeps it.
LONGEST_WORD = 200
#: Beside a language that writes several words as one: its words backwards, so that an end is a beginning.
TAIL = "tail"
#: Beside it, too: its words and the same words backwards. Not indexed; what was found is marked by it.
MARKED = "marked"
#: Letters of a word that is looked for in longer ones, of its stem at their ends, and of those longer ones.
#: The stem with which they begin is no shorter than the word: three letters begin too much.
SHORTEST_PART, SHORTEST_END, SHORTEST_JOINED = 4, 3, 6


@dataclass(frozen=True, slots=True)
class Language:
    """How one language's words are reduced: every chain of `stems` gives a form, and the word itself is one.

    One stemmer alone misses too much (Swedish: `kontor` and `kontoret` have no stem in common); two words
    match where any of their forms do. `letters` are the language's own and are not folded away.

    `tail` and `head` are of a language that writes several words as one. They reduce a word that is looked
    for in longer ones to one form, with which these end, once they are reduced alike, or begin. So what
    `tail` takes from a word may not depend on how long it is, as with most stemmers; it turns words round.
    """

    stop: str
    stems: tuple[tuple[str, ...], ...]
    before: tuple[str, ...] = ()
    letters: str = ""
    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()


_ELISIONS = {
    "fr": ["l", "m", "t", "qu", "n", "s", "j", "d", "c", "jusqu", "quoiqu", "lorsqu", "puisqu"],
    "it": ["c", "l", "all", "dall", "dell", "nell", "sull", "coll", "un", "m", "t", "s", "v", "d"],
}
#: What the stemmers leave: pattern, what stands in for it.
_ENDINGS = {
    "ends_de": ("([aeio])s$", "$1"),
    "ends_de_er": ("(?<=e[lr])[ns]$", ""),
    "ends_de_in": ("(?<=er|eg|og|ist|[ae]nt)in(?:nen)?$", ""),
    "ends_de_nis": ("(?<=n)isse[ns]?$", "is"),
    "ends_fi": ("ks$", "s"),
    "ends_fi_in": ("(?<=\\p{L}{3})im$", ""),
    "ends_fi_nen": ("(?<=\\p{L}{2}i)[ns]e?$", "n"),
    "ends_fi_us": ("(?<=[uy])(?:s|de?)$", ""),
    "ends_fi_j": ("(?<=ij)[oö]$", ""),
    "ends_fi_nk": ("(?<=n)g$", "k"),
    "ends_fi_t": ("(?<=\\p{L}{2})d(?=[aeiouyäö]$)", "t"),
    "ends_fi_head": ("([ouy])k?s$", "$1"),
    "ends_fr_g": ("(?<=g)u$", ""),
    "ends_m": ("(?<=m)m$", ""),
    "ends_nb_er": ("(?<=er)nes?$", ""),
    "ends_nl_head": ("(\\p{L}{4})(?:en|s)$", "$1"),
    "ends_nl_plural": ("ies$", "ie"),
    "ends_nl_s": ("(?:['\u2019]|(?<=eau|\\p{L}{2}e))s$", ""),
    "ends_nl_twice": ("(?<=([bdfgklmnprst]))\\1$", ""),
    "ends_nl_z": ("z$", "s"),
    "ends_pl_r": ("^(\\p{L}{2,}r)ze$", "$1"),
    "ends_pl": (
        "^(\\p{L}{3,}?)(?:iach|iami|iom|iem|iego|iej|ach|ami|om|ów|owi|em|ego|emu|ej|ie|ia|iu|ią|ię|[aąeęiouy])$",
        "$1",
    ),
    "ends_v": ("v$", "f"),
}
#: Endings of words so short that stemmers leave them alone.
_SHORT = {
    "short_sv": ("^(?:(\\p{L}y)(?:n|a|tt|ar|er|arna|erna)|(\\p{L}[^aeiouyåäö])(?:en|et|ena))s?$", "$1$2"),
    "short_nb": ("^(\\p{L}{2})(?:e|a|en|et|er|ene)s?$", "$1"),
    "short_da": ("^(\\p{L}{2}[æøå]?)(?:e|en|et|er|ene|erne)s?$", "$1"),
}
#: The same of words that stand backwards. `syncope`: what words lose of their last syllable in other forms
#: (`nyckel`, `nycklar`).
_BEGINNINGS = {
    "back_de": ("^s(?=[aeio])", ""),
    "back_fi": ("^(?:(s)k|mi(?=.{3})|[aeiouyäö](?=.{2}))", "$1"),
    "back_nl_twice": ("^([bdfgklmnprst])(?=\\1)", ""),
    "back_nl_v": ("^v", "f"),
    "back_nl_z": ("^z", "s"),
    # not after letters that begin short words, which would be too short: `del`, `fel`
    "back_el": ("^le(?=[bgkmnptvx])", "l"),
    "back_el_twice": ("^le([bfgkmnptv])\\1?", "l$1"),
    "back_syncope_sv": (
        "^s?(?:n?(?:(l)e(?=[^aeiouyåäö].{2})|(r)e(?=[bdfgkpst].{2})|(r)em(?=m))|(?:ne)?(r)am(?=mos))",
        "$1$2$3$4",
    ),
    # one of two letters that are the same goes, too: `sykkel`, `sykler`
    "back_syncope_nb": (
        "^s?(?:[nt]e)?(?:(l)e([^aeiouyåæø])\\2?|(r)e([bdfgkmpst])\\4?)(?=.{2})",
        "$1$2$3$4",
    ),
    "back_sv": (endings.backwards(SHORTEST_END), ""),
    "back_sv_head": (endings.backwards(SHORTEST_PART, left=False), ""),
}
#: OpenSearch brings no list for Polish.
_POLISH_STOP = (
    "i,oraz,a,ale,lub,albo,czy,że,żeby,aby,bo,gdy,jak,jako,jest,są,był,była,było,były,być,nie,tak,to,ten,ta,te,"
    "tego,tej,tych,tym,w,we,z,ze,na,do,od,po,za,o,u,dla,przy,przez,pod,nad,przed,się,jego,jej,ich,już,też,"
    "tylko,co,kto,który,która,które"
)

#: How much a word counts by where it is found: as much as one in fifty texts would by its rarity. Words as
#: they are written count less, since the commonest are among them, and so do pieces of words, which are many.
_WEIGHTS = {PLAIN: 2.0, GRAMS: 1.0}
_WEIGHT = 4.0
#: Words that a title and a text have on an average: what is longer counts a little less.
_USUAL = {"title": 6, "text": 120}
#: BM25 without what it takes from all texts together, which are more than a reader may see: how rare a word
#: is and how long texts are. Otherwise the order of one's own hits would tell of words in hidden ones.
_RELEVANCE = (
    "double freq = doc.freq; double length = 0.25 + 0.75 * doc.length / {usual};"
    " return query.boost * {weight} * 2.2 * freq / (freq + 1.2 * length);"
)


def _irregular(code: str) -> tuple[str, ...]:
    """The steps that put a singular in the place of a plural, for words that stand backwards."""
    return tuple(f"irregular_{code}_{number}" for number, _ in enumerate(irregular.backwards(code)))


def _before(code: str, *steps: str) -> tuple[str, ...]:
    """These steps, and those of `steps`, for words as they are written."""
    return ("reverse", *_irregular(code), *steps, "reverse")


LANGUAGES: Mapping[str, Language] = {
    "sv": Language(
        "_swedish_",
        (
            ("swedish",),
            ("light_swedish", "swedish", "ends_m"),
            (*_before("sv", "back_syncope_sv"), "short_sv", "light_swedish", "swedish"),
        ),
        letters="åäöÅÄÖ",
        head=("reverse", "back_sv_head", "reverse"),
        tail=("reverse", *_irregular("sv"), "back_sv", "back_el"),
    ),
    "en": Language("_english_", (("english",), (*_before("en"), "light_english")), ("possessive_english",)),
    "de": Language(
        "_german_",
        (
            ("light_german",),
            (*_before("de"), "ends_de_er", "ends_de_in", "ends_de_nis", "light_german", "ends_de"),
        ),
        ("german_letters",),
        head=("light_german",),
        tail=(*_before("de"), "light_german", "reverse", "back_de"),
    ),
    "fr": Language(
        "_french_", ((*_before("fr"), "light_french", "ends_v", "ends_fr_g"), ("french",)), ("elision_fr",)
    ),
    "fi": Language(
        "_finnish_",
        (
            ("finnish",),
            (
                *_before("fi"),
                "finnish",
                "ends_fi",
                "ends_fi_in",
                "ends_fi_nen",
                "ends_fi_us",
                "ends_fi_j",
                "ends_fi_nk",
                "ends_fi_t",
            ),
            ("light_finnish",),
        ),
        letters="åäöÅÄÖ",
        head=("finnish", "ends_fi_head"),
        tail=("finnish", "reverse", "back_fi"),
    ),
    "es": Language("_spanish_", (("spanish",), ("light_spanish",))),
    "nb": Language(
        "_norwegian_",
        (
            ("norwegian",),
            ("ends_nb_er", "light_norwegian", "ends_m"),
            (*_before("nb", "back_syncope_nb"), "short_nb", "norwegian"),
        ),
        letters="åæøÅÆØ",
        head=("norwegian",),
        tail=(*_before("nb"), "norwegian", "reverse", "back_el_twice"),
    ),
    "da": Language(
        "_danish_",
        (("danish",), (*_before("da", "back_syncope_nb"), "short_da", "danish")),
        letters="åæøÅÆØ",
        head=("danish",),
        tail=(*_before("da"), "danish", "danish", "reverse", "back_el_twice"),
    ),
    "nl": Language(
        "_dutch_",
        (
            ("dutch",),
            (*_before("nl"), "ends_nl_s", "dutch", "ends_nl_z", "ends_v", "ends_nl_twice"),
            ("ends_nl_plural", "dutch"),
        ),
        head=("ends_nl_head", "ends_nl_z", "ends_v", "reverse", "back_nl_twice", "reverse"),
        tail=(
            *_before("nl"),
            "ends_nl_plural",
            "dutch",
            "reverse",
            "back_nl_z",
            "back_nl_v",
            "back_nl_twice",
        ),
    ),
    "it": Language("_italian_", (("italian",), (*_before("it"), "light_italian")), ("elision_it",)),
    "pt": Language("_portuguese_", (("portuguese",), ("light_portuguese",), ("portuguese_rslp",))),
    "pl": Language(_POLISH_STOP, (("polish_stem",), ("ends_pl_r", "ends_pl")), letters="ąćęłńóśźżĄĆĘŁŃÓŚŹŻ"),
}
#: Codes that are read as another one of these.
_READ_AS = {"no": "nb", "nn": "nb"}

#: Where a text can be: a field of this name under `title` and under `text`.
FIELDS: tuple[str, ...] = (PLAIN, *LANGUAGES, GRAMS)
#: The languages that write several words as one.
JOINING: tuple[str, ...] = tuple(code for code, language in LANGUAGES.items() if language.tail)


def field_of(language: str) -> str:
    """Where a text in this language goes besides `plain`."""
    code = language.replace("_", "-").partition("-")[0].lower()
    code = _READ_AS.get(code, code)
    return code if code in LANGUAGES else GRAMS


def settings() -> dict[str, Any]:
    """The index's own settings."""
    return {
        "number_of_shards": 1,
        "number_of_replicas": 0,
        "max_ngram_diff": 1,
        "similarity": _similarities(),
        "analysis": {
            "char_filter": {"composed": {"type": "icu_normalizer", "name": "nfkc_cf"}},
            "tokenizer": {"grams": {"type": "ngram", "min_gram": 2, "max_gram": 3, "token_chars": _LETTERS}},
            "filter": _filters(),
            "analyzer": _analyzers(),
        },
    }


_LETTERS = ["letter", "digit"]


def _similarities() -> dict[str, Any]:
    """One for each part of an item and kind of field."""
    return {
        _similarity(part, code): {
            "type": "scripted",
            "script": {"source": _RELEVANCE.format(usual=usual, weight=_WEIGHTS.get(code, _WEIGHT))},
        }
        for part, usual in _USUAL.items()
        for code in FIELDS
    }


def _similarity(part: str, code: str) -> str:
    return f"{part}_{code}"


def _filters() -> dict[str, Any]:
    filters: dict[str, Any] = {
        "short": {"type": "truncate", "length": LONGEST_WORD},
        "possessive_english": {"type": "stemmer", "language": "possessive_english"},
        "german_letters": {"type": "german_normalization"},
        "part": {"type": "length", "min": SHORTEST_PART},
        "end": {"type": "length", "min": SHORTEST_END},
        "joined": {"type": "length", "min": SHORTEST_JOINED},
        # the stem of a short word begins too much else; what is no stemmer does not look at this
        "as_typed": {"type": "keyword_marker", "keywords_pattern": f".{{1,{SHORTEST_PART + 1}}}"},
    }
    for name, (pattern, instead) in (_ENDINGS | _SHORT | _BEGINNINGS).items():
        filters[name] = {"type": "pattern_replace", "pattern": pattern, "replacement": instead}
    for code, articles in _ELISIONS.items():
        filters[f"elision_{code}"] = {"type": "elision", "articles": articles, "articles_case": True}
    for code, language in LANGUAGES.items():
        for name, (pattern, instead) in zip(_irregular(code), irregular.backwards(code), strict=True):
            filters[name] = {"type": "pattern_replace", "pattern": pattern, "replacement": instead}
        filters[f"stop_{code}"] = {"type": "stop", "stopwords": language.stop}
        steps = {step for chain in language.stems for step in chain}
        for stem in steps - filters.keys() - {"polish_stem", "reverse"}:
            filters[stem] = {"type": "stemmer", "language": stem}
        chains = [", ".join(chain) for chain in language.stems]
        filters[f"forms_{code}"] = _forms(chains)
        if language.tail:
            filters[f"marked_{code}"] = _forms([", ".join([*language.tail, "uppercase"])])
        own = {"unicode_set_filter": f"[^{language.letters}]"} if language.letters else {}
        filters[f"fold_{code}"] = {"type": "icu_folding", **own}
    return filters


def _forms(chains: Sequence[str]) -> dict[str, Any]:
    """The word as it is, and what each chain makes of it."""
    return {"type": "multiplexer", "filters": list(chains), "preserve_original": True}


def _analyzers() -> dict[str, Any]:
    plain = {"type": "custom", "char_filter": ["composed"], "tokenizer": "icu_tokenizer"}
    analyzers: dict[str, Any] = {
        PLAIN: {**plain, "filter": ["icu_folding", "short"]},
        GRAMS: {**plain, "tokenizer": "grams", "filter": ["icu_folding"]},
    }
    for code, language in LANGUAGES.items():
        own = [f"stop_{code}", f"forms_{code}", f"fold_{code}", "remove_duplicates"]
        analyzers[code] = {**plain, "filter": ["short", *language.before, *own]}
    for code in JOINING:
        analyzers |= {name: {**plain, "filter": steps} for name, steps in _joined(code).items()}
    return analyzers


def head_of(code: str) -> str:
    """The analyser that makes one form of a word, with which longer words of the language may begin."""
    return f"{code}_head"


def _joined(code: str) -> Mapping[str, Sequence[str]]:
    """The steps by which words at both ends of longer ones are found. Each but the last makes one form; words
    that stand backwards are told from others by their capitals."""
    language, fold, stop = LANGUAGES[code], f"fold_{code}", f"stop_{code}"
    before = ["short", *language.before]
    return {
        f"{code}_{TAIL}": ["joined", *before, fold, *language.tail, "uppercase"],
        f"{code}_{TAIL}_asked": ["part", *before, stop, fold, *language.tail, "end", "uppercase"],
        head_of(code): ["part", *before, stop, "as_typed", *language.head, fold, "part"],
        f"{code}_{MARKED}": [*before, stop, fold, f"marked_{code}"],
    }


def _texts(part: str, **plain: Any) -> dict[str, Any]:
    """A text by language. Offsets are kept for highlights; what `grams` find is shown from its beginning."""
    fields = {
        code: {"type": "text", "analyzer": code, "index_options": "offsets", "norms": True}
        for code in (*LANGUAGES, PLAIN)
    }
    fields[PLAIN] |= plain
    fields[GRAMS] = {"type": "text", "analyzer": GRAMS, "index_options": "freqs"}
    for code, field in fields.items():
        field["similarity"] = _similarity(part, code)
    for code in JOINING:
        fields[code]["fields"] = _beside(code)
    return {"properties": fields}


def _beside(code: str) -> dict[str, Any]:
    """What finds the ends of joined words costs their letters and where they stand, no more: it is neither
    weighed nor read by phrases, and what is marked is read from the text anew."""
    tail = {"analyzer": f"{code}_{TAIL}", "search_analyzer": f"{code}_{TAIL}_asked"}
    return {
        TAIL: {"type": "text", **tail, "index_options": "docs", "norms": False},
        MARKED: {"type": "text", "analyzer": f"{code}_{MARKED}", "index": False, "norms": False},
    }


def mapping() -> dict[str, Any]:
    """The fields of an indexed item."""
    keyword = {"type": "keyword"}
    return {
        "dynamic": "strict",
        "properties": {
            "key": keyword,
            "live": {"type": "boolean"},
            "kind": keyword,
            "id": {"type": "keyword", "index": False, "doc_values": False},
            "shown": {"type": "keyword", "index": False, "doc_values": False},
            "begins": {"type": "keyword", "index": False, "doc_values": False},
            "title": _texts("title", index_prefixes={"min_chars": 1, "max_chars": 12}),
            "text": _texts("text"),
            "language": keyword,
            "author_id": keyword,
            "occurred_at": {"type": "date"},
            "audience": keyword,
            "joint": {
                "type": "nested",
                "properties": {"tokens": keyword, "needed": {"type": "integer"}},
            },
            "classification": keyword,
            "group_id": keyword,
            "space_id": keyword,
            "post_id": keyword,
            "path": {"type": "keyword", "index": False, "doc_values": False},
        },
    }
