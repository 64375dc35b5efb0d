"""What each protection of the runtime is for, how to take it away, and which test must fail then."""

from shared.tests.protections import changing, folding, reading
from shared.tests.protections.protection import Protection

PROTECTIONS: tuple[Protection, ...] = (*changing.PROTECTIONS, *folding.PROTECTIONS, *reading.PROTECTIONS)

__all__ = ["PROTECTIONS", "Protection"]
