"""Registering members, with or without an account, importing them by the hundred, erasing them for good."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog

from contracts.identity import Role
from services.identity.accounts.administering import acting_now, change_standing
from services.identity.accounts.passwords import Passwords
from services.identity.accounts.user_names import UserNames
from services.identity.domain import accounts
from services.identity.domain import members as rules
from services.identity.domain.accounts import OpenAccount, ReleaseUserName, TakeUserName, acceptable
from services.identity.domain.administrators import lets_go
from services.identity.domain.members import DeactivateMember, EraseMember, RegisterMember, members
from services.identity.domain.members import stream as member_stream
from services.identity.domain.permissions import Acting, Permission, permit
from shared.kernel.errors import NotFound
from shared.kernel.events import Occasion
from shared.runtime.auth import Actor
from shared.runtime.ids import new_id
from shared.runtime.keys import Erased
from shared.runtime.looking import tried
from shared.runtime.store import Committed, EventStore, Idempotency, Part
from shared.runtime.vault import KeyVault

log = structlog.get_logger(__name__)

#: Erasures that a kill or a restore left without their event are looked for this often, in seconds.
FINISH_EVERY = 10.0
#: Identity itself, when it finishes what somebody began.
HOUSE = Acting("identity", frozenset({Role.ADMIN.value}))


@dataclass(frozen=True, slots=True)
class NewAccount:
    user_name: str
    password: str


@dataclass(frozen=True, slots=True)
class Imported:
    """One member of an import, and when the source says they came."""

    command: RegisterMember
    occurred_at: datetime | None = None


class Membership:
    def __init__(
        self, store: EventStore, vault: KeyVault, names: UserNames, passwords: Passwords, forget: Erased
    ) -> None:
        self._store = store
        self._vault = vault
        self._names = names
        self._passwords = passwords
        #: Takes the erased out of what is kept in plain text: the topic of keys tells their owner no news.
        self._forget = forget

    async def register(
        self,
        command: RegisterMember,
        account: NewAccount | None,
        occasion: Occasion,
        idempotency: Idempotency | None = None,
    ) -> Committed:
        """Key first, then the member, together with the user name that they take."""
        rules.permit_registering(command)
        if account is None:
            await self._vault.ensure([command.member_id])
            return await self._store.handle(members, command, occasion, idempotency=idempotency)
        name_id = self._names.id_of(account.user_name)
        encoded = await self._passwords.hash(acceptable(account.password))
        await self._vault.ensure([command.member_id])
        parts: list[Part[Any, Any]] = [
            Part(members, command),
            Part(accounts.user_names, TakeUserName(name_id, command.member_id, account.user_name)),
            Part(accounts.accounts, OpenAccount(command.member_id, name_id, encoded)),
        ]

        async def plan() -> Sequence[Part[Any, Any]]:
            return parts

        return await self._store.handle_together(plan, occasion, idempotency=idempotency)

    def author_digest(self, source_name: str) -> str:
        """What is kept of how a source calls somebody: enough to know them again. Raises Refused."""
        return self._names.digest("author", rules.source_name(source_name))

    async def import_all(self, imported: Sequence[Imported], occasion: Occasion) -> int:
        """Idempotent: who is there already stays as they are. Answers how many are new."""
        for one in imported:
            permit(one.command.acting, Permission.IMPORT_MEMBERS)
        await self.keys_for([one.command.member_id for one in imported])
        return sum(await asyncio.gather(*(self._import(one, occasion) for one in imported)))

    async def keys_for(self, member_ids: Sequence[str]) -> None:
        """Made and in memory, so that those who are registered next wait for no key of their own."""
        await self._vault.ensure(member_ids)
        await self._vault.ring.recall(member_ids)

    async def _import(self, one: Imported, occasion: Occasion) -> bool:
        member, tail = await self._store.state(members, member_stream(one.command.member_id))
        if not members.decide(one.command, member):
            return False
        at = Occasion(
            by=occasion.by,
            correlation_id=occasion.correlation_id,
            occurred_at=one.occurred_at,
            causation_id=occasion.causation_id,
            imported=True,
        )
        await self._store.handle(members, one.command, at)
        return tail == 0

    async def erase(self, actor: Actor, member_id: str, occasion: Occasion) -> Committed:
        """Destroys the key, then says so; a kill in between is finished by `finish_erasures`. An
        administrator is let go first, as destroying a key waits for nobody."""
        command = EraseMember(await acting_now(self._store, actor), member_id)
        member, _ = await self._store.state(members, member_stream(member_id))
        members.decide(command, member)
        if lets_go(DeactivateMember(command.acting, member_id), member):
            leaves = partial(DeactivateMember, member_id=member_id)
            await change_standing(self._store, actor, leaves, occasion)
        await self._vault.erase(member_id)
        return await self._finish(command, occasion)

    async def finish_erasures(self) -> int:
        """Records what follows from erasures that were begun, or applied again after a restore."""
        unannounced = await self._vault.unannounced()
        for erasure in unannounced:
            occasion = Occasion(by=None, correlation_id=new_id(), occurred_at=erasure.erased_at)
            try:
                await self._finish(EraseMember(HOUSE, erasure.member_id), occasion)
            except NotFound:
                log.warning("an erased member is not in the store", member_id=erasure.member_id)
                await self._vault.announced(erasure.member_id)
        return len(unannounced)

    async def _finish(self, command: EraseMember, occasion: Occasion) -> Committed:
        committed = await self._store.handle(members, command, occasion)
        account, _ = await self._store.state(accounts.accounts, accounts.stream(command.member_id))
        if account.user_name_id is not None:
            release = ReleaseUserName(account.user_name_id, command.member_id)
            await self._store.handle(accounts.user_names, release, occasion)
        await self._forget(command.member_id, occasion.occurred_at or datetime.now(UTC))
        await self._vault.announced(command.member_id)
        return committed

    async def keep_finishing(self) -> None:
        """Until cancelled."""
        while True:
            await tried("erasures to be finished", self.finish_erasures())
            await asyncio.sleep(FINISH_EVERY)
