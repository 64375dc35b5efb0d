"""What engagement tells the rest of the house: which members let their reading be counted, and in which
countries coaches are told names."""

from enum import StrEnum
from typing import Annotated, ClassVar

from shared.kernel.events import Event
from shared.kernel.personal import Personal, Subject

TOPIC = "engagement.events"


class Naming(StrEnum):
    """What coaches are told of a country: figures of groups, or also who is passive or new."""

    AGGREGATES_ONLY = "aggregates-only"
    NAMES_TO_COACHES = "names-to-coaches"


class ConsentChanged(Event):
    """A member decided whether what they open and read is counted."""

    topic: ClassVar[str | None] = TOPIC

    member_id: str
    counted: bool


class CountryPolicyChanged(Event):
    """It was decided anew whether coaches are told who in a country is passive or new. Until then they are
    not."""

    topic: ClassVar[str | None] = TOPIC

    country: str
    old: Naming
    new: Naming
    decided_by: str
    reason: Annotated[Personal, Subject("decided_by")]
