"""Range headers: bytes within the file, or none at all."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.runtime.ranges import Span, Unsatisfiable, span_of

sizes = st.integers(0, 10**12)
content = bytes(range(256)) * 4


@given(st.text(max_size=60), sizes)
def test_whatever_is_asked_the_answer_lies_within_the_file(header: str, size: int) -> None:
    try:
        span = span_of(header, size)
    except Unsatisfiable:
        return
    assert span is None or 0 <= span.start < span.stop <= size


@given(st.integers(0, 1500), st.integers(0, 1500))
def test_first_and_last_are_both_included(first: int, last: int) -> None:
    assume(first <= last and first < len(content))
    span = span_of(f"bytes={first}-{last}", len(content))
    assert span is not None
    assert content[span.start : span.stop] == content[first : last + 1]
    assert span.content_range == f"bytes {first}-{min(last, len(content) - 1)}/{len(content)}"


@given(st.integers(1, 2000))
def test_a_suffix_is_counted_from_the_end(length: int) -> None:
    span = span_of(f"bytes=-{length}", len(content))
    assert span is not None
    assert content[span.start : span.stop] == content[-length:]


def test_an_open_range_goes_to_the_end() -> None:
    assert span_of("bytes=1000-", 1024) == Span(1000, 1024, 1024)
    assert span_of("Bytes = 0 - 0", 1024) == Span(0, 1, 1024)


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=1024-", 1024), ("bytes=-0", 10), ("bytes=0-", 0), ("bytes=-5", 0)]
)
def test_a_range_past_the_file_is_unsatisfiable(header: str, size: int) -> None:
    with pytest.raises(Unsatisfiable):
        span_of(header, size)


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b", "bytes=٣-٤"],
)
def test_what_is_malformed_or_several_is_ignored(header: str | None) -> None:
    assert span_of(header, 1024) is None
