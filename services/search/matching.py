"""Which documents a question's words match: in any of their forms, or as parts of longer words. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from services.search.analysis import FIELDS, GRAMS, JOINING, MARKED, PLAIN, SHORTEST_PART, TAIL, head_of
from services.search.words import Question

Query = dict[str, Any]

#: Of more than three words, one in five may be missing.
_MOST_WORDS = "3<80%"
#: Of the pieces of a word in a language without an analyser, those that must be there.
_MOST_PIECES = "70%"
#: Words of a question that are looked for in longer ones: with each of them goes a dozen small queries.
MOST_WIDELY = 8


def words(text: str, codes: Sequence[str]) -> Query:
    """Documents with these words in any of their forms, in title and text taken together."""
    ways = [
        _together(code, text, _MOST_PIECES if code == GRAMS else _MOST_WORDS, title=3 if code == PLAIN else 2)
        for code in codes
    ]
    return {"dis_max": {"tie_breaker": 0.2, "queries": ways}}


def _together(code: str, text: str, enough: str, title: int) -> Query:
    return {
        "multi_match": {
            "query": text,
            "type": "cross_fields",
            "fields": [f"title.{code}^{title}", f"text.{code}"],
            "minimum_should_match": enough,
        }
    }


def _phrase(text: str, codes: Sequence[str]) -> Query:
    fields = [f"{part}.{code}" for code in codes for part in ("title", "text")]
    return {"multi_match": {"query": text, "type": "phrase", "fields": fields}}


def matching(question: Question | None, codes: Sequence[str] = FIELDS, *, widely: bool = False) -> Query:
    """In the fields of these languages. Without a question, everything.

    `widely`: also what has a word only as a part of a longer one, behind everything else.
    """
    if question is None:
        return {"bool": {}}
    spoken = [code for code in codes if code != GRAMS]
    must = asked_for(question, codes)
    without = [_phrase(word, spoken) for word in question.without]
    if not widely:
        return {"bool": {"must": must, "must_not": without}}
    phrases = [_phrase(phrase, spoken) for phrase in question.phrases]
    longer = [_joined(question.words, code) for code in codes if code in JOINING]
    # being new counts as much as one at most, so that whole words come first whatever else there is
    whole = {"bool": {"must": [{"match_all": {"boost": 1}}, *must]}}
    parts = {"bool": {"filter": [*phrases, _one_of(longer)]}}
    return {"bool": {"must": [_one_of([whole, parts])], "must_not": without}}


def asked_for(question: Question, codes: Sequence[str]) -> list[Query]:
    """Phrases, and words in any of their forms."""
    spoken = [code for code in codes if code != GRAMS]
    asked = [_phrase(phrase, spoken) for phrase in question.phrases]
    return [*asked, words(" ".join(question.words), codes)] if question.words else asked


def may_be_joined(question: Question | None) -> bool:
    """Whether a word is asked for that may be a part of a longer one."""
    if question is None or len(question.words) > MOST_WIDELY:
        return False
    return any(map(_part, question.words))


def _part(word: str) -> str:
    """The word without what is written around it, where it may be a part of a longer one; else empty."""
    ends = [place for place, letter in enumerate(word) if letter.isalnum()]
    bare = word[ends[0] : ends[-1] + 1] if ends else ""
    return bare if bare.isalpha() and len(bare) >= SHORTEST_PART else ""


def _joined(asked: Sequence[str], code: str) -> Query:
    """Every word, whole or as a part, and one of them as a part: where all are whole it is found already.

    What a language leaves out, such as `och`, need not be there; so that a question of nothing else does not
    find everything, one part must be."""
    ends = {word: list(_ends(word, code)) for word in asked}
    parts = _one_of([end for some in ends.values() for end in some])
    if len(asked) == 1:
        return parts
    every = [_one_of([*_whole(word, code), *some]) for word, some in ends.items()]
    return {"bool": {"filter": [*every, parts]}}


def _whole(word: str, code: str) -> Iterable[Query]:
    said = {"query": word, "type": "cross_fields", "operator": "and"}
    fields = [f"title.{code}", f"text.{code}"]
    yield {"multi_match": {**said, "fields": fields, "zero_terms_query": "all"}}
    yield {"multi_match": {**said, "fields": [f"title.{PLAIN}", f"text.{PLAIN}"]}}


def _ends(word: str, code: str, parts: Sequence[str] = ("title", "text")) -> Iterable[Query]:
    """Longer words that begin or end with this one. However many there are in the index, each question is one
    that the engine answers by a set of documents; none of their words is a clause of it."""
    if bare := _part(word):
        for part in parts:
            yield {"match_bool_prefix": {f"{part}.{code}": {"query": bare, "analyzer": head_of(code)}}}
            yield {"match_bool_prefix": {f"{part}.{code}.{TAIL}": {"query": bare}}}


def _one_of(queries: Sequence[Query]) -> Query:
    some = {"bool": {"should": list(queries), "minimum_should_match": 1}}
    return some if queries else {"match_none": {}}


def marking(question: Question, codes: Sequence[str], *, widely: bool = False) -> dict[str, Query]:
    """The fields in which what was found is marked, and what is looked for in each.

    A field is asked for its own language's forms only: the engine reads what is looked for anew for every
    field, so that one question for all of them would cost as many times as much as there are languages.

    Where words are looked for in longer ones, one more field has all that a language's words are found by:
    a passage would else show only some of what it was found for. Each of its words is compared with all that
    is looked for, which takes most of the time of such a question: so this is little.
    """
    marked: dict[str, Query] = {}
    rest = replace(question, words=tuple(word for word in question.words if not _part(word)))
    for code in [code for code in codes if code != GRAMS]:
        for part in ("title", "text"):
            marked[f"{part}.{code}"] = _one_of(list(_marks(question, f"{part}.{code}")))
        if widely and code in JOINING:
            ends = [end for word in question.words for end in _ends(word, code, ("text",))]
            for part in ("title", "text"):
                marked[f"{part}.{code}.{MARKED}"] = _one_of([*asked_for(rest, [code]), *ends])
    return marked


def _marks(question: Question, field: str) -> Iterable[Query]:
    if question.words:
        yield {"match": {field: " ".join(question.words)}}
    for phrase in question.phrases:
        yield {"match_phrase": {field: phrase}}
