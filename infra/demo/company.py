"""The whole company from a seed: its commands, room by room and in order of time, and what is true of it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.demo import belonging, knowledge, organisation, stories
from infra.demo.shapes import FIRST_DAY, ROOMS, Ledger, Room, SignIn, chance
from infra.demo.talk import Talk
from infra.demo.tour import stops
from infra.demo.truths import manifest

SEED = 7
SIZE, SMALLEST, LARGEST = 500, 60, 2_000
#: The country that lets coaches see names, and why; everywhere else they see figures only.
NAMES_IN = "SE"
NAMES_WHY = "Agreed with the works council for the first year, for coaches only (demo)."
#: It takes this long to have a past.
SHORTEST = timedelta(days=120)
#: Ordinary posts, and pages in each language, for each member.
_POSTS_EACH, _PAGES_EACH = 4.5, 0.026


@dataclass(frozen=True, slots=True)
class Company:
    """`commands` of each room carry their line, from 1."""

    source: str
    commands: dict[Room, list[dict[str, Any]]]
    manifest: dict[str, Any]

    def lines(self) -> Iterator[str]:
        """All of it as JSON Lines."""
        for room in ROOMS:
            for command in self.commands[room]:
                yield json.dumps({"room": room, **command}, ensure_ascii=False, sort_keys=True)


def company(seed: int, until: datetime, sign_ins: Sequence[SignIn], size: int = SIZE) -> Company:
    """`until` is when it ends. Raises ValueError where that leaves it no past, or where the size is none."""
    until = until.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if until - FIRST_DAY < SHORTEST:
        raise ValueError(
            f"The company's first day is {FIRST_DAY.date()}: it needs {SHORTEST.days} days at least."
        )
    if not SMALLEST <= size <= LARGEST:
        raise ValueError(f"The company has {SMALLEST} to {LARGEST} members.")
    people = sorted(sign_ins, key=lambda one: one.user_name)
    chief = next((one for one in people if "admin" in one.roles), None)
    if chief is None:
        raise ValueError("Somebody who administers must bring the company in.")
    ledger = Ledger(f"demo-{seed}")
    organisation.units(ledger, chief)
    everybody = organisation.members(ledger, seed, until, size, people)
    organisation.enrolled(ledger, seed, chief, everybody)
    groups = belonging.groups(ledger, seed, until, everybody, size)
    knowledge.write(ledger, seed, until, everybody, max(2, round(size * _PAGES_EACH)))
    talk = Talk(ledger, chance(seed, "talk"), until, everybody, groups)
    planted = stories.plant(talk)
    talk.workdays(round(size * _POSTS_EACH))
    truths = manifest(ledger, seed, until, everybody, people, planted)
    truths["names_to_coaches"] = [NAMES_IN]
    truths["stops"] = stops(ledger, planted, groups)
    return Company(ledger.source, {room: _numbered(ledger.rooms[room], until) for room in ROOMS}, truths)


def _numbered(commands: Iterable[dict[str, Any]], until: datetime) -> list[dict[str, Any]]:
    """In order of time, and as they were thought up where times are equal."""
    last = until.strftime("%Y-%m-%dT%H:%M:%SZ")
    ordered = sorted(commands, key=lambda command: str(command["at"]))
    assert all(command["at"] < last for command in ordered), "nothing happens after the end"
    return [{"line": line, **command} for line, command in enumerate(ordered, 1)]
