"""Cursors: opaque, of bounded size, and nothing but what we made ourselves."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.errors import Refused
from shared.runtime import cursors
from shared.runtime.settings import Limits

times = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    times,
)


@given(st.lists(values, max_size=4))
def test_what_was_encoded_is_decoded(sort_values: list[Any]) -> None:
    roomy = Limits(cursor_characters=10_000)
    assert cursors.decode(cursors.encode(sort_values), roomy) == sort_values


@given(
    st.one_of(
        st.text(max_size=200), st.binary(max_size=150).map(lambda b: base64.urlsafe_b64encode(b).decode())
    )
)
def test_whatever_else_comes_is_refused_or_harmless(text: str) -> None:
    try:
        found = cursors.decode(text)
    except Refused as refused:
        assert refused.code == "bad-cursor"
    else:
        assert isinstance(found, list)


def _made_up(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "document",
    [
        {"$gt": ""},
        [{"$gt": ""}],
        [["nested"]],
        [2**70],
        [{"t": "2026-01-01T00:00:00"}],
        [{"t": "yesterday"}],
        [{"t": "2026-01-01T00:00:00+00:00", "$where": "1"}],
        ["\ud800"],
        [float("nan")],
    ],
)
def test_a_made_up_cursor_cannot_reach_a_query(document: object) -> None:
    with pytest.raises(Refused, match="page mark"):
        cursors.decode(_made_up(document))


def test_a_cursor_past_its_size_is_refused_unread() -> None:
    with pytest.raises(Refused):
        cursors.decode(_made_up(["a" * 2_000]))


def test_times_come_back_in_utc() -> None:
    stockholm = datetime(2026, 3, 2, 13, 0, tzinfo=timezone(timedelta(hours=1)))
    assert cursors.decode(cursors.encode([stockholm])) == [datetime(2026, 3, 2, 12, 0, tzinfo=UTC)]


@pytest.mark.parametrize("value", [datetime(2026, 3, 2), b"bytes", object()])
def test_what_has_no_order_of_its_own_is_no_part_of_a_cursor(value: object) -> None:
    with pytest.raises(TypeError):
        cursors.encode([value])
