"""One request for a page: who asks and in which language, what they sent, and how it is answered."""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.gateway import forgery, places
from services.gateway.clients import Answer, Away, Fault, M, Malformed, away
from services.gateway.faults import detail_said, fault_said
from services.gateway.locale import Locale, translate_refusal
from services.gateway.pages import demonstration
from services.gateway.pages.belonging import Belonging
from services.gateway.pages.people import STAFF, Known, People
from services.gateway.reception import NOTICE_COOKIE, Reception, address_of, body_of, new_secret, theme_of
from services.gateway.render import render
from services.gateway.sessions import Session
from services.gateway.view_models import GroupRef, Notice, Person, Place, Shell, View
from shared.kernel.errors import Refused, Unauthenticated
from shared.runtime.auth import OPERATORS

MOST_FIELDS = 200
NOTICE_SECONDS = 60
_FORM = "application/x-www-form-urlencoded"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,63}")
#: What decoding makes of bytes that are no text, and what they are shown as.
_NO_TEXT = re.compile("[\udc80-\udcff]+")
NO_TEXT = "\ufffd"


@dataclass(slots=True)
class Visit:
    reception: Reception
    people: People
    request: Request
    locale: Locale
    #: What form tokens are bound to: the session's secret, or that of somebody who has none.
    secret: str
    session: Session | None = None
    viewer: Known | None = None
    groups: Sequence[GroupRef] = ()
    #: Names of units that the page speaks of, by id.
    units: dict[str, str] = field(default_factory=dict)
    behind: bool = False
    #: Fields of the form that was sent of which something was no text: none of it is kept.
    unreadable: Sequence[str] = ()
    #: Cookies that the answer sets beside its own: name, value, seconds.
    cookies: list[tuple[str, str, int | None]] = field(default_factory=list)

    @property
    def signed_in(self) -> Session:
        """Raises Unauthenticated for a stranger."""
        if self.session is None:
            raise Unauthenticated("sign-in-needed", "Sign in first.")
        return self.session

    async def ask(
        self,
        service: str,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        after: str | None = None,
        only_asks: bool = False,
    ) -> Answer:
        """In the member's name, after what they wrote a moment ago. `only_asks`: it changes nothing though it
        is sent as what does. Raises Away, Refused."""
        session, sessions = self.signed_in, self.reception.sessions
        reads = method in forgery.SAFE_METHODS
        if not reads and not only_asks:
            self.check_readable()
        if after is None:
            after = await (sessions.after(session, service) if reads else sessions.after_tokens(session))
        answer = await self.reception.clients.ask(
            service,
            method,
            path,
            token=session.held.token,
            after=after,
            query=query,
            json=json,
            headers=headers,
        )
        sessions.answered(session, service, answer.commit, reads=reads)
        self.behind = self.behind or answer.behind
        return answer

    async def ask_if_there(
        self, kind: type[M], service: str, path: str, query: Mapping[str, str | int] | None = None
    ) -> M | None:
        """What a page can do without: None while the service is away."""
        try:
            return (await self.ask(service, "GET", path, query=query)).read(kind)
        except Away:
            return None

    async def named(self, member_ids: Iterable[str | None]) -> "Names":
        """The people of a page, asked for once."""
        wanted = [member_id for member_id in member_ids if member_id]
        return Names(await self.people.known(self.signed_in, wanted))

    async def form(self) -> "Form":
        """What was sent, of a page of ours. Raises Forbidden, TooLarge, Refused."""
        forgery.check_origin(self.request)
        if self.request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
            raise Refused("not-a-form", "This is not what our forms send. Load the page again.")
        form = _parsed(await body_of(self.request, self.reception.settings.limits.body_bytes))
        self.take(form)
        return form

    def take(self, form: "Form") -> None:
        """Whatever refuses it from now on, the page that says so shows what was typed, also where the form
        has grown old, since its origin is ours. Raises Forbidden for a form that is not of a page of ours."""
        self.request.state.typed = form
        self.unreadable = form.unreadable
        shown = self.request.headers.get(forgery.HEADER) or form.text(forgery.FIELD)
        forgery.check_token(shown, self.secret)

    def check_readable(self) -> None:
        """Raises Malformed, for each field of the form that was sent of which something was no text."""
        if self.unreadable:
            said = "Some of this could not be read: \ufffd stands in its place. Mend it, and send it again."
            faults = [Fault(field=name, message=said, code="text-unreadable") for name in self.unreadable]
            raise Malformed(said, faults)

    def said(self, refused: Refused) -> str:
        """A refusal in the reader's words."""
        if isinstance(refused, Malformed):
            faults = [
                (each.field, fault_said(each.code, each.message, self.locale)) for each in refused.faults
            ]
            return detail_said(faults, self.locale)
        return translate_refusal(refused.code, str(refused), self.locale)

    @property
    def path(self) -> str:
        """This page's own address; where a form was sent, that of the page that showed it."""
        url = self.request.url
        sent = self.request.method not in forgery.SAFE_METHODS
        return (sent and self._ours("referer")) or _address(url.path, url.query)

    @property
    def shown_at(self) -> str:
        """Where the reader is: of what is asked for within a page, that page's address."""
        return ("hx-request" in self.request.headers and self._ours("hx-current-url")) or self.path

    def _ours(self, header: str) -> str:
        """The address that a header names, if it is one of this site."""
        try:
            shown = urlsplit(self.request.headers.get(header, ""))
        except ValueError:  # such as `http://[`
            return ""
        ours = shown.netloc and shown.netloc == self.request.headers.get("host")
        return _address(shown.path, shown.query) if ours else ""

    def shell(self, place: Place | None, notices: Sequence[Notice]) -> Shell:
        return Shell(
            locale=self.locale,
            now=datetime.now(UTC),
            path=self.path,
            csrf_token=forgery.token_for(self.secret),
            viewer=self.viewer.person if self.viewer else None,
            operator=self.is_operator,
            may_write=self.is_staff,
            theme=theme_of(self.request.cookies),
            place=place,
            notices=notices,
            behind=self.behind,
            groups=self.groups,
            units=self.units,
            demo=demonstration.of(self.reception.settings.folder) is not None,
        )

    @property
    def is_operator(self) -> bool:
        return self.session is not None and bool(self.session.held.roles & OPERATORS)

    @property
    def is_administrator(self) -> bool:
        return self.session is not None and "admin" in self.session.held.roles

    @property
    def is_staff(self) -> bool:
        return self.viewer is not None and self.viewer.kind == STAFF

    @property
    def is_guest(self) -> bool:
        """Raises Away while nobody can say: somebody unknown is not refused as a guest."""
        if self.viewer is None or not self.viewer.kind:
            raise away("identity")
        return self.viewer.kind != STAFF

    def show(
        self, view: View, *, place: Place | None = None, status: int = 200, notices: Sequence[Notice] = ()
    ) -> Response:
        waiting = self.request.cookies.get(NOTICE_COOKIE)
        notices = [*(told(waiting, self.locale) if waiting else ()), *notices]
        response = HTMLResponse(render(view, self.shell(place, notices)), status)
        response.headers["Content-Language"] = self.locale.language
        if waiting:
            self.reception.set_cookie(self.request, response, NOTICE_COOKIE, "", seconds=0)
        return self._with_cookies(response)

    def go(self, address: str, notice: str | None = None) -> Response:
        """On to another page, which tells what was done."""
        response: Response = RedirectResponse(address, 303)
        if "hx-request" in self.request.headers:
            response = Response(status_code=204, headers={"HX-Redirect": address})
        if notice:
            self.reception.set_cookie(self.request, response, NOTICE_COOKIE, notice, seconds=NOTICE_SECONDS)
        return self._with_cookies(response)

    def sign_out(self) -> Response:
        """Off to the door, with nothing of the session left here."""
        self.reception.sessions.forget(self.secret)
        self.cookies.append((self.reception.session_cookie, "", 0))
        return self.go(places.SIGN_IN, "signed-out")

    def _with_cookies(self, response: Response) -> Response:
        for name, value, seconds in self.cookies:
            self.reception.set_cookie(self.request, response, name, value, seconds=seconds)
        return response


def _address(path: str, query: str) -> str:
    return places.safe_return(f"{path}?{query}" if query else path)


@dataclass(frozen=True, slots=True)
class Form:
    """Fields by name, as typed, each with all its values. Line ends are as this house writes them. What was
    no text in the `unreadable` ones is shown as such."""

    fields: Mapping[str, Sequence[str]]
    unreadable: Sequence[str] = ()

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> "Form":
        """Names and values, decoded so that what was no text can still be told (`surrogateescape`)."""
        fields: dict[str, list[str]] = {}
        unreadable: dict[str, None] = {}
        for name, value in ((_NO_TEXT.sub(NO_TEXT, name), value) for name, value in pairs):
            text = _NO_TEXT.sub(NO_TEXT, value)
            if text != value:
                unreadable[name] = None
            # Browsers send every line end as CRLF.
            fields.setdefault(name, []).append(text.replace("\r\n", "\n"))
        return cls(fields, tuple(unreadable))

    def text(self, name: str, default: str = "") -> str:
        return self.fields.get(name, [default])[-1]

    def texts(self, name: str) -> list[str]:
        return list(self.fields.get(name, ()))

    def number(self, name: str) -> int | None:
        text = self.text(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _parsed(body: bytes) -> Form:
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=MOST_FIELDS,
            encoding="utf-8",
            errors="surrogateescape",
        )
    except ValueError:
        raise Refused("unreadable-form", "This form cannot be read. Load the page again.") from None
    return Form.of(pairs)


def told(code: str, locale: Locale) -> Sequence[Notice]:
    """What was done, in words; nothing for a code that nobody of us set."""
    _ = locale.gettext
    texts = {
        "started": _("The page is published."),
        "revised": _("The page is saved."),
        "revised-where-it-moved": _("The page is saved. Somebody moved it while you were writing."),
        "unchanged": _("Nothing was changed, so nothing was saved."),
        "moved": _("The page has moved."),
        "deleted": _("The page is deleted. It can be brought back."),
        "restored": _("The page is back."),
        "reverted": _("The earlier version is back, as a new one."),
        "token-revoked": _("The token is revoked."),
        "session-revoked": _("That device is signed out."),
        "signed-out": _("You are signed out."),
        "post-saved": _("The post is saved."),
        "post-deleted": _("The post is deleted."),
        "comment-saved": _("The comment is saved."),
        "comment-deleted": _("The comment is deleted."),
        "language-corrected": _("The language is corrected."),
        "acknowledged": _("Thank you. Its sender sees that you have read it."),
        "group-started": _("The group is there. Invite those who should know."),
        "group-described": _("The group is saved."),
        "joined": _("You are in. Say hello."),
        "left": _("You have left the group."),
        "declined": _("You have declined."),
        "invited": _("The invitation is sent."),
        "taken-back": _("The invitation is taken back."),
        "removed": _("They are in the group no more."),
        "standing-changed": _("Who owns the group is changed."),
        "owner-found": _("The group has an owner again."),
        "profile-saved": _("Your profile is saved."),
        "password-changed": _("Your password is changed. Other devices are signed out."),
        "counted": _("Thank you. What you open is counted from now on."),
        "not-counted": _("What you open is not counted."),
        "list-is-over": _("That list was shown for a day. Ask for it anew."),
        "offer-noted": _("Noted. They can see it, and you will see whether they come back."),
        "policy-decided": _("It is decided, and counts from now on."),
        "visibility-decided": _("Saved. Coaches see it that way from now on."),
        "rebuild-begun": _("The view is being built anew. Readers see the old one until it has caught up."),
        "rebuild-given-up": _("The new generation was dropped."),
    }
    done, _sep, item = code.partition(":")
    if done == "published" and _ID.fullmatch(item):
        return [Notice(_("Published."), published=item)]
    if done == "commented" and _ID.fullmatch(item):
        return [Notice("", draft=f"comment:{item}")]
    draft = "group" if code == "group-started" else ""
    return [Notice(texts[code], draft=draft)] if code in texts else []


@dataclass(frozen=True, slots=True)
class Names:
    """Members by id. Nobody, or somebody unknown, has no name."""

    known: Mapping[str, Known]

    def of(self, member_id: str | None) -> Person:
        known = self.known.get(member_id or "")
        return known.person if known else Person.named(member_id or "", "")

    def is_guest(self, member_id: str) -> bool:
        known = self.known.get(member_id)
        return known is not None and known.kind == "guest"


class Visits:
    """Turns requests into visits."""

    def __init__(self, reception: Reception) -> None:
        self.reception = reception
        self.people = People(reception.clients)
        self.belonging = Belonging(reception.clients)

    async def begin(self, request: Request) -> Visit:
        """Raises Away, TooMany; somebody whose session has ended is a stranger."""
        reception = self.reception
        secret = request.cookies.get(reception.session_cookie)
        try:
            session = await reception.session(secret, address_of(request))
        except Unauthenticated:
            return self.stranger(request, [(reception.session_cookie, "", 0)])
        if session is None:
            return self.stranger(request)
        member_id = session.held.member_id
        known, groups = await asyncio.gather(
            self.people.known(session, [member_id]), self._groups(request, session)
        )
        locale = reception.locale(request, session)
        visit = Visit(
            reception, self.people, request, locale, session.secret, session, known[member_id], groups
        )
        request.state.visit = visit
        return visit

    def turned_away(self, request: Request) -> Visit:
        """Somebody who asked too often, as far as they are known without asking anybody more."""
        reception = self.reception
        session = reception.sessions.known(request.cookies.get(reception.session_cookie, ""))
        if session is None:
            return self.stranger(request)
        locale, viewer = reception.locale(request, session), self.people.remembered(session.held.member_id)
        visit = Visit(reception, self.people, request, locale, session.secret, session, viewer)
        request.state.visit = visit
        return visit

    async def _groups(self, request: Request, session: Session) -> Sequence[GroupRef]:
        """For the navigation. What the member does may be about them: afterwards they are asked for anew."""
        if request.method not in forgery.SAFE_METHODS:
            self.belonging.forget(session.held.member_id)
            return ()
        if "hx-request" in request.headers:
            return ()
        return await self.belonging.of(session, await self.reception.sessions.after(session, "groups"))

    def stranger(self, request: Request, cookies: Sequence[tuple[str, str, int | None]] = ()) -> Visit:
        """Somebody unknown, whose forms are bound to a cookie of their own."""
        reception = self.reception
        visitor = request.cookies.get(reception.visitor_cookie)
        mine = [*cookies]
        if not visitor:
            visitor = new_secret()
            mine.append((reception.visitor_cookie, visitor, None))
        visit = Visit(reception, self.people, request, reception.locale(request, None), visitor, cookies=mine)
        request.state.visit = visit
        return visit


async def _visiting(request: Request) -> Visit:
    visits: Visits = request.app.state.visits
    return await visits.begin(request)


async def _member(visit: Annotated[Visit, Depends(_visiting)]) -> Visit:
    visit.signed_in  # noqa: B018 - strangers are sent to the door
    return visit


#: Anybody, and somebody signed in: strangers are sent to the door.
Anybody = Annotated[Visit, Depends(_visiting)]
Member = Annotated[Visit, Depends(_member)]
