"""What somebody who looks is told of what happens, and what they are not."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.groups import Openness
from services.feed import live
from services.feed.live import Hub
from services.feed.projections import PostView
from services.feed.tests.world import House, Person
from shared.kernel.audience import Classification, MemberTokens, Reader
from shared.kernel.errors import TooMany, Unauthenticated
from shared.kernel.testing import NOON
from shared.runtime.ids import new_id
from shared.runtime.mirror import Kept
from shared.tests.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="package")


@dataclass
class Screen:
    """What one open connection was told so far."""

    text: str = ""
    status: int = 0
    done: bool = False
    left: asyncio.Event = field(default_factory=asyncio.Event)

    def told(self, name: str) -> list[dict[str, Any]]:
        blocks = [block.split("\n") for block in self.text.split("\n\n")]
        return [
            json.loads(block[1].removeprefix("data: ")) for block in blocks if block[0] == f"event: {name}"
        ]

    def new(self) -> list[str]:
        return [post_id for message in self.told("new") for post_id in message["ids"]]

    def changed(self) -> dict[str, dict[str, Any]]:
        return {item["id"]: item for message in self.told("changed") for item in message["items"]}


@contextlib.asynccontextmanager
async def looking(house: House, who: str) -> AsyncIterator[Screen]:
    """An open connection, without a network: the test's client would wait for the answer's end."""
    screen = Screen()

    async def receive() -> dict[str, Any]:
        await screen.left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        screen.status = message.get("status", screen.status)
        screen.text += message.get("body", b"").decode()
        screen.done = message["type"] == "http.response.body" and not message.get("more_body", False)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/feed/live",
        "raw_path": b"/feed/live",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {who}".encode())],
        "client": ("127.0.0.1", 1),
        "server": ("feed", 80),
    }
    answering = asyncio.create_task(house.service.http(scope, receive, send))

    async def welcome() -> bool:
        return "welcome" in screen.text

    await eventually(welcome)
    yield screen
    screen.left.set()
    await asyncio.wait_for(answering, 10)


async def test_who_looks_is_told_at_once_and_only_of_what_they_may_see(house: House) -> None:
    group_id = await house.world.group(Openness.CLOSED, "ann", "gil")
    await house.knows("gil", group_id)
    async with looking(house, "bob") as bob, looking(house, "gil") as gil, looking(house, "ann") as ann:
        public = (await house.post("ann", "To all of you")).json()["id"]
        secret = (await house.post("ann", "To the two of us", group_id=group_id)).json()["id"]

        async def told() -> bool:
            return bob.new() == [public] and gil.new() == [secret]

        await eventually(told)
        await house.ask("bob", "PUT", f"/posts/{public}/reaction", json={"kind": "love"})
        await house.comment("gil", secret, "Thanks")

        async def counted() -> bool:
            return (
                bob.changed().get(public, {}).get("reactions") == {"love": 1}
                and gil.changed().get(secret, {}).get("comments") == 1
            )

        await eventually(counted)
        await house.ask("ann", "DELETE", f"/posts/{public}")

        async def gone() -> bool:
            return bob.changed()[public] == {"id": public, "gone": True}

        await eventually(gone)
        assert secret not in bob.text and public not in gil.text
        assert not ann.new(), "nobody is told of their own posts"


async def test_an_open_connection_counts_as_no_request_under_way(house: House) -> None:
    assert "/feed/live" in house.service.http.uncounted


def _post(post_id: str, **how: Any) -> PostView:
    said: dict[str, Any] = {"author_id": "ann", "audience": ["staff"], "classification": "open", **how}
    return PostView(post_id=post_id, **said)


async def _next(told: AsyncIterator[str]) -> str:
    return await asyncio.wait_for(anext(told), 10)


async def test_a_slow_listener_gets_one_message_of_bounded_length() -> None:
    hub = Hub()
    await hub.start()

    async def ask() -> Reader:
        return Reader("bob", frozenset({"staff"}), Classification.OPEN)

    told = await hub.listen(ask)
    assert "welcome" in await _next(told)
    soon = NOON.replace(year=2999)
    for n in range(250):
        await hub.take("g", [Kept(f"p{n}", 1, _post(f"p{n}", published_at=soon))])
    message = await _next(told)
    count = json.loads(message.split("data: ")[1])
    assert (count["count"], len(count["ids"])) == (250, live.MOST_NAMED)
    await hub.take("g", [Kept("old", 3, _post("old", published_at=NOON, comments=4))])
    assert '"id":"old","comments":4' in await _next(told)
    await hub.stop()
    with pytest.raises(StopAsyncIteration):
        await _next(told)


async def test_what_is_old_or_was_brought_in_from_elsewhere_is_never_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However little this process remembers of what it has seen."""
    hub = Hub()
    await hub.start()
    monkeypatch.setattr(hub, "_since", NOON)

    async def ask() -> Reader:
        return Reader("bob", frozenset({"staff"}), Classification.OPEN)

    told = await hub.listen(ask)
    assert "welcome" in await _next(told)
    now = datetime.now(UTC)
    touched = _post("touched", published_at=now - timedelta(minutes=2), comments=1)
    brought = _post("brought", published_at=now, imported=True)
    await hub.take("g", [Kept("touched", 1, touched), Kept("brought", 1, brought)])
    message = await _next(told)
    assert message.startswith("event: changed") and "touched" in message and "brought" in message
    await hub.take("g", [Kept("said", 1, _post("said", published_at=now))])
    assert json.loads((await _next(told)).split("data: ")[1]) == {"count": 1, "ids": ["said"]}
    await hub.stop()


async def test_who_is_no_member_any_more_is_told_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "TOKENS_BELIEVED", -1.0)
    hub, asked = Hub(), 0
    await hub.start()

    async def ask() -> Reader:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise Unauthenticated("member-gone", "This account is closed.")
        return Reader("bob", frozenset({"staff"}), Classification.OPEN)

    told = await hub.listen(ask)
    assert "welcome" in await _next(told)
    await hub.take("g", [Kept("p", 1, _post("p", published_at=NOON.replace(year=2999)))])
    with pytest.raises(StopAsyncIteration):
        await _next(told)
    await hub.stop()


async def test_who_leaves_is_told_no_more_at_once_also_not_of_what_waits_for_them() -> None:
    hub, holds = Hub(), frozenset({"staff", "group:g"})
    await hub.start()

    async def ask() -> Reader:
        return Reader("bob", holds, Classification.OPEN)

    told = await hub.listen(ask)
    assert "welcome" in await _next(told)
    soon = NOON.replace(year=2999)
    for post_id, clause in (("theirs", "group:g"), ("all", "staff")):
        await hub.take("g", [Kept(post_id, 1, _post(post_id, published_at=soon, audience=[clause]))])

    async def waiting() -> bool:
        return [len(listener.new) for listener in hub.listeners] == [2]

    await eventually(waiting)
    holds = frozenset({"staff"})
    await hub.belonging.take("g", [Kept("bob", 2, MemberTokens(member_id="bob"))])
    assert json.loads((await _next(told)).split("data: ")[1]) == {"count": 1, "ids": ["all"]}
    await hub.take("g", [Kept("more", 1, _post("more", published_at=soon, audience=["group:g"]))])
    await hub.take("g", [Kept("last", 1, _post("last", published_at=soon))])
    assert json.loads((await _next(told)).split("data: ")[1]) == {"count": 1, "ids": ["last"]}
    await hub.stop()


async def test_a_member_who_is_deactivated_is_told_nothing_more_within_seconds(house: House) -> None:
    member_id = f"brief{new_id()[-8:]}"
    await house.get("ann", "/feed", await house.world.member(member_id, Person()))
    async with looking(house, member_id) as screen:
        await house.world.gone(member_id)

        async def ended() -> bool:
            return screen.done

        await eventually(ended, within=5)


async def test_nobody_opens_connections_without_end() -> None:
    hub = Hub()

    async def ask() -> Reader:
        return Reader("bob", frozenset(), Classification.OPEN)

    opened = [await hub.listen(ask) for _ in range(live.MOST_OF_ONE)]
    with pytest.raises(TooMany):
        await hub.listen(ask)
    for told in opened:
        await anext(told)
        await told.aclose()  # type: ignore[attr-defined]
    assert await hub.listen(ask)
