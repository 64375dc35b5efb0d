"""Which bytes of a file a request asks for: the Range header of RFC 9110, section 14, one range at a time."""

import re
from dataclasses import dataclass

_BYTES = re.compile(r"bytes[ \t]*=[ \t]*([0-9]{0,18})[ \t]*-[ \t]*([0-9]{0,18})", re.IGNORECASE)


class Unsatisfiable(Exception):
    """No byte of the file is asked for: 416."""


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes from `start` up to and without `stop`, of `size`."""

    start: int
    stop: int
    size: int

    @property
    def length(self) -> int:
        return self.stop - self.start

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.stop - 1}/{self.size}"


def span_of(header: str | None, size: int) -> Span | None:
    """The range asked for, or None for the whole. Raises Unsatisfiable.

    A malformed header or one with several ranges is ignored, as the RFC allows: several are a way to make
    a server work hard.
    """
    found = _BYTES.fullmatch(header.strip()) if header is not None else None
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        last = min(int(found[2]), size)
        if last == 0:
            raise Unsatisfiable
        return Span(size - last, size, size)
    start = int(found[1])
    stop = min(int(found[2]) + 1, size) if found[2] else size
    if found[2] and int(found[2]) < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return Span(start, stop, size)
