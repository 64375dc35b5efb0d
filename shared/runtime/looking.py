"""Looks that come again whatever goes wrong with one of them: what a service does now and then, by itself."""

from collections.abc import Awaitable

import structlog
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from shared.kernel.errors import Unavailable

log = structlog.get_logger(__name__)


async def tried(
    what: str, looking: Awaitable[object], *, passing: tuple[type[Exception], ...] = (), **about: object
) -> None:
    """Whatever goes wrong, also what nobody expected: the next look comes all the same. `passing`: what is
    expected besides engines that are away."""
    try:
        await looking
    except Exception as error:
        expected = isinstance(error, (PyMongoError, KafkaError, Unavailable, OSError, *passing))
        log.warning("not looked after", what=what, error=repr(error)[:300], exc_info=not expected, **about)
