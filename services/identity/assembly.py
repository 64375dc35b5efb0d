"""Identity, put together from its settings: the same for the app, for the demonstration and for tests."""

import asyncio
from dataclasses import dataclass

from contracts.tokens import CHANGES_TOKENS
from services.identity import projections, signing
from services.identity.accounts.attempts import Attempts
from services.identity.accounts.membership import Membership
from services.identity.accounts.passwords import Passwords
from services.identity.accounts.sign_in import SignIn
from services.identity.accounts.user_names import UserNames
from services.identity.api import (
    access_tokens_router,
    password_router,
    sessions_router,
    sign_in_router,
)
from services.identity.demo import seed
from services.identity.directory import Directory
from services.identity.erasures_api import erasures_router
from services.identity.imports_api import imports_router
from services.identity.members_api import changing_router, reading_router
from services.identity.organisation_api import places_router, units_router
from services.identity.settings import IdentitySettings
from shared.runtime.auth import TokenVerifier
from shared.runtime.ending import ended
from shared.runtime.keys import MasterKey
from shared.runtime.service import Service
from shared.runtime.vault import KeyRelay, KeyVault


@dataclass(frozen=True, slots=True)
class Identity:
    """The service and the parts of it that others start things with."""

    service: Service
    vault: KeyVault
    membership: Membership
    sign_in: SignIn


def assemble(settings: IdentitySettings) -> Identity:
    """Makes the master key and the signing key where there are none. Raises SystemExit with one line."""
    MasterKey.create(settings.master_key_path)
    signer = signing.signer(settings.signing_key_path)
    service = Service(
        "identity",
        settings,
        module="services.identity.app",
        projections=[
            projections.members,
            projections.units,
            projections.acquaintances,
            projections.sessions,
            projections.access_tokens,
        ],
        tokens_from=CHANGES_TOKENS,
        verifier=TokenVerifier.by(signer),
        personal=True,
    )
    directory = Directory(service.database, service.keys, projections.members.name)
    service.keep_beside(projections.members, directory)
    vault = KeyVault(service.keys)
    service.keys.on_erased(vault.taken_in)
    names = UserNames(service.database, service.keys.master)
    passwords = Passwords(settings.argon2)
    attempts = Attempts(service.database, settings.sign_ins)
    sign_in = SignIn(service.store, service.keys, names, passwords, attempts, settings.sign_ins)
    membership = Membership(service.store, vault, names, passwords, directory.forget)
    for router in (
        sign_in_router(sign_in, signer),
        sessions_router(service),
        access_tokens_router(service),
        reading_router(service, directory),
        changing_router(service, membership),
        password_router(service, sign_in),
        units_router(service),
        places_router(service),
        erasures_router(vault, service.store),
        imports_router(service, membership),
    ):
        service.http.include_router(router)
    relay = KeyRelay(vault, service.topics, settings.kafka)
    finishing: list[asyncio.Task[None]] = []

    async def start() -> None:
        await names.prepare()
        await passwords.prepare()
        await attempts.prepare()
        await service.keys.caught_up.wait()
        await vault.prepare()
        await relay.start()
        if not finishing:
            finishing.append(asyncio.create_task(membership.keep_finishing()))
        if settings.demo:
            await seed(service.store, membership, settings.folder)

    async def stop() -> None:
        for task in finishing:
            await ended(task)
        await relay.stop()
        passwords.close()

    service.on_start(start)
    service.on_stop(stop)
    return Identity(service, vault, membership, sign_in)
