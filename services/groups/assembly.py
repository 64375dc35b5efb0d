"""The groups service, assembled: the only module that knows both its rules and its machinery."""

from contracts.tokens import CHANGES_TOKENS
from services.groups import projections
from services.groups.api import Groups, router
from services.groups.succession import Succession
from shared.runtime.auth import Verifier
from shared.runtime.service import Service
from shared.runtime.settings import Settings


def assemble(settings: Settings, verifier: Verifier | None = None) -> Service:
    service = Service(
        "groups",
        settings,
        module="services.groups.app",
        projections=[
            projections.groups,
            projections.memberships,
            projections.invitations,
            projections.people,
        ],
        tokens_from=CHANGES_TOKENS,
        verifier=verifier,
    )
    succession = Succession(
        service.store, service.views(projections.people), service.views(projections.memberships)
    )
    service.keep_beside(projections.people, succession)
    service.on_start(succession.start)
    service.on_stop(succession.stop)
    room = Groups(
        store=service.store,
        groups=service.views(projections.groups),
        memberships=service.views(projections.memberships),
        invitations=service.views(projections.invitations),
        people=service.views(projections.people),
        succession=succession,
        tokens=service.projection("groups.tokens"),
        readers=service.readers,
        behind=service.behind,
    )
    service.http.include_router(router(room))
    return service
