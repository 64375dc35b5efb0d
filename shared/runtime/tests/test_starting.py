"""What begins together ends together where one part cannot begin: nothing runs on beside the next try."""

import asyncio

import pytest

from shared.runtime.service import _all


async def test_where_one_cannot_start_the_others_are_broken_off_before_that_is_told() -> None:
    """A view that went on to start would follow beside the one that the next try starts."""
    left: list[str] = []

    async def starts_slowly() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            # leaving a group takes a moment
            await asyncio.sleep(0.01)
            left.append("slowly")

    async def cannot() -> None:
        await asyncio.sleep(0)
        raise OSError("its engine is away")

    with pytest.raises(OSError, match="away"):
        await _all([starts_slowly(), cannot()])
    assert left == ["slowly"]


async def test_where_all_can_start_all_have_started() -> None:
    started: list[int] = []

    async def starts(number: int) -> None:
        await asyncio.sleep(0)
        started.append(number)

    await _all([starts(1), starts(2)])
    assert started == [1, 2]
