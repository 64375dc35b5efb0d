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
    assert "<strong>there</strong>" in (await press.prepare("Hello **there**", "a.md", "ann")).html
    comparison = await press.compare("a b", "a c", "ann")
    assert comparison is not None and comparison.words_added == 1


@pytest.mark.parametrize("body", ["[" * 300_000, "".join(f"<b id={n}><p>" for n in range(30_000))])
async def test_a_text_that_takes_too_long_is_shown_as_it_was_written(press: Press, body: str) -> None:
    shown = await press.prepare(body, "a.md", "ann")
    assert shown.html.startswith("<pre>")
    assert "<b " not in shown.html
    assert "ok" in (await press.prepare("ok", "a.md", "ann")).html


async def test_a_page_that_was_shown_is_not_rendered_again(press: Press) -> None:
    assert await press.prepare("once", "a.md", "ann") is await press.prepare("once", "a.md", "ann")


async def test_many_pages_at_once_take_turns(press: Press) -> None:
    pages = await asyncio.gather(*(press.prepare(f"page {n}", "a.md", f"m{n % 3}") for n in range(30)))
    assert [f"page {n}" in page.html for n, page in enumerate(pages)] == [True] * 30


async def test_a_queue_has_an_end(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(press_module, "MOST_WAITING", 1)
    found = await asyncio.gather(
        press.prepare("a", "a", "ann"), press.prepare("b", "b", "bo"), return_exceptions=True
    )
    assert [isinstance(each, Unavailable) for each in found] == [False, True]


async def test_nobody_waits_for_more_than_two_pages_of_one_member(
    press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    async def asked(job: press_module.Job) -> bytes | None:
        await asyncio.sleep(0)
        done.append(job.first)
        return b""

    monkeypatch.setattr(press, "_ask", asked)
    many = [press.prepare(f"eve {n}", "a.md", "eve") for n in range(press_module.MOST_OF_ONE + 1)]
    found = await asyncio.gather(*many, press.prepare("bo", "a.md", "bo"), return_exceptions=True)
    assert [isinstance(each, Unavailable) for each in found].count(True) == 1
    assert done.index("bo") == press_module.AT_ONCE_OF_ONE and len(done) == press_module.MOST_OF_ONE + 1
    assert not press._members


async def test_pages_are_kept_by_their_size_and_previews_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(press_module, "MOST_KEPT", 30_000)
    press = Press()
    try:
        first = await press.prepare("word " * 2_000, "a.md", "ann")
        for n in range(2):
            await press.prepare(f"{n} word " * 2_000, "a.md", "ann")
        assert press._kept.currsize <= 30_000
        assert await press.prepare("word " * 2_000, "a.md", "ann") is not first
        kept = len(press._kept)
        await press.prepare("a preview", "a.md", "ann", keep=False)
        await press.prepare("word " * 20_000, "a.md", "ann")
        assert len(press._kept) == kept
    finally:
        await press.close()


async def test_a_reader_who_goes_away_leaves_nothing_behind(press: Press) -> None:
    waiting = asyncio.create_task(press.prepare("[" * 300_000, "a.md", "ann"))
    await asyncio.sleep(0.2)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert "ok" in (await press.prepare("ok", "a.md", "ann")).html


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
            assert (await press.prepare("**there**", "a.md", "ann")).html.startswith("<pre>")
        assert asked == 1
        await asyncio.sleep(0.4)
        assert "<strong>there</strong>" in (await press.prepare("**there**", "a.md", "ann")).html
    finally:
        await press.close()
