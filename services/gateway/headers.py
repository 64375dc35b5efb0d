"""What does every answer tell the browser about safety, and about what may be kept? And what answers HEAD?"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Nothing but this house's own files; no inline script or style, no frame around us, no form to elsewhere.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
)
#: Referrers stay within the site: browsers that send none at all hide the origin of our own forms too.
_ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SECURE = {"Strict-Transport-Security": "max-age=31536000"}
KEEP_NOTHING = "private, no-store"
KEEP_FOREVER = "public, max-age=31536000, immutable"

_CACHE_CONTROL = b"cache-control"


class Guarded:
    """Outermost of all, so that answers which no route made are guarded as well. What is below `api` answers
    HEAD itself."""

    def __init__(self, app: ASGIApp, *, production: bool, api: str) -> None:
        self.app = app
        self._api = f"{api}/"
        self._production = production
        self._plain = _encoded(_ALWAYS)
        self._secure = _encoded(_ALWAYS | _SECURE)
        self._names = frozenset(name for name, _ in self._secure)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        ours = self._secure if self._production or scope["scheme"] == "https" else self._plain
        bare = scope["method"] == "HEAD"

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = [pair for pair in message["headers"] if pair[0].lower() not in self._names]
                if not any(name.lower() == _CACHE_CONTROL for name, _ in said):
                    said.append((_CACHE_CONTROL, KEEP_NOTHING.encode()))
                message = {**message, "headers": [*said, *ours]}
            elif bare:
                message = {**message, "body": b""}
            await send(message)

        if bare and not scope["path"].startswith(self._api):
            # Pages answer it as they answer GET (RFC 9110, section 9.3.2).
            scope = {**scope, "method": "GET"}
        await self.app(scope, receive, guarded)


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
