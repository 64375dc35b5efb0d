"""Signing in and out, and what anybody may choose: language and theme."""

import re

from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.gateway import locale as locales
from services.gateway import places
from services.gateway.clients import Malformed
from services.gateway.pages.visit import Anybody, Member, Visit
from services.gateway.reception import LANGUAGE_COOKIE, THEME_COOKIE, YEAR, address_of
from services.gateway.view_models import SignInView
from shared.kernel.errors import Refused, Unauthenticated
from shared.runtime.problems import status_of

LONGEST_DEVICE = 100
LONGEST_SHOWN = 200

_BROWSERS = (
    ("Edge", r"\bEdgA?/"),
    ("Opera", r"\bOPR/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Firefox", r"\b(Firefox|FxiOS)/"),
    ("Chrome", r"\b(Chrome|Chromium|CriOS|HeadlessChrome)/"),
    ("Safari", r"\bSafari/"),
)
_SYSTEMS = (
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Android", r"\bAndroid\b"),
    ("Windows", r"\bWindows\b"),
    ("macOS", r"\bMac OS X\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("Linux", r"\bLinux\b"),
)

routes = APIRouter(include_in_schema=False)


def device_of(user_agent: str) -> str:
    """What members recognise: Firefox, Linux."""
    names = [
        next((name for name, pattern in table if re.search(pattern, user_agent)), "")
        for table in (_BROWSERS, _SYSTEMS)
    ]
    known = ", ".join(name for name in names if name)
    first = "".join(c for c in user_agent.partition("/")[0] if c.isprintable())
    return known or first[:LONGEST_DEVICE]


@routes.get(places.SIGN_IN)
async def sign_in_form(visit: Anybody, back: str | None = Query(None)) -> Response:
    if visit.session is not None:
        return visit.go(places.safe_return(back))
    return visit.show(SignInView(back=places.safe_return(back)))


@routes.post(places.SIGN_IN)
async def sign_in(visit: Anybody) -> Response:
    form = await visit.form()
    back, username = places.safe_return(form.text("back")), form.text("username").strip()
    password = form.text("password")
    _ = visit.locale.gettext
    errors = {}
    if not username:
        errors["username"] = _("Fill in your user name.")
    if not password:
        errors["password"] = _("Fill in your password.")
    if errors:
        return visit.show(SignInView(back=back, username=username, errors=errors), status=422)
    try:
        return await _signed_in(visit, username, password, back)
    except Malformed:
        # Too long to be anybody's is as wrong as any other.
        refused: Refused = Unauthenticated("sign-in-failed", "User name or password is not right.")
    except Refused as error:
        refused = error
    view = SignInView(back=back, username=username[:LONGEST_SHOWN], problem=visit.said(refused))
    return visit.show(view, status=status_of(refused))


async def _signed_in(visit: Visit, username: str, password: str, back: str) -> Response:
    reception = visit.reception
    request = visit.request
    device = device_of(request.headers.get("user-agent", ""))
    opened = await reception.sessions.open(username, password, device, address_of(request))
    response = visit.go(back)
    reception.set_cookie(
        visit.request, response, reception.session_cookie, opened.secret, seconds=opened.seconds
    )
    reception.set_cookie(visit.request, response, reception.visitor_cookie, "", seconds=0)
    return response


@routes.post(places.SIGN_OUT)
async def sign_out(visit: Member) -> Response:
    await visit.form()
    await visit.reception.sessions.close(visit.signed_in)
    return visit.sign_out()


@routes.post(places.LANGUAGE)
async def choose_language(visit: Anybody) -> Response:
    form = await visit.form()
    response = visit.go(places.safe_return(form.text("back")))
    if (chosen := form.text("lang")) in locales.offered():
        visit.reception.set_cookie(visit.request, response, LANGUAGE_COOKIE, chosen, seconds=YEAR)
    return response


@routes.post(places.THEME)
async def choose_theme(visit: Anybody) -> Response:
    form = await visit.form()
    chosen = form.text("theme")
    response = visit.go(places.safe_return(form.text("back")))
    lasting = YEAR if chosen in ("light", "dark") else 0
    value = chosen if lasting else ""
    visit.reception.set_cookie(visit.request, response, THEME_COOKIE, value, seconds=lasting, hidden=False)
    return response
