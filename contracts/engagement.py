"""What engagement tells the rest of the house: which members let their reading be counted."""

from typing import ClassVar

from shared.kernel.events import Event

TOPIC = "engagement.events"


class ConsentChanged(Event):
    """A member decided whether what they open and read is counted."""

    topic: ClassVar[str | None] = TOPIC

    member_id: str
    counted: bool
