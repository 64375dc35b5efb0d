"""One post with its comments, and all that is done to them: answering, reacting, changing, deleting."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fastapi import APIRouter
from fastapi.responses import Response

from services.gateway import places
from services.gateway.clients import part
from services.gateway.pages import mentions
from services.gateway.pages.audiences import let_in_by
from services.gateway.pages.cards import cards, comments_of, feed_of, post_of, threads
from services.gateway.pages.composing import reach_if_known
from services.gateway.pages.failures import Failures
from services.gateway.pages.parts import key_of
from services.gateway.pages.talk_answers import Done, Post, TopicList
from services.gateway.pages.visit import Form, Member, Visit
from services.gateway.view_models.talk import (
    CommentForm,
    Mention,
    PostCard,
    PostEditView,
    PostFootView,
    PostPageView,
    TopicLine,
    TopicsView,
    TopicView,
)
from shared.kernel.errors import Forbidden
from shared.runtime.ids import new_id

POST = "/posts/{post_id}"
COMMENT = POST + "/comments/{comment_id}"

routes = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class PostText:
    """What stands in the form that changes a post."""

    text: str
    title: str
    mentions: Sequence[Mention]


@routes.get(POST)
async def read_post(
    post_id: str, visit: Member, cursor: str | None = None, before: str | None = None
) -> Response:
    return await _page(visit, post_id, CommentForm(new_id()), cursor=cursor, before=before)


async def _page(
    visit: Visit,
    post_id: str,
    form: CommentForm,
    *,
    cursor: str | None = None,
    before: str | None = None,
    failures: Failures | None = None,
) -> Response:
    post, comments = await asyncio.gather(post_of(visit, post_id), comments_of(visit, post_id, cursor))
    audience: Mapping[str, object] = {"audience": post.audience, "classification": post.classification}
    shown, found, reach = await asyncio.gather(
        cards(visit, [post], whole=True),
        threads(visit, comments.items if comments else []),
        reach_if_known(visit, audience),
    )
    view = PostPageView(
        post=shown[0],
        threads=found if comments else None,
        form=form,
        older=places.post(post.id, comments.next, before=cursor) if comments and comments.next else None,
        before=places.post(post.id, before),
        reach=reach,
        seen_because=await let_in_by(visit, post.audience),
        problem=failures.problem if failures else "",
        cursor=cursor or "",
    )
    return visit.show(view, place="home", status=failures.status if failures else 200)


@routes.get(POST + "/edit")
async def edit_post(post_id: str, visit: Member) -> Response:
    post = await post_of(visit, post_id)
    return await _editing(visit, post, new_id())


@routes.post(POST + "/edit")
async def save_post(post_id: str, visit: Member) -> Response:
    sent = await visit.form()
    failures = Failures(visit)
    version = sent.number("version")
    whom = mentions.pairs_of(sent)
    new: dict[str, object] = {"text": await mentions.kept(visit, sent.text("text"), whom)}
    if "title" in sent.fields:
        new["title"] = sent.text("title")
    key = key_of(sent)
    with failures.caught():
        await visit.ask(
            "feed",
            "PUT",
            f"/posts/{part(post_id)}",
            json=new,
            headers={"Idempotency-Key": key, "If-Match": f'"{version or 0}"'},
        )
        return visit.go(places.post(post_id), "post-saved")
    post = await post_of(visit, post_id)
    key = failures.key_again(key)
    typed = PostText(sent.text("text"), sent.text("title"), whom)
    return await _editing(visit, post, key, typed, failures)


@routes.post(POST + "/language")
async def correct_post(post_id: str, visit: Member) -> Response:
    sent = await visit.form()
    failures = Failures(visit)
    language = {"language": sent.text("language")}
    with failures.caught():
        await visit.ask("feed", "PUT", f"/posts/{part(post_id)}/language", json=language)
        return visit.go(places.post(post_id), "language-corrected")
    post = await post_of(visit, post_id)
    return await _editing(visit, post, new_id(), failures=failures)


@routes.post(POST + "/delete")
async def delete_post(post_id: str, visit: Member) -> Response:
    """Also how a post is taken back that was published a moment ago."""
    sent = await visit.form()
    await visit.ask("feed", "DELETE", f"/posts/{part(post_id)}")
    back = places.safe_return(sent.text("back"))
    own = back.startswith(places.post(post_id))
    return visit.go(places.HOME if own else back, "post-deleted")


@routes.post(POST + "/reaction")
async def react_to_post(post_id: str, visit: Member) -> Response:
    sent = await visit.form()
    await _react(visit, f"/posts/{part(post_id)}", sent)
    back = places.safe_return(sent.text("back"))
    if "hx-request" not in visit.request.headers:
        return visit.go(f"{back}#post-{post_id}")
    post = (await cards(visit, [await post_of(visit, post_id)]))[0]
    return visit.show(PostFootView(post, back))


@routes.post(POST + "/acknowledgement")
async def acknowledge(post_id: str, visit: Member) -> Response:
    sent = await visit.form()
    shown: dict[str, object] = {"edition": sent.number("edition")}
    if sent.text("language"):
        shown["language"] = sent.text("language")
    await visit.ask("feed", "PUT", f"/posts/{part(post_id)}/acknowledgement", json=shown)
    return visit.go(places.safe_return(sent.text("back")), "acknowledged")


@routes.post(POST + "/comments")
async def comment(post_id: str, visit: Member) -> Response:
    sent = await visit.form()
    form = CommentForm(key_of(sent), sent.text("text"), sent.text("parent"), mentions=mentions.pairs_of(sent))
    failures = Failures(visit)
    text = await mentions.kept(visit, form.text, form.mentions)
    new: dict[str, object] = {"text": text, **({"parent_id": form.parent} if form.parent else {})}
    with failures.caught():
        answer = await visit.ask(
            "feed",
            "POST",
            f"/posts/{part(post_id)}/comments",
            json=new,
            headers={"Idempotency-Key": form.key},
        )
        return visit.go(places.comment(post_id, answer.read(Done).id), f"commented:{form.parent or post_id}")
    cursor = sent.text("cursor") or None
    return await _page(visit, post_id, _again(form, failures), cursor=cursor, failures=failures)


@routes.post(COMMENT + "/edit")
async def save_comment(post_id: str, comment_id: str, visit: Member) -> Response:
    sent = await visit.form()
    whom = mentions.pairs_of(sent)
    form = CommentForm(key_of(sent), sent.text("text"), changes=comment_id, mentions=whom)
    failures = Failures(visit)
    with failures.caught():
        await visit.ask(
            "feed",
            "PUT",
            f"/comments/{part(comment_id)}",
            json={"text": await mentions.kept(visit, form.text, whom)},
            headers={"Idempotency-Key": form.key, "If-Match": f'"{sent.number("version") or 0}"'},
        )
        return visit.go(places.comment(post_id, comment_id), "comment-saved")
    cursor = sent.text("cursor") or None
    return await _page(visit, post_id, _again(form, failures), cursor=cursor, failures=failures)


@routes.post(COMMENT + "/language")
async def correct_comment(post_id: str, comment_id: str, visit: Member) -> Response:
    sent = await visit.form()
    language = {"language": sent.text("language")}
    await visit.ask("feed", "PUT", f"/comments/{part(comment_id)}/language", json=language)
    return visit.go(places.comment(post_id, comment_id), "language-corrected")


@routes.post(COMMENT + "/delete")
async def delete_comment(post_id: str, comment_id: str, visit: Member) -> Response:
    await visit.form()
    await visit.ask("feed", "DELETE", f"/comments/{part(comment_id)}")
    return visit.go(f"{places.post(post_id)}#comments", "comment-deleted")


@routes.post(COMMENT + "/reaction")
async def react_to_comment(post_id: str, comment_id: str, visit: Member) -> Response:
    sent = await visit.form()
    await _react(visit, f"/comments/{part(comment_id)}", sent)
    return visit.go(places.comment(post_id, comment_id))


@routes.get(places.TOPICS)
async def read_topics(visit: Member) -> Response:
    found = (await visit.ask("feed", "GET", "/topics")).read(TopicList)
    return visit.show(TopicsView([TopicLine(item.topic, item.posts) for item in found.items]), place="home")


@routes.get(places.TOPICS + "/{topic}")
async def read_topic(topic: str, visit: Member, cursor: str | None = None) -> Response:
    feed = await feed_of(visit, places.topic(topic), topic=topic, cursor=cursor)
    return visit.show(TopicView(topic, feed), place="home")


async def _react(visit: Visit, item: str, sent: Form) -> None:
    """No kind takes the reaction back."""
    if kind := sent.text("kind"):
        await visit.ask("feed", "PUT", f"{item}/reaction", json={"kind": kind})
    else:
        await visit.ask("feed", "DELETE", f"{item}/reaction")


async def _editing(
    visit: Visit, post: Post, key: str, typed: PostText | None = None, failures: Failures | None = None
) -> Response:
    shown: PostCard = (await cards(visit, [post], whole=True))[0]
    if not shown.may.change:
        raise Forbidden("may-not-change-post", "Only its author changes this.")
    typed = typed or PostText(shown.text, shown.title, shown.mentions)
    view = PostEditView(
        post=shown,
        key=key,
        text=typed.text,
        title=typed.title,
        mentions=typed.mentions,
        language=post.language,
        errors=failures.errors if failures else {},
        problem=failures.problem if failures else "",
        meanwhile=failures is not None and failures.edited_meanwhile,
        their_text=shown.text,
        their_title=post.title,
    )
    return visit.show(view, place="home", status=failures.status if failures else 200)


def _again(form: CommentForm, failures: Failures) -> CommentForm:
    error = failures.errors.get("text", failures.problem)
    return replace(form, key=failures.key_again(form.key), error=error, meanwhile=failures.edited_meanwhile)
