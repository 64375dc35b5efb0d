"""A store that does not answer, in words of the domain: readers are told to come back, not that we failed."""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import ConnectionFailure, ExecutionTimeout, NotPrimaryError

from shared.kernel.errors import Unavailable

#: What passes by itself once the engine is back.
PASSING = (ConnectionFailure, ExecutionTimeout, NotPrimaryError)


@contextmanager
def reading() -> Iterator[None]:
    """Raises Unavailable where the store cannot be reached. For reads only: a write's outcome is unknown."""
    try:
        yield
    except PASSING as error:
        raise Unavailable("store-away", "The store does not answer. Try again in a moment.") from error
