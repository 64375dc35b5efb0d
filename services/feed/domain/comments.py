"""What may happen to a comment: it is published, edited, said to be in another language, and deleted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from contracts.feed import (
    CommentDeleted,
    CommentEdited,
    CommentPublished,
    ItemLanguageCorrected,
    LanguageSource,
)
from services.feed.domain import writing
from services.feed.domain.languages import UNSAID, Detected, Language, said
from shared.kernel.audience import Classification
from shared.kernel.decider import Decider
from shared.kernel.errors import Conflict, NotFound
from shared.kernel.events import Event
from shared.kernel.personal import Personal
from shared.kernel.text import language as tag


@dataclass(frozen=True, slots=True)
class PublishComment:
    """Audience, classification and group are its post's. `thread_id` is that of the comment it answers."""

    comment_id: str
    post_id: str
    author_id: str
    text: str
    audience: tuple[str, ...]
    classification: Classification
    detected: Detected
    parent_id: str | None = None
    thread_id: str | None = None
    group_id: str | None = None
    language: str | None = None
    mentions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EditComment:
    comment_id: str
    text: str
    detected: Detected
    language: str | None = None
    mentions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CorrectCommentLanguage:
    comment_id: str
    language: str


@dataclass(frozen=True, slots=True)
class DeleteComment:
    comment_id: str
    deleted_by: str


CommentCommand = PublishComment | EditComment | CorrectCommentLanguage | DeleteComment


@dataclass(frozen=True, slots=True)
class Comment:
    """Only what the rules need to remember. A comment that never was has no author."""

    author_id: str = ""
    post_id: str = ""
    thread_id: str = ""
    language: Language = UNSAID
    edition: int = 0
    deleted: bool = False

    @property
    def there(self) -> bool:
        return bool(self.author_id) and not self.deleted


def stream(command: CommentCommand) -> str:
    return f"comment-{command.comment_id}"


def decide(command: CommentCommand, comment: Comment) -> Sequence[Event]:
    """What follows from the command. Nothing follows from one that changes nothing."""
    if isinstance(command, PublishComment):
        return _publish(command, comment)
    if not comment.there:
        raise NotFound("no-such-comment", "There is no such comment.")
    match command:
        case EditComment():
            return _edit(command, comment)
        case CorrectCommentLanguage(comment_id=comment_id, language=language):
            new = tag(language, stored=(comment.language.code,))
            if new == comment.language.code:
                return []
            old = comment.language.code
            return [ItemLanguageCorrected(item_id=comment_id, post_id=comment.post_id, old=old, new=new)]
        case DeleteComment(comment_id=comment_id, deleted_by=deleted_by):
            return [
                CommentDeleted(
                    comment_id=comment_id,
                    post_id=comment.post_id,
                    author_id=comment.author_id,
                    deleted_by=deleted_by,
                )
            ]


def _publish(command: PublishComment, comment: Comment) -> Sequence[Event]:
    if comment.author_id:
        raise Conflict("comment-exists", "This comment is published already.")
    text = writing.checked_comment(command.text)
    language = said(command.language, command.detected)
    return [
        CommentPublished(
            comment_id=command.comment_id,
            post_id=command.post_id,
            parent_id=command.parent_id,
            thread_id=command.thread_id,
            author_id=command.author_id,
            text=Personal(plain=text),
            language=language.code,
            language_source=language.source,
            language_confidence=language.confidence,
            audience=command.audience,
            classification=command.classification,
            group_id=command.group_id,
            mentions=_named(text, command.mentions),
        )
    ]


def _edit(command: EditComment, comment: Comment) -> Sequence[Event]:
    text = writing.checked_comment(command.text)
    language = said(command.language, command.detected, comment.language)
    return [
        CommentEdited(
            comment_id=command.comment_id,
            post_id=comment.post_id,
            author_id=comment.author_id,
            edition=comment.edition + 1,
            text=Personal(plain=text),
            language=language.code,
            language_source=language.source,
            language_confidence=language.confidence,
            mentions=_named(text, command.mentions),
        )
    ]


def _named(text: str, allowed: Sequence[str]) -> tuple[str, ...]:
    return tuple(member_id for member_id in writing.mentions(text) if member_id in allowed)


def evolve(comment: Comment, event: Event) -> Comment:
    match event:
        case CommentPublished():
            language = Language(event.language, event.language_source, event.language_confidence)
            thread_id = event.thread_id or event.comment_id
            return Comment(event.author_id, event.post_id, thread_id, language, 1)
        case CommentEdited():
            language = Language(event.language, event.language_source, event.language_confidence)
            return replace(comment, edition=event.edition, language=language)
        case ItemLanguageCorrected(new=new):
            return replace(comment, language=Language(new, LanguageSource.CORRECTED))
        case CommentDeleted():
            return replace(comment, deleted=True)
    return comment


comments: Decider[CommentCommand, Comment] = Decider(stream, Comment(), decide, evolve)
