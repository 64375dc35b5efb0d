"""What the company is made of while it is thought up: sign-ins, units, members, groups; and its commands."""

import hashlib
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

#: The company's first day, a Monday, in the morning; everything happens after it.
FIRST_DAY = datetime(2025, 3, 3, 7, tzinfo=UTC)
LANGUAGES = ("sv", "en", "de", "fr", "fi", "es", "pl", "nb")

#: Where a command goes, in the order in which they are brought in: each needs what came before.
Room = Literal["identity", "groups", "spaces", "wiki", "feed"]
ROOMS: tuple[Room, ...] = ("identity", "groups", "spaces", "wiki", "feed")
Habit = Literal["passive", "reader", "commenter", "author"]


@dataclass(frozen=True, slots=True)
class SignIn:
    """A seeded member who can sign in: they belong to the company and are not registered by it."""

    user_name: str
    member_id: str
    name: str
    country: str
    language: str
    kind: str
    roles: tuple[str, ...]

    @classmethod
    def of(cls, said: dict[str, Any]) -> "SignIn":
        return cls(
            user_name=said["user_name"],
            member_id=said["member_id"],
            name=said["name"],
            country=said["country"],
            language=said["language"],
            kind=said["kind"],
            roles=tuple(said["roles"]),
        )


@dataclass(frozen=True, slots=True)
class Country:
    """`hours` from UTC in winter, `weight` its share of the staff, `holidays` as month and day."""

    code: str
    language: str
    zone: str
    hours: int
    weight: int
    office: str
    summer: int
    holidays: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    id: str
    name: str
    parent: str | None
    countries: tuple[str, ...]


@dataclass(slots=True)
class Member:
    """`begins` is when somebody first says something, if they ever do."""

    id: str
    name: str
    country: str
    language: str
    unit: str
    joined: datetime
    kind: str = "staff"
    roles: tuple[str, ...] = ()
    habit: Habit = "passive"
    begins: datetime | None = None
    seeded: bool = False

    @property
    def staff(self) -> bool:
        return self.kind == "staff"


@dataclass(slots=True)
class Group:
    id: str
    name: str
    purpose: str
    language: str
    openness: Literal["open", "closed"]
    started: datetime
    owner: Member
    #: Who is in it, and since when, in the order of joining.
    members: dict[str, datetime] = field(default_factory=dict)


@dataclass(slots=True)
class Ledger:
    """The commands of each room as they are thought up; numbered when everything is known."""

    source: str
    rooms: dict[Room, list[dict[str, Any]]] = field(default_factory=lambda: {room: [] for room in ROOMS})

    def add(self, room: Room, op: str, by: str, at: datetime, **said: Any) -> None:
        self.rooms[room].append({"op": op, "by": by, "at": stamp(at), **said})

    def id(self, *parts: object) -> str:
        """32 hexadecimal characters that belong to this source and these parts."""
        said = json.dumps([self.source, *map(str, parts)])
        return hashlib.blake2b(said.encode(), digest_size=16, person=b"fikarum.demo").hexdigest()


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def chance(seed: int, part: str) -> random.Random:
    """Each part draws for itself: a change in one leaves the others as they are."""
    return random.Random(f"fikarum {seed} {part}")  # noqa: S311 - no secret


def weighted(draw: random.Random, choices: Sequence[Any], weights: Iterable[float]) -> Any:
    return draw.choices(choices, list(weights))[0]
