"""Writing in the wiki: a new page, a change, a preview while typing, and two who save at once."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from markupsafe import Markup

from services.gateway import places
from services.gateway.clients import Away, part
from services.gateway.pages.addressees import my_groups
from services.gateway.pages.answers import Difference, Done, OldPage, Page, Shown, Space, quoted
from services.gateway.pages.audiences import groups_among, know_units
from services.gateway.pages.differences import passages
from services.gateway.pages.failures import Failures
from services.gateway.pages.parts import Spaces, head_of, key_of, page_of, space_of, spaces_of
from services.gateway.pages.reading import PAGE
from services.gateway.pages.visit import Form, Member, Visit
from services.gateway.view_models import (
    ConflictView,
    EditView,
    PageForm,
    PageHead,
    PreviewView,
    RevisionLine,
    SpaceRef,
)
from shared.kernel.audience import EVERYONE, GROUP, STAFF, Classification
from shared.kernel.errors import Conflict, Forbidden, NotFound, Refused, Unauthenticated
from shared.runtime.ids import new_id

routes = APIRouter(include_in_schema=False)

#: What the wiki calls a field, where the form calls it otherwise.
_FIELDS = {"space_id": "space", "name": "space_name", "from": "revision"}
_UNSLUGGED = re.compile(r"[^\w]+")
_LONGEST_SLUG = 80


@routes.get(places.NEW_PAGE)
async def new_page(visit: Member, space: str = "", path: str = "") -> Response:
    spaces = await _writable(visit, space)
    chosen = next((each for each in spaces.every if each.id == space), None)
    form = PageForm(new_id(), language=visit.locale.language, space=space, path=path, title=_readable(path))
    if chosen is not None:
        form = replace(
            form,
            language=chosen.language,
            classification=chosen.classification,
            audience=chosen.audience,
        )
    form = replace(form, seen_by=_readers(form.classification, form.audience))
    return await _editing(visit, form, spaces)


@routes.post(places.NEW_PAGE)
async def start_page(visit: Member) -> Response:
    sent = await visit.form()
    form = _form(sent)
    failures = Failures(visit, _FIELDS)
    path, space_name, opened = form.path or _slug(form.title), sent.text("space_name").strip(), ""
    if "preview" in sent.fields:
        preview = await _preview(visit, failures, form.space, path, _with_title(form))
        spaces = await _writable(visit, form.space)
        return await _editing(visit, form, spaces, failures=failures, preview=preview, space_name=space_name)
    if not path:
        failures.beside("title", visit.locale.gettext("Give the page a title."))
    if not form.space and not space_name:
        failures.beside("space", visit.locale.gettext("Choose a space, or name a new one."))
    if not space_name:
        form = await _as_the_space_is_read(visit, form, failures)
    if not failures:
        with failures.caught():
            form = replace(form, space=await _space(visit, form, space_name))
            # A new one is there now: another try begins nothing but the page.
            opened, space_name = space_name, ""
            page_id = await _start(visit, form, path)
            return visit.go(places.page(page_id), "started")
    spaces = _with_opened(await _writable(visit, form.space), form, opened)
    return await _editing(visit, _again(form, failures), spaces, failures=failures, space_name=space_name)


@routes.get(PAGE + "/edit")
async def edit_page(page_id: str, visit: Member) -> Response:
    page = await page_of(visit, page_id)
    if page.deleted:
        return visit.go(places.page(page.id))
    _check_may(page, "write")
    form = PageForm(
        new_id(),
        title=page.title,
        body=page.body,
        language=page.language,
        classification=page.classification,
        audience=page.audience,
        space=page.space_id,
        path=page.path,
        seen_by=_readers(page.classification, page.audience),
        revision=page.revision,
        seen_at=page.path,
    )
    shown = Markup(page.html)  # noqa: S704 - made safe by the wiki
    return await _editing(visit, form, Spaces(), await head_of(visit, page), page, preview=shown)


@routes.post(PAGE + "/edit")
async def save_page(page_id: str, visit: Member) -> Response:
    sent = await visit.form()
    page = await page_of(visit, page_id)
    if page.deleted:
        raise Conflict("page-deleted", "The page was deleted. Restore it first.")
    _check_may(page, "write")
    form = replace(_form(sent), title=page.title, space=page.space_id, path=page.path, language=page.language)
    failures = Failures(visit, _FIELDS)
    with failures.caught():
        visit.check_readable()
    form = _decided_meanwhile(visit, form, page, failures)
    head = await head_of(visit, page)
    if "preview" in sent.fields:
        preview = await _preview(visit, failures, page.space_id, page.path, form.body)
        return await _editing(visit, form, Spaces(), head, page, failures=failures, preview=preview)
    text = _line_ends_of(page.body, form.body)
    if failures:
        return await _editing(visit, _again(form, failures), Spaces(), head, page, failures=failures)
    if text != page.body and not await _has_text_of(visit, page, form.revision):
        return await _conflict(visit, page, head, form)
    try:
        with failures.caught():
            changed = await _save(visit, page, form, text)
            moved = form.seen_at not in ("", page.path)
            done = "revised-where-it-moved" if moved else "revised"
            return visit.go(places.page(page.id), done if changed else "unchanged")
    except _MeanwhileSaved as meanwhile:
        return await _saved_meanwhile(visit, page, form, text, meanwhile)
    return await _editing(visit, _again(form, failures), Spaces(), head, page, failures=failures)


async def _saved_meanwhile(
    visit: Visit, page: Page, form: PageForm, text: str, meanwhile: "_MeanwhileSaved"
) -> Response:
    """Two texts where there are two now; else the form once more, for who looks and saves again."""
    # The view that shows it may be a moment behind, so it is asked for by its version.
    newer = await page_of(visit, page.id, after=f"wiki/page-{page.id}/{meanwhile.version + 1}")
    head = await head_of(visit, newer)
    if newer.body not in (page.body, text):
        return await _conflict(visit, newer, head, form)
    failures = Failures(visit, _FIELDS)
    failures.problem = visit.locale.gettext(
        "Somebody moved this page, or decided who may read it, while you saved. Look at it, and save again."
    )
    failures.status = HTTPStatus.CONFLICT
    form = _again(_decided_meanwhile(visit, form, newer, failures), failures)
    return await _editing(visit, form, Spaces(), head, newer, failures=failures)


async def _has_text_of(visit: Visit, page: Page, revision: int) -> bool:
    """Whether the page has the text that it had at that step, though it may have moved since."""
    if revision == page.revision:
        return True
    try:
        then = await visit.ask("wiki", "GET", f"/wiki/pages/{part(page.id)}/revisions/{revision}")
    except NotFound:
        return False
    return then.read(OldPage).body == page.body


def _readers(classification: str, audience: Sequence[str]) -> str:
    """Who may read it, in one line."""
    return " ".join([classification, *sorted(audience)])


async def _as_the_space_is_read(visit: Visit, form: PageForm, failures: Failures) -> PageForm:
    """The form with the readers of its space, where those are fewer and nobody has chosen any: what is begun
    elsewhere and put into a closed group's space is not for all staff. Its writer looks, and may choose."""
    if not form.space or form.seen_by != _readers(form.classification, form.audience):
        return form
    try:
        space = await space_of(visit, form.space)
    except NotFound:
        # It is told beside the field when the page is begun.
        return form
    everybody = {STAFF, EVERYONE}
    if everybody.isdisjoint(form.audience) or not everybody.isdisjoint(space.audience):
        return form
    told = visit.locale.gettext(
        "Fewer people read this space. Its readers are chosen now: look at them, and publish."
    )
    failures.beside("audience", told)
    return replace(form, audience=space.audience, classification=space.classification, seen_by="")


def _decided_meanwhile(visit: Visit, form: PageForm, page: Page, failures: Failures) -> PageForm:
    """The form with the readers that were decided on after it was shown: an old form does not undo that.
    Where both changed them, it is for this reader to look and choose again."""
    now = _readers(page.classification, page.audience)
    if not form.seen_by or form.seen_by == now:
        return replace(form, seen_by=now)
    chosen = _readers(form.classification, form.audience)
    if chosen not in (form.seen_by, now):
        told = visit.locale.gettext(
            "Somebody else changed who may read this page. Look at it, and choose again if need be."
        )
        failures.beside("audience", told)
    return replace(form, audience=page.audience, classification=page.classification, seen_by=now)


@routes.post(places.PREVIEW)
async def preview(visit: Member, page: str = "") -> Response:
    sent = await visit.form()
    form = _form(sent)
    space_id, path, text = form.space, form.path or _slug(form.title), _with_title(form)
    language = form.language
    if page:
        edited = await page_of(visit, page)
        space_id, path, text, language = edited.space_id, edited.path, form.body, edited.language
    return visit.show(PreviewView(await _while_typing(visit, space_id, path, text), language))


async def _while_typing(visit: Visit, space_id: str, path: str, text: str) -> Markup:
    """Half a path is no reason to show nothing; a text that cannot be shown says why."""
    try:
        return await _shown(visit, space_id, path, text)
    except (Away, NotFound, Unauthenticated):
        raise
    except Refused as refused:
        if refused.field == "path":
            return await _shown(visit, space_id, "", text)
        return Markup("<p>{}</p>").format(visit.said(refused))


class _MeanwhileSaved(Exception):
    """Somebody was faster: there is a version after `version`."""

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


async def _save(visit: Visit, page: Page, form: PageForm, text: str) -> bool:
    """What differs is sent: who may read it first where that becomes narrower, else the text first."""
    seen_by = (sorted(form.audience), form.classification)
    changes: list[tuple[str, dict[str, object], str]] = []
    if text != page.body:
        changes.append(("", {"body": text, "note": form.note}, form.key))
    if page.may.get("audience", False) and seen_by != (sorted(page.audience), page.classification):
        readers: dict[str, object] = {"audience": list(form.audience), "classification": form.classification}
        at = 0 if _narrower(page, form) else len(changes)
        changes.insert(at, ("/audience", readers, f"{form.key}-audience"))
    version = page.version
    for path, body, key in changes:
        headers = {**quoted(version), "Idempotency-Key": key}
        try:
            answer = await visit.ask(
                "wiki", "PUT", f"/wiki/pages/{part(page.id)}{path}", json=body, headers=headers
            )
        except Conflict as conflict:
            if conflict.code == "edited-meanwhile":
                raise _MeanwhileSaved(version) from conflict
            raise
        version = answer.read(Done).version
    return bool(changes)


def _narrower(page: Page, form: PageForm) -> bool:
    levels = [level.value for level in Classification]
    lower = form.classification in levels and levels.index(form.classification) < levels.index(
        page.classification
    )
    return set(form.audience) <= set(page.audience) and not lower


async def _conflict(visit: Visit, page: Page, head: PageHead, form: PageForm) -> Response:
    draft = {"body": _line_ends_of(page.body, form.body)}
    path = f"/wiki/pages/{part(page.id)}/compare"
    compared = await visit.ask("wiki", "POST", path, json=draft, only_asks=True)
    blocks = compared.read(Difference).blocks
    names = await visit.named([page.author_id])
    theirs = RevisionLine(page.revision, page.occurred_at, names.of(page.author_id), page.note)
    form = replace(form, key=new_id(), revision=page.revision, seen_at=page.path)
    view = ConflictView(head, form, theirs, page.body, passages(blocks))
    return visit.show(view, place="wiki", status=409)


async def _writable(visit: Visit, chosen: str) -> Spaces:
    """The spaces to write in, the chosen one among them if it is one. Raises Forbidden for a guest, Away
    while nobody can say who is one."""
    if visit.is_guest:
        raise Forbidden(
            "may-not-write", "Guests can read pages but not change them. Ask the page's owner to do it."
        )
    found = await spaces_of(visit)
    if chosen and chosen not in [space.id for space in found.every]:
        with suppress(NotFound):
            found = found.along_with(await space_of(visit, chosen))
    return found.writable()


async def _space(visit: Visit, form: PageForm, name: str) -> str:
    """The chosen space, or a new one that begins with this page."""
    if not name:
        return form.space
    new = {
        "name": name,
        "audience": list(form.audience),
        "classification": form.classification,
        "language": form.language,
    }
    headers = {"Idempotency-Key": f"{form.key}-space"}
    answer = await visit.ask("wiki", "POST", "/wiki/spaces", json=new, headers=headers)
    return answer.read(Done).id


def _with_opened(spaces: Spaces, form: PageForm, name: str) -> Spaces:
    """With the space that was opened a moment ago, which lists may not show yet."""
    if not name:
        return spaces
    seen_by: dict[str, Any] = {"audience": list(form.audience), "classification": form.classification}
    return spaces.along_with(Space(id=form.space, name=name, language=form.language, **seen_by))


async def _start(visit: Visit, form: PageForm, path: str) -> str:
    new = {
        "space_id": form.space,
        "path": path,
        "body": _with_title(form),
        "note": form.note,
        "language": form.language,
        "audience": list(form.audience),
        "classification": form.classification,
    }
    headers = {"Idempotency-Key": form.key}
    try:
        answer = await visit.ask("wiki", "POST", "/wiki/pages", json=new, headers=headers)
    except NotFound as gone:
        # The space was there when the form was: this form can be mended.
        raise Refused(gone.code, str(gone), field="space") from gone
    return answer.read(Done).id


async def _preview(visit: Visit, failures: Failures, space_id: str, path: str, body: str) -> Markup | None:
    with failures.caught():
        return await _shown(visit, space_id, path, body)
    return None


async def _shown(visit: Visit, space_id: str, path: str, body: str) -> Markup:
    draft = {"space_id": space_id or "new", "path": path or "new", "body": body}
    answer = await visit.ask("wiki", "POST", "/wiki/preview", json=draft, only_asks=True)
    return Markup(answer.read(Shown).html)  # noqa: S704 - made safe by the wiki


async def _editing(
    visit: Visit,
    form: PageForm,
    spaces: Spaces,
    head: PageHead | None = None,
    page: Page | None = None,
    *,
    failures: Failures | None = None,
    preview: Markup | None = None,
    space_name: str = "",
) -> Response:
    errors = {**failures.errors} if failures else {}
    if (
        form.space
        and not space_name
        and page is None
        and form.space not in [space.id for space in spaces.every]
    ):
        errors.setdefault("space", visit.locale.gettext("You cannot write in the space you chose any more."))
    if "space" in errors and not spaces.every:
        # There is none to choose, only a new one to name.
        errors.setdefault("space_name", errors["space"])
    problem = failures.problem if failures else ""
    audiences = await _audiences(visit, spaces, page)
    await know_units(visit, audiences, form.audience)
    view = EditView(
        form=form,
        spaces=_refs(spaces.near),
        other_spaces=_refs(spaces.others),
        audiences=audiences,
        groups=await groups_among(visit, [*audiences, *form.audience]),
        page=head,
        preview=preview,
        errors=errors,
        problem=problem,
        may_choose_readers=page is None or page.may.get("audience", False),
        space_name=space_name,
    )
    return visit.show(view, place="wiki", status=failures.status if failures else 200)


def _refs(spaces: Sequence[Space]) -> list[SpaceRef]:
    return [SpaceRef(space.id, space.name) for space in spaces]


async def _choosable(visit: Visit, audience: Sequence[str]) -> list[str]:
    """Without groups that this member is not in: who comes for a page of no certain space may well write it
    in another, where nobody but their members may choose those."""
    tokens = {token for clause in audience for token in clause.split("&") if token.startswith(GROUP)}
    others = tokens - {GROUP + group.id for group in await my_groups(visit)} if tokens else tokens
    return [clause for clause in audience if others.isdisjoint(clause.split("&"))]


async def _audiences(visit: Visit, spaces: Spaces, page: Page | None) -> list[str]:
    offered = [STAFF, EVERYONE, f"member:{visit.signed_in.held.member_id}"]
    theirs = [clause for space in spaces.every for clause in space.audience]
    more = [*await _choosable(visit, theirs), *(page.audience if page else [])]
    return list(dict.fromkeys([*offered, *more]))


def _form(sent: Form) -> PageForm:
    return PageForm(
        key=key_of(sent),
        title=" ".join(sent.text("title").split()),
        body=sent.text("body"),
        note=sent.text("note"),
        language=sent.text("language", "en"),
        classification=sent.text("classification", "internal"),
        seen_by=sent.text("seen_by"),
        revision=sent.number("revision") or 0,
        seen_at=sent.text("seen_at"),
        audience=sent.texts("audience"),
        space=sent.text("space"),
        path=sent.text("path").strip(),
    )


def _again(form: PageForm, failures: Failures) -> PageForm:
    """The same for another try."""
    return replace(form, key=failures.key_again(form.key))


def _with_title(form: PageForm) -> str:
    """The text as it is kept: a page's title is its first heading."""
    if not form.title:
        return form.body
    return f"# {form.title}\n\n{form.body}"


def _line_ends_of(before: str, text: str) -> str:
    """Browsers do not tell which line ends a text had: those of the text before are kept."""
    return text.replace("\n", "\r\n") if "\r\n" in before else text


def _check_may(page: Page, permission: str) -> None:
    if not page.may.get(permission, False):
        raise Forbidden(
            "may-not-write", "Guests can read pages but not change them. Ask the page's owner to do it."
        )


def _slug(title: str) -> str:
    return _UNSLUGGED.sub("-", title.casefold())[:_LONGEST_SLUG].strip("-_")


def _readable(path: str) -> str:
    """A title to begin with, for a page that a link already names."""
    last = re.sub(r"\.(md|markdown)$", "", path.rpartition("/")[2])
    words = re.sub(r"[-_]+", " ", last).strip()
    return words[:1].upper() + words[1:]
