"""Answering questions from the index: pages of hits, suggestions as one types, what may have been meant."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import structlog
from rapidfuzz.distance import DamerauLevenshtein

from services.search import queries
from services.search.analysis import GRAMS, JOINING, MARKED, PLAIN, field_of
from services.search.index import Answer, OpenSearchIndex
from services.search.matching import Query, may_be_joined
from services.search.projections import Kind
from services.search.queries import Filters, Sort
from services.search.words import CLOSE, OPEN, Question, folded, is_spelled
from shared.kernel.audience import Reader
from shared.kernel.errors import Refused, Unavailable

log = structlog.get_logger(__name__)

#: Where so many whole words are found, nobody looks for them in longer ones. The same whatever a page shows
#: and whichever facets are chosen: a total that changed with them would contradict the one before.
ENOUGH = 20
#: Words of a question for which others are looked for.
MOST_MEANT = 8
#: Changed letters between a word and one that may have been meant.
FARTHEST = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """One page of a search as somebody asked for it."""

    question: Question | None
    filters: Filters
    sort: Sort
    limit: int
    after: Sequence[Any] | None = None
    #: From when newness is counted: the same on all pages of one search.
    origin: datetime | None = None
    #: Whether words are looked for in longer ones, too: found out on the first page, the same on all others.
    widely: bool | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Hits as the index gives them, with one more hit's presence told by `more`."""

    total: int
    hits: list[dict[str, Any]]
    more: bool
    facets: dict[str, list[tuple[str, int]]] | None
    origin: datetime
    widely: bool


class Finding:
    def __init__(self, index: OpenSearchIndex) -> None:
        self._index = index

    async def page(self, reader: Reader, asked: Asked) -> Page:
        """One page of what the reader may see. Where whole words are not found often enough, they are looked
        for in longer ones, too."""
        origin = asked.origin or datetime.now(UTC)
        codes = await self._index.fields()
        joined = may_be_joined(asked.question)
        widely = joined and asked.widely is True
        if joined and asked.widely is None:
            # said whichever languages there are: that there is one in what is hidden is not told, either
            widely = not await self._enough(reader, asked, codes)
        answer = await self._index.ask(_search(reader, asked, codes, origin, widely))
        hits = list(answer["hits"]["hits"])
        more, hits = len(hits) > asked.limit, hits[: asked.limit]
        return Page(_total(answer), hits, more, queries.counted(answer), origin, widely)

    async def _enough(self, reader: Reader, asked: Asked, codes: Sequence[str]) -> bool:
        """Asked before the page, since only to count is cheap: a page that is read for nothing is not."""
        if asked.question is None:
            return True
        counting = queries.counting(reader, asked.question, asked.filters, codes, most=ENOUGH)
        return _total(await self._index.ask(counting)) >= ENOUGH

    async def suggestions(
        self, reader: Reader, typed: Sequence[str], limit: int, kinds: Sequence[Kind] = ()
    ) -> list[dict[str, Any]]:
        """What begins with what was typed, best first."""
        answer = await self._index.ask(queries.suggestions(reader, typed, limit, kinds))
        return list(answer["hits"]["hits"])

    async def meant(self, reader: Reader, asked: Question, filters: Filters) -> str | None:
        """A question that found nothing, with words that the reader could see instead of those that they
        could not have found, where it finds something then. None also where the engine has no time for it:
        what was asked for is answered."""
        try:
            return await self._meant(reader, asked, filters)
        except Unavailable as away:
            log.warning("nobody says what was meant", error=str(away))
            return None

    async def _meant(self, reader: Reader, asked: Question, filters: Filters) -> str | None:
        spelled = [word for word in asked.words if is_spelled(word)]
        if not spelled or len(asked.words) > MOST_MEANT:
            return None
        codes = await self._index.fields()
        # one word alone is what was not found
        unsure = asked.words if asked != Question(words=asked.words[:1]) else ()
        known = [queries.whether(reader, Question(words=(word,)), filters, codes) for word in unsure]
        try:
            like = [queries.similar(reader, word, filters) for word in spelled]
            answers = await self._index.ask_all([*known, *like])
        except Refused as refused:
            if refused.momentary:
                raise
            like = [queries.similar(reader, word, filters, many=True) for word in spelled]
            answers = await self._index.ask_all([*known, *like])
        nearest = dict(zip(spelled, answers[len(known) :], strict=True))
        found = {word for word, answer in zip(unsure, answers, strict=False) if _total(answer)}
        words = list[str | None]()
        for word in asked.words:
            if word in found:
                words.append(word)
            else:
                words.append(_nearest(word, nearest[word]) if word in nearest else None)
        if None in words or words == list(asked.words):
            return None
        better = replace(asked, words=tuple(word for word in words if word is not None))
        some = await self._index.ask(queries.whether(reader, better, filters, codes))
        return str(better) if _total(some) else None


def _search(reader: Reader, asked: Asked, codes: Sequence[str], origin: datetime, widely: bool) -> Query:
    return queries.search(
        reader,
        asked.question,
        asked.filters,
        codes,
        sort=asked.sort,
        origin=origin,
        after=asked.after,
        limit=asked.limit + 1,
        widely=widely and not set(JOINING).isdisjoint(codes),
    )


def _total(answer: Answer) -> int:
    total: int = answer["hits"]["total"]["value"]
    return total


def _nearest(word: str, answer: Answer) -> str | None:
    """The marked word that differs least; among those the one in most documents."""
    seen: Counter[str] = Counter()
    for hit in answer["hits"]["hits"]:
        passages = [passage for some in hit.get("highlight", {}).values() for passage in some]
        seen.update({found.lower() for passage in passages for found in marked(passage)})
    wanted = folded(word)
    near = {found: DamerauLevenshtein.distance(wanted, folded(found)) for found in seen}
    allowed = [found for found, distance in near.items() if 0 < distance <= FARTHEST]
    return min(allowed, key=lambda found: (near[found], -seen[found], found), default=None)


def marked(passage: str) -> list[str]:
    """What is marked in a passage."""
    return [part.partition(CLOSE)[0] for part in passage.split(OPEN)[1:]]


def passages(hit: dict[str, Any], part: str) -> list[str]:
    """The passages of `title` or `text` with most marks: as their language reads them, or word by word."""
    found: dict[str, list[str]] = hit.get("highlight", {})
    own = field_of(hit["_source"]["language"])
    ways = [found.get(f"{part}.{name}", []) for name in (own, f"{own}.{MARKED}", PLAIN) if name != GRAMS]
    return max(ways, key=lambda some: sum(passage.count(OPEN) for passage in some), default=[])
