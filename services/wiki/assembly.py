"""The wiki service, assembled: the only module that knows both its rules and its machinery."""

from contracts.groups import GroupDescribed, GroupStarted
from contracts.tokens import CHANGES_TOKENS
from contracts.wiki import PageAudienceChanged, PageStarted, SpaceAudienceChanged, SpaceOpened
from services.wiki import projections, reactions
from services.wiki.api import Wiki, router
from services.wiki.domain.spaces import spaces
from services.wiki.press import Press
from shared.runtime.auth import Verifier
from shared.runtime.reactions import Reaction
from shared.runtime.service import Service
from shared.runtime.settings import Settings

KEEPS_SPACES = Reaction(
    "wiki.opens-spaces-of-groups", (GroupStarted, GroupDescribed), reactions.keep_space_of_group, spaces
)


def assemble(settings: Settings, verifier: Verifier | None = None) -> Service:
    service = Service(
        "wiki",
        settings,
        module="services.wiki.app",
        projections=[
            projections.pages,
            projections.revisions,
            projections.paths,
            projections.spaces,
            projections.owners,
            projections.authors,
        ],
        tokens_from=CHANGES_TOKENS,
        addresses=True,
        conjunctions_from=(PageStarted, PageAudienceChanged, SpaceOpened, SpaceAudienceChanged),
        reactions=[KEEPS_SPACES],
        verifier=verifier,
    )
    press = Press()
    service.on_stop(press.close)
    wiki = Wiki(
        store=service.store,
        pages=service.views(projections.pages),
        revisions=service.views(projections.revisions),
        paths=service.views(projections.paths),
        spaces=service.views(projections.spaces),
        owners=service.views(projections.owners),
        authors=service.views(projections.authors),
        readers=service.readers,
        behind=service.behind,
        press=press,
    )
    service.http.include_router(router(wiki))
    return service
