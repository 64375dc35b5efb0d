"""Where the next page of a list begins: the last item's sort values as opaque text."""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from shared.kernel.errors import Refused
from shared.runtime.settings import Limits

_TIME = "t"
_LARGEST = 2**63
_DEFAULT_LIMITS = Limits()


def encode(values: Sequence[Any]) -> str:
    """URL-safe text for `values`: strings, numbers, booleans, None and times. Raises TypeError for others."""
    document = json.dumps([_out(value) for value in values], separators=(",", ":"), allow_nan=False)
    return base64.urlsafe_b64encode(document.encode()).rstrip(b"=").decode()


def decode(text: str, limits: Limits = _DEFAULT_LIMITS) -> list[Any]:
    """The values of `encode`; raises Refused("bad-cursor") for anything else, whoever made it up."""
    try:
        if len(text) > limits.cursor_characters:
            raise ValueError("too long")
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        values = json.loads(
            base64.b64decode(padded, altchars=b"-_", validate=True), parse_constant=_no_number
        )
        if not isinstance(values, list):
            raise ValueError("no list")
        return [_in(value) for value in values]
    except (ValueError, OverflowError, RecursionError, binascii.Error):
        raise Refused(
            "bad-cursor", "This page mark is not valid. Start again from the first page.", field="cursor"
        ) from None


def checked(values: list[Any] | None, *kinds: type) -> list[Any] | None:
    """The cursor's values themselves, if they are of these kinds; none is none. Raises Refused."""
    if values is None or [type(value) for value in values] == list(kinds):
        return values
    raise Refused(
        "bad-cursor", "This page mark is not valid. Start again from the first page.", field="cursor"
    )


def _no_number(constant: str) -> Any:
    raise ValueError(f"{constant} is no sort value")


def _out(value: object) -> object:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("a time in a cursor needs its time zone")
        return {_TIME: value.astimezone(UTC).isoformat()}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{type(value).__name__} cannot be part of a cursor")


def _in(value: object) -> object:
    match value:
        case {"t": str(time), **rest} if not rest:
            moment = datetime.fromisoformat(time)
            if moment.tzinfo is None:
                raise ValueError("no time zone")
            return moment.astimezone(UTC)
        case str() if not value.isascii():
            value.encode()  # a lone surrogate raises here, before a query meets it
            return value
        case int() if not -_LARGEST <= value < _LARGEST:
            raise ValueError("too large for a sort value")
        case str() | int() | float() | None:
            return value
    raise ValueError("no sort value")
