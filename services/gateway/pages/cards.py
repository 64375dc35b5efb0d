"""Posts and comments as pages show them: with names, groups, and what this reader may do. And one feed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from services.gateway import places
from services.gateway.clients import Away, part
from services.gateway.pages import mentions, said
from services.gateway.pages.audiences import know_units
from services.gateway.pages.talk_answers import Comment, CommentList, Post, PostList, Written
from services.gateway.pages.visit import Names, Visit
from services.gateway.view_models import GroupRef
from services.gateway.view_models.talk import (
    CommentCard,
    FeedPart,
    PictureCard,
    PostCard,
    TalkRights,
    Thread,
)

#: Posts on one page of a feed, and characters of each before the rest is left to its own page.
AT_ONCE = 20
CHARACTERS = 900
COMMENTS_AT_ONCE = 100


async def feed_of(
    visit: Visit, older: str, *, group_id: str = "", topic: str = "", cursor: str | None = None
) -> FeedPart:
    """A page of the feed; `older` is the page's address, to which the cursor is added. Raises NotFound."""
    asked: dict[str, str | int] = {"limit": AT_ONCE}
    asked |= {name: value for name, value in (("group_id", group_id), ("topic", topic)) if value}
    if cursor:
        asked["cursor"] = cursor
    try:
        answer = (await visit.ask("feed", "GET", "/feed", query=asked)).read(PostList)
    except Away:
        return FeedPart(away=True)
    posts = await cards(visit, answer.items)
    news = [post.published_at for post in answer.items if post.unread or answer.unread_after is None]
    return FeedPart(
        posts,
        _following(older, answer.next),
        may_post=answer.may.get("post", False),
        may_announce=answer.may.get("announce", False),
        seen_to=max(news, default=None) if not cursor else None,
        later=bool(cursor),
    )


def with_must(feed: FeedPart) -> FeedPart:
    """What waits for the reader's confirmation stands above the rest."""
    must = [post for post in feed.posts if post.to_confirm]
    return replace(feed, must=must, posts=[post for post in feed.posts if not post.to_confirm])


def _following(address: str, cursor: str | None) -> str | None:
    return places.with_cursor(address, cursor) if cursor else None


async def post_of(visit: Visit, post_id: str) -> Post:
    """Raises NotFound."""
    return (await visit.ask("feed", "GET", f"/posts/{part(post_id)}")).read(Post)


async def comments_of(visit: Visit, post_id: str, cursor: str | None = None) -> CommentList | None:
    """None while they are away."""
    query: dict[str, str | int] = {"limit": COMMENTS_AT_ONCE, **({"cursor": cursor} if cursor else {})}
    return await visit.ask_if_there(CommentList, "feed", f"/posts/{part(post_id)}/comments", query)


async def cards(visit: Visit, posts: Sequence[Post], *, whole: bool = False) -> list[PostCard]:
    """`whole` texts, or only their beginnings."""
    people = [post.author_id for post in posts] + said.mentioned(*(post.text for post in posts))
    names = await visit.named(people)
    groups = await _groups(visit, posts)
    await know_units(visit, *(post.audience for post in posts))
    return [card(visit, post, names, groups, whole=whole) for post in posts]


async def _groups(visit: Visit, posts: Sequence[Post]) -> Mapping[str, GroupRef]:
    mine = {group.id: group for group in visit.groups}
    wanted = {post.group_id for post in posts if post.group_id and post.group_id not in mine}
    return mine | await visit.people.groups.known(visit.signed_in, wanted)


def card(
    visit: Visit, post: Post, names: Names, groups: Mapping[str, GroupRef], *, whole: bool = False
) -> PostCard:
    text = post.text if whole else said.shortened(post.text, CHARACTERS)
    nameless = said.Nameless.of(visit.locale)
    return PostCard(
        **_common(visit, post, names),
        html=said.shown(text, names, post.topics, nameless),
        announcement=post.kind == "announcement",
        title=post.title,
        audience=post.audience,
        classification=post.classification,
        group=groups.get(post.group_id) if post.group_id else None,
        topics=post.topics,
        pictures=[PictureCard(p.id, p.width, p.height, p.alt, p.moving) for p in post.pictures],
        must_acknowledge=post.must_acknowledge,
        acknowledged=post.acknowledged.edition if post.acknowledged else None,
        acknowledged_at=post.acknowledged.at if post.acknowledged else None,
        comments=post.comments,
        unread=post.unread,
        more=text != post.text,
    )


def _common(visit: Visit, item: Written, names: Names) -> dict[str, Any]:
    text, whom = mentions.typed(item.text, names, visit.locale.gettext("Unknown member"))
    return {
        "id": item.id,
        "author": names.of(item.author_id),
        "text": text,
        "mentions": whom,
        "language": item.language,
        "at": item.published_at,
        "may": rights(item.may),
        "edition": item.edition,
        "version": item.version,
        "edited_at": item.edited_at,
        "reactions": item.reactions,
        "mine": item.my_reaction,
        "erased": item.erased,
        "own": item.author_id == visit.signed_in.held.member_id,
    }


def rights(may: Mapping[str, bool]) -> TalkRights:
    known = {name.removeprefix("feed:").replace("-", "_"): allowed for name, allowed in may.items()}
    return TalkRights(**{name: known.get(name, False) for name in TalkRights.__dataclass_fields__})


async def threads(visit: Visit, comments: Sequence[Comment]) -> list[Thread]:
    """Each first comment with all that answers it. Answers stand one level deep, also where the comment that
    they answer is on the page before."""
    people = [comment.author_id for comment in comments if not comment.deleted]
    names = await visit.named(people + said.mentioned(*(comment.text for comment in comments)))
    found: dict[str, list[CommentCard]] = {}
    for comment in comments:
        found.setdefault(comment.thread_id, []).append(_comment(visit, comment, names))
    return [
        Thread(cards[0], cards[1:]) if cards[0].id == thread_id else Thread(None, cards)
        for thread_id, cards in found.items()
    ]


def _comment(visit: Visit, comment: Comment, names: Names) -> CommentCard:
    nameless = said.Nameless.of(visit.locale)
    html = said.shown(comment.text, names, (), nameless)
    return CommentCard(**_common(visit, comment, names), html=html, deleted=comment.deleted)
