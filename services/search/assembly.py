"""The search service, assembled: the only module that knows both its rules and its machinery."""

from contracts.tokens import CHANGES_TOKENS
from services.search import projections
from services.search.api import Search, router
from services.search.finding import Finding
from services.search.index import OpenSearchIndex
from services.search.indexing import Indexing
from services.search.upkeep import Upkeep
from shared.runtime.auth import Verifier
from shared.runtime.service import Service
from shared.runtime.settings import Settings


def assemble(settings: Settings, verifier: Verifier | None = None) -> Service:
    service = Service(
        "search",
        settings,
        module="services.search.app",
        projections=[projections.items],
        tokens_from=CHANGES_TOKENS,
        verifier=verifier,
        personal=True,
    )
    index = OpenSearchIndex(settings, projections.items.name)
    indexing = Indexing(service.database, service.keys, index)
    service.keep_beside(projections.items, indexing)
    upkeep = Upkeep(service, indexing)
    service.keys.on_erased(upkeep.erased)
    service.on_start(upkeep.start)
    service.on_stop(upkeep.stop)
    service.on_stop(index.close)
    search = Search(Finding(index), service.readers, service.behind)
    service.http.include_router(router(search))
    return service
