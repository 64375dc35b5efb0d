"""The feed service, assembled: the only module that knows both its rules and its machinery."""

from contracts.feed import PostPublished
from contracts.tokens import CHANGES_TOKENS
from services.feed import projections
from services.feed.api import Feed, router
from services.feed.audiences import Audiences
from services.feed.detection import Detector
from services.feed.imaging import Studio
from services.feed.live import Hub
from services.feed.newest import Newest
from services.feed.sweeping import Sweeper
from shared.runtime.auth import Verifier
from shared.runtime.files import Files
from shared.runtime.service import Service
from shared.runtime.settings import Settings

#: Answers that stay open, which do not count as requests under way.
LIVE = ("/feed/live",)
#: What members did about posts, and how far they have seen, that is held in memory; under 1 KB each.
RESPONSES_REMEMBERED = 10_000
#: Groups whose owners are held in memory.
GROUPS_REMEMBERED = 1_000


def assemble(settings: Settings, verifier: Verifier | None = None) -> Service:
    service = Service(
        "feed",
        settings,
        module="services.feed.app",
        projections=[
            projections.posts,
            projections.comments,
            projections.responses,
            projections.groups,
            projections.members,
            projections.owners,
        ],
        tokens_from=CHANGES_TOKENS,
        addresses=True,
        conjunctions_from=(PostPublished,),
        verifier=verifier,
        personal=True,
    )
    service.http.uncounted = LIVE
    files = Files(service.database, settings.limits)
    hub, detector = Hub(), Detector()
    sweeper = Sweeper(files, service.store, service.views(projections.posts), service.keys)
    service.keep_beside(projections.posts, hub)
    service.remember(projections.responses, RESPONSES_REMEMBERED)
    service.remember(projections.owners, GROUPS_REMEMBERED)
    service.keep_beside(service.tokens, hub.belonging)
    service.keys.on_erased(sweeper.erased)
    service.on_start(hub.start)
    service.on_start(sweeper.start)
    for closed in (hub.stop, sweeper.stop, detector.close):
        service.on_stop(closed)
    service.on_exit(hub.end)
    feed = Feed(
        store=service.store,
        posts=service.views(projections.posts),
        comments=service.views(projections.comments),
        responses=service.views(projections.responses),
        groups=service.views(projections.groups),
        owners=service.views(projections.owners),
        newest=Newest(service.views(projections.posts), service.sole(projections.posts)),
        audiences=Audiences(service.views(projections.members)),
        readers=service.readers,
        behind=service.behind,
        keys=service.keys,
        detector=detector,
        studio=Studio(settings.limits),
        files=files,
        hub=hub,
    )
    service.http.include_router(router(feed))
    return service
