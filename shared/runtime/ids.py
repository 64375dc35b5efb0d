"""Where ids come from: new ones are ordered by time, derived ones are the same for the same cause."""

import json
import uuid
from datetime import datetime

import uuid_utils

_HOUSE = uuid.UUID("3f0a54cf-7f0e-5c0b-9a57-5b1d0d3c7a11")


def new_id(at: datetime | None = None) -> str:
    """32 hexadecimal characters (UUID version 7): later ids sort after earlier. Of now, or of `at`."""
    return uuid_utils.uuid7(nanoseconds=None if at is None else round(at.timestamp() * 1e9)).hex


def derived_id(*parts: str) -> str:
    """The id that belongs to these parts, in this order (UUID version 5, 32 hexadecimal characters).

    The parts are told apart: ("a", "bc") and ("ab", "c") are different things.
    """
    return uuid.uuid5(_HOUSE, json.dumps(parts)).hex
