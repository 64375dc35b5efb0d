"""What can be found: one document per post, comment, page, group and person, as the index is made from it.

Each document is fed by one stream. What is personal stays sealed here; the index opens it. A comment's
document outlives its post's: that its post is gone is seen where comments are indexed.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from contracts.feed import (
    CommentDeleted,
    CommentEdited,
    CommentPublished,
    ItemLanguageCorrected,
    PostDeleted,
    PostEdited,
    PostPublished,
)
from contracts.groups import GroupDescribed, GroupStarted
from contracts.identity import (
    LanguageChanged,
    MemberDeactivated,
    MemberErased,
    MemberPlaced,
    MemberReactivated,
    MemberRegistered,
    MemberRenamed,
    ProfileChanged,
)
from contracts.wiki import (
    PageAudienceChanged,
    PageDeleted,
    PageMoved,
    PageRestored,
    PageRevised,
    PageStarted,
)
from shared.kernel.audience import STAFF, Classification
from shared.kernel.events import Event, Recorded
from shared.kernel.personal import Personal, lines
from shared.kernel.projection import Index, Projection


class Kind(StrEnum):
    """What is found."""

    POST = "post"
    COMMENT = "comment"
    PAGE = "page"
    GROUP = "group"
    PERSON = "person"


class SearchItem(BaseModel):
    """Something that can be found. Texts that belong to a person are sealed, the others plain.

    `text` of a person is their title. `hidden`: it is not to be found now, and may be again (a deleted page,
    somebody who left).
    """

    kind: Kind
    id: str
    title: str = ""
    name: Personal | None = None
    text: str = ""
    #: Of a post or comment its text; of a person what they say of themselves.
    said: Personal | None = None
    #: What a person may be asked about; the same, of a time when it was not sealed.
    asked: Personal | None = None
    words: list[str] = []
    language: str
    author_id: str | None
    occurred_at: datetime
    audience: list[str]
    classification: str
    group_id: str | None = None
    space_id: str | None = None
    post_id: str | None = None
    path: str | None = None
    hidden: bool = False


def key_of(kind: Kind, item_id: str) -> str:
    """The document's key: ids are unique within their kind."""
    return f"{kind.value}-{item_id}"


def _keys(event: Event) -> Collection[str]:
    match event:
        case CommentPublished() | CommentEdited() | CommentDeleted():
            return (key_of(Kind.COMMENT, event.comment_id),)
        case PostPublished() | PostEdited() | PostDeleted():
            return (key_of(Kind.POST, event.post_id),)
        case ItemLanguageCorrected(item_id=item_id, post_id=post_id):
            return (key_of(Kind.POST if item_id == post_id else Kind.COMMENT, item_id),)
        case GroupStarted() | GroupDescribed():
            return (key_of(Kind.GROUP, event.group_id),)
        case _ if isinstance(event, _OF_PAGES):
            return (key_of(Kind.PAGE, event.page_id),)
        case _ if isinstance(event, _OF_PEOPLE):
            return (key_of(Kind.PERSON, event.member_id),)
    return ()


def _evolve(view: SearchItem | None, event: Event, recorded: Recorded, key: str) -> SearchItem | None:
    if isinstance(event, PostDeleted | CommentDeleted | MemberErased):
        return None
    begun = _begun(event, recorded)
    if begun is not None:
        return begun
    return None if view is None else view.model_copy(update=_changed(event, recorded, view))


def _begun(event: Event, recorded: Recorded) -> SearchItem | None:
    """The item that an event begins."""
    said: dict[str, Any] = {"occurred_at": recorded.occurred_at}
    match event:
        case PostPublished():
            said |= {"kind": Kind.POST, "id": event.post_id, "title": event.title, "said": event.text}
        case CommentPublished():
            said |= {"kind": Kind.COMMENT, "id": event.comment_id, "post_id": event.post_id}
            said |= {"said": event.text}
        case PageStarted():
            said |= {"kind": Kind.PAGE, "id": event.page_id, "title": event.title, "text": event.body}
            said |= {"path": event.path, "space_id": event.space_id, "author_id": recorded.by}
        case GroupStarted():
            said |= {"kind": Kind.GROUP, "id": event.group_id, "group_id": event.group_id}
            said |= {"title": event.name, "text": event.purpose, "author_id": event.started_by}
            said |= {"classification": Classification.OPEN.value}
        case MemberRegistered():
            said |= {"kind": Kind.PERSON, "id": event.member_id, "author_id": event.member_id}
            said |= {"name": event.name, "classification": Classification.OPEN.value}
            said |= {"audience": [STAFF, f"member:{event.member_id}"]}
        case _:
            return None
    shared = event.model_dump(include={"author_id", "language", "audience", "classification", "group_id"})
    return SearchItem(**{**shared, **said})


def _changed(event: Event, recorded: Recorded, view: SearchItem) -> dict[str, Any]:
    """What an event changes in an item that there is."""
    match event:
        case PostEdited():
            return {"title": event.title, "said": event.text, "language": event.language}
        case CommentEdited():
            return {"said": event.text, "language": event.language}
        case ItemLanguageCorrected(new=language) | LanguageChanged(new=language):
            return {"language": language}
        case GroupDescribed():
            return {"title": event.name, "text": event.purpose, "language": event.language}
        case _ if isinstance(event, _OF_PAGES):
            return _page_changed(event, recorded)
        case _ if isinstance(event, _OF_PEOPLE):
            return _person_changed(event, view)
    return {}


def _page_changed(event: Event, recorded: Recorded) -> dict[str, Any]:
    step = {"author_id": recorded.by, "occurred_at": recorded.occurred_at}
    match event:
        case PageRevised():
            return {"title": event.title, "text": event.body, **step}
        case PageMoved(to_path=path):
            return {"title": event.title, "path": path, **step}
        case PageRestored():
            return {"title": event.title, "path": event.path, "hidden": False, **step}
        case PageDeleted():
            return {"hidden": True, **step}
        case PageAudienceChanged():
            return {"audience": list(event.audience), "classification": event.classification.value}
    return {}


def _person_changed(event: Event, view: SearchItem) -> dict[str, Any]:
    match event:
        case MemberRenamed():
            return {"name": event.name}
        case MemberPlaced():
            return {"text": event.place.title}
        case ProfileChanged():
            about = event.ask_me_about
            sealed = about is not None and about.sealed is not None
            return {
                "said": event.about,
                "asked": about if sealed else None,
                "words": lines(about.plain) if about is not None else [],
            }
        case MemberDeactivated():
            return {"hidden": True}
        case MemberReactivated():
            return {"hidden": False}
    return {}


_OF_PAGES = (PageStarted, PageRevised, PageMoved, PageDeleted, PageRestored, PageAudienceChanged)
_OF_PEOPLE = (
    MemberRegistered,
    MemberRenamed,
    MemberPlaced,
    ProfileChanged,
    LanguageChanged,
    MemberDeactivated,
    MemberReactivated,
    MemberErased,
)
_OF_TALK: tuple[type[Event], ...] = (
    PostPublished,
    PostEdited,
    PostDeleted,
    CommentPublished,
    CommentEdited,
    CommentDeleted,
    ItemLanguageCorrected,
)

#: Also the index's own shape has this version: an index is made anew with its generation.
#: The indexes serve the index: comments of a post that is gone, and what somebody said who is erased.
items: Projection[SearchItem] = Projection(
    "search.items",
    3,
    SearchItem,
    (*_OF_TALK, GroupStarted, GroupDescribed, *_OF_PAGES, *_OF_PEOPLE),
    _keys,
    _evolve,
    (Index((("kind", 1), ("post_id", 1))), Index((("author_id", 1),))),
)
