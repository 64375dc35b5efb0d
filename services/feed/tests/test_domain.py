"""The rules of the feed, with no engine in sight."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.feed import (
    CommentDeleted,
    CommentPublished,
    ItemLanguageCorrected,
    LanguageSource,
    Picture,
    PostAcknowledged,
    PostDeleted,
    PostEdited,
    PostKind,
    PostPublished,
    ReactionChanged,
    ReactionKind,
)
from services.feed.detection import LANGUAGES
from services.feed.domain.acknowledgements import AcknowledgePost, acknowledgements
from services.feed.domain.comments import DeleteComment, EditComment, PublishComment, comments
from services.feed.domain.languages import Detected
from services.feed.domain.pictures import (
    FRESH,
    PictureShown,
    PictureUploaded,
    ShowPicture,
    UploadPicture,
    moving_name,
    picture_of,
    pictures,
    small_name,
)
from services.feed.domain.posts import (
    CorrectPostLanguage,
    DeletePost,
    EditPost,
    Post,
    PublishPost,
    posts,
)
from services.feed.domain.reactions import React, reactions
from services.feed.domain.seen import FeedSeen, SeeFeed, sights
from shared.kernel import text
from shared.kernel.audience import Classification
from shared.kernel.errors import Conflict, NotFound, Refused
from shared.kernel.personal import Personal
from shared.kernel.testing import NOON, Specification

DETECTED = Detected("sv", 0.97)
publish = PublishPost(
    post_id="p1",
    author_id="ann",
    kind=PostKind.POST,
    title="",
    text="Hej #Fika @[bob]",
    audience=("staff",),
    classification="internal",
    detected=DETECTED,
    mentions=("bob",),
)
published = PostPublished(
    post_id="p1",
    kind=PostKind.POST,
    author_id="ann",
    text=Personal(plain="Hej #Fika @[bob]"),
    language="sv",
    language_source=LanguageSource.DETECTED,
    language_confidence=0.97,
    audience=("staff",),
    classification=Classification.INTERNAL,
    topics=("fika",),
    mentions=("bob",),
)
deleted = PostDeleted(post_id="p1", author_id="ann", deleted_by="ann")
spec = Specification(posts)


def publishing(**how: Any) -> PublishPost:
    return replace(publish, **how)


def edition(text: str, edition: int = 2, **how: Any) -> PostEdited:
    said = {"language": "sv", "language_source": LanguageSource.DETECTED, "language_confidence": 0.97, **how}
    return PostEdited(post_id="p1", author_id="ann", edition=edition, text=Personal(plain=text), **said)


def test_a_member_publishes_a_post() -> None:
    spec.given().when(publish).then(published)


def test_a_post_is_published_once() -> None:
    spec.given(published).when(publish).refused(Conflict, "post-exists")


def test_an_empty_post_is_refused_unless_it_shows_a_picture() -> None:
    spec.given().when(publishing(text=" \n ")).refused(Refused, "text-missing")
    picture = Picture(file_id="f", small_id="s", width=4, height=3)
    shown = published.model_copy(
        update={"text": Personal(plain=""), "topics": (), "mentions": (), "pictures": (picture,)}
    )
    spec.given().when(publishing(text=" ", pictures=(picture,))).then(shown)


def test_a_post_has_a_longest_text_and_a_most_of_pictures() -> None:
    spec.given().when(publishing(text="x" * 20_001)).refused(Refused, "text-too-long")
    many = tuple(Picture(file_id=f"f{n}", small_id="s", width=1, height=1) for n in range(11))
    spec.given().when(publishing(pictures=many)).refused(Refused, "too-many-pictures")


def test_an_announcement_has_a_title_and_a_post_has_none() -> None:
    spec.given().when(publishing(title="News")).refused(Refused, "title-not-here")
    announcement = publishing(kind=PostKind.ANNOUNCEMENT)
    spec.given().when(announcement).refused(Refused, "title-missing")
    said = published.model_copy(update={"kind": PostKind.ANNOUNCEMENT, "title": "Big news"})
    spec.given().when(replace(announcement, title=" Big\n news ")).then(said)


def test_only_an_announcement_must_be_acknowledged() -> None:
    spec.given().when(publishing(must_acknowledge=True)).refused(Refused, "only-announcements-must-be-read")


def test_the_author_says_the_language_and_needs_no_detection() -> None:
    said = {"language": "pt-BR", "language_source": LanguageSource.AUTHOR, "language_confidence": None}
    spec.given().when(publishing(language="pt-BR")).then(published.model_copy(update=said))
    for unknown in ("Portuguese", "zz"):
        spec.given().when(publishing(language=unknown)).refused(Refused, "language-unknown")


def test_what_was_published_in_a_language_that_nobody_assigned_lives_on() -> None:
    old = published.model_copy(update={"language": "zz", "language_source": LanguageSource.AUTHOR})
    edit = EditPost("p1", None, "Hello", Detected("en", 0.8), language="zz")
    said: dict[str, Any] = {"language": "zz", "language_source": LanguageSource.AUTHOR}
    said["language_confidence"] = None
    spec.given(old).when(edit).then(edition("Hello", **said))
    spec.given(old).when(replace(edit, language="qq")).refused(Refused, "language-unknown")
    spec.given(old).when(CorrectPostLanguage("p1", "zz")).then()
    corrected = ItemLanguageCorrected(item_id="p1", post_id="p1", old="zz", new="sv")
    spec.given(old).when(CorrectPostLanguage("p1", "sv")).then(corrected)
    post = posts.fold([old.model_copy(update={"must_acknowledge": True})])
    read = PostAcknowledged(post_id="p1", member_id="bob", edition=1, language="zz")
    rules = Specification(acknowledgements)
    rules.given().when(AcknowledgePost("p1", "bob", post, 1, "zz")).then(read)
    rules.given().when(AcknowledgePost("p1", "bob", post, 1, "qq")).refused(Refused, "language-unknown")


def test_what_is_detected_is_a_language() -> None:
    assert [text.language(code) for code in LANGUAGES] == list(LANGUAGES)


def test_mentions_are_kept_of_those_who_may_see_it() -> None:
    typed = "@[bob] @[gil] @[bob]"
    said = {"text": Personal(plain=typed), "topics": ()}
    spec.given().when(publishing(text=typed)).then(published.model_copy(update=said))


def test_an_edition_counts_on_and_detects_its_language_anew() -> None:
    edit = EditPost("p1", None, "Hello", Detected("en", 0.8))
    spec.given(published).when(edit).then(edition("Hello", language="en", language_confidence=0.8))


def test_a_language_that_somebody_said_outlives_editions() -> None:
    corrected = ItemLanguageCorrected(item_id="p1", post_id="p1", old="sv", new="nb")
    spec.given(published).when(CorrectPostLanguage("p1", "nb")).then(corrected)
    spec.given(published).when(CorrectPostLanguage("p1", "sv")).then()
    said: dict[str, Any] = {"language": "nb", "language_source": LanguageSource.CORRECTED}
    said["language_confidence"] = None
    spec.given(published, corrected).when(EditPost("p1", None, "Hei", DETECTED)).then(edition("Hei", **said))


def test_nothing_happens_to_a_deleted_post() -> None:
    spec.given(published).when(DeletePost("p1", "ann")).then(deleted)
    for command in (
        DeletePost("p1", "ann"),
        EditPost("p1", None, "x", DETECTED),
        CorrectPostLanguage("p1", "en"),
    ):
        spec.given(published, deleted).when(command).refused(NotFound, "no-such-post")
        spec.given().when(command).refused(NotFound, "no-such-post")


comment = PublishComment(
    comment_id="c1",
    post_id="p1",
    author_id="bob",
    text="Ja!",
    audience=("staff",),
    classification=Classification.INTERNAL,
    detected=DETECTED,
)
commented = CommentPublished(
    comment_id="c1",
    post_id="p1",
    author_id="bob",
    text=Personal(plain="Ja!"),
    language="sv",
    language_source=LanguageSource.DETECTED,
    language_confidence=0.97,
    audience=("staff",),
    classification=Classification.INTERNAL,
)


def test_a_comment_is_published_edited_and_deleted() -> None:
    rules = Specification(comments)
    rules.given().when(comment).then(commented)
    rules.given(commented).when(comment).refused(Conflict, "comment-exists")
    rules.given().when(replace(comment, text="x" * 5_001)).refused(Refused, "text-too-long")
    gone = CommentDeleted(comment_id="c1", post_id="p1", author_id="bob", deleted_by="edi")
    rules.given(commented).when(DeleteComment("c1", "edi")).then(gone)
    edit = EditComment("c1", "Nej", DETECTED)
    rules.given(commented, gone).when(edit).refused(NotFound, "no-such-comment")


def test_a_reaction_changes_only_when_it_is_another_one() -> None:
    rules = Specification(reactions)
    like = ReactionChanged(item_id="p1", post_id="p1", member_id="bob", old=None, new=ReactionKind.LIKE)
    rules.given().when(React("p1", "p1", "bob", ReactionKind.LIKE)).then(like)
    rules.given(like).when(React("p1", "p1", "bob", ReactionKind.LIKE)).then()
    rules.given().when(React("p1", "p1", "bob", None)).then()
    back = ReactionChanged(item_id="p1", post_id="p1", member_id="bob", old=ReactionKind.LIKE, new=None)
    rules.given(like).when(React("p1", "p1", "bob", None)).then(back)


def test_an_edition_is_acknowledged_once_by_each_member() -> None:
    rules = Specification(acknowledgements)
    post = posts.fold([published.model_copy(update={"must_acknowledge": True})])
    first = PostAcknowledged(post_id="p1", member_id="bob", edition=1, language="sv")
    rules.given().when(AcknowledgePost("p1", "bob", post)).then(first)
    rules.given(first).when(AcknowledgePost("p1", "bob", post)).then()
    second = replace(post, edition=2)
    in_english = AcknowledgePost("p1", "bob", second, 2, "en")
    rules.given(first).when(in_english).then(
        PostAcknowledged(post_id="p1", member_id="bob", edition=2, language="en")
    )
    rules.given().when(AcknowledgePost("p1", "bob", post, 2)).refused(Refused, "no-such-edition")
    rules.given().when(AcknowledgePost("p1", "bob", Post("ann"))).refused(Refused, "nothing-to-acknowledge")


def test_a_feed_is_seen_forwards_only() -> None:
    rules = Specification(sights)
    seen = FeedSeen(member_id="ann", seen_at=NOON)
    rules.given().when(SeeFeed("ann", NOON)).then(seen)
    rules.given(seen).when(SeeFeed("ann", NOON - timedelta(days=1))).then()


def test_a_picture_is_shown_by_one_post_of_its_uploader_while_it_is_fresh() -> None:
    rules = Specification(pictures)
    uploaded = PictureUploaded(
        picture_id="f", small_id="s", uploaded_by="ann", width=4, height=3, uploaded_at=NOON
    )
    show = ShowPicture("f", "p1", "ann", NOON)
    shown = PictureShown(picture_id="f", post_id="p1")
    rules.given(uploaded).when(show).then(shown)
    rules.given().when(show).refused(NotFound, "no-such-picture")
    rules.given(uploaded).when(replace(show, by="bob")).refused(NotFound, "no-such-picture")
    rules.given(uploaded, shown).when(replace(show, post_id="p2")).refused(Conflict, "picture-shown")
    rules.given(uploaded).when(replace(show, now=NOON + FRESH)).refused(Conflict, "upload-too-old")


def test_each_file_leads_back_to_its_picture() -> None:
    assert picture_of("f", "picture") == "f"
    assert picture_of("s", small_name("f")) == "f"
    assert picture_of("m", moving_name("f")) == "f"


def test_a_picture_keeps_what_moves() -> None:
    uploaded = PictureUploaded(
        picture_id="f", small_id="s", uploaded_by="ann", width=4, height=3, uploaded_at=NOON, moving_id="m"
    )
    rules = Specification(pictures)
    rules.given().when(UploadPicture("f", "s", "ann", 4, 3, NOON, "m")).then(uploaded)
    kept = pictures.fold([uploaded]).picture
    assert kept is not None and kept.files == ("f", "s", "m")
    assert Picture(file_id="f", small_id="s", width=4, height=3).files == ("f", "s")


@pytest.mark.parametrize("at", [datetime(2020, 1, 1, tzinfo=UTC)])
def test_a_feed_can_be_seen_for_the_first_time_at_any_time(at: datetime) -> None:
    Specification(sights).given().when(SeeFeed("ann", at)).then(FeedSeen(member_id="ann", seen_at=at))
