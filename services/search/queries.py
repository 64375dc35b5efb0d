"""What the index is asked, as data. Every question carries what its reader may see; nothing is counted,
marked or suggested from anything else. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from services.search.analysis import FIELDS, GRAMS, PLAIN
from services.search.projections import Kind
from services.search.words import CLOSE, OPEN, PASSAGE, Question
from shared.kernel.audience import Reader, cleared

Query = dict[str, Any]
Sort = Literal["relevance", "newest"]

#: What the answer needs of a hit; the texts themselves come as highlights only.
SHOWN = (
    "key",
    "kind",
    "id",
    "shown",
    "begins",
    "language",
    "author_id",
    "occurred_at",
    "group_id",
    "space_id",
    "post_id",
    "path",
)
#: Facet by its name and the field that it counts.
FACETS = {"kind": "kind", "language": "language", "group": "group_id", "space": "space_id"}
MOST_VALUES = 30
#: How what was found is marked in a text.
_MARKED: Query = {"type": "unified", "pre_tags": [OPEN], "post_tags": [CLOSE]}
#: Passages of one hit.
PASSAGES = 2
#: What is as old as this counts half as much for being new.
HALF_AS_NEW = "60d"
#: Documents that are looked at for words like a misspelled one.
LOOKED_AT = 40
#: In words longer than this the engine allows two mistakes.
_TWO_MISTAKES = 5
#: Of more than three words, one in five may be missing.
_MOST_WORDS = "3<80%"
#: Of the pieces of a word in a language without an analyser, those that must be there.
_MOST_PIECES = "70%"


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for besides words. `since` and `until` are days, both included, in UTC."""

    kinds: tuple[Kind, ...] = ()
    languages: tuple[str, ...] = ()
    group_id: str | None = None
    space_id: str | None = None
    since: date | None = None
    until: date | None = None
    author_id: str | None = None

    def said(self) -> list[Query]:
        """By whom, and when: what no facet counts."""
        return [*self._by(), *self._days()]

    def _by(self) -> list[Query]:
        return [{"term": {"author_id": self.author_id}}] if self.author_id is not None else []

    def _days(self) -> list[Query]:
        span: dict[str, Any] = {}
        if self.since is not None:
            span["gte"] = datetime.combine(self.since, time(), UTC).isoformat()
        if self.until is not None and self.until < date.max:
            span["lt"] = datetime.combine(self.until + timedelta(days=1), time(), UTC).isoformat()
        return [{"range": {"occurred_at": span}}] if span else []

    def chosen(self) -> dict[str, Query]:
        """The chosen values, by facet."""
        chosen = {
            "kind": [kind.value for kind in self.kinds],
            "language": list(self.languages),
            "group": [self.group_id] if self.group_id is not None else [],
            "space": [self.space_id] if self.space_id is not None else [],
        }
        return {name: {"terms": {FACETS[name]: values}} for name, values in chosen.items() if values}


def visible(reader: Reader) -> list[Query]:
    """What this reader may see: the rule of `Reader.may_see`, inside the query.

    A conjunction needs no registration here: it is kept with the number of its tokens, all of which the
    reader must hold.
    """
    tokens = sorted(token for token in reader.tokens if "&" not in token)
    joint = {"terms_set": {"joint.tokens": {"terms": tokens, "minimum_should_match_field": "joint.needed"}}}
    audience = [{"terms": {"audience": tokens}}, {"nested": {"path": "joint", "query": joint}}]
    return [
        {"term": {"live": True}},
        {"terms": {"classification": cleared(reader.clearance)}},
        {"bool": {"should": audience, "minimum_should_match": 1}},
    ]


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


def matching(question: Question | None, codes: Sequence[str] = FIELDS) -> Query:
    """In the fields of these languages. Without a question, everything."""
    if question is None:
        return {"bool": {}}
    spoken = [code for code in codes if code != GRAMS]
    must = [_phrase(phrase, spoken) for phrase in question.phrases]
    if question.words:
        must.append(words(" ".join(question.words), codes))
    return {"bool": {"must": must, "must_not": [_phrase(word, spoken) for word in question.without]}}


def search(
    reader: Reader,
    question: Question | None,
    filters: Filters,
    codes: Sequence[str],
    *,
    sort: Sort,
    origin: datetime,
    after: Sequence[Any] | None,
    limit: int,
) -> Query:
    """One page: hits and, on the first page, the facets. `codes`: of the languages that there are; `origin`:
    the time that is new."""
    asked = matching(question, codes)
    asked["bool"]["filter"] = [*visible(reader), *filters.said()]
    if question is not None:
        feature = {"field": "occurred_at", "origin": origin.isoformat(), "pivot": HALF_AS_NEW}
        asked["bool"]["should"] = [{"distance_feature": feature}]
    newest = sort == "newest" or question is None
    body: Query = {
        "size": limit,
        "track_total_hits": True,
        "_source": list(SHOWN),
        "query": asked,
        "sort": [{"occurred_at": "desc"} if newest else {"_score": "desc"}, {"key": "asc"}],
    }
    if question is not None:
        body["highlight"] = _marking(question, codes)
    chosen = filters.chosen()
    if chosen:
        body["post_filter"] = {"bool": {"filter": list(chosen.values())}}
    if after is not None and newest:
        body["search_after"] = list(after)
    elif after is not None:
        body["from"] = after[0]
    else:
        body["aggs"] = dict(_facets(chosen))
    return body


def _facets(chosen: dict[str, Query]) -> Iterable[tuple[str, Query]]:
    for name, field in FACETS.items():
        others = [query for other, query in chosen.items() if other != name]
        counted = {"values": {"terms": {"field": field, "size": MOST_VALUES}}}
        yield name, {"filter": {"bool": {"filter": others}}, "aggs": counted}


def _marking(question: Question, codes: Sequence[str]) -> Query:
    """The passages that match, in every language that there is. Asked with the hits: apart, the engine would
    read and unpack each text again for every field."""
    spoken = [code for code in codes if code != GRAMS]
    fields: dict[str, Any] = {}
    for code in spoken:
        fields[f"title.{code}"] = {"number_of_fragments": 0}
        fields[f"text.{code}"] = {"fragment_size": PASSAGE, "number_of_fragments": PASSAGES}
    wanted = matching(question, spoken)["bool"]["must"]
    return {**_MARKED, "order": "score", "highlight_query": {"bool": {"should": wanted}}, "fields": fields}


def suggestions(reader: Reader, typed: Sequence[str], limit: int, kinds: Sequence[Kind] = ()) -> Query:
    """Where words begin like those typed: titles and names before texts."""
    chosen = Filters(kinds=tuple(kinds)).chosen()
    begun = [_begins(word) for word in typed]
    return {
        "size": limit,
        "track_total_hits": False,
        "_source": list(SHOWN),
        "query": {"bool": {"must": begun, "filter": [*visible(reader), *chosen.values()]}},
        "sort": [{"_score": "desc"}, {"occurred_at": "desc"}, {"key": "asc"}],
    }


def _begins(word: str) -> Query:
    prefix: dict[str, Any] = {"query": word, "operator": "and"}
    titles = {"match_bool_prefix": {f"title.{PLAIN}": {**prefix, "boost": 5}}}
    texts = {"match_bool_prefix": {f"text.{PLAIN}": prefix}}
    return {"dis_max": {"queries": [titles, texts]}}


def whether(reader: Reader, question: Question, filters: Filters, codes: Sequence[str]) -> Query:
    """Whether this reader would find anything."""
    asked = matching(question, codes)
    asked["bool"]["filter"] = [*visible(reader), *filters.said(), *filters.chosen().values()]
    return {"size": 0, "track_total_hits": 1, "query": asked}


def similar(reader: Reader, word: str, filters: Filters, *, many: bool = False) -> Query:
    """Documents that this reader may see with words like this one, which are marked: so no other word can be
    suggested, and all words that are like it are looked for: hidden ones do not crowd out others.

    `many`: for a word that more are like than a question may have clauses; takes four times as long, since
    the engine works out anew for each part of the index what is like it.
    """
    rewrite = "constant_score" if many else "constant_score_boolean"
    likes = [{**like, "fuzzy_rewrite": rewrite} for like in _like(word)]
    ways = [{"match": {f"{part}.{PLAIN}": like}} for like in likes for part in ("title", "text")]
    where = [*visible(reader), *filters.said(), *filters.chosen().values()]
    marked = {"number_of_fragments": 1, "fragment_size": 20}
    return {
        "size": LOOKED_AT,
        "track_total_hits": False,
        "_source": False,
        "query": {"bool": {"must": [{"dis_max": {"queries": ways}}], "filter": where}},
        "sort": [{"_score": "desc"}, {"occurred_at": "desc"}, {"key": "asc"}],
        "highlight": {**_MARKED, "fields": {f"title.{PLAIN}": marked, f"text.{PLAIN}": marked}},
    }


def _like(word: str) -> Iterable[dict[str, Any]]:
    """Words that differ as far as may be meant; those that differ least come first."""
    like = {"query": word, "prefix_length": 1}
    yield {**like, "fuzziness": "AUTO"}
    if len(word) > _TWO_MISTAKES:
        yield {**like, "fuzziness": 1, "boost": 2}
