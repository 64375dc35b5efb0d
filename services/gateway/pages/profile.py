"""What members say of themselves and decide for themselves: profile, password, being counted."""

from datetime import datetime
from functools import cache
from zoneinfo import available_timezones

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from services.gateway import places
from services.gateway.pages.failures import Failures
from services.gateway.pages.member_answers import MemberItem
from services.gateway.pages.visit import Form, Member, Visit
from services.gateway.view_models import (
    PAGE_LANGUAGES,
    ConsentView,
    PasswordView,
    ProfileForm,
    ProfileFormView,
)
from shared.kernel.errors import Conflict

routes = APIRouter(include_in_schema=False)


class _Consent(BaseModel):
    counted: bool
    decided_at: datetime | None = None


@routes.get(places.MY_PROFILE)
async def edit_profile(visit: Member) -> Response:
    me = await _me(visit)
    form = ProfileForm(
        time_zone=me.time_zone,
        phone=me.phone or "",
        about=me.about or "",
        ask_me_about="\n".join(me.ask_me_about),
        languages=me.languages,
        version=me.version,
    )
    return _filling_in(visit, form)


@routes.post(places.MY_PROFILE)
async def save_profile(visit: Member) -> Response:
    sent = await visit.form()
    form = _form(sent)
    failures = Failures(visit)
    with failures.caught():
        new = {
            "time_zone": form.time_zone,
            "phone": form.phone,
            "about": form.about,
            "ask_me_about": form.ask_me_about.split("\n") if form.ask_me_about else [],
            "languages": form.languages,
        }
        try:
            headers = {"If-Match": f'"{form.version}"'}
            await visit.ask("identity", "PUT", "/me/profile", json=new, headers=headers)
        except Conflict:
            # Their own, from another tab or by those who placed them: what was typed last is what they want.
            headers = {"If-Match": f'"{(await _me(visit)).version}"'}
            await visit.ask("identity", "PUT", "/me/profile", json=new, headers=headers)
        return visit.go(places.member(visit.signed_in.held.member_id), "profile-saved")
    return _filling_in(visit, form, failures)


@routes.get(places.CREDENTIALS)
async def password(visit: Member) -> Response:
    return visit.show(PasswordView(), place="settings")


@routes.post(places.CREDENTIALS)
async def change_password(visit: Member) -> Response:
    sent = await visit.form()
    failures = Failures(visit, {"password": "new"})
    new = sent.text("new")
    if not sent.text("current"):
        failures.beside("current", visit.locale.gettext("Type the password that you have now."))
    if not new:
        failures.beside("new", visit.locale.gettext("Type a new password."))
    elif new != sent.text("again"):
        failures.beside("again", visit.locale.gettext("This is not the same as above. Type it again."))
    if not failures:
        with failures.caught():
            given = {"current": sent.text("current"), "new": new}
            await visit.ask("identity", "PUT", "/me/password", json=given)
            return visit.go(places.SETTINGS, "password-changed")
    view = PasswordView(failures.errors, failures.problem)
    return visit.show(view, place="settings", status=failures.status)


@routes.get(places.CONSENT)
async def consent(visit: Member) -> Response:
    found = await visit.ask_if_there(_Consent, "engagement", "/consent")
    view = ConsentView(found.counted, found.decided_at) if found else ConsentView(None)
    return visit.show(view, place="settings")


@routes.post(places.CONSENT)
async def decide(visit: Member) -> Response:
    sent = await visit.form()
    counted = sent.text("counted") == "yes"
    await visit.ask("engagement", "PUT", "/consent", json={"counted": counted})
    return visit.go(places.CONSENT, "counted" if counted else "not-counted")


async def _me(visit: Visit) -> MemberItem:
    return (await visit.ask("identity", "GET", "/me")).read(MemberItem)


def _form(sent: Form) -> ProfileForm:
    topics = [" ".join(line.split()) for line in sent.text("ask_me_about").split("\n")]
    return ProfileForm(
        time_zone=sent.text("time_zone"),
        phone=sent.text("phone").strip(),
        about=sent.text("about").strip(),
        ask_me_about="\n".join(topic for topic in topics if topic),
        languages=sent.texts("languages"),
        version=sent.number("version") or 0,
    )


def _filling_in(visit: Visit, form: ProfileForm, failures: Failures | None = None) -> Response:
    view = ProfileFormView(
        form=form,
        zones=zones(),
        languages=list(dict.fromkeys([*PAGE_LANGUAGES, *form.languages])),
        address=places.member(visit.signed_in.held.member_id),
        errors=failures.errors if failures else {},
        problem=failures.problem if failures else "",
    )
    return visit.show(view, place="people", status=failures.status if failures else 200)


@cache
def zones() -> tuple[str, ...]:
    """Places by which people know their time, without those that only machines use."""
    return tuple(
        sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
    )
