"""Who finds what, against a brute-force model of who may see what: hits, totals, facets, suggestions.

The index itself is asked, on the real engine, with entries as the fold would make them.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.search.entries import gone, shown
from services.search.finding import ENOUGH, Asked, Finding
from services.search.index import OpenSearchIndex
from services.search.matching import marking
from services.search.projections import Kind, SearchItem, items
from services.search.queries import Filters
from services.search.words import Question
from shared.kernel.audience import STAFF, Classification, Reader
from shared.runtime.settings import Settings

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

TOKENS = ("everyone", STAFF, "country:SE", "country:NO", "role:leader", "group:g1", "group:g2", "member:ann")
CLAUSES = (*TOKENS, "country:SE&role:leader", "country:NO&role:leader&staff", "group:g1&group:g2")
WORDS = ("budget", "meeting", "harbour", "kitchen", "sailing", "winter")
#: Two of the words as one, which a language that does so finds by either.
JOINED = ("winterharbour", "kitchenbudget")
PARTS = ("winter", "harbour", "kitchen", "budget")
Entries = st.SearchStrategy[dict[str, Any]]
#: Each a letter away from one of the words, and in no text.
MISSPELLED = {"budgit": "budget", "meetung": "meeting", "harbuor": "harbour", "kitchan": "kitchen"}


def an_entry(words: Sequence[str], clauses: Sequence[str], languages: Sequence[str]) -> Entries:
    return st.builds(
        dict,
        words=st.lists(st.sampled_from(words), min_size=1, max_size=3, unique=True),
        audience=st.lists(st.sampled_from(clauses), min_size=1, max_size=3, unique=True),
        classification=st.sampled_from([level.value for level in Classification]),
        kind=st.sampled_from([Kind.PAGE, Kind.GROUP]),
        language=st.sampled_from(languages),
        group_id=st.sampled_from([None, "g1", "g2"]),
        live=st.sampled_from([True, True, True, False]),
    )


entries = an_entry(WORDS + JOINED, CLAUSES, ["en", "sv", "ru"])
#: Many with a word only as a part of another one, of which each reader sees about the half.
joined_entries = an_entry((*JOINED, "harbour", "kitchen"), ("everyone", "country:NO"), ["sv", "sv", "en"])
readers = st.builds(
    Reader,
    member_id=st.just("ann"),
    tokens=st.frozensets(st.sampled_from(TOKENS), max_size=5),
    clearance=st.sampled_from(Classification),
)


@dataclass(frozen=True, slots=True)
class Indexed:
    """An index, and a number for the generations that are tried out in it."""

    index: OpenSearchIndex
    finding: Finding


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def indexed(search_settings: Settings) -> AsyncIterator[Indexed]:
    index = OpenSearchIndex(search_settings, items.name)
    generation = f"{items.name}.v1.g1"
    await index.ready(generation, "trimming")
    await index.serve(generation)
    yield Indexed(index, Finding(index))
    await index.close()


def item_of(at: int, drawn: dict[str, Any]) -> SearchItem:
    return SearchItem(
        kind=drawn["kind"],
        id=f"i{at}",
        title=" ".join(drawn["words"]),
        text=" ".join(drawn["words"]),
        language=drawn["language"],
        author_id="bob",
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=at),
        audience=drawn["audience"],
        classification=drawn["classification"],
        group_id=drawn["group_id"],
    )


class Model:
    """Everything by hand: the rule of `Reader.may_see` on each item."""

    def __init__(self, drawn: list[dict[str, Any]]) -> None:
        self.all = [(item_of(at, one), one) for at, one in enumerate(drawn)]

    def seen(self, reader: Reader) -> list[SearchItem]:
        return [
            item
            for item, drawn in self.all
            if drawn["live"] and reader.may_see(item.audience, Classification(item.classification))
        ]


def has(item: SearchItem, word: str) -> bool:
    """Whether the word stands there; a part of another one does where words are found by their pieces."""
    return word in (item.title if item.language == "ru" else item.title.split())


def has_joined(item: SearchItem, word: str) -> bool:
    """Whether it is found by a longer word that the word is a part of."""
    return item.language == "sv" and word in item.title and not has(item, word)


#: Of all examples: versions rise, so that each replaces what the one before left.
_rounds = iter(range(1, 1_000_000))


async def _fill(indexed: Indexed, model: Model) -> None:
    """Every number has an entry: those that are not drawn are gone."""
    rev = next(_rounds)
    drawn = [
        shown(f"k{at}", rev, item, ()) if drawn["live"] else gone(f"k{at}", rev)
        for at, (item, drawn) in enumerate(model.all)
    ]
    rest = [gone(f"k{at}", rev) for at in range(len(drawn), ENOUGH)]
    assert await indexed.index.write(f"{items.name}.v1.g1", [*drawn, *rest]) == {}


async def _compare(indexed: Indexed, model: Model, reader: Reader, word: str, kind: Kind) -> None:
    seen = model.seen(reader)
    by_id = {item.id: item for item in seen}
    with_word = [item for item in seen if has(item, word) or has_joined(item, word)]
    asked = Asked(Question(words=(word,)), Filters(), "relevance", 50)
    page = best = await indexed.finding.page(reader, asked)
    assert {hit["_source"]["id"] for hit in page.hits} == {item.id for item in with_word}
    assert page.total == len(with_word)
    assert page.facets is not None
    assert dict(page.facets["kind"]) == Counter(item.kind.value for item in with_word)
    assert dict(page.facets["language"]) == Counter(item.language for item in with_word)
    assert dict(page.facets["group"]) == Counter(item.group_id for item in with_word if item.group_id)
    chosen = Asked(Question(words=(word,)), Filters(kinds=(kind,)), "newest", 50)
    page = await indexed.finding.page(reader, chosen)
    assert page.total == sum(item.kind is kind for item in with_word)
    everything = await indexed.finding.page(reader, Asked(None, Filters(), "newest", 50))
    newest_first = [item.id for item in reversed(seen)]
    assert [hit["_source"]["id"] for hit in everything.hits] == newest_first
    begun = await indexed.finding.suggestions(reader, [word[:4]], 50)
    assert {hit["_source"]["id"] for hit in begun} == {
        item.id for item in seen if f" {word[:4]}" in f" {item.title}"
    }
    joined = [has_joined(by_id[hit["_source"]["id"]], word) for hit in best.hits]
    assert joined == sorted(joined), "whole words come first"


async def _compare_meant(indexed: Indexed, model: Model, reader: Reader) -> None:
    seen = model.seen(reader)
    visible = {word for item in seen for word in item.title.split()}
    by_pieces = {word for item in seen if item.language == "ru" for word in item.title.split()}
    for typed, meant in MISSPELLED.items():
        if any(meant in word for word in by_pieces):
            continue  # where words are found by their pieces, a letter more or less may find them as they are
        question = Question(words=(typed,))
        if (await indexed.finding.page(reader, Asked(question, Filters(), "newest", 50))).total:
            continue  # a language's stem may be all that both have: what is found needs no other word
        better = await indexed.finding.meant(reader, question, Filters())
        assert better == (meant if meant in visible else None), (typed, visible)


@pytest.mark.parametrize(
    ("of", "words", "examples"),
    [
        (st.lists(entries, max_size=12), WORDS, 40),
        (st.lists(joined_entries, min_size=8, max_size=12), PARTS, 15),
    ],
)
async def test_nobody_finds_counts_or_is_suggested_what_they_may_not_see(
    indexed: Indexed, of: st.SearchStrategy[list[dict[str, Any]]], words: Sequence[str], examples: int
) -> None:
    loop = asyncio.get_running_loop()

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        of,
        st.lists(readers, min_size=1, max_size=3),
        st.sampled_from(words),
        st.sampled_from([Kind.PAGE, Kind.GROUP]),
    )
    def compare(drawn: list[dict[str, Any]], asking: list[Reader], word: str, kind: Kind) -> None:
        async def one() -> None:
            model = Model(drawn)
            await _fill(indexed, model)
            await asyncio.gather(
                *(_compare(indexed, model, reader, word, kind) for reader in asking),
                *(_compare_meant(indexed, model, reader) for reader in asking),
            )

        asyncio.run_coroutine_threadsafe(one(), loop).result()

    await asyncio.to_thread(compare)


async def test_a_member_of_many_groups_is_asked_for_in_one_query(indexed: Indexed) -> None:
    drawn: dict[str, Any] = {
        "words": ["budget"],
        "audience": ["group:n2999"],
        "classification": "open",
        "kind": Kind.PAGE,
    }
    drawn |= {"language": "en", "group_id": None, "live": True}
    model = Model([drawn])
    await _fill(indexed, model)
    tokens = frozenset(f"group:n{n}" for n in range(3_000))
    reader = Reader("ann", tokens, Classification.OPEN)
    page = await indexed.finding.page(reader, Asked(Question(words=("budget",)), Filters(), "relevance", 5))
    assert page.total == 1


@pytest.mark.parametrize("hidden_in", ["en", "sv"])
async def test_page_marks_do_not_tell_in_which_languages_hidden_texts_are(
    indexed: Indexed, search_settings: Settings, hidden_in: str
) -> None:
    """Longer words are looked in only where a language has them, which nobody is told."""
    drawn: dict[str, Any] = {"words": ["harbour"], "audience": ["everyone"], "classification": "open"}
    drawn |= {"kind": Kind.PAGE, "language": "en", "group_id": None, "live": True}
    await _fill(indexed, Model([drawn, drawn, drawn | {"audience": ["group:g1"], "language": hidden_in}]))
    fresh = OpenSearchIndex(search_settings, items.name)
    fresh.serving = indexed.index.serving
    reader = Reader("ann", frozenset({"everyone"}), Classification.OPEN)
    try:
        page = await Finding(fresh).page(reader, Asked(Question(words=("harbour",)), Filters(), "newest", 1))
    finally:
        await fresh.close()
    assert (page.total, page.more, page.widely) == (2, True, True)


@pytest.mark.parametrize(("there", "widely"), [(ENOUGH, False), (ENOUGH - 1, True)])
async def test_a_page_is_read_once_however_few_are_found(
    indexed: Indexed, monkeypatch: pytest.MonkeyPatch, there: int, widely: bool
) -> None:
    """What is looked for in longer words, too, is counted before: reading a page is what costs."""
    drawn: dict[str, Any] = {"words": ["sailing"], "audience": ["everyone"], "classification": "open"}
    drawn |= {"kind": Kind.PAGE, "language": "sv", "group_id": None, "live": True}
    await _fill(indexed, Model([drawn] * there))
    asked: list[dict[str, Any]] = []
    ask = indexed.index.ask

    async def noting(query: dict[str, Any]) -> dict[str, Any]:
        asked.append(query)
        return await ask(query)

    await indexed.index.fields()
    monkeypatch.setattr(indexed.index, "ask", noting)
    reader = Reader("ann", frozenset({"everyone"}), Classification.OPEN)
    chosen = Filters(kinds=(Kind.GROUP,))
    page = await indexed.finding.page(reader, Asked(Question(words=("sailing",)), chosen, "relevance", 5))
    assert (page.total, page.widely) == (0, widely), "whichever facets are chosen"
    counting, reading = asked
    assert (counting["size"], counting["track_total_hits"], "aggs" in counting) == (0, ENOUGH, False)
    assert "highlight" in reading


async def test_a_field_is_marked_by_its_own_language_only() -> None:
    """The engine reads what is looked for anew for each field: with all languages in each, their square."""
    asked = Question(words=("winter", "harbour"), phrases=("green tea",))
    for name, wanted in marking(asked, ("plain", "sv", "de", "fr", "grams"), widely=True).items():
        _, code, *_ = name.split(".")
        assert set(re.findall(r"(?:title|text)\.(\w+)", str(wanted))) == {code}
