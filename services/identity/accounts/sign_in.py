"""Signing in, and exchanging what a member shows (a session's secret, an access token) for a signed token."""

import secrets as random
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

from services.identity.accounts.attempts import Attempts
from services.identity.accounts.passwords import Passwords
from services.identity.accounts.user_names import UserNames
from services.identity.domain import accounts, secrets
from services.identity.domain.access_tokens import Scope, UseAccessToken, access_tokens, roles_within
from services.identity.domain.access_tokens import stream as access_token_stream
from services.identity.domain.accounts import PasswordRehashed, PasswordSet, RehashPassword
from services.identity.domain.members import Member, members
from services.identity.domain.members import stream as member_stream
from services.identity.domain.sessions import OpenSession, UseSession, sessions, signed_out
from services.identity.domain.sessions import stream as session_stream
from services.identity.settings import SignIns
from shared.kernel.errors import Refused, Unauthenticated
from shared.kernel.events import Occasion
from shared.kernel.personal import Personal, Sealed
from shared.runtime.auth import Actor
from shared.runtime.ids import new_id
from shared.runtime.keys import KeyRing, Missing
from shared.runtime.store import Committed, EventStore

#: Stand in for the member and the hash of a user name that nobody has: looking takes the same steps.
_NOBODY = "0" * 32
_NOBODYS = Personal(sealed=Sealed(_NOBODY, "none", "password_hash", b""))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session; `secret` is shown once."""

    secret: str
    session_id: str
    member_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom a secret stands for, and what it is good for."""

    actor: Actor
    scopes: frozenset[Scope]
    member: Member


class _Password(NamedTuple):
    """The hash that counts, how many there were, and the number of the password that it is of."""

    encoded: str | None
    hashes: int
    number: int


class SignIn:
    def __init__(
        self,
        store: EventStore,
        ring: KeyRing,
        names: UserNames,
        passwords: Passwords,
        attempts: Attempts,
        limits: SignIns,
    ) -> None:
        self._store = store
        self._ring = ring
        self._names = names
        self._passwords = passwords
        self._attempts = attempts
        self._limits = limits

    async def sign_in(
        self, user_name: str, password: str, *, address: str | None, device: str | None, occasion: Occasion
    ) -> SignedIn:
        """Raises Unauthenticated, the same for every reason, and TooMany."""
        now = datetime.now(UTC)
        name_id = self._names.id_of_shown(user_name)
        from_where = None if address is None else self._names.digest("address", address)
        counted = await self._attempts.count(name_id, from_where, now)
        name, _ = await self._store.state(accounts.user_names, accounts.user_name_stream(name_id))
        member_id = name.member_id or _NOBODY
        kept = await self._password(member_id)
        member, _ = await self._store.state(members, member_stream(member_id))
        text = accounts.same_spelling(password)
        verdict = await self._passwords.verify(kept.encoded, text)
        if not verdict.right or not member.may_sign_in:
            raise Unauthenticated("sign-in-failed", "User name or password is not right.")
        await self._attempts.succeeded(counted)
        mine = replace(occasion, by=member_id)
        if verdict.outdated:
            again = RehashPassword(member_id, await self._passwords.hash(text), kept.hashes)
            await self._store.handle(accounts.accounts, again, mine)
        return await self._open(member_id, device, now, mine, kept.number)

    async def change_password(
        self, member_id: str, session_id: str, current: str, new: str, occasion: Occasion
    ) -> Committed:
        """Raises Refused beside the field. Whoever else is signed in as the member is so no more.

        Wrong tries count like wrong sign-ins: a session left open is no way to guess the password.
        """
        text = accounts.acceptable(new)
        now = datetime.now(UTC)
        counted = await self._attempts.count(self._names.digest("member", member_id), None, now)
        kept = await self._password(member_id)
        verdict = await self._passwords.verify(kept.encoded, accounts.same_spelling(current))
        if not verdict.right:
            raise Refused("password-wrong", "This is not your present password.", field="current")
        if text == accounts.same_spelling(current):
            raise Refused("password-same", "Choose another password than the present one.", field="new")
        await self._attempts.succeeded(counted)
        encoded = await self._passwords.hash(text)
        command = accounts.ChangePassword(member_id, encoded, kept.hashes, now, session_id)
        return await self._store.handle(accounts.accounts, command, occasion)

    async def vouch(self, shown: str, occasion: Occasion) -> Vouched:
        """Raises Unauthenticated, the same for every reason."""
        secret = secrets.read(shown)
        if secret is None:
            raise signed_out()
        now = datetime.now(UTC)
        if secret.prefix == secrets.SESSION_PREFIX:
            use = UseSession(secret.id, secret.secret_hash, now, self._limits.session_idle)
            await self._store.handle(sessions, use, occasion)
            session, _ = await self._store.state(sessions, session_stream(secret.id))
            member_id, scopes = session.member_id, frozenset(Scope)
            account, _ = await self._store.state(accounts.accounts, accounts.stream(member_id or _NOBODY))
            if account.ended(secret.id, session.opened_at, session.password_number):
                raise signed_out()
        else:
            used = UseAccessToken(secret.id, secret.secret_hash, now)
            await self._store.handle(access_tokens, used, occasion)
            token, _ = await self._store.state(access_tokens, access_token_stream(secret.id))
            member_id, scopes = token.member_id, token.scopes
        if member_id is None:
            raise signed_out()
        member, _ = await self._store.state(members, member_stream(member_id))
        if not member.may_sign_in:
            raise signed_out()
        roles = frozenset(role.value for role in roles_within(scopes, member.roles))
        actor = Actor(member_id, roles, secret.id, reads_only=Scope.WRITE not in scopes)
        return Vouched(actor, scopes, member)

    async def _password(self, member_id: str) -> _Password:
        """The one that counts, opened from the stream each time."""
        sealed: Personal | None = None
        hashes = number = 0
        for recorded in await self._store.load(accounts.stream(member_id)):
            event = recorded.event()
            if isinstance(event, PasswordSet | PasswordRehashed):
                sealed, hashes = event.password_hash, hashes + 1
                number += isinstance(event, PasswordSet)
        opened = (await self._ring.open_all([sealed or _NOBODYS]))[0]
        return _Password(None if isinstance(opened, Missing) else opened, hashes, number)

    async def _open(
        self, member_id: str, device: str | None, now: datetime, occasion: Occasion, password_number: int
    ) -> SignedIn:
        session_id, secret = new_id(), random.token_bytes(secrets.SECRET_BYTES)
        await self._store.handle(
            sessions,
            OpenSession(
                session_id=session_id,
                member_id=member_id,
                secret_hash=secrets.hashed(secret),
                device=device,
                now=now,
                lifetime=self._limits.session_life,
                password_number=password_number,
            ),
            occasion,
        )
        shown = secrets.written(secrets.SESSION_PREFIX, session_id, secret)
        return SignedIn(shown, session_id, member_id, now + self._limits.session_life)
