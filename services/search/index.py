"""The index: one per generation of the view of items, fed by its fold, read through an alias.

The only module that talks to OpenSearch. Engines that are away are `Unavailable`, which folds wait for and
readers are told.
"""

import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

import pydantic_core
import structlog
from opensearchpy import AsyncOpenSearch
from opensearchpy.exceptions import ConnectionError as Unreachable
from opensearchpy.exceptions import NotFoundError, RequestError, TransportError
from pymongo.asynchronous.database import AsyncDatabase

from services.search import analysis
from services.search.entries import Entry
from services.search.words import too_many_words
from shared.kernel.errors import Unavailable
from shared.runtime.settings import Settings

log = structlog.get_logger(__name__)

Query = dict[str, Any]
Answer = dict[str, Any]

#: Entries in one request, and their bytes together: small, so that the first ones can be found early.
LARGEST_PORTION = 500
LARGEST_PORTION_BYTES = 4_000_000
#: Seconds for which it is believed which languages the index holds.
LOOKED_FOR = 10.0
#: Seconds that the engine gets for one answer.
PATIENCE = 10.0
#: In which languages there is anything.
_SPOKEN: Query = {
    "size": 0,
    "track_total_hits": False,
    "aggs": {"languages": {"terms": {"field": "language", "size": 1_000}}},
}
#: Where a bulk request says that the entry is held already, or a newer one.
_HELD = 409
_CONGESTED = frozenset({429, 502, 503, 504})
#: In what the engine says of a question with too many clauses.
_TOO_MANY = "maxClauseCount"


class IndexLost(Exception):
    """The index of a generation is not there."""


class OpenSearchIndex:
    """The indexes of one view in one namespace."""

    def __init__(self, settings: Settings, view: str) -> None:
        self._named = settings.named
        self._view = view
        self._client = AsyncOpenSearch(
            hosts=[settings.opensearch_url],
            timeout=PATIENCE,
            max_retries=0,
            http_compress=False,
            pool_maxsize=32,
        )
        #: The generation that readers are shown: only there is anybody waiting to find what is written.
        self.serving: str | None = None
        self._fields: frozenset[str] = frozenset()
        self._written_in: set[str] = set()
        self._looked = float("-inf")

    async def close(self) -> None:
        await self._client.close()

    async def ready(self, generation: str, origin: str) -> bool:
        """Makes the index where there is none; one made for documents of another `origin` is replaced. True:
        it was filled before."""
        name = self._named(generation)
        with answering():
            meta = await self._meta(name)
            if meta is not None and meta.get("origin") != origin:
                await self._client.indices.delete(index=name, params={"ignore_unavailable": "true"})
                meta = None
            if meta is None:
                await self._create(name, origin)
                meta = {}
        return bool(meta.get("filled"))

    async def filled(self, generation: str, origin: str) -> None:
        """Notes that the index holds all that its generation held."""
        body = {"_meta": {"origin": origin, "filled": True}}
        with answering():
            await self._client.indices.put_mapping(index=self._named(generation), body=body)

    async def _meta(self, name: str) -> dict[str, Any] | None:
        try:
            found = await self._client.indices.get_mapping(index=name)
        except NotFoundError:
            return None
        return dict(found[name]["mappings"].get("_meta", {}))

    async def _create(self, name: str, origin: str) -> None:
        mappings = {**analysis.mapping(), "_meta": {"origin": origin, "filled": False}}
        try:
            await self._client.indices.create(
                index=name, body={"settings": analysis.settings(), "mappings": mappings}
            )
        except RequestError as error:
            if error.error != "resource_already_exists_exception":
                raise

    async def write(self, generation: str, entries: Iterable[Entry]) -> dict[str, str]:
        """Holds these or newer ones when it returns, to be found at once by readers of that generation.

        Answers what the engine refuses, by key. Raises IndexLost.
        """
        refused: dict[str, str] = {}
        entries = list(entries)
        spoken = {entry.document["language"] for entry in entries if "language" in entry.document}
        self._written_in |= {analysis.field_of(language) for language in spoken}
        for portion in _portions(entries):
            refused |= await self._bulk(generation, portion)
        return refused

    async def _bulk(self, generation: str, lines: Sequence[bytes]) -> dict[str, str]:
        params = {"refresh": "true"} if generation == self.serving else {}
        with answering():
            answer = await self._client.bulk(
                body=b"".join(lines), index=self._named(generation), params=params
            )
        refused = {}
        for item in answer["items"] if answer["errors"] else ():
            status, error = item["index"]["status"], item["index"].get("error", {})
            if error.get("type") == "index_not_found_exception":
                raise IndexLost(generation)
            if status in _CONGESTED:
                raise _away()
            if status != _HELD and status >= 400:
                refused[item["index"]["_id"]] = str(error.get("reason", status))[:300]
        return refused

    async def serve(self, generation: str) -> None:
        """Points the alias that readers ask at this generation, in one step."""
        name, alias = self._named(generation), self._alias(generation)
        with answering():
            await self._client.indices.refresh(index=name)
            before = [
                found
                for found, has in (await self._client.indices.get_alias(index=f"{alias}.*")).items()
                if alias in has["aliases"] and found != name
            ]
            actions: list[Query] = [{"add": {"index": name, "alias": alias}}]
            actions += [{"remove": {"index": other, "alias": alias}} for other in before]
            await self._client.indices.update_aliases(body={"actions": actions})
        self.serving = generation
        self._looked = float("-inf")

    async def fields(self) -> tuple[str, ...]:
        """Where the index holds anything: each further language costs a question as much as the first.

        What this process writes counts at once; what another one writes in a language that is new here is
        found by its exact words until the next look, `LOOKED_FOR` seconds later.
        """
        now = time.monotonic()
        if now - self._looked > LOOKED_FOR:
            answer = await self.ask(_SPOKEN)
            spoken = [bucket["key"] for bucket in answer["aggregations"]["languages"]["buckets"]]
            self._fields = frozenset(analysis.field_of(language) for language in spoken)
            self._looked = now
        used = {analysis.PLAIN, *self._fields, *self._written_in}
        return tuple(code for code in analysis.FIELDS if code in used)

    async def sweep(self, known: Callable[[], Awaitable[Collection[str]]]) -> None:
        """Drops the indexes of generations that there are no more."""
        with answering():
            there = await self._client.indices.get_alias(index=f"{self._named(self._view)}.v*")
            names = {self._named(generation) for generation in await known()}
            for name in there.keys() - names:
                log.info("an index is dropped", index=name)
                await self._client.indices.delete(index=name, params={"ignore_unavailable": "true"})

    async def expunge(self, generation: str) -> None:
        """Makes the engine rewrite what still holds text that was replaced."""
        name = self._named(generation)
        with answering():
            await self._client.indices.forcemerge(
                index=name, params={"only_expunge_deletes": "true", "wait_for_completion": "false"}
            )

    async def ask(self, query: Query) -> Answer:
        """The answer of the index that readers are shown."""
        body = pydantic_core.to_json(query)
        with answering():
            found: Answer = await self._client.search(body=body, index=self._shown_to_readers())
        return found

    async def ask_all(self, queries: Sequence[Query]) -> list[Answer]:
        """The answers to several questions, asked at once. Raises Refused where one has too many clauses."""
        lines = [pydantic_core.to_json(part) + b"\n" for query in queries for part in ({}, query)]
        with answering():
            answer = await self._client.msearch(body=b"".join(lines), index=self._shown_to_readers())
        for one in answer["responses"]:
            if "error" in one:
                raise too_many_words() if _TOO_MANY in str(one["error"]) else _away()
        return list(answer["responses"])

    def _shown_to_readers(self) -> str:
        if self.serving is None:
            raise Unavailable("view-being-built", "This is being prepared. Try again in a moment.")
        return self._alias(self.serving)

    def _alias(self, generation: str) -> str:
        return self._named(generation.rpartition(".")[0])


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Raises Unavailable where the engine is away, or has more to do than it can."""
    try:
        yield
    except Unreachable as error:
        raise _away() from error
    except NotFoundError as error:
        raise Unavailable("view-being-built", "This is being prepared. Try again in a moment.") from error
    except TransportError as error:
        if error.status_code in _CONGESTED:
            raise _away() from error
        if _TOO_MANY in str(error.info):
            raise too_many_words() from error
        raise


def _away() -> Unavailable:
    return Unavailable("search-away", "The search engine does not answer. Try again in a moment.")


def _portions(entries: Iterable[Entry]) -> Iterator[list[bytes]]:
    portion: list[bytes] = []
    size = 0
    for entry in entries:
        action = {"_id": entry.key, "version": entry.version, "version_type": "external_gte"}
        line = b"%s\n%s\n" % (
            pydantic_core.to_json({"index": action}),
            pydantic_core.to_json(entry.document),
        )
        if portion and (size + len(line) > LARGEST_PORTION_BYTES or len(portion) == LARGEST_PORTION):
            yield portion
            portion, size = [], 0
        portion.append(line)
        size += len(line)
    if portion:
        yield portion


async def origin_of(database: AsyncDatabase[dict[str, Any]], generation: str) -> str:
    """What tells this generation's collection from another one of its name, such as a restored one."""
    async for collection in await database.list_collections(filter={"name": generation}):
        return str(collection["info"]["uuid"])
    raise Unavailable("view-being-built", "This is being prepared. Try again in a moment.")
