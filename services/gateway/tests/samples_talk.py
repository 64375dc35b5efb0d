"""Filled views of the pages of talk, with a text of choice wherever members write."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from services.gateway.view_models import (
    ChangedPage,
    GroupRef,
    HomeView,
    PageRef,
    Person,
    SpaceRef,
    View,
)
from services.gateway.view_models.people import MentionableView, PersonCard
from services.gateway.view_models.talk import (
    AnnouncementForm,
    AnnounceView,
    AudienceChoice,
    CommentCard,
    CommentForm,
    Composer,
    ComposeView,
    FeedPart,
    Mention,
    PictureCard,
    PostCard,
    PostEditView,
    PostFootView,
    PostForm,
    PostPageView,
    Reach,
    ReachView,
    ReaderLine,
    ReportView,
    ShareLine,
    TalkRights,
    Thread,
    TopicLine,
    TopicsView,
    TopicView,
    Whom,
    WhomView,
)

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
ALL = TalkRights(True, True, True, True, True, True)
TAKES_PART = TalkRights(comment=True, react=True)
NEW = {"one": "# new post", "other": "# new posts"}


def ago(**past: float) -> datetime:
    return NOW - timedelta(**past)


def views(text: str) -> dict[str, View]:
    return {**_feeds(text), **_posts(text), **_writing(text), **_announcing(text)}


def _html(text: str) -> Markup:
    return Markup("<p>{}</p>").format(text)


def _group(text: str) -> GroupRef:
    return GroupRef("g1", text or "Shop floor Nordics", "en")


def _plain(text: str) -> PostCard:
    said = text or "Nya kundvagnarna är här! De svänger som på räls."
    return PostCard(
        id="p1",
        author=Person.named("m-nowak", text or "Elżbieta Nowak"),
        text=said,
        html=_html(said),
        language="sv",
        at=ago(minutes=12),
        may=TAKES_PART,
        group=_group(text),
        audience=["group:g1"],
        reactions={"like": 20, "thanks": 4},
        mine="thanks",
        comments=3,
        unread=True,
        more=True,
    )


def _pictured(text: str) -> PostCard:
    return PostCard(
        id="p2",
        author=Person.named("m-moraes", text or "Thiago Moraes"),
        text="",
        html=Markup(""),
        language="en",
        at=ago(hours=20),
        edited_at=ago(hours=19),
        may=ALL,
        audience=["everyone", "country:SE"],
        pictures=[
            PictureCard("f1", 960, 600, text or "Red boathouses by still water", moving=True),
            PictureCard("f2", 4, 3),
        ],
        own=True,
    )


def _announced(text: str, *, acknowledged: int | None = None, own: bool = False) -> PostCard:
    said = text or "From 1 December nobody closes a shop alone."
    return PostCard(
        id="p3",
        author=Person.named("m-dahl", text or "Sofie Dahl"),
        text=said,
        html=_html(said),
        language="ar" if own else "en",
        at=ago(days=1),
        may=ALL if own else TAKES_PART,
        announcement=True,
        title=text or "Working alone after closing: the new routine",
        must_acknowledge=True,
        acknowledged=acknowledged,
        own=own,
        more=True,
    )


def _forgotten() -> PostCard:
    gone = Person.erased("m-gone")
    return PostCard(
        id="p4",
        author=gone,
        text="",
        html=Markup(""),
        language="en",
        at=ago(days=700),
        erased=True,
        reactions={"love": 1},
    )


def _feed(text: str) -> FeedPart:
    posts = [_plain(text), _pictured(text), _announced(text, acknowledged=1), _forgotten()]
    return FeedPart(posts, "/?cursor=c+1", may_post=True, may_announce=True)


def _composer(text: str = "", **more: object) -> Composer:
    form = PostForm("k1", text=text, back="/")
    return Composer(form, ["staff", "everyone"], [_group(text)], **more)  # type: ignore[arg-type]


def _feeds(text: str) -> dict[str, View]:
    page, space = PageRef("p9", text or "Returns", "en"), SpaceRef("s1", text or "Service")
    changed = [ChangedPage(page, space, ago(minutes=12), Person.erased("m-gone"), text or "A note")]
    feed = _feed(text)
    must = FeedPart(feed.posts, feed.older, [_other(text)], may_post=True)
    return {
        "home": HomeView(feed, _composer(), changed, [text or "returns"], NEW),
        "home-must": HomeView(must, _composer(text), None, new=NEW),
        "home-empty": HomeView(FeedPart(may_post=True), _composer(), [], new=NEW),
        "home-guest": HomeView(FeedPart(), None, [], new=NEW),
        "home-away": HomeView(FeedPart(away=True), _composer(text), [], new=NEW),
        "topic": TopicView(text or "returns", feed),
        "topic-empty": TopicView(text or "returns", FeedPart()),
        "topics": TopicsView([TopicLine(text or "returns", 12), TopicLine("kassa", 1)]),
        "topics-empty": TopicsView([]),
        "post-foot": PostFootView(_plain(text)),
        "mentionable": MentionableView(
            [
                PersonCard(
                    Person.named("m-nowak", text or "Elżbieta Nowak"), text or "Shop manager", office="Poznań"
                ),
                PersonCard(Person.named("m-other", text or "Elżbieta Nowak")),
            ]
        ),
    }


def _other(text: str) -> PostCard:
    return replace(_announced(text), id="p5")


def _comment(comment_id: str, text: str, **more: object) -> CommentCard:
    return CommentCard(
        id=comment_id,
        author=Person.named("m-brandt", text or "Jonas Brandt"),
        text=text or "Bei uns auch.",
        html=_html(text or "Bei uns auch."),
        language="de",
        at=ago(minutes=6),
        **{"may": TAKES_PART, **more},  # type: ignore[arg-type]
    )


def _posts(text: str) -> dict[str, View]:
    threads = [
        Thread(
            _comment("c1", text, may=ALL, own=True, edited_at=ago(minutes=1)),
            [_comment("c2", text, reactions={"like": 2}, mine="like"), _comment("c3", text, erased=True)],
        ),
        Thread(_comment("c4", text, deleted=True)),
    ]
    reach = Reach(412, {"sv": 300, "fi": 112}, {"SE": 412})
    wrong = text or "Write something first."
    announced = _announced(text, own=True)
    return {
        "post": PostPageView(
            _plain(text), threads, CommentForm("k2"), "/posts/p1?cursor=c", reach, "group:g1"
        ),
        "post-continued": PostPageView(
            _plain(text),
            [Thread(None, threads[0].replies), threads[1]],
            CommentForm("k2"),
            cursor="c",
            before="/posts/p1",
        ),
        "post-to-confirm": PostPageView(_announced(text), [], CommentForm("k2")),
        "post-own": PostPageView(announced, [], CommentForm("k2"), reach=reach),
        "post-comments-away": PostPageView(_forgotten(), None, CommentForm("k2"), seen_because="everyone"),
        "post-comment-wrong": PostPageView(
            _plain(text),
            threads,
            CommentForm("k3", text, error=wrong, mentions=[Mention("m-1", text or "Aino")]),
        ),
        "post-reply-wrong": PostPageView(
            _pictured(text), threads, CommentForm("k3", text, parent="c1", error=wrong), problem=text
        ),
        "post-change-wrong": PostPageView(
            _plain(text), threads, CommentForm("k3", text, changes="c1", error=wrong)
        ),
        "post-edit": PostEditView(announced, "k4", text or "Text", text or "Title", "tlh"),
        "post-edit-wrong": PostEditView(
            _pictured(text), "k4", text, errors={"text": wrong, "language": wrong}, problem=text or "Away."
        ),
        "post-edit-conflict": PostEditView(
            announced,
            "k4",
            text or "Mine",
            text or "Title",
            "sv",
            meanwhile=True,
            their_text=text or "Theirs",
            their_title=text or "Their title",
        ),
        "post-correct": PostEditView(_correctable(text), "k4", text, language="sv"),
    }


def _correctable(text: str) -> PostCard:
    return replace(_plain(text), may=TalkRights(correct_language=True))


def _writing(text: str) -> dict[str, View]:
    errors = {name: text or "Say it otherwise." for name in ("text", "to", "language", "picture", "alt")}
    form = PostForm("k5", text, "group:g1", "ar", text, True, [PictureCard("f1", 960, 600)], "/groups/g1")
    return {
        "compose": ComposeView(_composer(text, whole=True, reach=Reach(1, {"sv": 1}))),
        "compose-wrong": ComposeView(
            Composer(form, ["staff"], [_group(text)], None, errors, text or "Away.", whole=True)
        ),
        "reach": ReachView(Reach(1_204, {"sv": 1_000, "": 204})),
        "reach-unknown": ReachView(None, text),
    }


def _announcing(text: str) -> dict[str, View]:
    form = AnnouncementForm("k6", text or "Title", text, "some", ["country:SE"], "each", "sv")
    people = [
        ReaderLine(Person.named("m-1", text or "Aino Korhonen"), "present", "FI", ago(hours=1), 1, "sv"),
        ReaderLine(Person.named("m-2", text or "Lucía Ferrer"), "left"),
        ReaderLine(Person.erased("m-3"), "joined", "ES", ago(hours=2), 2, "es"),
    ]
    figures = (412, 388, 3, 12, 2, 300)
    countries = [ShareLine("SE", 300, 288), ShareLine("", 112, 100)]
    return {
        "announce": AnnounceView(
            AnnouncementForm("k6"),
            [AudienceChoice("role:leader", 12), AudienceChoice("role:board", 1)],
            [AudienceChoice("country:SE", 300)],
            whom=Whom(reach=Reach(3, {"sv": 3})),
        ),
        "announce-wrong": AnnounceView(
            form,
            [AudienceChoice("role:leader", 12)],
            [AudienceChoice("country:SE", 300)],
            [AudienceChoice("language:sv", 300)],
            [AudienceChoice("unit:nordics", name=text or "Nordics")],
            [AudienceChoice("group:g1", name=text or "Shop floor")],
            whom=Whom(text or "It goes to those whose country is Sweden.", problem=text or "Too many."),
            errors={name: text or "Say it otherwise." for name in ("title", "text", "audience", "language")},
            problem=text or "Away.",
        ),
        "whom": WhomView(Whom(text or "It goes to those whose country is Sweden.", Reach(300, {"sv": 300}))),
        "report": ReportView(
            "p3",
            text or "The new routine",
            "en",
            ago(days=1),
            2,
            *figures,
            countries,
            people,
            older="/x?cursor=c",
        ),
        "report-forgotten": ReportView("p3", "", "en", NOW, 1, *figures, countries, people),
        "report-empty": ReportView(
            "p3", text or "The new routine", "sv", NOW, 1, 0, 0, 0, 0, 0, 0, [], [], "missing"
        ),
    }
