"""The newest posts in memory: always what the database would say, or nothing."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feed import newest
from services.feed.newest import Window
from services.feed.projections import PostView
from shared.kernel.audience import Classification, Reader
from shared.kernel.testing import NOON

READERS = [
    Reader("ann", frozenset({"staff", "group:g1"}), Classification.INTERNAL),
    Reader("gil", frozenset({"group:g2"}), Classification.OPEN),
    Reader("edi", frozenset({"staff", "group:g1", "group:g2"}), Classification.CONFIDENTIAL),
]


def _post(post_id: str, minute: int, audience: list[str], level: Classification) -> PostView:
    at = NOON + timedelta(minutes=minute)
    return PostView(
        post_id=post_id, published_at=at, audience=audience, classification=level.value, text=f"{minute}"
    )


_POST = st.builds(
    _post,
    st.sampled_from([f"p{n}" for n in range(12)]),
    st.integers(0, 6),
    st.lists(st.sampled_from(["staff", "group:g1", "group:g2"]), max_size=2, unique=True),
    st.sampled_from(Classification),
)
_STEP = st.one_of(
    st.tuples(st.just("write"), _POST),
    st.tuples(st.just("delete"), st.sampled_from([f"p{n}" for n in range(12)])),
    st.tuples(st.just("forget"), st.none()),
    st.tuples(st.just("load"), st.none()),
)


def _newest(stored: dict[str, PostView], number: int) -> list[PostView]:
    return sorted(stored.values(), key=lambda post: (post.published_at, post.post_id), reverse=True)[:number]


@given(st.lists(_STEP, max_size=60), st.integers(1, 6))
def test_a_page_from_memory_is_the_page_that_the_database_gives(
    steps: list[tuple[str, PostView | str | None]], limit: int
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(newest, "LOOKED_AT", 4)
        stored: dict[str, PostView] = {}
        window = Window()
        for what, about in steps:
            if isinstance(about, PostView):
                # A post's time of publication never changes.
                kept = stored.get(about.post_id)
                post = about if kept is None else about.model_copy(update={"published_at": kept.published_at})
                stored[post.post_id] = post
                window.changed(post.post_id, post)
            elif isinstance(about, str):
                if about in stored:
                    stored[about] = PostView(post_id=about, deleted=True)
                    window.changed(about, stored[about])
            elif what == "forget":
                window.forget()
            elif not window.filled:
                window.begin()
                found = _newest(stored, newest.LOOKED_AT)
                window.fill(found, whole=len(found) < newest.LOOKED_AT)
            _agrees(window, stored, limit)


def _agrees(window: Window, stored: dict[str, PostView], limit: int) -> None:
    if not window.filled:
        return
    for reader in READERS:
        seen = [
            post
            for post in _newest(stored, len(stored))
            if post.audience and reader.may_see(post.audience, Classification(post.classification))
        ]
        page = window.page(reader, limit)
        assert page is None or page == seen[:limit]


def test_a_window_answers_a_page_without_the_database_and_not_more_than_it_knows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(newest, "LOOKED_AT", 4)
    window = Window()
    window.begin()
    posts = [_post(f"p{n}", n, ["staff"], Classification.INTERNAL) for n in range(1, 5)]
    window.fill(posts, whole=False)
    page = window.page(READERS[0], 3)
    assert page is not None and [post.post_id for post in page] == ["p4", "p3", "p2"]
    assert window.page(READERS[0], 5) is None, "there are older ones"
    assert window.page(READERS[1], 1) is None, "older ones may be for them"


def test_what_is_written_while_the_window_is_filled_is_in_it() -> None:
    window = Window()
    old = _post("p1", 1, ["staff"], Classification.INTERNAL)
    window.begin()
    window.changed("p2", _post("p2", 2, ["staff"], Classification.INTERNAL))
    window.changed("p1", old.model_copy(update={"text": "mended"}))
    window.fill([old], whole=True)
    page = window.page(READERS[0], 20)
    assert page is not None and [post.text for post in page] == ["2", "mended"]


def test_what_was_forgotten_while_it_was_loaded_stays_forgotten() -> None:
    window = Window()
    window.begin()
    window.forget()
    window.fill([_post("p1", 1, ["staff"], Classification.INTERNAL)], whole=True)
    assert not window.filled
