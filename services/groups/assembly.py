"""The groups service, assembled: the only module that knows both its rules and its machinery."""

from contracts.tokens import CHANGES_TOKENS
from services.groups import projections
from services.groups.api import Groups, router
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
    room = Groups(
        store=service.store,
        groups=service.views(projections.groups),
        memberships=service.views(projections.memberships),
        invitations=service.views(projections.invitations),
        people=service.views(projections.people),
        tokens=service.projection("groups.tokens"),
        readers=service.readers,
        behind=service.behind,
    )
    service.http.include_router(router(room))
    return service
