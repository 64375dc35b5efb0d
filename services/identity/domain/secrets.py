"""The secrets that members show: made of an id and 256 random bits, kept as a hash only."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

SECRET_BYTES = 32
ID_BYTES = 16
SESSION_PREFIX = "fis_"
ACCESS_TOKEN_PREFIX = "fik_"  # noqa: S105 - what such a token begins with


@dataclass(frozen=True, slots=True)
class Shown:
    """A secret as it was shown: which stream it names, and the hash to compare with what that one holds."""

    prefix: str
    id: str
    secret_hash: str


def written(prefix: str, id: str, secret: bytes) -> str:
    """The text that is handed to the member, once. `id` is 32 hexadecimal characters."""
    return prefix + base64.urlsafe_b64encode(bytes.fromhex(id) + secret).decode()


def hashed(secret: bytes) -> str:
    """SHA-256: enough for 256 random bits, which nobody can guess; passwords need more."""
    return hashlib.sha256(secret).hexdigest()


def read(text: str) -> Shown | None:
    """None where `text` is no such secret."""
    prefix, encoded = text[: len(SESSION_PREFIX)], text[len(SESSION_PREFIX) :]
    if prefix not in (SESSION_PREFIX, ACCESS_TOKEN_PREFIX):
        return None
    try:
        raw = base64.b64decode(encoded.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    if len(raw) != ID_BYTES + SECRET_BYTES:
        return None
    return Shown(prefix, raw[:ID_BYTES].hex(), hashed(raw[ID_BYTES:]))


def same(shown_hash: str, kept_hash: str | None) -> bool:
    """Compared in constant time."""
    return kept_hash is not None and hmac.compare_digest(shown_hash.encode(), kept_hash.encode())
