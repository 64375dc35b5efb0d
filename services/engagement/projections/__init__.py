"""What is known of adoption: consent and reading, and the facts that every figure is made of."""

from services.engagement.projections.activity import ActivityView, activity
from services.engagement.projections.items import ItemView, items
from services.engagement.projections.people import PersonView, people
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
    "OpenedView",
    "PersonView",
    "UnitView",
    "activity",
    "consents",
    "items",
    "opened",
    "opened_key",
    "people",
    "units",
]
