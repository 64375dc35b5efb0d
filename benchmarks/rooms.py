"""The rooms in daily use, through the gateway: fresh posts, the home feed, search, a minute of talk.

A platform of its own, started as an operator starts it. CPU is that of the platform's own processes, read
from the system before and after; the asking process is not counted.
"""

import asyncio
import json
import lzma
import os
import random
import re
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import yarl

from benchmarks.harness import Run, Timed, callers, fikarum, percentiles
from infra.cli.handbook import FIRST_HANDBOOK

MEMBERS = 200
POSTS = 5_000
CALLERS = 16
QUESTIONS = 1_600
#: Searches after which the engine's answers get no quicker to speak of.
WARMING = 1_600
#: Posts a second, sustained, and for how many seconds.
BURST, BURST_SECONDS = 100, 60
COUNTRIES = ("SE", "DE", "GB", "FR", "FI", "ES")
#: Posts that are looked for in a feed, and as many in the index; the first of them find every cache cold.
FRESH, COLD = 100, 5
#: Texts that posts repeat.
DIFFERENT = 3_000


@dataclass(frozen=True, slots=True)
class Asker:
    """One member, and how to ask as them."""

    member_id: str
    secret: str
    http: aiohttp.ClientSession
    base: str

    async def ask(self, method: str, path: str, json_: object = None) -> Any:
        """Raises RuntimeError for every answer that is none."""
        headers = {"Authorization": f"Bearer {self.secret}"}
        async with self.http.request(method, f"{self.base}/api/v1{path}", json=json_, headers=headers) as a:
            body = await a.read()
            if a.status >= 400:
                raise RuntimeError(f"{method} {path}: {a.status} {body[:300]!r}")
            return json.loads(body) if body else None

    async def post(self, text: str) -> str:
        return str((await self.ask("POST", "/posts", {"text": text, "language": "en"}))["id"])


@dataclass(frozen=True, slots=True)
class Processes:
    """The platform's parts by name."""

    parts: dict[str, psutil.Process]

    @classmethod
    def of(cls, status: dict[str, Any]) -> "Processes":
        return cls({name: psutil.Process(part["pid"]) for name, part in status["parts"].items()})

    def cpu(self, names: Iterable[str] | None = None) -> float:
        """CPU seconds so far of the named parts, or of all."""
        found = [self.parts[name].cpu_times() for name in names or self.parts]
        return sum(times.user + times.system for times in found)

    @contextmanager
    def counted(self, spent: dict[str, float]) -> Iterator[None]:
        """Fills `spent` with the CPU seconds of each part meanwhile."""
        before = {name: self.cpu([name]) for name in self.parts}
        yield
        spent.update({name: self.cpu([name]) - before[name] for name in self.parts})


@contextmanager
def platform(home: Path, **settings: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """An empty platform in `home`, with further settings: its status and its sign-ins, as the commands tell
    them."""
    environment = {**os.environ, **settings, "FIKARUM_HOME": str(home)}
    # the figures are the rooms', not those of the limit on what one member may ask in a minute
    environment["FIKARUM_LIMITS__REQUESTS_A_MINUTE"] = "1000000"
    environment["FIKARUM_LIMITS__REQUESTS_BURST"] = "100000"
    fikarum(environment, "up", "--empty")
    try:
        status = json.loads(fikarum(environment, "status", "--json"))
        yield status, json.loads(fikarum(environment, "demo", "--json"))
    finally:
        fikarum(environment, "down")


async def run(run: Run) -> None:
    with platform(run.home / "rooms") as (status, demo):
        idle = sum(p["memory_mb"] for n, p in status["parts"].items() if n not in ENGINES)
        run.note("rooms", "seven processes, idle", idle, "MB", goal=900, at_least=False)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as http:
            base = status["addresses"]["gateway"]
            members = await registered(administrator(demo, http, base), MEMBERS)
            processes = Processes.of(status)
            await _fill(run, members)
            await _feed(run, members, processes)
            await _search(run, members, processes)
            await _fresh(run, members)
            await _burst(run, members, processes)


ENGINES = ("mongo", "kafka", "opensearch")


def administrator(demo: dict[str, Any], http: aiohttp.ClientSession, base: str) -> Asker:
    """Of the demonstration company."""
    admin = next(m for m in demo["members"] if "admin" in m["roles"])
    return Asker(admin["member_id"], admin["token"], http, base)


async def registered(chief: Asker, number: int) -> list[Asker]:
    """Members who sign in, as an administrator registers them."""
    gate = asyncio.Semaphore(4)

    async def one(nth: int) -> Asker:
        name, password = f"bench{nth}", secrets.token_urlsafe(12)
        new = {
            "name": f"Bench {nth}",
            "country": COUNTRIES[nth % len(COUNTRIES)],
            "language": "en",
            "time_zone": "Etc/UTC",
            "user_name": name,
            "password": password,
        }
        async with gate:
            member_id = (await chief.ask("POST", "/members", new))["member_id"]
            stranger = Asker("", "", chief.http, chief.base)
            secret = await _signed_in(stranger, name, password)
        return Asker(member_id, secret, chief.http, chief.base)

    return list(await asyncio.gather(*(one(nth) for nth in range(number))))


async def _signed_in(stranger: Asker, name: str, password: str) -> str:
    credentials = {"user_name": name, "password": password}
    async with stranger.http.post(f"{stranger.base}/api/v1/sessions", json=credentials) as answer:
        answer.raise_for_status()
        return str((await answer.json())["secret"])


@cache
def _sentences() -> list[str]:
    """What people wrote in the handbook that the project carries, a few lines each; the same every time."""
    texts: dict[str, None] = {}
    with lzma.open(FIRST_HANDBOOK, "rt", encoding="utf-8") as lines:
        for line in lines:
            for paragraph in str(json.loads(line).get("body") or "").split("\n\n"):
                text = " ".join(paragraph.split())
                if 60 <= len(text) <= 400 and text[0].isalpha():
                    texts[text] = None
            if len(texts) >= DIFFERENT:
                break
    return sorted(texts)[:DIFFERENT]


@cache
def _words() -> list[str]:
    """Every word of those texts once: rare ones are asked for as often as common ones."""
    return sorted({word for text in _sentences() for word in re.findall(r"[a-z]{4,}", text.lower())})


def text_of(number: int) -> str:
    sentences = _sentences()
    return f"{number}: {sentences[number * 7919 % len(sentences)]}"


async def _until(look: Callable[[], Awaitable[bool]], pause: float = 0.002, within: float = 30.0) -> None:
    deadline = time.monotonic() + within
    while not await look():
        if time.monotonic() > deadline:
            raise RuntimeError("it never showed")
        await asyncio.sleep(pause)


async def _fresh(run: Run, members: list[Asker]) -> None:
    """One at a time, on a quiet platform: until another member's feed holds it, until they find it by its
    word. The reader does as their browser does: it listens, and asks for the feed when it is told of
    something new. Of the index nobody tells, so that it is asked again and again, from then on."""
    author, reader = members[0], members[1]
    seen: list[float] = []
    found: list[float] = []
    async with listening(reader) as told:
        for number in range(2 * FRESH):
            word = f"w{secrets.token_hex(6)}"

            async def in_feed(word: str = word) -> bool:
                items = (await reader.ask("GET", "/feed?limit=20"))["items"]
                return bool(items) and word in items[0]["text"]

            async def in_index(word: str = word) -> bool:
                return bool((await reader.ask("GET", f"/search?q={word}&limit=20"))["total"])

            told.clear()
            began = time.perf_counter()
            await author.post(f"something new {word}")
            async with asyncio.timeout(30.0):
                await told.wait()
            await _until(in_feed if number % 2 else in_index, pause=0.01)
            (seen if number % 2 else found).append((time.perf_counter() - began) * 1e3)
            # at no steady beat, so that nothing that ticks is always met at the same moment
            await asyncio.sleep(random.uniform(0.05, 0.35))
    for name, values, p50, p99 in (("a feed", seen, 30, 100), ("found", found, 60, 150)):
        middle, high = percentiles(values[COLD:])
        run.note("rooms", f"idle: post until in {name} p50", middle, "ms", goal=p50, at_least=False)
        run.note("rooms", f"idle: post until in {name} p99", high, "ms", goal=p99, at_least=False)


@asynccontextmanager
async def listening(reader: Asker) -> AsyncIterator[asyncio.Event]:
    """The live updates of a member's feed: set whenever they are told of something new. A stream ends after
    ten minutes; these figures take two."""
    told, ready = asyncio.Event(), asyncio.Event()
    headers = {"Authorization": f"Bearer {reader.secret}", "Accept": "text/event-stream"}
    endless = aiohttp.ClientTimeout(total=None)

    async def listen() -> None:
        url = f"{reader.base}/api/v1/feed/live"
        async with reader.http.get(url, headers=headers, timeout=endless) as stream:
            stream.raise_for_status()
            async for line in stream.content:
                ready.set()
                if line == b"event: new\n":
                    told.set()

    task = asyncio.create_task(listen())
    try:
        async with asyncio.timeout(10.0):
            await ready.wait()
        yield told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _fill(run: Run, members: list[Asker]) -> None:
    """The history, through the gateway like everything else."""
    numbers = iter(range(POSTS))

    async def writer(author: Asker) -> None:
        for number in numbers:
            await author.post(text_of(number))

    started = time.perf_counter()
    await asyncio.gather(*(writer(author) for author in members[:CALLERS]))
    took = time.perf_counter() - started
    run.note("rooms", f"posts at {CALLERS} callers, as fast as they go", POSTS / took, "posts/s")
    last = await members[0].post("the last of the history")

    async def arrived() -> bool:
        return bool((await members[1].ask("GET", "/feed?limit=1"))["items"][0]["id"] == last)

    await _until(arrived, within=120.0)


def home_feed(members: list[Asker]) -> Callable[[int, int], Awaitable[None]]:
    """A page of the feed; each caller is another member, at every call."""

    async def call(caller: int, nth: int) -> None:
        page = await members[(caller * 13 + nth) % len(members)].ask("GET", "/feed?limit=20")
        if len(page["items"]) != 20:
            raise RuntimeError("a feed has twenty items")

    return call


def first_page(members: list[Asker]) -> Callable[[int, int], Awaitable[None]]:
    """The same, as the browser shows it."""

    async def call(caller: int, nth: int) -> None:
        asker = members[(caller * 13 + nth) % len(members)]
        cookies = {f"fikarum_session_{yarl.URL(asker.base).port}": asker.secret}
        async with asker.http.get(f"{asker.base}/", cookies=cookies) as answer:
            shown = await answer.read()
            if answer.status != 200 or shown.count(b"<article") < 20:
                raise RuntimeError(f"the first page answers {answer.status}")

    return call


async def feed_pages(
    run: Run, members: list[Asker], processes: Processes, *, group: str = "rooms", size: str = ""
) -> tuple[float, float]:
    """p99 and CPU of a page of the feed, both in milliseconds."""
    await callers(CALLERS, 400, home_feed(members))
    spent: dict[str, float] = {}
    with processes.counted(spent):
        timed = await callers(CALLERS, QUESTIONS, home_feed(members))
    name = f"GET /feed?limit=20{size}"
    note(run, name, timed, goal=100, group=group)
    ours = sum(spent[part] for part in ("gateway", "feed", "identity", "mongo")) / QUESTIONS * 1e3
    run.note(group, f"{name}, CPU", ours, "ms", goal=5, at_least=False, note=parts(spent, QUESTIONS))
    return timed.p99, ours


async def _feed(run: Run, members: list[Asker], processes: Processes) -> None:
    await feed_pages(run, members, processes)
    await callers(CALLERS, 160, first_page(members))
    note(run, "the first page, rendered", await callers(CALLERS, 800, first_page(members)))


async def _search(run: Run, members: list[Asker], processes: Processes) -> None:
    async def call(caller: int, number: int) -> None:
        asker = members[(caller * 13 + number) % len(members)]
        words = _words()
        await asker.ask("GET", f"/search?q={words[(caller * 977 + number * 101) % len(words)]}&limit=20")

    # Until its compiler has seen it all the engine takes twice as long for an answer, which is told apart.
    note(run, "GET /search, the first after a start", await callers(CALLERS, WARMING, call))
    spent: dict[str, float] = {}
    with processes.counted(spent):
        timed = await callers(CALLERS, 800, call)
    note(run, "GET /search", timed, goal=200)
    cost = sum(spent.values()) / 800 * 1e3
    run.note("rooms", "GET /search, CPU", cost, "ms", note=parts(spent, 800))


async def _burst(run: Run, members: list[Asker], processes: Processes) -> None:
    """At a steady rate, whatever the answers take; then until the last one is in a feed and found."""
    late: list[float] = []
    spent: dict[str, float] = {}
    total = BURST * BURST_SECONDS

    async def one(number: int, due: float) -> None:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await members[number % len(members)].post(text_of(number))
        late.append((time.perf_counter() - due) * 1e3)

    with processes.counted(spent):
        started = time.perf_counter()
        await asyncio.gather(*(one(number, started + number / BURST) for number in range(total)))
        word = f"w{secrets.token_hex(6)}"
        ended = time.perf_counter()
        last = await members[0].post(f"the last of the minute {word}")

        async def arrived() -> bool:
            first = (await members[1].ask("GET", "/feed?limit=1"))["items"][0]["id"]
            return first == last and bool((await members[1].ask("GET", f"/search?q={word}"))["total"])

        await _until(arrived, pause=0.05, within=120.0)
        lag = time.perf_counter() - ended
    run.note(
        "rooms", f"{BURST} posts/s for {BURST_SECONDS} s: p99 until acknowledged", percentiles(late)[1], "ms"
    )
    run.note("rooms", "last one in the feed and found after", lag, "s", goal=1, at_least=False)
    cost = sum(spent.values()) / total * 1e3
    run.note(
        "rooms",
        "CPU a post, everything that follows",
        cost,
        "ms",
        goal=10,
        at_least=False,
        note=parts(spent, total),
    )


def note(run: Run, name: str, timed: Timed, goal: float | None = None, group: str = "rooms") -> None:
    run.note(group, f"{name}: {CALLERS} callers", timed.rate, "answers/s")
    run.note(group, f"{name} p50", timed.p50, "ms")
    run.note(group, f"{name} p99", timed.p99, "ms", goal=goal, at_least=False)


def parts(spent: dict[str, float], number: int) -> str:
    """Where the time went, in milliseconds each."""
    shares = sorted(spent.items(), key=lambda part: -part[1])
    return ", ".join(f"{name} {seconds / number * 1e3:.1f}" for name, seconds in shares if seconds > 0)
