"""What may happen to a post: it is published, edited, said to be in another language, and deleted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from contracts.feed import (
    ItemLanguageCorrected,
    LanguageSource,
    Picture,
    PostDeleted,
    PostEdited,
    PostKind,
    PostPublished,
)
from services.feed.domain import writing
from services.feed.domain.languages import UNSAID, Detected, Language, said
from shared.kernel.audience import Classification, audience, classification
from shared.kernel.decider import Decider
from shared.kernel.errors import Conflict, NotFound, Refused
from shared.kernel.events import Event
from shared.kernel.personal import Personal
from shared.kernel.text import language as tag

MOST_PICTURES = 10


@dataclass(frozen=True, slots=True)
class PublishPost:
    """`mentions` are those of the text who may see it; `language` is what the author says, if anything."""

    post_id: str
    author_id: str
    kind: PostKind
    title: str
    text: str
    audience: tuple[str, ...]
    classification: str
    detected: Detected
    language: str | None = None
    group_id: str | None = None
    mentions: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    must_acknowledge: bool = False


@dataclass(frozen=True, slots=True)
class EditPost:
    """`title` None: as it was."""

    post_id: str
    title: str | None
    text: str
    detected: Detected
    language: str | None = None
    mentions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CorrectPostLanguage:
    post_id: str
    language: str


@dataclass(frozen=True, slots=True)
class DeletePost:
    post_id: str
    deleted_by: str


PostCommand = PublishPost | EditPost | CorrectPostLanguage | DeletePost


@dataclass(frozen=True, slots=True)
class Post:
    """Only what the rules need to remember. A post that never was has no author."""

    author_id: str = ""
    kind: PostKind = PostKind.POST
    title: str = ""
    audience: tuple[str, ...] = ()
    classification: Classification = Classification.OPEN
    group_id: str | None = None
    language: Language = UNSAID
    edition: int = 0
    pictures: tuple[Picture, ...] = ()
    must_acknowledge: bool = False
    deleted: bool = False

    @property
    def there(self) -> bool:
        return bool(self.author_id) and not self.deleted


def stream(command: PostCommand) -> str:
    return f"post-{command.post_id}"


def decide(command: PostCommand, post: Post) -> Sequence[Event]:
    """What follows from the command. Nothing follows from one that changes nothing."""
    if isinstance(command, PublishPost):
        return _publish(command, post)
    if not post.there:
        raise NotFound("no-such-post", "There is no such post.")
    match command:
        case EditPost():
            return _edit(command, post)
        case CorrectPostLanguage(post_id=post_id, language=language):
            new = tag(language, stored=(post.language.code,))
            if new == post.language.code:
                return []
            return [ItemLanguageCorrected(item_id=post_id, post_id=post_id, old=post.language.code, new=new)]
        case DeletePost(post_id=post_id, deleted_by=deleted_by):
            return [PostDeleted(post_id=post_id, author_id=post.author_id, deleted_by=deleted_by)]


def _publish(command: PublishPost, post: Post) -> Sequence[Event]:
    if post.author_id:
        raise Conflict("post-exists", "This post is published already.")
    announcement = command.kind is PostKind.ANNOUNCEMENT
    if command.must_acknowledge and not announcement:
        raise Refused(
            "only-announcements-must-be-read",
            "Only announcements ask to be acknowledged.",
            field="must_acknowledge",
        )
    if len(command.pictures) > MOST_PICTURES:
        raise Refused(
            "too-many-pictures",
            "A post has at most {most} pictures.",
            field="pictures",
            params={"most": MOST_PICTURES},
        )
    text = writing.checked_post(command.text, may_be_empty=bool(command.pictures))
    language = said(command.language, command.detected)
    return [
        PostPublished(
            post_id=command.post_id,
            kind=command.kind,
            author_id=command.author_id,
            title=writing.checked_title(command.title, announcement=announcement),
            text=Personal(plain=text),
            language=language.code,
            language_source=language.source,
            language_confidence=language.confidence,
            audience=audience(command.audience, command.author_id),
            classification=classification(command.classification),
            group_id=command.group_id,
            topics=writing.topics(text),
            mentions=_named(text, command.mentions),
            pictures=command.pictures,
            must_acknowledge=command.must_acknowledge,
        )
    ]


def _edit(command: EditPost, post: Post) -> Sequence[Event]:
    text = writing.checked_post(command.text, may_be_empty=bool(post.pictures))
    title = post.title if command.title is None else command.title
    language = said(command.language, command.detected, post.language)
    return [
        PostEdited(
            post_id=command.post_id,
            author_id=post.author_id,
            edition=post.edition + 1,
            title=writing.checked_title(title, announcement=post.kind is PostKind.ANNOUNCEMENT),
            text=Personal(plain=text),
            language=language.code,
            language_source=language.source,
            language_confidence=language.confidence,
            topics=writing.topics(text),
            mentions=_named(text, command.mentions),
        )
    ]


def _named(text: str, allowed: Sequence[str]) -> tuple[str, ...]:
    """Of the members that the text names, those who may see it."""
    return tuple(member_id for member_id in writing.mentions(text) if member_id in allowed)


def evolve(post: Post, event: Event) -> Post:
    match event:
        case PostPublished():
            return Post(
                author_id=event.author_id,
                kind=event.kind,
                title=event.title,
                audience=event.audience,
                classification=event.classification,
                group_id=event.group_id,
                language=Language(event.language, event.language_source, event.language_confidence),
                edition=1,
                pictures=event.pictures,
                must_acknowledge=event.must_acknowledge,
            )
        case PostEdited():
            return replace(
                post,
                title=event.title,
                edition=event.edition,
                language=Language(event.language, event.language_source, event.language_confidence),
            )
        case ItemLanguageCorrected(new=new):
            return replace(post, language=Language(new, LanguageSource.CORRECTED))
        case PostDeleted():
            return replace(post, deleted=True)
    return post


posts: Decider[PostCommand, Post] = Decider(stream, Post(), decide, evolve)
