"""The engagement service, assembled: the only module that knows both its rules and its machinery."""

from contracts.tokens import CHANGES_TOKENS
from services.engagement import projections
from services.engagement.api import Engagement, router
from services.engagement.coaching import Coaching
from services.engagement.factbook import Factbook
from services.engagement.figures import Figures
from services.engagement.keeping import Keeper
from shared.runtime.auth import Verifier
from shared.runtime.service import Service
from shared.runtime.settings import Settings

_COACHING = (projections.policies, projections.shown, projections.offers)
_FACTS = (projections.activity, projections.people, projections.items, projections.units)
#: Figures may be behind by so many seconds: each fold of a few facts costs as much as one of a hundred, on
#: the cores that are about to show a post.
GATHERED_WITHIN = 0.25


def assemble(settings: Settings, verifier: Verifier | None = None) -> Service:
    service = Service(
        "engagement",
        settings,
        module="services.engagement.app",
        projections=[projections.consents, projections.opened, projections.places, *_COACHING, *_FACTS],
        tokens_from=CHANGES_TOKENS,
        verifier=verifier,
        personal=True,
    )
    for projection in _FACTS:
        service.gather(projection, GATHERED_WITHIN)
    viewings = [service.viewings[projection.name] for projection in _FACTS]
    figures = Figures(Factbook(service.registry, *viewings), service.database)
    keeper = Keeper(figures)
    service.on_start(keeper.start)
    service.on_stop(keeper.stop)
    room = Engagement(
        store=service.store,
        consents=service.views(projections.consents),
        opened=service.views(projections.opened),
        activity=service.views(projections.activity),
        policies=service.views(projections.policies),
        shown=service.views(projections.shown),
        offers=service.views(projections.offers),
        places=service.views(projections.places),
        figures=figures,
        coaching=Coaching(service.store, service.views(projections.activity), figures.book),
        keys=service.keys,
        readers=service.readers,
        behind=service.behind,
    )
    service.http.include_router(router(room))
    return service
