"""What keeps the wiki in order: moving a page, taking it away, and bringing it or an earlier text back."""

from fastapi import APIRouter
from fastapi.responses import Response

from services.gateway import places
from services.gateway.clients import part
from services.gateway.pages.answers import ItemList, Page, quoted
from services.gateway.pages.failures import Failures
from services.gateway.pages.parts import head_of, key_of, page_of, ref
from services.gateway.pages.reading import LINKING_COUNTED, PAGE, deleted_page
from services.gateway.pages.visit import Form, Member, Visit
from services.gateway.view_models import DeleteView, MoveView, PageRef
from shared.kernel.errors import Conflict, Forbidden
from shared.runtime.ids import new_id

routes = APIRouter(include_in_schema=False)


@routes.get(PAGE + "/move")
async def move_form(page_id: str, visit: Member) -> Response:
    page = await page_of(visit, page_id)
    _check(page, "write")
    return await _moving(visit, page, page.path)


@routes.post(PAGE + "/move")
async def move_page(page_id: str, visit: Member) -> Response:
    sent = await visit.form()
    page = await page_of(visit, page_id)
    _check(page, "write")
    failures = Failures(visit)
    path, note = sent.text("path").strip(), sent.text("note")
    with failures.caught():
        _check_unchanged(page, sent)
        await visit.ask(
            "wiki",
            "POST",
            f"/wiki/pages/{part(page_id)}/move",
            json={"path": path, "note": note},
            headers={**quoted(page.version), "Idempotency-Key": key_of(sent)},
        )
        return visit.go(places.page(page_id), "moved")
    return await _moving(visit, page, path, note, failures)


@routes.get(PAGE + "/delete")
async def delete_form(page_id: str, visit: Member) -> Response:
    page = await page_of(visit, page_id)
    _check(page, "delete")
    return await _deleting(visit, page)


@routes.post(PAGE + "/delete")
async def delete_page(page_id: str, visit: Member) -> Response:
    sent = await visit.form()
    page = await page_of(visit, page_id)
    _check(page, "delete")
    failures = Failures(visit)
    note = sent.text("note")
    with failures.caught():
        _check_unchanged(page, sent)
        await visit.ask(
            "wiki",
            "DELETE",
            f"/wiki/pages/{part(page_id)}",
            query={"note": note},
            headers={**quoted(page.version), "Idempotency-Key": key_of(sent)},
        )
        return visit.go(places.page(page_id), "deleted")
    return await _deleting(visit, page, note, failures)


@routes.post(PAGE + "/restore")
async def restore_page(page_id: str, visit: Member) -> Response:
    """A deleted page comes back; of one that is there, an earlier text."""
    sent = await visit.form()
    page = await page_of(visit, page_id)
    revision = sent.number("revision")
    failures = Failures(visit)
    with failures.caught():
        wanted = {} if revision is None else {"revision": revision}
        await visit.ask("wiki", "POST", f"/wiki/pages/{part(page_id)}/restore", json=wanted)
        return visit.go(places.page(page_id), "restored" if revision is None else "reverted")
    said = failures.problem or " ".join(failures.errors.values())
    if not page.deleted:
        raise Conflict("not-restored", said)
    return await deleted_page(visit, page, said)


def _check(page: Page, permission: str) -> None:
    if page.deleted:
        raise Conflict("page-deleted", "The page was deleted. Restore it first.")
    if not page.may.get(permission, False):
        raise Forbidden("not-yours-to-do", "Your role does not include this. Ask the page's owner.")


def _check_unchanged(page: Page, sent: Form) -> None:
    """Somebody who saw another page than the present one decides again."""
    if sent.number("revision") != page.revision:
        raise Conflict(
            "edited-meanwhile", "Somebody changed this while you were working on it. Look at the new version."
        )


async def _linking(visit: Visit, page: Page) -> list[PageRef]:
    query = {"limit": LINKING_COUNTED}
    answer = await visit.ask_if_there(ItemList, "wiki", f"/wiki/pages/{part(page.id)}/backlinks", query)
    return [ref(item) for item in answer.items] if answer else []


async def _moving(
    visit: Visit, page: Page, path: str, note: str = "", failures: Failures | None = None
) -> Response:
    view = MoveView(
        page=await head_of(visit, page),
        key=new_id(),
        path=path,
        note=note,
        backlinks=len(await _linking(visit, page)),
        errors=failures.errors if failures else {},
        problem=failures.problem if failures else "",
    )
    return visit.show(view, place="wiki", status=failures.status if failures else 200)


async def _deleting(visit: Visit, page: Page, note: str = "", failures: Failures | None = None) -> Response:
    view = DeleteView(
        page=await head_of(visit, page),
        key=new_id(),
        backlinks=await _linking(visit, page),
        note=note,
        errors=failures.errors if failures else {},
        problem=failures.problem if failures else "",
    )
    return visit.show(view, place="wiki", status=failures.status if failures else 200)
