"""Writing a post: for whom, in which language, with which picture, and how many it reaches."""

from collections.abc import Mapping
from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import Response

from services.gateway import places
from services.gateway.pages import mentions, uploads
from services.gateway.pages.addressees import offered
from services.gateway.pages.failures import Failures
from services.gateway.pages.parts import key_of
from services.gateway.pages.talk_answers import Counted, Done
from services.gateway.pages.visit import Form, Member, Visit
from services.gateway.view_models import GroupRef
from services.gateway.view_models.talk import (
    Composer,
    ComposeView,
    PictureCard,
    PostForm,
    Reach,
    ReachView,
)
from shared.kernel.audience import EVERYONE, GROUP, STAFF
from shared.kernel.errors import NotFound, Refused
from shared.runtime.ids import new_id

#: What the feed calls a field, where the form calls it otherwise.
_FIELDS = {"audience": "to", "group_id": "to", "pictures": "picture"}

routes = APIRouter(include_in_schema=False)


def composer(visit: Visit, *, group: GroupRef | None = None, back: str = places.HOME) -> Composer | None:
    """The line to write in, on a page with a feed; in a group it is the group that reads. None for a guest
    who is in no group."""
    groups = [group] if group else list(visit.groups)
    clauses = [] if group or not visit.is_staff else [STAFF, EVERYONE]
    if not groups and not clauses:
        return None
    to = GROUP + group.id if group else _usual(visit)
    return Composer(PostForm(new_id(), to=to, back=back), clauses, groups)


def _usual(visit: Visit) -> str:
    """To whom somebody writes who has chosen nothing yet."""
    if visit.is_staff:
        return STAFF
    return GROUP + visit.groups[0].id if visit.groups else ""


@routes.get(places.NEW_POST)
async def new_post(visit: Member, to: str = "", text: str = "") -> Response:
    """`to` and `text` may be given by a link."""
    form = PostForm(new_id(), to=to or _usual(visit), text=text[:1_000])
    return await _composing(visit, form)


@routes.post(places.NEW_POST)
async def publish(visit: Member) -> Response:
    sent = await uploads.sent(visit)
    form = _form(sent.form)
    failures = Failures(visit, _FIELDS)
    if sent.file:
        uploading = Failures(visit)
        with uploading.caught():
            picture = await uploads.upload(visit, sent.file)
            form = replace(form, pictures=[*form.pictures, picture])
        if uploading:
            failures.beside("picture", uploading.problem or next(iter(uploading.errors.values())))
            failures.status = uploading.status
    if "look" in sent.form.fields:
        return await _composing(visit, form, failures)
    if form.pictures and not form.alt and not form.decorative:
        failures.beside("alt", visit.locale.gettext("Say what the picture shows, or that it is decoration."))
    if not form.to:
        failures.beside("to", visit.locale.gettext("Choose who it is for."))
    if not failures:
        with failures.caught():
            post_id = await _publish(visit, form)
            return visit.go(form.back, f"published:{post_id}")
    return await _composing(visit, replace(form, key=failures.key_again(form.key)), failures)


@routes.post(places.REACH)
async def reach(visit: Member) -> Response:
    form = _form(await visit.form())
    if not form.to:
        return visit.show(ReachView(problem=visit.locale.gettext("Choose who it is for.")))
    try:
        return visit.show(ReachView(await reach_of(visit, _audience(form.to))))
    except Refused as refused:
        return visit.show(ReachView(problem=visit.said(refused)))


async def reach_of(visit: Visit, audience: Mapping[str, object]) -> Reach:
    """How many would see it. Raises Away, Refused."""
    found = (await visit.ask("feed", "POST", "/reach", json=audience, only_asks=True)).read(Counted)
    return Reach(found.people, found.languages, found.countries, found.roles)


async def reach_if_known(visit: Visit, audience: Mapping[str, object]) -> Reach | None:
    try:
        return await reach_of(visit, audience)
    except Refused:
        return None


def _audience(to: str) -> dict[str, object]:
    if to.startswith(GROUP):
        return {"group_id": to.removeprefix(GROUP)}
    # Guests are among everyone, and see only what is open.
    return {"audience": [to], **({"classification": "open"} if to == EVERYONE else {})}


async def _publish(visit: Visit, form: PostForm) -> str:
    text = await mentions.kept(visit, form.text, form.mentions)
    new: dict[str, object] = {"text": text, **_audience(form.to)}
    if form.language:
        new["language"] = form.language
    if form.pictures:
        alt = "" if form.decorative else form.alt
        new["pictures"] = [{"id": picture.id, "alt": alt} for picture in form.pictures]
    headers = {"Idempotency-Key": form.key}
    try:
        return (await visit.ask("feed", "POST", "/posts", json=new, headers=headers)).read(Done).id
    except NotFound as gone:
        if gone.field != "group_id":
            raise
        # They were in it when the form was shown: this form can be mended.
        raise Refused(
            "not-in-group", "You are not in this group any more. Choose who it is for.", field="group_id"
        ) from gone


async def _composing(visit: Visit, form: PostForm, failures: Failures | None = None) -> Response:
    """The page with every choice."""
    everybody = await reach_if_known(visit, {"audience": [STAFF]}) if visit.is_staff else None
    choices = await offered(visit, everybody, form.to)
    errors = {**failures.errors} if failures else {}
    if form.to and form.to not in choices:
        errors.setdefault(
            "to", visit.locale.gettext("You cannot write to whom you chose any more. Choose who it is for.")
        )
        form = replace(form, to="")
    known = await reach_if_known(visit, _audience(form.to)) if form.to else None
    problem = failures.problem if failures else ""
    if not choices and not problem and visit.is_guest:
        problem = visit.locale.gettext("Guests write in their groups. Ask a colleague to invite you to one.")
    view = ComposeView(Composer(form, choices.clauses, choices.groups, known, errors, problem, whole=True))
    return visit.show(view, place="home", status=failures.status if failures else 200)


def _form(sent: Form) -> PostForm:
    return PostForm(
        key=key_of(sent),
        text=sent.text("text"),
        to=sent.text("to"),
        language=sent.text("language"),
        alt=" ".join(sent.text("alt").split()),
        decorative="decorative" in sent.fields,
        pictures=[card for text in sent.texts("picture_id") if (card := _picture(text)) is not None],
        back=places.safe_return(sent.text("back")),
        mentions=mentions.pairs_of(sent),
    )


def _picture(text: str) -> PictureCard | None:
    """What the page before had uploaded: id, width and height."""
    picture_id, _, size = text.partition(" ")
    width, _, height = size.partition("x")
    if not picture_id or not (width.isdecimal() and height.isdecimal() and len(size) < 12):
        return None
    return PictureCard(picture_id, int(width), int(height))
