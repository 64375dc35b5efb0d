"""Rates: a bucket per caller, refilled by time, remembered within a ceiling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.errors import TooMany
from shared.runtime.limits import RateLimit
from shared.runtime.tests.clock import Clock


def test_a_burst_is_let_through_and_the_next_one_refused_with_the_time_to_wait() -> None:
    clock = Clock()
    limit = RateLimit("test", a_minute=60, burst=5, most=10, clock=clock)
    for _ in range(5):
        limit.take("ann")
    with pytest.raises(TooMany) as refused:
        limit.take("ann")
    assert refused.value.params == {"seconds": 1}
    limit.take("ben")
    clock.now += 1
    limit.take("ann")
    with pytest.raises(TooMany):
        limit.take("ann")


def test_what_is_refused_costs_nothing() -> None:
    clock = Clock()
    limit = RateLimit("test", a_minute=60, burst=1, most=10, clock=clock)
    limit.take("ann")
    for _ in range(100):
        with pytest.raises(TooMany):
            limit.take("ann")
    clock.now += 1
    limit.take("ann")


@given(st.lists(st.floats(0, 5), max_size=200), st.integers(1, 120), st.integers(1, 20))
def test_no_caller_gets_more_than_the_burst_and_the_rate(
    pauses: list[float], a_minute: int, burst: int
) -> None:
    clock = Clock()
    limit = RateLimit("test", a_minute=a_minute, burst=burst, most=10, clock=clock)
    began, taken = clock.now, 0
    for pause in pauses:
        clock.now += pause
        try:
            limit.take("ann")
        except TooMany:
            continue
        taken += 1
    assert taken <= burst + (clock.now - began) * a_minute / 60 + 1e-6


def test_memory_is_bounded_however_many_callers_there_are() -> None:
    limit = RateLimit("test", a_minute=60, burst=2, most=100)
    for caller in range(10_000):
        limit.take(f"caller-{caller}")
    assert len(limit) == 100
