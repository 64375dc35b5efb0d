"""Ids: new ones in order of time, derived ones the same for the same cause."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.ids import derived_id, new_id

parts = st.lists(st.text(), min_size=1, max_size=4)


def test_later_ids_sort_after_earlier_ones() -> None:
    ids = [new_id() for _ in range(2_000)]
    assert ids == sorted(ids) and len(set(ids)) == len(ids)
    assert all(len(i) == 32 and int(i, 16) for i in ids)


def test_an_id_of_then_sorts_among_those_of_its_time() -> None:
    now = datetime.now(UTC)
    ids = [new_id(now + timedelta(milliseconds=past)) for past in (-86_400_000, -1, 5, 86_400_000)]
    assert ids == sorted(ids) and ids[1] < new_id() < ids[3]
    assert len({new_id(now) for _ in range(1_000)}) == 1_000


@given(parts)
def test_the_same_cause_derives_the_same_id(cause: list[str]) -> None:
    assert derived_id(*cause) == derived_id(*cause)


@given(parts, parts)
def test_different_causes_derive_different_ids(one: list[str], other: list[str]) -> None:
    assert (derived_id(*one) == derived_id(*other)) == (one == other)


def test_parts_are_told_apart() -> None:
    assert derived_id("a", "bc") != derived_id("ab", "c")
