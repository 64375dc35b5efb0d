"""The sign-ins of the demonstration: a synthetic member of each role, made once, in `secrets/demo.json`."""

import asyncio
import json
import secrets as random
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from contracts.identity import Kind, Role
from services.identity.accounts.membership import HOUSE, Membership, NewAccount
from services.identity.domain import secrets
from services.identity.domain.access_tokens import LONGEST_LIFE, IssueAccessToken, Scope, access_tokens
from services.identity.domain.access_tokens import stream as token_stream
from services.identity.domain.members import RegisterMember, members
from services.identity.domain.members import stream as member_stream
from shared.kernel.events import Occasion
from shared.runtime.ids import derived_id, new_id
from shared.runtime.secretfiles import create_secret
from shared.runtime.settings import secret as secret_file
from shared.runtime.store import EventStore

log = structlog.get_logger(__name__)

NOTE = "A synthetic company. These people do not exist; their passwords and tokens were made on this machine."
PASSWORD_BYTES = 15
#: When these people joined, as the demonstration company tells it: they are there from its first day.
JOINED = datetime(2025, 3, 3, 7, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Person:
    user_name: str
    name: str
    country: str
    language: str
    time_zone: str
    kind: Kind = Kind.STAFF
    roles: frozenset[Role] = frozenset()

    @property
    def member_id(self) -> str:
        return derived_id("demonstration", self.user_name)


PEOPLE = (
    Person(
        "alva",
        "Alva Demo (admin)",
        "SE",
        "sv",
        "Europe/Stockholm",
        roles=frozenset({Role.ADMIN, Role.OPERATOR}),
    ),
    Person("eskil", "Eskil Demo (editor)", "SE", "en", "Europe/Stockholm", roles=frozenset({Role.EDITOR})),
    Person("saga", "Saga Demo", "SE", "sv", "Europe/Stockholm"),
    Person("jonas", "Jonas Demo", "DE", "de", "Europe/Berlin"),
    Person("gemma", "Gemma Demo (guest)", "GB", "en", "Europe/London", kind=Kind.GUEST),
    Person("leena", "Leena Demo (leader)", "FI", "fi", "Europe/Helsinki", roles=frozenset({Role.LEADER})),
    Person("amir", "Amir Demo (ambassador)", "IE", "en", "Europe/Dublin", roles=frozenset({Role.AMBASSADOR})),
    Person("claire", "Claire Demo (coach)", "FR", "fr", "Europe/Paris", roles=frozenset({Role.COACH})),
    Person(
        "tomasz", "Tomasz Demo (translator)", "PL", "pl", "Europe/Warsaw", roles=frozenset({Role.TRANSLATOR})
    ),
    Person("berit", "Berit Demo (board)", "NO", "nb", "Europe/Oslo", roles=frozenset({Role.BOARD})),
    Person("olivia", "Olivia Demo (operator)", "ES", "es", "Europe/Madrid", roles=frozenset({Role.OPERATOR})),
)


def _signs_in(person: Person) -> dict[str, Any]:
    """What is written for a person: everything is chosen here, before anything is registered."""
    token_id, token = new_id(), random.token_bytes(secrets.SECRET_BYTES)
    return {
        "member_id": person.member_id,
        "name": person.name,
        "kind": person.kind.value,
        "roles": sorted(person.roles),
        "country": person.country,
        "language": person.language,
        "user_name": person.user_name,
        "password": random.token_urlsafe(PASSWORD_BYTES),
        "token": secrets.written(secrets.ACCESS_TOKEN_PREFIX, token_id, token),
    }


async def seed(store: EventStore, membership: Membership, home: Path) -> None:
    """Idempotent, also after a kill: the file comes first, then whoever of it is missing is registered."""
    path = home / "secrets" / "demo.json"
    if not path.exists():
        _, tail = await store.state(members, member_stream(PEOPLE[0].member_id))
        if tail:
            log.warning("the demonstration's sign-ins are lost", file=str(path))
            return
        written = {"note": NOTE, "members": [_signs_in(person) for person in PEOPLE]}
        create_secret(path, json.dumps(written, indent=2).encode() + b"\n")
    kept = {one["user_name"]: one for one in json.loads(secret_file(path))["members"]}
    signing_in = [person for person in PEOPLE if person.user_name in kept]
    await asyncio.gather(*(_register(store, membership, one, kept[one.user_name]) for one in signing_in))


async def _register(store: EventStore, membership: Membership, person: Person, kept: dict[str, Any]) -> None:
    occasion = Occasion(by=HOUSE.member_id, correlation_id=new_id(), occurred_at=JOINED)
    _, tail = await store.state(members, member_stream(person.member_id))
    if tail == 0:
        command = RegisterMember(
            acting=HOUSE,
            member_id=person.member_id,
            kind=person.kind,
            name=person.name,
            language=person.language,
            time_zone=person.time_zone,
            country=person.country,
            roles=person.roles,
            synthetic=True,
        )
        await membership.register(command, NewAccount(person.user_name, kept["password"]), occasion)
    shown = secrets.read(kept["token"])
    if shown is None:
        log.warning("a token of the demonstration cannot be read", user_name=person.user_name)
        return
    _, tail = await store.state(access_tokens, token_stream(shown.id))
    if tail == 0:
        now = datetime.now(UTC)
        issue = IssueAccessToken(
            token_id=shown.id,
            member_id=person.member_id,
            name="demonstration",
            scopes=frozenset(Scope),
            secret_hash=shown.secret_hash,
            now=now,
            expires_at=now + LONGEST_LIFE,
        )
        await store.handle(access_tokens, issue, Occasion(by=HOUSE.member_id, correlation_id=new_id()))
