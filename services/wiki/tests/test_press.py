"""Rendering in a process of its own: hostile texts are given up, and the next page is shown as ever."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.wiki import press as press_module
from services.wiki.press import Press
from shared.kernel.errors import Unavailable


@pytest.fixture
async def press() -> AsyncIterator[Press]:
    press = Press(deadline=2.0)
    yield press
    await press.close()


async def test_a_page_is_shown_and_compared(press: Press) -> None:
    assert "<strong>there</strong>" in (await press.prepare("Hello **there**", "a.md")).html
    comparison = await press.compare("a b", "a c")
    assert comparison is not None and comparison.words_added == 1


@pytest.mark.parametrize("body", ["[" * 300_000, "".join(f"<b id={n}><p>" for n in range(30_000))])
async def test_a_text_that_takes_too_long_is_shown_as_it_was_written(press: Press, body: str) -> None:
    shown = await press.prepare(body, "a.md")
    assert shown.html.startswith("<pre>")
    assert "<b " not in shown.html
    assert "ok" in (await press.prepare("ok", "a.md")).html


async def test_a_page_that_was_shown_is_not_rendered_again(press: Press) -> None:
    assert await press.prepare("once", "a.md") is await press.prepare("once", "a.md")


async def test_many_pages_at_once_take_turns(press: Press) -> None:
    pages = await asyncio.gather(*(press.prepare(f"page {n}", "a.md") for n in range(30)))
    assert [f"page {n}" in page.html for n, page in enumerate(pages)] == [True] * 30


async def test_a_queue_has_an_end(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(press_module, "MOST_WAITING", 1)
    found = await asyncio.gather(press.prepare("a", "a"), press.prepare("b", "b"), return_exceptions=True)
    assert [isinstance(each, Unavailable) for each in found] == [False, True]


async def test_a_reader_who_goes_away_leaves_nothing_behind(press: Press) -> None:
    waiting = asyncio.create_task(press.prepare("[" * 300_000, "a.md"))
    await asyncio.sleep(0.2)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert "ok" in (await press.prepare("ok", "a.md")).html


async def test_a_process_that_ended_is_no_verdict_on_the_page_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A stalled machine or the system's want of memory ends it as well; but a text that ends it each time
    does not cost a process at each reading."""
    press, asked = Press(given_up_for=0.3), 0
    ask = press._ask

    async def ends(job: press_module.Job) -> bytes | None:
        nonlocal asked
        asked += 1
        return None if asked == 1 else await ask(job)

    monkeypatch.setattr(press, "_ask", ends)
    try:
        for _ in range(2):
            assert (await press.prepare("**there**", "a.md")).html.startswith("<pre>")
        assert asked == 1
        await asyncio.sleep(0.4)
        assert "<strong>there</strong>" in (await press.prepare("**there**", "a.md")).html
    finally:
        await press.close()
