"""The other rooms as search hears of them: their events, sealed with real keys and sent by real relays."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from opensearchpy import OpenSearch

from contracts.feed import CommentPublished, LanguageSource, PostKind, PostPublished
from contracts.identity import Kind, MemberErased, MemberRegistered
from contracts.wiki import PageStarted
from services.search.assembly import assemble
from shared.kernel.audience import STAFF, Classification
from shared.kernel.events import Event, Occasion
from shared.kernel.personal import Personal
from shared.runtime.auth import Actor
from shared.runtime.freshness import Freshness, encode_places
from shared.runtime.generations import Registry
from shared.runtime.ids import new_id
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.runtime.store import EventStore
from shared.runtime.vault import KeyVault
from shared.tests.eventually import eventually
from shared.tests.others import others
from shared.tests.rooms import serving

OPERATORS = frozenset({"oda"})
ROOMS = ("identity", "feed", "groups", "wiki")


class Doorkeeper:
    """Believes everybody's name."""

    async def verify(self, token: str) -> Actor:
        operates = token in OPERATORS
        return Actor(token, frozenset({"operator"} if operates else ()), "s1")


@dataclass
class World:
    """Whatever the other rooms say."""

    stores: dict[str, EventStore]
    told: dict[str, Freshness]
    vault: KeyVault
    tails: dict[str, int] = field(default_factory=dict)

    async def say(self, stream: str, *events: Event, at: datetime | None = None, by: str = "ann") -> str:
        """Appends to the stream of a room; answers what a read names as `after` to see it."""
        room = str(events[0].topic).partition(".")[0]
        first = self.tails.get(stream, 0) + 1
        self.tails[stream] = first + len(events) - 1
        await self.stores[room].append(stream, first, list(events), Occasion(by, new_id(), at))
        tail = self.tails[stream]

        async def sent() -> str:
            places = await self.told[room].places(stream, tail)
            assert places is not None, "not sent yet"
            return encode_places(places)

        return await eventually(sent)

    async def member(self, member_id: str, name: str = "", kind: Kind = Kind.STAFF, **how: Any) -> str:
        """Staff are cleared for everything, guests for what is open, where nothing else is said."""
        await self.vault.ensure([member_id])
        clearance = Classification.OPEN if kind is Kind.GUEST else Classification.CONFIDENTIAL
        said = {"language": "en", "time_zone": "UTC", "clearance": clearance, "signs_in": True, **how}
        registered = MemberRegistered(
            member_id=member_id, kind=kind, name=Personal(plain=name or member_id), **said
        )
        return await self.say(f"member-{member_id}", registered)

    async def post(self, text: str, author: str = "ann", at: datetime | None = None, **how: Any) -> "Said":
        post_id = new_id()
        event = published(post_id, text, author, **how)
        return Said(post_id, await self.say(f"post-{post_id}", event, at=at))

    async def comment(self, post_id: str, text: str, author: str = "ann", **how: Any) -> "Said":
        comment_id = new_id()
        said = {
            "language": "en",
            "language_source": LanguageSource.AUTHOR,
            "audience": (STAFF,),
            "classification": Classification.INTERNAL,
            **how,
        }
        event = CommentPublished(
            comment_id=comment_id, post_id=post_id, author_id=author, text=Personal(plain=text), **said
        )
        return Said(comment_id, await self.say(f"comment-{comment_id}", event))

    async def page(self, title: str, body: str, **how: Any) -> "Said":
        page_id = new_id()
        said = {
            "space_id": "handbook",
            "path": f"{page_id}.md",
            "note": "",
            "language": "en",
            "owner_id": "ann",
            "audience": (STAFF,),
            "classification": Classification.INTERNAL,
            **how,
        }
        event = PageStarted(page_id=page_id, title=title, body=body, **said)
        return Said(page_id, await self.say(f"page-{page_id}", event))

    async def erase(self, member_id: str) -> str:
        """As identity does it: first the key, then the fact."""
        await self.vault.erase(member_id)
        return await self.say(f"member-{member_id}", MemberErased(member_id=member_id))


@dataclass(frozen=True, slots=True)
class Said:
    """An id, and what a read names as `after` to see it."""

    id: str
    after: str


def published(post_id: str, text: str, author: str, **how: Any) -> PostPublished:
    said: dict[str, Any] = {
        "kind": PostKind.POST,
        "language": "en",
        "language_source": LanguageSource.AUTHOR,
        "audience": (STAFF,),
        "classification": Classification.INTERNAL,
        **how,
    }
    return PostPublished(post_id=post_id, author_id=author, text=Personal(plain=text), **said)


@dataclass(frozen=True, slots=True)
class House:
    """Search as it runs, and the world that it hears of."""

    service: Service
    client: httpx.AsyncClient
    world: World

    async def ask(self, who: str, path: str, after: str | None = None, **params: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {who}", **({"Fikarum-After": after} if after else {})}
        if "since" in params:
            params["from"] = params.pop("since")
        return await self.client.get(path, params=params, headers=headers)

    async def search(
        self, who: str, q: str | None = None, after: str | None = None, **params: Any
    ) -> dict[str, Any]:
        asked = {**params, **({"q": q} if q is not None else {})}

        async def look() -> dict[str, Any]:
            answer = await self.ask(who, "/search", after, **asked)
            assert answer.status_code == 200, answer.text
            assert "Fikarum-Behind" not in answer.headers
            found: dict[str, Any] = answer.json()
            return found

        return await eventually(look)

    async def found(self, who: str, q: str, after: str | None = None, **params: Any) -> list[str]:
        """The ids of what is found, best first."""
        return [item["id"] for item in (await self.search(who, q, after, **params))["items"]]


@contextlib.asynccontextmanager
async def world(settings: Settings) -> AsyncIterator[World]:
    """Stores and relays of the other rooms, and the owner of the keys."""
    async with others(settings) as made:
        world = World({}, {}, made.vault)
        for room in ROOMS:
            world.stores[room] = await made.store(room)
            world.told[room] = Freshness(room, made.database(room), Registry(made.database(room)))
        yield world


@contextlib.asynccontextmanager
async def house(settings: Settings) -> AsyncIterator[House]:
    """Up, with staff ann and bob, and the guest gil, known."""
    async with world(settings) as made:
        await made.member("ann", "Ann Ek")
        await made.member("bob", "Bob Berg", clearance=Classification.INTERNAL)
        await made.member("oda", "Oda Operator")
        await made.member("gil", "Gil Guest", Kind.GUEST)
        service = assemble(settings, Doorkeeper())
        async with serving(service):
            transport = httpx.ASGITransport(service.http)
            async with httpx.AsyncClient(transport=transport, base_url="http://search", timeout=60) as client:
                built = House(service, client, made)

                async def known() -> bool:
                    asked = [await built.ask(who, "/search") for who in ("ann", "bob", "oda", "gil")]
                    return all(answer.status_code == 200 for answer in asked)

                await eventually(known)
                yield built


def drop_indexes(settings: Settings) -> None:
    """The indexes of the namespace."""
    with OpenSearch(hosts=[settings.opensearch_url]) as client:
        for name in client.indices.get_alias(index=f"{settings.namespace}*"):
            client.indices.delete(index=name)
