"""The fold of what can be found, without any engine."""

import pytest

from contracts.feed import (
    CommentDeleted,
    CommentPublished,
    ItemLanguageCorrected,
    LanguageSource,
    PostDeleted,
    PostEdited,
    PostKind,
    PostPublished,
)
from contracts.groups import GroupDescribed, GroupStarted, Openness, group_audience
from contracts.identity import Kind as MemberKind
from contracts.identity import (
    LanguageChanged,
    MemberDeactivated,
    MemberErased,
    MemberPlaced,
    MemberReactivated,
    MemberRegistered,
    MemberRenamed,
    Place,
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
from services.search.entries import gone, shown
from services.search.projections import Kind, SearchItem, items
from shared.kernel.audience import STAFF, Classification
from shared.kernel.events import Event
from shared.kernel.personal import Personal
from shared.kernel.testing import NOON, recorded

POST = PostPublished(
    post_id="p1",
    kind=PostKind.POST,
    author_id="ann",
    text=Personal(plain="said"),
    language="sv",
    language_source=LanguageSource.AUTHOR,
    audience=("unit:nordics", "country:SE&role:leader"),
    classification=Classification.INTERNAL,
    group_id="g1",
)
COMMENT = CommentPublished(
    comment_id="c1",
    post_id="p1",
    author_id="bob",
    text=Personal(plain="answered"),
    language="en",
    language_source=LanguageSource.AUTHOR,
    audience=("unit:nordics",),
    classification=Classification.CONFIDENTIAL,
)
PAGE = PageStarted(
    page_id="w1",
    space_id="handbook",
    path="a.md",
    title="A",
    body="# A",
    note="",
    language="en",
    owner_id="ann",
    audience=(STAFF,),
    classification=Classification.OPEN,
)
PERSON = MemberRegistered(
    member_id="ann",
    kind=MemberKind.STAFF,
    name=Personal(plain="Ann"),
    language="en",
    time_zone="UTC",
    clearance=Classification.INTERNAL,
    signs_in=True,
)


def fold(*events: Event) -> SearchItem | None:
    """The one document that the events of one stream touch."""
    view: SearchItem | None = None
    (key,) = {key for event in events for key in items.keys(event)}
    for position, event in enumerate(events, 1):
        said = recorded(event, position=position, by="ann")
        view = items.evolve(view, said.event(), said, key)
    return view


def live(*events: Event) -> SearchItem:
    view = fold(*events)
    assert view is not None
    return view


def test_a_post_brings_its_audience_and_its_sealed_text() -> None:
    view = live(POST)
    assert (view.kind, view.id, view.author_id, view.group_id) == (Kind.POST, "p1", "ann", "g1")
    assert view.audience == ["unit:nordics", "country:SE&role:leader"] and view.classification == "internal"
    assert view.said is not None and view.said.sealed is not None and view.text == ""
    assert view.occurred_at == NOON


def test_an_edited_post_has_its_new_text_and_keeps_its_audience() -> None:
    edit = PostEdited(
        post_id="p1",
        author_id="ann",
        edition=2,
        title="New",
        text=Personal(plain="else"),
        language="en",
        language_source=LanguageSource.DETECTED,
    )
    view = live(POST, edit)
    assert (view.title, view.language, view.audience) == ("New", "en", live(POST).audience)
    assert view.said != live(POST).said


def test_what_is_deleted_is_gone() -> None:
    assert fold(POST, PostDeleted(post_id="p1", author_id="ann", deleted_by="ann")) is None
    delete = CommentDeleted(comment_id="c1", post_id="p1", author_id="bob", deleted_by="bob")
    assert fold(COMMENT, delete) is None
    assert fold(PERSON, MemberErased(member_id="ann")) is None


def test_a_comment_has_the_audience_of_its_post() -> None:
    view = live(COMMENT)
    assert (view.kind, view.post_id, view.audience) == (Kind.COMMENT, "p1", ["unit:nordics"])
    assert view.classification == "confidential"


@pytest.mark.parametrize(("begun", "item_id"), [(POST, "p1"), (COMMENT, "c1")])
def test_a_corrected_language_finds_its_item(begun: Event, item_id: str) -> None:
    corrected = ItemLanguageCorrected(item_id=item_id, post_id="p1", old="sv", new="fi")
    assert live(begun, corrected).language == "fi"


def test_a_page_follows_its_history() -> None:
    of = {"page_id": "w1", "space_id": "handbook", "note": ""}
    revised = PageRevised.model_validate({**of, "revision": 2, "title": "B", "body": "# B"})
    moved = PageMoved.model_validate(
        {**of, "revision": 3, "body_revision": 2, "from_path": "a.md", "to_path": "b.md", "title": "B"}
    )
    deleted = PageDeleted.model_validate({**of, "revision": 4, "body_revision": 2, "path": "b.md"})
    restored = PageRestored.model_validate(
        {**of, "revision": 5, "body_revision": 2, "path": "c.md", "title": "B"}
    )
    view = live(PAGE, revised, moved)
    assert (view.title, view.text, view.path, view.hidden) == ("B", "# B", "b.md", False)
    assert live(PAGE, revised, moved, deleted).hidden
    view = live(PAGE, revised, moved, deleted, restored)
    assert (view.path, view.hidden) == ("c.md", False)


def test_a_page_takes_its_new_audience() -> None:
    change = PageAudienceChanged(
        page_id="w1",
        space_id="handbook",
        audience=("member:ann",),
        classification=Classification.CONFIDENTIAL,
        audience_before=(STAFF,),
        classification_before=Classification.OPEN,
    )
    view = live(PAGE, change)
    assert (view.audience, view.classification) == (["member:ann"], "confidential")


def test_a_group_is_found_by_name_and_purpose_by_those_who_may_read_it() -> None:
    audience = group_audience("g1", Openness.CLOSED)
    started = GroupStarted(
        group_id="g1",
        name="Sailing",
        purpose="Boats",
        openness=Openness.CLOSED,
        audience=audience,
        language="en",
        started_by="bob",
    )
    view = live(started, GroupDescribed(group_id="g1", name="Rowing", purpose="Oars", language="sv"))
    assert (view.title, view.text, view.language, view.audience) == ("Rowing", "Oars", "sv", list(audience))
    assert (view.author_id, view.group_id, view.classification) == ("bob", "g1", "open")


def test_a_person_is_found_by_staff_and_themselves() -> None:
    place = Place(title="Engineer")
    view = live(
        PERSON,
        MemberPlaced(member_id="ann", place=place, place_before=Place()),
        ProfileChanged(
            member_id="ann", about=Personal(plain="x"), ask_me_about=Personal("solar"), time_zone="UTC"
        ),
        LanguageChanged(member_id="ann", old="en", new="sv"),
    )
    assert (view.text, view.words, view.language) == ("Engineer", [], "sv")
    assert view.asked is not None and view.asked.sealed is not None
    assert view.audience == [STAFF, "member:ann"]
    assert live(PERSON, MemberRenamed(member_id="ann", name=Personal(plain="Anna"))).name != view.name


def test_who_left_is_hidden_until_they_are_back() -> None:
    left = MemberDeactivated(member_id="ann")
    assert live(PERSON, left).hidden
    assert not live(PERSON, left, MemberReactivated(member_id="ann")).hidden


def test_what_comes_without_its_beginning_makes_nothing() -> None:
    assert fold(PostDeleted(post_id="p1", author_id="ann", deleted_by="ann")) is None
    assert fold(MemberDeactivated(member_id="ann")) is None


def test_an_entry_of_a_later_writing_wins_and_what_made_it_go_wins_within_one() -> None:
    view = live(POST)
    versions = [
        shown("k", 3, view, ["text"]).version,
        gone("k", 3, by_another=True).version,
        shown("k", 4, view, ["text"]).version,
    ]
    assert versions == sorted(set(versions))


def test_an_entry_tells_single_tokens_from_conjunctions() -> None:
    entry = shown("k", 1, live(POST), ["Hej alla"]).document
    assert entry["audience"] == ["unit:nordics"]
    assert entry["joint"] == [{"tokens": ["country:SE", "role:leader"], "needed": 2}]
    assert entry["text"] == {"plain": "Hej alla", "sv": "Hej alla"} and entry["shown"] == "Hej alla"


def test_what_is_gone_says_nothing() -> None:
    assert gone("post-p1", 7).document == {"key": "post-p1", "live": False}
