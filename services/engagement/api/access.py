"""What the routes work with."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from services.engagement.coaching import Coaching
from services.engagement.domain.consents import Consent, consent_stream, consents
from services.engagement.domain.permissions import Asker
from services.engagement.figures import Figures
from services.engagement.metrics.people import UNKNOWN
from services.engagement.projections import (
    ActivityView,
    ConsentView,
    OfferView,
    OpenedView,
    PlaceView,
    PolicyView,
    ShownView,
    activity,
    items,
    people,
    units,
)
from shared.kernel.audience import STAFF
from shared.kernel.personal import Personal, Sealed
from shared.kernel.projection import Projection
from shared.runtime.auth import Actor
from shared.runtime.keys import KeyRing, Missing
from shared.runtime.readers import Readers
from shared.runtime.store import EventStore
from shared.runtime.views import Views


class Behind(Protocol):
    """Waits until views hold a commit; True where they may not."""

    def __call__(
        self, after: str | None, *views: Projection[Any], key: str | None = None
    ) -> Awaitable[bool]: ...


@dataclass(frozen=True, slots=True)
class Engagement:
    """The service's parts that routes need."""

    store: EventStore
    consents: Views[ConsentView]
    opened: Views[OpenedView]
    activity: Views[ActivityView]
    policies: Views[PolicyView]
    shown: Views[ShownView]
    offers: Views[OfferView]
    places: Views[PlaceView]
    figures: Figures
    coaching: Coaching
    keys: KeyRing
    readers: Readers
    behind: Behind

    async def consent(self, member_id: str) -> Consent:
        """As it is in the store: a no counts at the next request."""
        return (await self.store.state(consents, consent_stream(member_id)))[0]

    async def facts_behind(self, after: str | None) -> bool:
        """Waits, at most 2 s, until every figure holds the commit; True where it may not."""
        return await self.behind(after, activity, people, items, units)

    async def asker(self, actor: Actor) -> Asker:
        """Who asks, and where they are. Raises as `Readers.of` does."""
        reader = await self.readers.of(actor)
        book = self.figures.book
        now = int(datetime.now(UTC).timestamp())
        unit = (await book.person(actor.member_id)).at(now).unit
        return Asker(actor.member_id, actor.roles, STAFF in reader.tokens, None if unit == UNKNOWN else unit)


async def opened_texts(keys: KeyRing, sealed: Sequence[str]) -> list[str]:
    """In order; empty where whoever wrote it is erased."""
    found = await keys.open_all([Personal(sealed=Sealed.parse(text)) for text in sealed])
    return ["" if isinstance(text, Missing) else text for text in found]
