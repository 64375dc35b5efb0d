"""A process that stood still knows it, before anything else."""

import asyncio

from shared.runtime.awake import LONGEST_STANDSTILL, Awake
from shared.runtime.tests.clock import Clock


def test_what_began_before_or_during_a_standstill_is_not_believed() -> None:
    clock = Clock()
    awake = Awake(clock)
    began = clock.now
    clock.now += LONGEST_STANDSTILL - 0.1
    assert awake.since(began), "it was merely busy"
    clock.now += LONGEST_STANDSTILL - 0.1
    assert awake.since(began), "and again"
    during = clock.now + 1.0
    clock.now += LONGEST_STANDSTILL + 0.1
    assert not awake.since(began)
    assert not awake.since(during)
    clock.now += 0.1
    assert awake.since(clock.now)


async def test_waiting_long_is_no_standstill() -> None:
    clock = Clock()
    awake = Awake(clock)
    ticking = asyncio.create_task(awake.keep_ticking())
    began = clock.now
    try:
        for _ in range(3):
            clock.now += LONGEST_STANDSTILL - 0.1
            async with asyncio.timeout(30):
                while awake._ticked != clock.now:  # noqa: ASYNC110 - it is the ticking that is looked at
                    await asyncio.sleep(0.01)
        assert awake.since(began)
    finally:
        ticking.cancel()
