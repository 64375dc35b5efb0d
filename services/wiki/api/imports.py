"""Histories from elsewhere, through the same commands as everybody's.

In the order of each page and each path, with the original authors and times, and each line once however
often it is sent.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence

from fastapi import APIRouter, Response

from services.wiki import commands
from services.wiki.api.access import Wiki, asker, no_page
from services.wiki.api.requests import Import, ImportedChange, ImportedSpace, SpacesImport
from services.wiki.domain.pages import RevisePage, StartPage, pages
from services.wiki.domain.permissions import demand
from services.wiki.domain.spaces import OpenSpace, spaces
from shared.kernel.audience import Reader
from shared.kernel.errors import NotFound
from shared.kernel.events import Occasion
from shared.runtime.http import Caller, Doing
from shared.runtime.imports import Batch, ImportResult, InNames, Order, Rules, answered, member_unknown
from shared.runtime.store import Committed, Idempotency

#: Where the lines of spaces go: they have no space to be told apart by.
SPACES = "wiki.spaces"


def router(wiki: Wiki) -> APIRouter:
    api = APIRouter()

    @api.post("/import/changes")
    async def import_changes(caller: Caller, batch: Import, doing: Doing, response: Response) -> ImportResult:
        """Takes up to 200 changes. What was taken earlier is not done again: a broken run is sent again."""
        reader = await wiki.readers.of(caller)
        demand("wiki:import", asker(caller, reader))
        space, _ = await wiki.store.state(spaces, f"space-{batch.space_id}")
        if not space.open or not reader.may_see(space.audience, space.classification):
            raise NotFound("no-such-space", "There is no such space.", field="space_id")
        await wiki.check_visibility(
            reader, batch.owner_id, batch.audience, batch.classification, kept=space.audience
        )
        authors = await wiki.authors.get_many({change.by for change in batch.changes})
        rules = Rules(_order, _Changes(wiki, batch, reader, authors).do)
        taking = Batch(wiki.store, doing, batch.space_id, batch.source, rules)
        return await answered(taking, batch.changes, response)

    @api.post("/import/spaces")
    async def import_spaces(
        caller: Caller, batch: SpacesImport, doing: Doing, response: Response
    ) -> ImportResult:
        """Opens spaces, each in the name of who owns it. Repeatable as changes are."""
        reader = await wiki.readers.of(caller)
        demand("wiki:import", asker(caller, reader))

        members = InNames(wiki.readers)

        async def do(space: ImportedSpace, occasion: Occasion, key: Idempotency) -> Committed:
            _, owner = await members.of(space.by)
            await wiki.check_visibility(owner, space.by, space.audience, space.classification)
            return await wiki.store.handle(spaces, _opened(space), occasion, idempotency=key)

        rules = Rules(lambda space: Order((space.space_id,), (space.space_id,)), do)
        return await answered(Batch(wiki.store, doing, SPACES, batch.source, rules), batch.spaces, response)

    return api


class _Changes:
    """How the changes of one batch are made: those of the same page or the same path wait for each other.
    `authors` are those in whose names they may be."""

    def __init__(self, wiki: Wiki, batch: Import, reader: Reader, authors: Collection[str]) -> None:
        self._wiki = wiki
        self._reader = reader
        self._batch = batch
        self._authors = authors
        #: Pages of this space that the reader may see, as far as this batch has looked.
        self._known: set[str] = set()
        #: The lines of this batch that begin pages.
        self._begin = {change.page_id: change.line for change in batch.changes if change.op == "start"}

    async def do(self, change: ImportedChange, occasion: Occasion, key: Idempotency) -> Committed:
        store, reader, page_id = self._wiki.store, self._reader, change.page_id
        if change.by not in self._authors:
            raise member_unknown()
        if change.op != "start":
            await self._check_known(change)
        doing: dict[str, Callable[[], Awaitable[Committed]]] = {
            "start": lambda: commands.start(store, self._new(change), reader, occasion, key),
            "revise": lambda: store.handle(
                pages, RevisePage(page_id, change.body or "", ""), occasion, idempotency=key
            ),
            "move": lambda: commands.move(
                store, page_id, change.path, "", change.body, reader, occasion, key=key
            ),
            "delete": lambda: commands.deletion(store, page_id, "", occasion, key=key),
        }
        return await doing[change.op]()

    async def _check_known(self, change: ImportedChange) -> None:
        """A history goes on with pages of its own space, as far as who brings it may see them: looked at once
        for all lines of a batch."""
        if change.page_id in self._known:
            return
        try:
            page = await self._wiki.stored_page(change.page_id, self._reader)
            if page.space_id != self._batch.space_id:
                raise no_page()
        except NotFound:
            if self._begin.get(change.page_id, change.line) < change.line:
                raise NotFound(
                    "page-not-begun", "The line that begins this page was refused. Mend that one first."
                ) from None
            raise
        self._known.add(change.page_id)

    def _new(self, change: ImportedChange) -> StartPage:
        batch = self._batch
        return StartPage(
            page_id=change.page_id,
            space_id=batch.space_id,
            path=change.path,
            body=change.body or "",
            note="",
            language=batch.language,
            owner_id=batch.owner_id,
            audience=tuple(batch.audience),
            classification=batch.classification,
        )


def _opened(space: ImportedSpace) -> OpenSpace:
    return OpenSpace(
        space_id=space.space_id,
        name=space.name,
        purpose=space.purpose,
        audience=tuple(space.audience),
        classification=space.classification,
        language=space.language,
        owner_id=space.by,
    )


def _order(change: ImportedChange) -> Order:
    return Order(needs(change), needs(change))


def needs(change: ImportedChange) -> Sequence[str]:
    """What the change must not overtake another one at."""
    places = [change.path] if change.from_path is None else [change.path, change.from_path]
    return [f"page {change.page_id}", *(f"path {place}" for place in places)]
