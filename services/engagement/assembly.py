"""The engagement service, assembled: the only module that knows both its rules and its machinery."""

from contracts.tokens import CHANGES_TOKENS
from services.engagement import projections
from services.engagement.api import Engagement, router
from shared.runtime.auth import Verifier
from shared.runtime.service import Service
from shared.runtime.settings import Settings


def assemble(settings: Settings, verifier: Verifier | None = None) -> Service:
    service = Service(
        "engagement",
        settings,
        module="services.engagement.app",
        projections=[projections.consents, projections.opened],
        tokens_from=CHANGES_TOKENS,
        verifier=verifier,
    )
    room = Engagement(
        store=service.store,
        consents=service.views(projections.consents),
        opened=service.views(projections.opened),
        readers=service.readers,
        behind=service.behind,
    )
    service.http.include_router(router(room))
    return service
