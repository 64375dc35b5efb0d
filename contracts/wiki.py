"""What the wiki tells the rest of the house: spaces, and pages with every step of their history.

A page's `revision` counts the steps of its history from 1: started, revised, moved, deleted, restored. A step
that leaves the text alone names in `body_revision` the step whose text still holds.
"""

from typing import ClassVar

from shared.kernel.audience import Classification
from shared.kernel.events import Event

TOPIC = "wiki.events"


class SpaceOpened(Event):
    """A member opened a place for pages. New pages are offered its audience."""

    topic: ClassVar[str | None] = TOPIC

    space_id: str
    name: str
    purpose: str
    audience: tuple[str, ...]
    classification: Classification
    language: str
    owner_id: str


class SpaceRenamed(Event):
    """The space has another name, another purpose, or both.

    `group_version`: as a group is called since that version of its stream; None where somebody named it.
    """

    topic: ClassVar[str | None] = TOPIC

    space_id: str
    name: str
    purpose: str
    group_version: int | None = None


class SpaceAudienceChanged(Event):
    """Others may see the space itself; its pages keep their own audiences."""

    topic: ClassVar[str | None] = TOPIC

    space_id: str
    audience: tuple[str, ...]
    classification: Classification
    audience_before: tuple[str, ...]
    classification_before: Classification


class SpaceOwnerChanged(Event):
    """Somebody else answers for the space."""

    topic: ClassVar[str | None] = TOPIC

    space_id: str
    owner_id: str
    owner_before: str


class PageStarted(Event):
    """A page began, at a path that was free. `body` is Markdown, byte for byte as it was written."""

    topic: ClassVar[str | None] = TOPIC

    page_id: str
    space_id: str
    path: str
    title: str
    body: str
    note: str
    language: str
    owner_id: str
    audience: tuple[str, ...]
    classification: Classification
    revision: int = 1


class PageRevised(Event):
    """The page has a new text; `restores` names the earlier step whose text it is again."""

    topic: ClassVar[str | None] = TOPIC

    page_id: str
    space_id: str
    revision: int
    title: str
    body: str
    note: str
    restores: int | None = None


class PageMoved(Event):
    """The page went from one path to another, with its whole history. Relative links are read from there."""

    topic: ClassVar[str | None] = TOPIC

    page_id: str
    space_id: str
    revision: int
    body_revision: int
    from_path: str
    to_path: str
    title: str
    note: str


class PageDeleted(Event):
    """The page left its path, which others may take; its history stays and it can be restored."""

    topic: ClassVar[str | None] = TOPIC

    page_id: str
    space_id: str
    revision: int
    body_revision: int
    path: str
    note: str


class PageRestored(Event):
    """A deleted page is back, at its old path or at another one."""

    topic: ClassVar[str | None] = TOPIC

    page_id: str
    space_id: str
    revision: int
    body_revision: int
    path: str
    title: str
    note: str


class PageAudienceChanged(Event):
    """Others may see the page, all its revisions included."""

    topic: ClassVar[str | None] = TOPIC

    page_id: str
    space_id: str
    audience: tuple[str, ...]
    classification: Classification
    audience_before: tuple[str, ...]
    classification_before: Classification


class PageOwnerChanged(Event):
    """Somebody else answers for the page."""

    topic: ClassVar[str | None] = TOPIC

    page_id: str
    space_id: str
    owner_id: str
    owner_before: str
