"""What was published, as far as figures ask about it: by whom, to whom, and in which language."""

from collections.abc import Collection

from pydantic import BaseModel

from contracts.feed import CommentPublished, PostKind, PostPublished
from contracts.wiki import PageStarted
from services.engagement.projections.facts import happened, seconds
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Projection


class ItemView(BaseModel):
    """A post, an announcement, a comment or a page, as it was published; of a page, not by whom."""

    item_id: str
    author_id: str = ""
    at: int
    announcement: bool = False
    must_acknowledge: bool = False
    group_id: str | None = None
    audience: tuple[str, ...] = ()
    classification: str = "open"
    language: str = ""


def _keys(event: Event) -> Collection[str]:
    match event:
        case PostPublished(post_id=item_id) | CommentPublished(comment_id=item_id):
            return (item_id,)
        case PageStarted(page_id=item_id):
            return (item_id,)
    return ()


def _evolve(view: ItemView | None, event: Event, recorded: Recorded, key: str) -> ItemView | None:
    at = seconds(happened(recorded))
    match event:
        case PostPublished():
            return ItemView(
                item_id=key,
                author_id=event.author_id,
                at=at,
                announcement=event.kind is PostKind.ANNOUNCEMENT,
                must_acknowledge=event.must_acknowledge,
                group_id=event.group_id,
                audience=event.audience,
                classification=event.classification.value,
                language=event.language,
            )
        case CommentPublished():
            return ItemView(
                item_id=key,
                author_id=event.author_id,
                at=at,
                audience=event.audience,
                classification=event.classification.value,
                language=event.language,
            )
        case PageStarted():
            return ItemView(
                item_id=key,
                at=at,
                audience=event.audience,
                classification=event.classification.value,
                language=event.language,
            )
    return view


items: Projection[ItemView] = Projection(
    "engagement.items", 4, ItemView, (PostPublished, CommentPublished, PageStarted), _keys, _evolve
)
