"""The keys that members' tokens are signed with: one in use, and retired ones that are still published."""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from shared.runtime.auth import TokenSigner
from shared.runtime.secretfiles import create_secret
from shared.runtime.settings import secret


def signer(path: Path) -> TokenSigner:
    """Signs with the key in `path`, which is made where there is none. Raises SystemExit with one line."""
    create_secret(path, _pem(Ed25519PrivateKey.generate()))
    return TokenSigner(_private(path), _retired(path))


def rotate(path: Path) -> None:
    """Makes another key; the old one's public half stays published. Counts when identity starts again."""
    old = _private(path).public_key()
    text = old.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    name = old.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    create_secret(_folder(path) / f"{name}.pem", text)
    draft = path.with_name(f".{path.name}.next")
    create_secret(draft, _pem(Ed25519PrivateKey.generate()))
    os.replace(draft, path)


def _folder(path: Path) -> Path:
    return path.with_name(f"{path.stem}-retired")


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _private(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(secret(path), password=None)
    except (ValueError, TypeError) as error:
        raise SystemExit(f"fikarum: {path} holds no signing key: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SystemExit(f"fikarum: {path} holds no Ed25519 key")
    return key


def _retired(path: Path) -> tuple[Ed25519PublicKey, ...]:
    found = []
    for file in sorted(_folder(path).glob("*.pem")):
        key = load_pem_public_key(file.read_bytes())
        if isinstance(key, Ed25519PublicKey):
            found.append(key)
    return tuple(found)
