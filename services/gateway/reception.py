"""Who comes in, from where, how often, and in which language? What happens first with each request."""

import base64
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from services.gateway import locale as locales
from services.gateway.clients import Clients
from services.gateway.live import Live
from services.gateway.locale import Locale
from services.gateway.sessions import Session, Sessions
from shared.kernel.errors import Refused, TooLarge
from shared.runtime.limits import RateLimit
from shared.runtime.secretfiles import create_secret
from shared.runtime.settings import Settings
from shared.runtime.settings import secret as read_secret

LANGUAGE_COOKIE = "language"
#: The script that switches the theme writes it too.
THEME_COOKIE = "theme"
NOTICE_COOKIE = "notice"
YEAR = 365 * 24 * 3600
_LONGEST_HEADER = 500


class Reception:
    """Shared by all routes of one process."""

    def __init__(self, settings: Settings) -> None:
        limits = settings.limits
        self.settings = settings
        self.clients = Clients(settings)
        self.sessions = Sessions(self.clients, key=_key(settings))
        self.live = Live(settings, self.sessions)
        self.rate = RateLimit(
            "gateway",
            a_minute=limits.requests_a_minute,
            burst=limits.requests_burst,
            most=limits.callers_remembered,
        )
        # Browsers keep cookies by host, not by port: two platforms on one machine must not share them.
        own = "__Host-fikarum-{}" if settings.production else f"fikarum_{{}}_{settings.port}"
        self.session_cookie = own.format("session")
        self.visitor_cookie = own.format("visitor")

    async def session(self, secret: str | None, address: str) -> Session | None:
        """Whose secret this is; None without one. Counts the request.

        Raises TooMany, Unauthenticated, Away.
        """
        if secret is None:
            self.rate.take(address)
            return None
        if not self.sessions.knows(secret):
            self.rate.take(address)
        session = await self.sessions.of(secret)
        self.rate.take(session.held.member_id)
        return session

    def locale(self, request: Request, session: Session | None) -> Locale:
        """As chosen on this device, else as the member prefers, else as the browser asks."""
        return _locale(
            request.cookies.get(LANGUAGE_COOKIE),
            session.held.language if session else None,
            request.headers.get("accept-language", "")[:_LONGEST_HEADER],
            session.held.time_zone if session else None,
        )

    def set_cookie(
        self,
        request: Request,
        response: Response,
        name: str,
        value: str,
        *,
        seconds: int | None,
        hidden: bool = True,
    ) -> None:
        """`hidden` from scripts; without `seconds` it goes with the browser, with 0 at once."""
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path="/",
            httponly=hidden,
            secure=self.settings.production or request.url.scheme == "https",
            samesite="lax",
        )


def address_of(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def new_secret() -> str:
    return secrets.token_urlsafe(32)


@lru_cache(maxsize=1_024)
def _key(settings: Settings) -> bytes:
    """The gateways' own secret, made by the first of them that starts."""
    path = settings.folder / "secrets" / "gateway.key"
    create_secret(path, base64.b64encode(secrets.token_bytes(32)) + b"\n")
    return base64.b64decode(read_secret(path).strip())


def _locale(cookie: str | None, preferred: str | None, asked: str, zone: str | None) -> Locale:
    """Kept, since the same few come again and again and each brings its formats along."""
    return locales.negotiate(cookie=cookie, preferred=preferred, accept_language=asked, zone=zone)


def theme_of(cookies: Mapping[str, str]) -> Literal["light", "dark"] | None:
    match cookies.get(THEME_COOKIE):
        case "light":
            return "light"
        case "dark":
            return "dark"
    return None


async def body_of(request: Request, most: int) -> bytes:
    """The whole body. Raises TooLarge before more than `most` bytes are held."""
    check_length(request, most)
    parts, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise too_large()
        parts.append(chunk)
    return b"".join(parts)


def check_length(request: Request, most: int) -> None:
    """Raises TooLarge where the request says itself that it is, Refused where it says nonsense."""
    declared = request.headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit():
        raise Refused("bad-content-length", "The length of this request is not a number.")
    if int(declared[:20]) > most:
        raise too_large()


def too_large() -> TooLarge:
    return TooLarge("too-large", "This is larger than what is accepted here.")
