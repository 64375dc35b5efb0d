"""Members' tokens: what identity signed, for a minute, and nothing else."""

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.errors import Unauthenticated, Unavailable
from shared.runtime.auth import ASK_AGAIN_SECONDS, AUDIENCE, ISSUER, Actor, TokenSigner, TokenVerifier

ANN = Actor("ann", frozenset({"member", "editor"}), "session-1")
KEY = Ed25519PrivateKey.generate()
SIGNER = TokenSigner(KEY)


def _claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ann",
        "sid": "session-1",
        "roles": ["member"],
        "iat": now,
        "nbf": now,
        "exp": now + 60,
        **changed,
    }
    return {name: value for name, value in claims.items() if value is not None}


def _signed(claims: dict[str, Any], key: Any = KEY, alg: str = "EdDSA", **header: Any) -> str:
    return jwt.encode(claims, key, algorithm=alg, headers={"kid": SIGNER.key_id, **header})


def _unsigned(claims: dict[str, Any], alg: str) -> str:
    def part(document: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")

    return f"{part({'alg': alg, 'typ': 'JWT', 'kid': SIGNER.key_id})}.{part(claims)}."


async def test_what_identity_signed_names_the_member() -> None:
    assert await TokenVerifier.by(SIGNER).verify(SIGNER.sign(ANN)) == ANN


async def test_a_key_from_a_file_signs_what_its_public_half_verifies() -> None:
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert await TokenVerifier.by(SIGNER).verify(TokenSigner.from_pem(pem).sign(ANN)) == ANN


@pytest.mark.parametrize(
    "pem",
    [
        b"nonsense",
        generate_private_key(65_537, 2_048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    ],
)
def test_another_kind_of_key_is_refused_in_one_line(pem: bytes) -> None:
    with pytest.raises(SystemExit, match="signing key"):
        TokenSigner.from_pem(pem)


async def test_an_expired_token_says_so() -> None:
    token = SIGNER.sign(ANN, at=time.time() - 90)
    with pytest.raises(Unauthenticated) as refused:
        await TokenVerifier.by(SIGNER).verify(token)
    assert refused.value.code == "token-expired"


async def test_a_token_that_was_good_a_moment_ago_expires() -> None:
    verifier = TokenVerifier.by(SIGNER, leeway=0)
    token = SIGNER.sign(ANN, at=time.time() - 58)
    assert await verifier.verify(token) == ANN
    with pytest.raises(Unauthenticated, match="run out"):
        for _ in range(200):
            await verifier.verify(token)
            await asyncio.sleep(0.05)


PUBLIC = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
FORGERIES: dict[str, Callable[[], str]] = {
    "another key": lambda: _signed(_claims(), Ed25519PrivateKey.generate()),
    "no signature": lambda: _unsigned(_claims(), "none"),
    "no signature, spelled otherwise": lambda: _unsigned(_claims(), "nOnE"),
    "the algorithm named but no signature": lambda: _unsigned(_claims(), "EdDSA"),
    "the public key as a shared secret": lambda: _signed(_claims(), PUBLIC, "HS256"),
    "another algorithm": lambda: _signed(_claims(), generate_private_key(65_537, 2_048), "RS256"),
    "another audience": lambda: _signed(_claims(aud="others")),
    "no audience": lambda: _signed(_claims(aud=None)),
    "another issuer": lambda: _signed(_claims(iss="others")),
    "no expiry": lambda: _signed(_claims(exp=None)),
    "no beginning": lambda: _signed(_claims(nbf=None)),
    "not yet": lambda: _signed(_claims(nbf=int(time.time()) + 60)),
    "made in the future": lambda: _signed(_claims(iat=int(time.time()) + 60)),
    "good for a year": lambda: _signed(_claims(exp=int(time.time()) + 31_536_000)),
    "no member": lambda: _signed(_claims(sub=None)),
    "an empty member": lambda: _signed(_claims(sub="")),
    "no session": lambda: _signed(_claims(sid=None)),
    "roles that are no list": lambda: _signed(_claims(roles="admin")),
    "roles that are no words": lambda: _signed(_claims(roles=[1])),
    "an expiry without end": lambda: _signed(_claims(exp=10**400)),
    "an expiry that is no time": lambda: _signed(_claims(exp="soon")),
    "an unknown key id": lambda: _signed(_claims(), kid="other"),
    "a key id that is no word": lambda: _signed(_claims(), kid="../../etc/passwd"),
    "a demand we do not know": lambda: _signed(_claims(), crit=["x"], x=1),
    "one character changed": lambda: SIGNER.sign(ANN)[:-3] + "AAA",
    "nothing": lambda: "",
    "words": lambda: "let me in",
    "dots": lambda: "..",
    "too much": lambda: "a" * 100_000,
    "letters beyond ASCII": lambda: "ä.ö.å",
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_token_is_refused(forgery: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await TokenVerifier.by(SIGNER).verify(FORGERIES[forgery]())
    assert refused.value.code == "token-invalid"


@given(
    st.one_of(
        st.text(max_size=300), st.from_regex(r"[A-Za-z0-9_-]{1,60}\.[A-Za-z0-9_-]{1,60}\.[A-Za-z0-9_-]{1,60}")
    )
)
async def test_garbage_is_refused_and_never_more_than_that(token: str) -> None:
    with pytest.raises(Unauthenticated):
        await TokenVerifier.by(SIGNER).verify(token)


class Identity:
    """Identity's `/keys` as its clients meet it: it can change its keys, fall silent and talk nonsense."""

    def __init__(self, signer: TokenSigner) -> None:
        self.signer = signer
        self.asked = 0
        self.answer: Callable[[], Awaitable[httpx.Response]] | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/keys"
        self.asked += 1
        return await self.answer() if self.answer else httpx.Response(200, json=self.signer.keys())

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self))


async def test_keys_are_asked_for_once() -> None:
    identity = Identity(SIGNER)
    async with identity.client() as client:
        verifier = TokenVerifier.of("http://identity", client)
        for _ in range(20):
            await verifier.verify(SIGNER.sign(ANN))
    assert identity.asked == 1


async def test_a_new_key_is_found_and_the_retired_one_is_still_good() -> None:
    identity, now = Identity(SIGNER), [100.0]
    async with identity.client() as client:
        verifier = TokenVerifier.of("http://identity", client, clock=lambda: now[0])
        old = SIGNER.sign(ANN)
        await verifier.verify(old)
        identity.signer = TokenSigner(Ed25519PrivateKey.generate(), retired=(KEY.public_key(),))
        now[0] += ASK_AGAIN_SECONDS
        assert await verifier.verify(identity.signer.sign(ANN)) == ANN
        assert await verifier.verify(old) == ANN
    assert identity.asked == 2


async def test_a_key_that_is_withdrawn_takes_its_tokens_along() -> None:
    identity, now = Identity(SIGNER), [100.0]
    async with identity.client() as client:
        verifier = TokenVerifier.of("http://identity", client, clock=lambda: now[0])
        old = SIGNER.sign(ANN)
        await verifier.verify(old)
        identity.signer = TokenSigner(Ed25519PrivateKey.generate())
        now[0] += ASK_AGAIN_SECONDS
        await verifier.verify(identity.signer.sign(ANN))
        with pytest.raises(Unauthenticated):
            await verifier.verify(old)


async def test_a_flood_of_unknown_keys_does_not_become_a_flood_at_identity() -> None:
    identity = Identity(SIGNER)
    async with identity.client() as client:
        verifier = TokenVerifier.of("http://identity", client)
        for attempt in range(50):
            with pytest.raises(Unauthenticated):
                await verifier.verify(_signed(_claims(), kid=f"key-{attempt}"))
    assert identity.asked == 1


async def _away() -> httpx.Response:
    raise httpx.ConnectError("refused")


async def _broken() -> httpx.Response:
    return httpx.Response(200, json={"keys": [{"kid": "a", "crv": "Ed25519", "kty": "OKP", "x": "!"}]})


async def _nonsense() -> httpx.Response:
    return httpx.Response(200, text="<html>")


async def _failing() -> httpx.Response:
    return httpx.Response(500)


@pytest.mark.parametrize("answer", [_away, _broken, _nonsense, _failing])
async def test_while_identity_is_away_nobody_is_called_a_forger(
    answer: Callable[[], Awaitable[httpx.Response]],
) -> None:
    identity = Identity(SIGNER)
    identity.answer = answer
    async with identity.client() as client:
        with pytest.raises(Unavailable):
            await TokenVerifier.of("http://identity", client).verify(SIGNER.sign(ANN))


async def test_members_go_on_working_while_identity_restarts() -> None:
    identity, now = Identity(SIGNER), [100.0]
    async with identity.client() as client:
        verifier = TokenVerifier.of("http://identity", client, clock=lambda: now[0])
        await verifier.verify(SIGNER.sign(ANN))
        identity.answer = _away
        now[0] += 10_000
        assert await verifier.verify(SIGNER.sign(ANN)) == ANN
