"""Did this request begin on a page of ours? Tokens bound to the session, and the origin that browsers name.

The token is a random nonce and its HMAC-SHA-256 (RFC 2104) under the cookie's own secret, which no script and
no other site can read: nothing has to be kept, and each page shows another, so compression tells nothing.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

from starlette.requests import Request

from shared.kernel.errors import Forbidden

FIELD = "csrf_token"
HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_NONCE = 16
_LONGEST = 200
_OURS = frozenset({"same-origin", "none"})


def token_for(secret: str) -> str:
    """A token for one page, good as long as the cookie that holds `secret`."""
    nonce = secrets.token_bytes(_NONCE)
    return base64.urlsafe_b64encode(nonce + _signature(secret, nonce)).decode()


def check_token(shown: str | None, secret: str | None) -> None:
    """Raises Forbidden where `shown` was not made for this cookie."""
    if not shown or not secret or not _fits(shown, secret):
        raise Forbidden("form-expired", "This form has grown old. Load the page again and send it once more.")


def check_origin(request: Request) -> None:
    """Raises Forbidden where the browser says that another site sent this."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if origin is not None:
        ours = _site(origin) == request.headers.get("host", "").lower() != ""
    else:
        ours = site is None or site in _OURS
    if not ours:
        raise Forbidden("foreign-origin", "This was sent from another site. Do it here, on our own pages.")


def _site(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:  # such as `http://[`
        return ""


def _signature(secret: str, nonce: bytes) -> bytes:
    return hmac.digest(secret.encode(), b"form:" + nonce, hashlib.sha256)


def _fits(shown: str, secret: str) -> bool:
    try:
        raw = base64.urlsafe_b64decode(shown.encode("ascii")) if len(shown) <= _LONGEST else b""
    except (UnicodeEncodeError, binascii.Error):
        return False
    return hmac.compare_digest(raw[_NONCE:], _signature(secret, raw[:_NONCE]))
