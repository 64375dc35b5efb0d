"""What is known of adoption: consent and reading, the facts that every figure is made of, and what coaches
were shown."""

from services.engagement.projections.activity import ActivityView, activity
from services.engagement.projections.coaching import (
    OfferView,
    PolicyView,
    ShownView,
    offer_key,
    offers,
    policies,
    shown,
    shown_key,
)
from services.engagement.projections.items import ItemView, items
from services.engagement.projections.people import PersonView, people
from services.engagement.projections.places import PlaceView, places, space_key
from services.engagement.projections.reading import (
    ConsentView,
    OpenedView,
    consents,
    opened,
    opened_key,
)
from services.engagement.projections.units import UnitView, units

__all__ = [
    "ActivityView",
    "ConsentView",
    "ItemView",
    "OfferView",
    "OpenedView",
    "PersonView",
    "PlaceView",
    "PolicyView",
    "ShownView",
    "UnitView",
    "activity",
    "consents",
    "items",
    "offer_key",
    "offers",
    "opened",
    "opened_key",
    "people",
    "places",
    "policies",
    "shown",
    "shown_key",
    "space_key",
    "units",
]
