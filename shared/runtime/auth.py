"""Who asks: the tokens that identity signs for one minute, and how every service verifies them.

Algorithm: EdDSA with Ed25519 (RFC 8032, RFC 8037) as JWT (RFC 7519), pinned: what the token's own header asks
for is never used.
"""

import asyncio
import base64
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

import httpx
import jwt
from cachetools import LRUCache
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from jwt.algorithms import OKPAlgorithm

from shared.kernel.errors import Unauthenticated, Unavailable
from shared.runtime.logging import get_logger

ALGORITHM = "EdDSA"
ISSUER = "fikarum.identity"
AUDIENCE = "fikarum.services"
LIFE_SECONDS = 60
#: Clocks of two machines may differ by this much.
LEEWAY_SECONDS = 5
#: Unknown keys are asked for at most this often, known ones looked up again this often.
ASK_AGAIN_SECONDS = 5.0
KEYS_FRESH_SECONDS = 300.0
LONGEST_TOKEN = 8_192
TOKENS_REMEMBERED = 10_000
#: Roles that see how every service does, and build views anew.
OPERATORS = frozenset({"operator", "admin"})
_CLAIMS = ("iss", "aud", "exp", "iat", "nbf", "sub", "sid", "roles")

log = get_logger(__name__)

Keys = Mapping[str, Any]
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Actor:
    """The member who acts, as identity vouches for them."""

    member_id: str
    roles: frozenset[str]
    session_id: str
    #: An access token that was made for reading alone.
    reads_only: bool = False


class Verifier(Protocol):
    async def verify(self, token: str) -> Actor:
        """Raises Unauthenticated, or Unavailable where it cannot be known now."""
        ...


def _key_id(key: Ed25519PublicKey) -> str:
    digest = hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).digest()
    return base64.urlsafe_b64encode(digest[:12]).decode()


class TokenSigner:
    """Identity's half: the private key. `retired` public keys are still published."""

    def __init__(self, key: Ed25519PrivateKey, retired: tuple[Ed25519PublicKey, ...] = ()) -> None:
        self._key = key
        self.key_id = _key_id(key.public_key())
        self._published = (key.public_key(), *retired)

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Raises SystemExit with one line where `pem` holds no Ed25519 private key."""
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise SystemExit(f"fikarum: the signing key cannot be read: {error}") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise SystemExit("fikarum: the signing key is no Ed25519 private key")
        return cls(key)

    def sign(self, actor: Actor, *, at: float | None = None) -> str:
        """A token for `actor`, good for a minute from `at` (now)."""
        now = int(time.time() if at is None else at)
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": actor.member_id,
            "sid": actor.session_id,
            "roles": sorted(actor.roles),
            "ro": actor.reads_only,
            "iat": now,
            "nbf": now,
            "exp": now + LIFE_SECONDS,
        }
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"kid": self.key_id})

    def keys(self) -> dict[str, Any]:
        """What identity publishes at `/keys`: a JSON Web Key Set (RFC 7517)."""
        return {
            "keys": [
                {
                    **OKPAlgorithm.to_jwk(key, as_dict=True),
                    "kid": _key_id(key),
                    "alg": ALGORITHM,
                    "use": "sig",
                }
                for key in self._published
            ]
        }


def _refused() -> Unauthenticated:
    return Unauthenticated("token-invalid", "This sign-in is not valid. Sign in again.")


class TokenVerifier:
    """A service's half: the published keys, and the tokens that were already verified with them."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[Keys]],
        *,
        clock: Clock = time.monotonic,
        leeway: float = LEEWAY_SECONDS,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._leeway = leeway
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._asked: float | None = None
        self._reached = False
        self._asking = asyncio.Lock()
        self._verified: LRUCache[str, tuple[Actor, float]] = LRUCache(TOKENS_REMEMBERED)

    @classmethod
    def of(cls, identity_url: str, client: httpx.AsyncClient, *, clock: Clock = time.monotonic) -> Self:
        """Verifies with the keys that identity publishes; `client` stays its owner's to close."""

        async def fetch() -> Keys:
            answer = await client.get(f"{identity_url}/keys", timeout=ASK_AGAIN_SECONDS)
            answer.raise_for_status()
            keys: Keys = answer.json()
            return keys

        return cls(fetch, clock=clock)

    @classmethod
    def by(cls, signer: TokenSigner, *, leeway: float = LEEWAY_SECONDS) -> Self:
        """Identity's own verifier, which needs to ask nobody."""

        async def fetch() -> Keys:
            return signer.keys()

        return cls(fetch, leeway=leeway)

    async def verify(self, token: str) -> Actor:
        """Raises Unauthenticated ("token-invalid", "token-expired"), or Unavailable without identity."""
        known = self._verified.get(token)
        if known is not None and time.time() < known[1] and not self._stale():
            return known[0]
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise _refused()
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise _refused() from None
        key_id = header.get("kid")
        if not isinstance(key_id, str):
            raise _refused()
        actor, until = self._read(token, await self._key(key_id))
        self._verified[token] = (actor, until)
        return actor

    def _read(self, token: str, key: Ed25519PublicKey) -> tuple[Actor, float]:
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=self._leeway,
                options={"require": list(_CLAIMS)},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("token-expired", "This sign-in has run out. Sign in again.") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
            raise _refused() from None
        member_id, session_id, roles = claims["sub"], claims["sid"], claims["roles"]
        if not (
            isinstance(session_id, str) and isinstance(roles, list) and all(isinstance(r, str) for r in roles)
        ):
            raise _refused()
        if not member_id or claims["exp"] - claims["iat"] > LIFE_SECONDS:
            raise _refused()
        actor = Actor(str(member_id), frozenset(roles), session_id, claims.get("ro") is not False)
        return actor, float(claims["exp"])

    def _stale(self) -> bool:
        return self._asked is None or self._clock() - self._asked > KEYS_FRESH_SECONDS

    async def _key(self, key_id: str) -> Ed25519PublicKey:
        if key_id not in self._keys or self._stale():
            await self._ask(key_id)
        key = self._keys.get(key_id)
        if key is not None:
            return key
        if not self._reached:
            raise Unavailable(
                "identity-away", "Who you are cannot be checked right now. Try again in a moment."
            )
        raise _refused()

    async def _ask(self, key_id: str) -> None:
        async with self._asking:
            now = self._clock()
            if self._asked is not None and now - self._asked < ASK_AGAIN_SECONDS:
                return
            self._asked = now
            try:
                keys = _public_keys(await self._fetch())
            except (httpx.HTTPError, ValueError) as error:
                # Keys that are known stay good: members keep working while identity restarts.
                self._reached = False
                log.warning("identity's keys could not be fetched", error=repr(error), key_id=key_id)
                return
            self._reached = True
            if keys != self._keys:
                self._keys = keys
                self._verified.clear()


def _public_keys(published: Keys) -> dict[str, Ed25519PublicKey]:
    """The Ed25519 public keys among them, by id. Raises ValueError where it is no key set."""
    found = published.get("keys") if isinstance(published, Mapping) else None
    if not isinstance(found, list):
        raise ValueError("not a key set")
    keys = {}
    for jwk in found:
        if isinstance(jwk, dict) and isinstance(jwk.get("kid"), str) and jwk.get("crv") == "Ed25519":
            try:
                key = OKPAlgorithm.from_jwk(jwk)
            except jwt.InvalidKeyError as error:
                raise ValueError("a broken key") from error
            if isinstance(key, Ed25519PublicKey):
                keys[jwk["kid"]] = key
    return keys
