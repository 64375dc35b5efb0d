"""The other rooms as the feed hears of them: members with real keys, and groups, sent by real relays."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from contracts.groups import (
    GroupStarted,
    MemberJoinedGroup,
    MemberLeftGroup,
    Openness,
    Standing,
    StandingChanged,
    group_audience,
)
from contracts.identity import (
    ClearanceChanged,
    Kind,
    MemberDeactivated,
    MemberErased,
    MemberPlaced,
    MemberRegistered,
    Place,
    Role,
)
from services.feed import projections
from services.feed.assembly import assemble
from shared.kernel.audience import Classification
from shared.kernel.errors import Unauthenticated
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


@dataclass(frozen=True, slots=True)
class Person:
    kind: Kind = Kind.STAFF
    roles: tuple[Role, ...] = ()
    country: str = "SE"
    language: str = "sv"


#: Ann and bob are staff; gil is a guest; edi announces; tor translates; lea leads in Germany.
PEOPLE: Mapping[str, Person] = {
    "ann": Person(),
    "bob": Person(language="en"),
    "dag": Person(country="DE", language="de"),
    "edi": Person(roles=(Role.EDITOR,), country="GB", language="en"),
    "lea": Person(roles=(Role.LEADER,), country="DE", language="de"),
    "tor": Person(roles=(Role.TRANSLATOR,), country="NO", language="nb"),
    "gil": Person(kind=Kind.GUEST, country="FI", language="fi"),
    "gus": Person(kind=Kind.GUEST, country="FI", language="fi"),
}


class Doorkeeper:
    """Knows the members by name, also those who come later."""

    def __init__(self, roles: Mapping[str, tuple[Role, ...]]) -> None:
        self.roles = dict(roles)

    async def verify(self, token: str) -> Actor:
        if token not in self.roles:
            raise Unauthenticated("token-invalid", "This sign-in is not valid. Sign in again.")
        return Actor(token, frozenset(role.value for role in self.roles[token]), "s1")


@dataclass
class World:
    """Whatever identity and groups say."""

    stores: dict[str, EventStore]
    told: dict[str, Freshness]
    vault: KeyVault
    door: Doorkeeper
    tails: dict[str, int] = field(default_factory=dict)

    async def say(self, stream: str, *events: Event) -> str:
        """Appends to the stream of a room; answers what a read names as `after` to see it."""
        room = str(events[0].topic).partition(".")[0]
        first = self.tails.get(stream, 0) + 1
        self.tails[stream] = first + len(events) - 1
        await self.stores[room].append(stream, first, list(events), Occasion("ann", new_id()))
        places = await self.told[room].places(stream, self.tails[stream])
        assert places is not None, "the relay is slow"
        return encode_places(places)

    async def member(self, member_id: str, person: Person) -> str:
        """Staff are cleared for what is internal, guests for what is open."""
        await self.vault.ensure([member_id])
        guest = person.kind is Kind.GUEST
        registered = MemberRegistered(
            member_id=member_id,
            kind=person.kind,
            name=Personal(plain=member_id),
            country=person.country,
            language=person.language,
            time_zone="UTC",
            roles=person.roles,
            clearance=Classification.OPEN if guest else Classification.INTERNAL,
            signs_in=True,
        )
        self.door.roles[member_id] = person.roles
        return await self.say(f"member-{member_id}", registered)

    async def cleared(self, member_id: str, old: Classification, new: Classification) -> str:
        return await self.say(f"member-{member_id}", ClearanceChanged(member_id=member_id, old=old, new=new))

    async def moved(self, member_id: str, old: str, new: str) -> str:
        """To another country."""
        placed = MemberPlaced(member_id=member_id, place=Place(country=new), place_before=Place(country=old))
        return await self.say(f"member-{member_id}", placed)

    async def gone(self, member_id: str) -> str:
        return await self.say(f"member-{member_id}", MemberDeactivated(member_id=member_id))

    async def group(self, openness: Openness, *member_ids: str) -> str:
        """A new group with these members; answers its id."""
        group_id = new_id()
        started = GroupStarted(
            group_id=group_id,
            name="Coffee",
            purpose="Better coffee",
            openness=openness,
            audience=group_audience(group_id, openness),
            language="en",
            started_by=member_ids[0],
        )
        await self.say(f"group-{group_id}", started)
        for member_id in member_ids:
            await self.join(group_id, member_id)
        return group_id

    async def join(self, group_id: str, member_id: str) -> str:
        joined = MemberJoinedGroup(group_id=group_id, member_id=member_id, standing=Standing.MEMBER)
        return await self.say(f"membership-{group_id}-{member_id}", joined)

    async def promote(self, group_id: str, member_id: str) -> str:
        """Makes a member an owner of the group."""
        up = StandingChanged(group_id=group_id, member_id=member_id, old=Standing.MEMBER, new=Standing.OWNER)
        return await self.say(f"membership-{group_id}-{member_id}", up)

    async def leave(self, group_id: str, member_id: str) -> str:
        left = MemberLeftGroup(group_id=group_id, member_id=member_id)
        return await self.say(f"membership-{group_id}-{member_id}", left)

    async def erase(self, member_id: str) -> str:
        """As identity does it: first the key, then the fact."""
        await self.vault.erase(member_id)
        return await self.say(f"member-{member_id}", MemberErased(member_id=member_id))


@dataclass(frozen=True, slots=True)
class House:
    """The feed as it runs, the world that it hears of, and a way to ask it as anybody."""

    service: Service
    client: httpx.AsyncClient
    world: World

    async def ask(self, who: str, method: str, path: str, **how: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {who}", **how.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **how)

    async def get(
        self, who: str, path: str, after: httpx.Response | str | None = None, **how: Any
    ) -> httpx.Response:
        """Waits for the write that `after` answered."""
        if isinstance(after, httpx.Response):
            after = after.headers["Fikarum-Commit"]
        headers = {"Fikarum-After": after} if after is not None else {}
        answer = await self.ask(who, "GET", path, headers=headers, **how)
        assert "Fikarum-Behind" not in answer.headers
        return answer

    async def post(self, who: str, text: str, **how: Any) -> httpx.Response:
        answer = await self.ask(who, "POST", "/posts", json={"text": text, **how})
        assert answer.status_code == 201, answer.text
        return answer

    async def comment(self, who: str, post_id: str, text: str, **how: Any) -> httpx.Response:
        answer = await self.ask(who, "POST", f"/posts/{post_id}/comments", json={"text": text, **how})
        assert answer.status_code == 201, answer.text
        return answer

    async def ids(self, who: str, after: httpx.Response | str | None = None, **params: Any) -> list[str]:
        """The ids of the posts in the member's feed, newest first."""
        answer = await self.get(who, "/feed", after, params=params)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    async def knows(self, who: str, group_id: str, *, belongs: bool = True) -> None:
        """Waits until the member's tokens say so here, and the group is known."""

        async def look() -> bool:
            reader = await self.service.readers.of(Actor(who, frozenset(), "s1"))
            known = await self.service.views(projections.groups).get(group_id)
            return known is not None and (f"group:{group_id}" in reader.tokens) == belongs

        await eventually(look)


@contextlib.asynccontextmanager
async def world(settings: Settings) -> AsyncIterator[World]:
    """Stores and relays of the other rooms, and the owner of the keys."""
    async with others(settings) as made:
        world = World({}, {}, made.vault, Doorkeeper({}))
        for room in ("identity", "groups"):
            world.stores[room] = await made.store(room)
            world.told[room] = Freshness(room, made.database(room), Registry(made.database(room)))
        yield world


@contextlib.asynccontextmanager
async def house(settings: Settings) -> AsyncIterator[House]:
    """Up, with its people known."""
    async with world(settings) as made:
        for member_id, person in PEOPLE.items():
            await made.member(member_id, person)
        service = assemble(settings, made.door)
        async with serving(service):
            transport = httpx.ASGITransport(service.http)
            async with httpx.AsyncClient(transport=transport, base_url="http://feed", timeout=60) as client:
                built = House(service, client, made)

                async def known() -> bool:
                    asked = [await built.ask(who, "GET", "/feed") for who in PEOPLE]
                    return all(answer.status_code == 200 for answer in asked)

                await eventually(known)
                yield built
