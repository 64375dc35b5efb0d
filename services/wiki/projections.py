"""What the wiki shows: pages as they are now, every step of their history, where paths lead, and spaces.

Each document is fed by one stream, so its content cannot depend on how streams interleave; only who owns a
group is fed by all of its memberships, each of which says of one member alone. Pages and spaces carry
audience and classification and are trimmed in the query. Steps of a history do not: who may see a page may
see its history, so they are read only after their page, by its id. A changed audience therefore rewrites one
document, not the whole history.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from contracts.identity import MemberErased, MemberRegistered
from contracts.owners import owners_projection
from contracts.wiki import (
    PageAudienceChanged,
    PageDeleted,
    PageMoved,
    PageOwnerChanged,
    PageRestored,
    PageRevised,
    PageStarted,
    SpaceAudienceChanged,
    SpaceOpened,
    SpaceOwnerChanged,
    SpaceRenamed,
)
from services.wiki import links
from services.wiki.domain.paths import PathFreed, PathTaken, path_id
from services.wiki.domain.spaces import belongs_to_group
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Index, Projection

Kind = Literal["started", "revised", "moved", "deleted", "restored"]


class PageView(BaseModel):
    """A page as it is now. `version` is its stream's, for `If-Match`; `revision` counts the steps of its
    history.

    The times and the author are those of the last step. A deleted page keeps its last path and text.
    """

    page_id: str
    space_id: str
    path: str
    title: str
    body: str = ""
    language: str
    owner_id: str
    audience: list[str]
    classification: str
    revision: int
    body_revision: int
    version: int
    author_id: str | None
    occurred_at: datetime
    recorded_at: datetime
    started_by: str | None
    started_at: datetime
    note: str = ""
    deleted: bool = False
    #: Every path it has had, oldest first; what links call it; the last part of that; what it links to.
    paths: list[str] = Field(default_factory=list)
    addresses: list[str] = Field(default_factory=list)
    name: str = ""
    links: list[str] = Field(default_factory=list)


class AuthorView(BaseModel):
    """A member, in whose name a history may be brought in: also one who does not sign in, or has left. Not
    one who is erased."""

    member_id: str


class RevisionView(BaseModel):
    """One step of a page's history. `body_revision` is the step that holds the text as it was then."""

    page_id: str
    revision: int
    body_revision: int
    kind: Kind
    version: int
    author_id: str | None
    occurred_at: datetime
    recorded_at: datetime
    imported: bool
    note: str
    path: str | None = None
    from_path: str | None = None
    title: str | None = None
    body: str | None = None
    restores: int | None = None


class Resident(BaseModel):
    """A page that lives at a path, or did."""

    page_id: str
    taken: bool


class PathView(BaseModel):
    """Where a path leads: of the pages that a reader may see, to the first that lives there, or else to the
    one that did last. `residents` in that order."""

    space_id: str
    path: str
    residents: list[Resident]


class SpaceView(BaseModel):
    """A place for pages. One of a group is owned by whoever owns the group: `owner_id` is None."""

    space_id: str
    name: str
    purpose: str
    audience: list[str]
    classification: str
    language: str
    owner_id: str | None
    of_group: bool = False
    version: int
    opened_by: str | None
    opened_at: datetime


#: Pages that left a path and are remembered there: what replaced the last one may be hidden from a reader.
MOST_GONE = 20

_STEPS: dict[type[Event], Kind] = {
    PageStarted: "started",
    PageRevised: "revised",
    PageMoved: "moved",
    PageDeleted: "deleted",
    PageRestored: "restored",
}
_OF_PAGES: tuple[type[Event], ...] = (*_STEPS, PageAudienceChanged, PageOwnerChanged)
_OF_SPACES: tuple[type[Event], ...] = (SpaceOpened, SpaceRenamed, SpaceAudienceChanged, SpaceOwnerChanged)


def _page_keys(event: Event) -> Collection[str]:
    match event:
        case (
            PageStarted(page_id=page_id)
            | PageRevised(page_id=page_id)
            | PageMoved(page_id=page_id)
            | PageDeleted(page_id=page_id)
            | PageRestored(page_id=page_id)
            | PageAudienceChanged(page_id=page_id)
            | PageOwnerChanged(page_id=page_id)
        ):
            return (page_id,)
    return ()


def _evolve_page(view: PageView | None, event: Event, recorded: Recorded, key: str) -> PageView | None:
    if isinstance(event, PageStarted):
        return _started(event, recorded)
    if view is None:
        return None
    change: dict[str, Any] = {"version": recorded.version}
    match event:
        case PageRevised(revision=revision):
            change |= _step(recorded, revision, event.note) | _read(event.body, view.path, view.paths)
            change |= {"title": event.title, "body": event.body, "body_revision": revision}
        case PageMoved(to_path=path) | PageRestored(path=path):
            paths = view.paths if path in view.paths else [*view.paths, path]
            change |= _step(recorded, event.revision, event.note) | _read(view.body, path, paths)
            change |= {"title": event.title, "path": path, "deleted": False}
        case PageDeleted(revision=revision, note=note):
            change |= _step(recorded, revision, note) | {"deleted": True}
        case PageAudienceChanged():
            change |= {"audience": list(event.audience), "classification": event.classification.value}
        case PageOwnerChanged(owner_id=owner_id):
            change |= {"owner_id": owner_id}
    return view.model_copy(update=change)


def _started(event: PageStarted, recorded: Recorded) -> PageView:
    page = event.model_dump(exclude={"audience", "classification", "revision", "note"})
    return PageView(
        **page,
        **_step(recorded, event.revision, event.note),
        **_read(event.body, event.path, [event.path]),
        audience=list(event.audience),
        classification=event.classification.value,
        body_revision=event.revision,
        version=recorded.version,
        started_by=recorded.by,
        started_at=recorded.occurred_at,
    )


def _step(recorded: Recorded, revision: int, note: str) -> dict[str, Any]:
    return {
        "revision": revision,
        "note": note,
        "author_id": recorded.by,
        "occurred_at": recorded.occurred_at,
        "recorded_at": recorded.recorded_at,
    }


def _read(body: str, path: str, paths: list[str]) -> dict[str, Any]:
    return {
        "paths": paths,
        "addresses": links.addresses(body, [path, *reversed(paths)]),
        "name": links.name(path),
        "links": links.references(body, path),
    }


def _revision_keys(event: Event) -> Collection[str]:
    match event:
        case (
            PageStarted(page_id=page_id, revision=revision)
            | PageRevised(page_id=page_id, revision=revision)
            | PageMoved(page_id=page_id, revision=revision)
            | PageDeleted(page_id=page_id, revision=revision)
            | PageRestored(page_id=page_id, revision=revision)
        ):
            return (revision_key(page_id, revision),)
    return ()


def revision_key(page_id: str, revision: int) -> str:
    return f"{page_id}:{revision}"


def _evolve_revision(
    view: RevisionView | None, event: Event, recorded: Recorded, key: str
) -> RevisionView | None:
    kind = _STEPS.get(type(event))
    if kind is None:
        return view
    said = event.model_dump()
    return RevisionView(
        page_id=said["page_id"],
        revision=said["revision"],
        body_revision=said.get("body_revision", said["revision"]),
        kind=kind,
        version=recorded.version,
        author_id=recorded.by,
        occurred_at=recorded.occurred_at,
        recorded_at=recorded.recorded_at,
        imported=recorded.imported,
        note=said["note"],
        path=said.get("to_path", said.get("path")),
        from_path=said.get("from_path"),
        title=said.get("title"),
        body=said.get("body"),
        restores=said.get("restores"),
    )


def _path_keys(event: Event) -> Collection[str]:
    match event:
        case PathTaken(space_id=space_id, path=path) | PathFreed(space_id=space_id, path=path):
            return (path_id(space_id, path),)
    return ()


def _evolve_path(view: PathView | None, event: Event, recorded: Recorded, key: str) -> PathView | None:
    if not isinstance(event, PathTaken | PathFreed):
        return view
    others = [each for each in (view.residents if view else ()) if each.page_id != event.page_id]
    living = [each for each in others if each.taken]
    gone = [each for each in others if not each.taken]
    if isinstance(event, PathTaken):
        living.append(Resident(page_id=event.page_id, taken=True))
    else:
        gone.insert(0, Resident(page_id=event.page_id, taken=False))
    return PathView(space_id=event.space_id, path=event.path, residents=[*living, *gone[:MOST_GONE]])


def _space_keys(event: Event) -> Collection[str]:
    match event:
        case (
            SpaceOpened(space_id=space_id)
            | SpaceRenamed(space_id=space_id)
            | SpaceAudienceChanged(space_id=space_id)
            | SpaceOwnerChanged(space_id=space_id)
        ):
            return (space_id,)
    return ()


def _evolve_space(view: SpaceView | None, event: Event, recorded: Recorded, key: str) -> SpaceView | None:
    if isinstance(event, SpaceOpened):
        of_group = belongs_to_group(event)
        return SpaceView(
            **event.model_dump(exclude={"audience", "classification", "owner_id"}),
            owner_id=None if of_group else event.owner_id,
            of_group=of_group,
            audience=list(event.audience),
            classification=event.classification.value,
            version=recorded.version,
            opened_by=recorded.by,
            opened_at=recorded.occurred_at,
        )
    if view is None:
        return None
    change: dict[str, Any] = {"version": recorded.version}
    match event:
        case SpaceRenamed(name=name, purpose=purpose):
            change |= {"name": name, "purpose": purpose}
        case SpaceAudienceChanged() if not view.of_group:
            change |= {"audience": list(event.audience), "classification": event.classification.value}
        case SpaceOwnerChanged(owner_id=owner_id) if not view.of_group:
            change |= {"owner_id": owner_id}
    return view.model_copy(update=change)


def _author_keys(event: Event) -> Collection[str]:
    match event:
        case MemberRegistered(member_id=member_id) | MemberErased(member_id=member_id):
            return (member_id,)
    return ()


def _evolve_author(view: AuthorView | None, event: Event, recorded: Recorded, key: str) -> AuthorView | None:
    return None if isinstance(event, MemberErased) else AuthorView(member_id=key)


#: What every list of pages reads, for those that show no more than places.
PLACE = tuple(name for name, field in PageView.model_fields.items() if field.is_required())

#: An index holds one list field at most: so the audience leads where a reader's whole wiki is asked for, and
#: where a link or a space narrows the query to few pages, their audience is compared afterwards.
pages: Projection[PageView] = Projection(
    "wiki.pages",
    1,
    PageView,
    _OF_PAGES,
    _page_keys,
    _evolve_page,
    (
        Index((("space_id", 1), ("audience", 1), ("deleted", 1), ("path", 1), ("_id", 1))),
        Index((("audience", 1), ("deleted", 1), ("path", 1), ("_id", 1))),
        Index((("audience", 1), ("deleted", 1), ("occurred_at", -1), ("_id", -1))),
        Index((("space_id", 1), ("audience", 1), ("deleted", 1), ("occurred_at", -1), ("_id", -1))),
        Index((("space_id", 1), ("addresses", 1))),
        Index((("space_id", 1), ("name", 1))),
        Index((("space_id", 1), ("links", 1), ("path", 1), ("_id", 1))),
    ),
)
revisions: Projection[RevisionView] = Projection(
    "wiki.revisions",
    1,
    RevisionView,
    tuple(_STEPS),
    _revision_keys,
    _evolve_revision,
    (Index((("page_id", 1), ("revision", -1))),),
)
paths: Projection[PathView] = Projection(
    "wiki.paths", 2, PathView, (PathTaken, PathFreed), _path_keys, _evolve_path
)
spaces: Projection[SpaceView] = Projection(
    "wiki.spaces",
    2,
    SpaceView,
    _OF_SPACES,
    _space_keys,
    _evolve_space,
    (
        Index((("audience", 1), ("name", 1), ("_id", 1))),
        # Spaces of groups are many, the others few: these are found without reading those.
        Index((("audience", 1), ("of_group", 1), ("name", 1), ("_id", 1))),
    ),
)
owners = owners_projection("wiki")
authors: Projection[AuthorView] = Projection(
    "wiki.authors", 1, AuthorView, (MemberRegistered, MemberErased), _author_keys, _evolve_author
)
