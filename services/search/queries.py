"""What the index is asked, as data. Every question carries what its reader may see; nothing is counted,
marked or suggested from anything else. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from services.search.analysis import MARKED, PLAIN
from services.search.matching import Query, marking, matching, may_be_joined
from services.search.projections import Kind
from services.search.words import CLOSE, OPEN, PASSAGE, Question
from shared.kernel.audience import Reader, cleared

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
_PASSAGES: Query = {"fragment_size": PASSAGE, "number_of_fragments": PASSAGES}
_WHOLE: Query = {"number_of_fragments": 0}
#: To mark parts of longer words the engine reads the text anew: of a long page only so many characters, since
#: it takes a millisecond for each thousand.
_ANEW: Query = {"require_field_match": False, "max_analyzer_offset": 20_000}
#: What is as old as this counts half as much for being new.
HALF_AS_NEW = "60d"
#: Documents that are looked at for words like a misspelled one.
LOOKED_AT = 40
#: In words longer than this the engine allows two mistakes.
_TWO_MISTAKES = 5


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
    widely: bool = False,
) -> Query:
    """One page: hits and, on the first page, the facets. `codes`: of the languages that there are; `origin`:
    the time that is new; `widely`: words are looked for in longer ones, too."""
    asked = matching(question, codes, widely=widely)
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
        body["highlight"] = _marking(question, codes, widely)
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


def counting(
    reader: Reader, question: Question, filters: Filters, codes: Sequence[str], *, most: int
) -> Query:
    """How many there are with these as whole words, whatever facets are chosen; counted to `most` only."""
    return _number(matching(question, codes), [*visible(reader), *filters.said()], most)


def _number(asked: Query, where: Sequence[Query], most: int) -> Query:
    """How many there are, counted to `most` only."""
    asked["bool"]["filter"] = list(where)
    return {"size": 0, "track_total_hits": most, "query": asked}


def _facets(chosen: dict[str, Query]) -> Iterable[tuple[str, Query]]:
    """A facet is counted within what is chosen in all others."""
    for name, field in FACETS.items():
        values = {"terms": {"field": field, "size": MOST_VALUES}}
        others = [query for other, query in chosen.items() if other != name]
        within = {"filter": {"bool": {"filter": others}}, "aggs": {"values": values}}
        yield name, within if others else values


def counted(answer: Mapping[str, Any]) -> dict[str, list[tuple[str, int]]] | None:
    """The values of each facet and how many have it, most frequent first; None where none was asked for."""
    facets: Mapping[str, Any] | None = answer.get("aggregations")
    if facets is None:
        return None
    found = {name: facets[name].get("values", facets[name]) for name in FACETS}
    return {name: [(one["key"], one["doc_count"]) for one in found[name]["buckets"]] for name in found}


def _marking(question: Question, codes: Sequence[str], widely: bool) -> Query:
    """The passages that match, in every language that there is. Asked with the hits: apart, the engine would
    read and unpack each text again for every field."""
    fields: dict[str, Any] = {}
    for name, wanted in marking(question, codes, widely=widely).items():
        shown = _WHOLE if name.startswith("title.") else _PASSAGES
        fields[name] = {**shown, **(_ANEW if name.endswith(f".{MARKED}") else {}), "highlight_query": wanted}
    return {**_MARKED, "order": "score", "fields": fields}


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
    """Whether this reader would find anything: what is a part of a longer word is no mistake."""
    asked = matching(question, codes, widely=may_be_joined(question))
    return _number(asked, [*visible(reader), *filters.said(), *filters.chosen().values()], 1)


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
