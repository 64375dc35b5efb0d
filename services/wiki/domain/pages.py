"""What may happen to a page: it is started, revised, moved, deleted, restored; its text is never lost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from contracts.wiki import (
    PageAudienceChanged,
    PageDeleted,
    PageMoved,
    PageOwnerChanged,
    PageRestored,
    PageRevised,
    PageStarted,
)
from services.wiki.domain.paths import checked_path
from services.wiki.domain.writing import (
    checked_body,
    checked_language,
    checked_member,
    checked_note,
    title_of,
)
from shared.kernel.audience import Classification, audience, classification
from shared.kernel.decider import Decider
from shared.kernel.errors import Conflict, NotFound
from shared.kernel.events import Event


@dataclass(frozen=True, slots=True)
class StartPage:
    page_id: str
    space_id: str
    path: str
    body: str
    note: str
    language: str
    owner_id: str
    audience: tuple[str, ...]
    classification: str


@dataclass(frozen=True, slots=True)
class RevisePage:
    """`restores` is the step of the history whose text `body` is again."""

    page_id: str
    body: str
    note: str
    restores: int | None = None


@dataclass(frozen=True, slots=True)
class MovePage:
    """`from_path` is where the mover saw the page; a `body` is a new text that comes with the move."""

    page_id: str
    from_path: str
    to_path: str
    note: str
    body: str | None = None


@dataclass(frozen=True, slots=True)
class DeletePage:
    page_id: str
    path: str
    note: str


@dataclass(frozen=True, slots=True)
class RestorePage:
    page_id: str
    path: str
    note: str


@dataclass(frozen=True, slots=True)
class ChangePageAudience:
    page_id: str
    audience: tuple[str, ...]
    classification: str


@dataclass(frozen=True, slots=True)
class ChangePageOwner:
    page_id: str
    owner_id: str


PageCommand = (
    StartPage | RevisePage | MovePage | DeletePage | RestorePage | ChangePageAudience | ChangePageOwner
)


@dataclass(frozen=True, slots=True)
class Page:
    """What the rules need to remember. `revision` 0: there is no such page."""

    revision: int = 0
    body_revision: int = 0
    space_id: str = ""
    path: str = ""
    body: str = ""
    owner_id: str = ""
    audience: tuple[str, ...] = ()
    classification: Classification = Classification.OPEN
    deleted: bool = False


def stream(command: PageCommand) -> str:
    return f"page-{command.page_id}"


def decide(command: PageCommand, page: Page) -> Sequence[Event]:
    """What follows from the command. Nothing follows from one that changes nothing."""
    if isinstance(command, StartPage):
        return _start(command, page)
    if page.revision == 0:
        raise NotFound("no-such-page", "There is no such page.")
    match command:
        case RestorePage():
            return _restore(command, page)
        case ChangePageAudience():
            return _change_audience(command, page)
        case ChangePageOwner():
            return _change_owner(command, page)
    if page.deleted:
        raise Conflict("page-deleted", "The page was deleted. Restore it first.")
    match command:
        case RevisePage():
            return _revise(command, page)
        case MovePage():
            return _move(command, page)
        case DeletePage():
            return _delete(command, page)


def _start(command: StartPage, page: Page) -> Sequence[Event]:
    if page.revision:
        raise Conflict("page-exists", "This page has been started already.")
    path = checked_path(command.path)
    body = checked_body(command.body)
    return [
        PageStarted(
            page_id=command.page_id,
            space_id=command.space_id,
            path=path,
            title=title_of(body, path),
            body=body,
            note=checked_note(command.note),
            language=checked_language(command.language),
            owner_id=checked_member(command.owner_id, "owner_id"),
            audience=audience(command.audience),
            classification=classification(command.classification),
        )
    ]


def _revise(command: RevisePage, page: Page) -> Sequence[Event]:
    body = checked_body(command.body)
    if body == page.body:
        return []
    return [
        PageRevised(
            page_id=command.page_id,
            space_id=page.space_id,
            revision=page.revision + 1,
            title=title_of(body, page.path),
            body=body,
            note=checked_note(command.note),
            restores=command.restores,
        )
    ]


def _move(command: MovePage, page: Page) -> Sequence[Event]:
    to_path, note = checked_path(command.to_path), checked_note(command.note)
    body = page.body if command.body is None else checked_body(command.body)
    if page.path == to_path:
        return _revise(RevisePage(command.page_id, body, note), page)
    _still_at(command.from_path, page)
    moved = PageMoved(
        page_id=command.page_id,
        space_id=page.space_id,
        revision=page.revision + 1,
        body_revision=page.body_revision,
        from_path=page.path,
        to_path=to_path,
        title=title_of(page.body, to_path),
        note=note,
    )
    return [moved, *_revise(RevisePage(command.page_id, body, note), evolve(page, moved))]


def _delete(command: DeletePage, page: Page) -> Sequence[Event]:
    _still_at(command.path, page)
    return [
        PageDeleted(
            page_id=command.page_id,
            space_id=page.space_id,
            revision=page.revision + 1,
            body_revision=page.body_revision,
            path=page.path,
            note=checked_note(command.note),
        )
    ]


def _still_at(path: str, page: Page) -> None:
    if checked_path(path) != page.path:
        raise Conflict(
            "page-moved-meanwhile", "The page was moved meanwhile. Look where it is now.", field="path"
        )


def _restore(command: RestorePage, page: Page) -> Sequence[Event]:
    if not page.deleted:
        raise Conflict("page-not-deleted", "The page is there already.")
    path = checked_path(command.path)
    return [
        PageRestored(
            page_id=command.page_id,
            space_id=page.space_id,
            revision=page.revision + 1,
            body_revision=page.body_revision,
            path=path,
            title=title_of(page.body, path),
            note=checked_note(command.note),
        )
    ]


def _change_audience(command: ChangePageAudience, page: Page) -> Sequence[Event]:
    clauses, level = audience(command.audience), classification(command.classification)
    if (clauses, level) == (page.audience, page.classification):
        return []
    return [
        PageAudienceChanged(
            page_id=command.page_id,
            space_id=page.space_id,
            audience=clauses,
            classification=level,
            audience_before=page.audience,
            classification_before=page.classification,
        )
    ]


def _change_owner(command: ChangePageOwner, page: Page) -> Sequence[Event]:
    owner_id = checked_member(command.owner_id, "owner_id")
    if owner_id == page.owner_id:
        return []
    return [
        PageOwnerChanged(
            page_id=command.page_id,
            space_id=page.space_id,
            owner_id=owner_id,
            owner_before=page.owner_id,
        )
    ]


def text_at(events: Iterable[Event], revision: int) -> str:
    """The text after that step of the history. Raises NotFound where there is no such step."""
    page = Page()
    for event in events:
        page = evolve(page, event)
        if page.revision == revision:
            return page.body
    raise NotFound("no-such-revision", "There is no such revision of this page.")


def evolve(page: Page, event: Event) -> Page:
    match event:
        case PageStarted():
            return Page(
                revision=event.revision,
                body_revision=event.revision,
                space_id=event.space_id,
                path=event.path,
                body=event.body,
                owner_id=event.owner_id,
                audience=event.audience,
                classification=event.classification,
            )
        case PageRevised(revision=revision, body=body):
            return replace(page, revision=revision, body_revision=revision, body=body)
        case PageMoved(revision=revision, to_path=path):
            return replace(page, revision=revision, path=path)
        case PageDeleted(revision=revision):
            return replace(page, revision=revision, deleted=True)
        case PageRestored(revision=revision, path=path):
            return replace(page, revision=revision, path=path, deleted=False)
        case PageAudienceChanged(audience=clauses, classification=level):
            return replace(page, audience=clauses, classification=level)
        case PageOwnerChanged(owner_id=owner_id):
            return replace(page, owner_id=owner_id)
    return page


pages: Decider[PageCommand, Page] = Decider(stream, Page(), decide, evolve)
