"""The rules for spaces, pages and paths."""

import time
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.wiki import (
    PageAudienceChanged,
    PageDeleted,
    PageMoved,
    PageOwnerChanged,
    PageRestored,
    PageRevised,
    PageStarted,
    SpaceAudienceChanged,
    SpaceOpened,
    SpaceOwnerChanged,
    SpaceRenamed,
)
from services.wiki.domain.pages import (
    ChangePageAudience,
    ChangePageOwner,
    DeletePage,
    MovePage,
    PageCommand,
    RestorePage,
    RevisePage,
    StartPage,
    pages,
    text_at,
)
from services.wiki.domain.paths import (
    FreePath,
    PathFreed,
    PathTaken,
    TakePath,
    checked_path,
    path_id,
    paths,
)
from services.wiki.domain.permissions import RULES, Asker, demand, may
from services.wiki.domain.spaces import (
    ChangeSpaceAudience,
    ChangeSpaceOwner,
    FollowGroup,
    OpenSpace,
    RenameSpace,
    SpaceCommand,
    spaces,
)
from services.wiki.domain.writing import LONGEST_BODY, front_matter, title_of
from shared.kernel.audience import Classification
from shared.kernel.errors import Conflict, Forbidden, NotFound, Refused, TooLarge
from shared.kernel.testing import Specification
from shared.kernel.text import unseen

page = Specification(pages)
path = Specification(paths)
space = Specification(spaces)

START = StartPage(
    "p1", "s1", "travel/booking.md", "# Booking\n\nCall us.", "", "en", "ann", ("staff",), "internal"
)
started = PageStarted(
    page_id="p1",
    space_id="s1",
    path="travel/booking.md",
    title="Booking",
    body="# Booking\n\nCall us.",
    note="",
    language="en",
    owner_id="ann",
    audience=("staff",),
    classification=Classification.INTERNAL,
)
revised = PageRevised(
    page_id="p1", space_id="s1", revision=2, title="Booking", body="# Booking\n\nMail us.", note="Mail"
)
moved = PageMoved(
    page_id="p1",
    space_id="s1",
    revision=2,
    body_revision=1,
    from_path="travel/booking.md",
    to_path="trips/booking.md",
    title="Booking",
    note="",
)
deleted = PageDeleted(
    page_id="p1", space_id="s1", revision=2, body_revision=1, path="travel/booking.md", note="Old"
)


def test_a_page_begins_with_everything_that_it_needs() -> None:
    page.given().when(START).then(started)


def test_a_page_begins_once() -> None:
    page.given(started).when(START).refused(Conflict, "page-exists")


def test_what_is_secret_has_no_place_in_the_wiki() -> None:
    page.given().when(replace(START, classification="secret")).refused(Refused, "secret-has-no-place-here")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"audience": ()}, "audience-empty"),
        ({"audience": ("nobody",)}, "audience-unknown"),
        ({"language": "Klingon!"}, "language-unknown"),
        ({"language": "zz"}, "language-unknown"),
        ({"owner_id": "<b>"}, "member-unknown"),
        ({"note": "x" * 501}, "text-too-long"),
        ({"note": "See fdp\u202e.exe"}, "text-invisible-character"),
        ({"note": "Nothing\u200b"}, "text-invisible-character"),
        ({"note": "half \ud83d"}, "text-not-unicode"),
        ({"body": "half \ude00"}, "text-not-unicode"),
        ({"body": "zero \x00"}, "text-with-control-character"),
        ({"path": "../secrets"}, "path-climbs"),
    ],
)
def test_a_page_that_breaks_a_rule_does_not_begin(change: dict[str, object], code: str) -> None:
    page.given().when(replace(START, **change)).refused(Refused, code)  # type: ignore[arg-type]


def test_a_body_is_kept_byte_for_byte() -> None:
    body = "\ufeff# A\r\n\r\n  trailing  \t\n\n\ne\u0301 \u00e9\u2028"
    outcome = page.given().when(replace(START, body=body)).outcome
    assert not isinstance(outcome, Refused)
    assert isinstance(outcome[0], PageStarted) and outcome[0].body == body


def test_a_body_has_an_end() -> None:
    page.given().when(replace(START, body="å" * (LONGEST_BODY // 2 + 1))).refused(TooLarge, "page-too-long")


def test_a_body_that_grows_too_much_inside_its_event_is_refused() -> None:
    page.given().when(replace(START, body='"' * 480_000)).refused(TooLarge, "page-too-long")


def test_a_revision_is_the_next_step_of_the_history() -> None:
    page.given(started).when(RevisePage("p1", "# Booking\n\nMail us.", "Mail")).then(revised)


def test_a_revision_that_changes_nothing_is_no_step() -> None:
    page.given(started).when(RevisePage("p1", started.body, "again")).then()


def test_an_earlier_text_is_restored_by_a_new_step() -> None:
    page.given(started, revised).when(RevisePage("p1", started.body, "", restores=1)).then(
        PageRevised(
            page_id="p1",
            space_id="s1",
            revision=3,
            title="Booking",
            body=started.body,
            note="",
            restores=1,
        )
    )


def test_a_page_moves_with_its_history() -> None:
    page.given(started).when(MovePage("p1", "travel/booking.md", "trips/booking.md", "")).then(moved)


def test_a_page_that_moves_with_a_new_text_takes_two_steps() -> None:
    command = MovePage("p1", "travel/booking.md", "trips/booking.md", "", body="# Trips")
    page.given(started).when(command).then(
        moved,
        PageRevised(page_id="p1", space_id="s1", revision=3, title="Trips", body="# Trips", note=""),
    )


def test_a_page_without_a_heading_is_called_as_its_new_path_says() -> None:
    nameless = started.model_copy(update={"body": "Call us.", "title": "Booking"})
    outcome = page.given(nameless).when(MovePage("p1", nameless.path, "trips/by-train.md", "")).outcome
    assert not isinstance(outcome, Refused)
    assert isinstance(outcome[0], PageMoved) and outcome[0].title == "By train"


def test_a_move_to_where_the_page_is_changes_nothing() -> None:
    page.given(started).when(MovePage("p1", "travel/booking.md", "travel/booking.md", "")).then()


def test_a_page_that_was_moved_meanwhile_is_not_moved_or_deleted_from_where_it_was() -> None:
    page.given(started, moved).when(MovePage("p1", "travel/booking.md", "x", "")).refused(
        Conflict, "page-moved-meanwhile"
    )
    page.given(started, moved).when(DeletePage("p1", "travel/booking.md", "")).refused(
        Conflict, "page-moved-meanwhile"
    )


def test_a_deleted_page_keeps_its_text_and_can_come_back() -> None:
    page.given(started).when(DeletePage("p1", "travel/booking.md", "Old")).then(deleted)
    page.given(started, deleted).when(RestorePage("p1", "trips/old.md", "Needed")).then(
        PageRestored(
            page_id="p1",
            space_id="s1",
            revision=3,
            body_revision=1,
            path="trips/old.md",
            title="Booking",
            note="Needed",
        )
    )


@pytest.mark.parametrize(
    "command",
    [
        RevisePage("p1", "new", ""),
        MovePage("p1", "travel/booking.md", "x", ""),
        DeletePage("p1", "travel/booking.md", ""),
    ],
)
def test_a_deleted_page_does_not_change_until_it_is_restored(command: PageCommand) -> None:
    page.given(started, deleted).when(command).refused(Conflict, "page-deleted")


def test_a_page_that_is_there_cannot_be_restored_a_second_time() -> None:
    page.given(started).when(RestorePage("p1", "elsewhere", "")).refused(Conflict, "page-not-deleted")


def test_the_text_after_any_step_of_the_history_can_be_had_again() -> None:
    moved_on = moved.model_copy(update={"revision": 3, "body_revision": 2})
    texts = [text_at([started, revised, moved_on], revision) for revision in (1, 2, 3)]
    assert texts == [started.body, revised.body, revised.body]
    with pytest.raises(NotFound):
        text_at([started], 2)


@pytest.mark.parametrize(
    "command",
    [
        RevisePage("p1", "new", ""),
        MovePage("p1", "a", "b", ""),
        DeletePage("p1", "a", ""),
        RestorePage("p1", "a", ""),
        ChangePageAudience("p1", ("staff",), "open"),
        ChangePageOwner("p1", "bob"),
    ],
)
def test_nothing_happens_to_a_page_that_is_not_there(command: PageCommand) -> None:
    page.given().when(command).refused(NotFound, "no-such-page")


def test_a_changed_audience_says_what_it_was() -> None:
    page.given(started).when(ChangePageAudience("p1", ("everyone",), "open")).then(
        PageAudienceChanged(
            page_id="p1",
            space_id="s1",
            audience=("everyone",),
            classification=Classification.OPEN,
            audience_before=("staff",),
            classification_before=Classification.INTERNAL,
        )
    )
    page.given(started).when(ChangePageAudience("p1", ("staff",), "internal")).then()


def test_a_page_is_handed_over() -> None:
    page.given(started).when(ChangePageOwner("p1", "bob")).then(
        PageOwnerChanged(page_id="p1", space_id="s1", owner_id="bob", owner_before="ann")
    )
    page.given(started).when(ChangePageOwner("p1", "ann")).then()


def test_a_path_belongs_to_one_page_at_a_time() -> None:
    taken = PathTaken(space_id="s1", path="a", page_id="p1")
    freed = PathFreed(space_id="s1", path="a", page_id="p1")
    path.given().when(TakePath("s1", "a", "p1")).then(taken)
    path.given(taken).when(TakePath("s1", "a", "p1")).then()
    path.given(taken).when(TakePath("s1", "a", "p2")).refused(Conflict, "path-taken")
    path.given(taken).when(FreePath("s1", "a", "p2")).then()
    path.given(taken).when(FreePath("s1", "a", "p1")).then(freed)
    path.given(taken, freed).when(TakePath("s1", "a", "p2")).then(
        PathTaken(space_id="s1", path="a", page_id="p2")
    )


def test_a_path_is_free_for_who_may_not_see_the_pages_there() -> None:
    hidden = PathTaken(space_id="s1", path="a", page_id="p1")
    beside = PathTaken(space_id="s1", path="a", page_id="p2")
    path.given(hidden).when(TakePath("s1", "a", "p2", unseen=frozenset({"p1"}))).then(beside)
    path.given(hidden, beside).when(TakePath("s1", "a", "p3", frozenset({"p1"}))).refused(
        Conflict, "path-taken"
    )
    path.given(hidden, beside).when(FreePath("s1", "a", "p1")).then(
        PathFreed(space_id="s1", path="a", page_id="p1")
    )


def test_the_same_path_in_two_forms_is_one_path_and_in_two_spaces_is_two() -> None:
    assert paths.stream(TakePath("s1", "e\u0301", "p")) == paths.stream(TakePath("s1", "\u00e9", "p"))
    assert path_id("s1", "a") != path_id("s2", "a")


@pytest.mark.parametrize(
    ("given_path", "code"),
    [
        ("", "path-missing"),
        ("/etc/passwd", "path-absolute"),
        ("C:/x", "path-absolute"),
        ("a/../b", "path-climbs"),
        ("./a", "path-climbs"),
        ("a//b", "path-empty-part"),
        ("a/", "path-empty-part"),
        ("a/ /b", "path-empty-part"),
        (" a", "path-spaces"),
        ("a\\b", "path-characters"),
        ("a\nb", "path-characters"),
        ("a\x00b", "path-characters"),
        ("a\u202eb", "path-characters"),
        ("a\u200cb", "path-characters"),
        ("a\u3164b", "path-characters"),
        ("a\u00a0b", "path-characters"),
        ("a\u034fb", "path-characters"),
        ("a\ud800b", "path-characters"),
        ("a?b", "path-characters"),
        ("a#b", "path-characters"),
        ("a%2e%2e", "path-characters"),
        ("x" * 201, "path-part-too-long"),
        ("/".join(["x"] * 21), "path-too-long"),
        ("x/" * 250 + "x", "path-too-long"),
    ],
)
def test_a_path_that_tricks_is_refused_with_its_reason(given_path: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        checked_path(given_path)
    assert refused.value.code == code
    assert refused.value.field == "path"


@settings(deadline=None)
@given(st.text(max_size=600))
def test_any_text_is_either_a_path_or_refused(text: str) -> None:
    try:
        normal = checked_path(text)
    except Refused:
        return
    assert checked_path(normal) == normal
    assert normal.encode().decode() == normal
    assert not {"..", ".", ""} & set(normal.split("/"))


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("---\ntitle: Plain\n---\n# Other", "Plain"),
        ('---\ntitle: "Quoted: \\"so\\""\n---\n', 'Quoted: "so"'),
        ("---\ntitle: 'It''s'\nx: y\n---\n", "It's"),
        ("---\ntitle: On two\n  lines\n---\n", "On two lines"),
        ("---\r\ntitle: Windows\r\n---\r\n", "Windows"),
        ("---\ntitle:\n---\n# Heading", "Heading"),
        ("---\ntitle: With <em>marks</em>\n---\n", "With marks"),
        ("---\nno end\ntitle: x\n# Heading", "Heading"),
        ("text\n\n## **Bold** [link](x) `code` #\n", "Bold link code"),
        ("```\n# not this\n```\n# This", "This"),
        ("Underlined\n==========\n", "Underlined"),
        ("Nothing to see", "Two words"),
        ("# \n", "Two words"),
        ("# Closed ##  \n", "Closed"),
        ("# C# and F#\n", "C# and F#"),
        ("# ##\n", "Two words"),
        ("# Pay\u202e roll\u200b\n", "Pay roll"),
        ("# \u200b\u3164\u2800\n", "Two words"),
        ("# Z" + "\u0335" * 30 + "\n", "Z"),
        ("# \u0645\u06cc\u200c\u062e\n", "\u0645\u06cc\u200c\u062e"),
        ("####### Seven\n", "Two words"),
        ("# " + "long " * 100, ("long " * 40).strip()[:199].rstrip() + "…"),
    ],
)
def test_a_page_says_its_own_title(body: str, title: str) -> None:
    assert title_of(body, "folder/two-words.md") == title


@pytest.mark.parametrize(
    "line", ["# a" + " " * 200_000 + "x", "#" + " " * 200_000 + "x", "# a" + " #" * 100_000 + "x"]
)
def test_no_heading_costs_more_than_its_length(line: str) -> None:
    """What decides and what folds read titles in their own process: one page must not stop them."""
    began = time.process_time()
    title_of(line, "a")
    assert time.process_time() - began < 1


@settings(deadline=None)
@given(st.text(), st.text(min_size=1, max_size=50))
def test_every_text_has_a_title(body: str, where: str) -> None:
    title = title_of(body, where)
    assert 0 < len(title) <= 200
    assert not {unicodedata.category(c) for c in title} & {"Cc", "Cs", "Zl", "Zp"}
    assert not list(unseen(title))


@settings(deadline=None)
@given(st.text(alphabet="---\n:'\"[]>|ab \t#", max_size=300))
def test_front_matter_is_read_whatever_it_holds(text: str) -> None:
    matter = front_matter("---\n" + text)
    assert 0 <= matter.length <= len(text) + 4


def test_front_matter_lists_are_read_in_both_forms() -> None:
    matter = front_matter(
        "---\nredirect_from:\n  - /a/\n  - '/b/'\ntags: [x, \"y\"]\npermalink: /c/\n---\nText"
    )
    assert matter.all("redirect_from") == ["/a/", "/b/"]
    assert matter.all("tags") == ["x", "y"]
    assert matter.all("permalink") == ["/c/"]
    assert matter.all("missing") == []


OPEN = OpenSpace("s1", "Travel", "How we travel", ("staff",), "internal", "en", "ann")
opened = SpaceOpened(
    space_id="s1",
    name="Travel",
    purpose="How we travel",
    audience=("staff",),
    classification=Classification.INTERNAL,
    language="en",
    owner_id="ann",
)


def test_a_space_opens_once_and_with_a_name() -> None:
    space.given().when(OPEN).then(opened)
    space.given(opened).when(OPEN).refused(Conflict, "space-exists")
    space.given().when(replace(OPEN, name="  ")).refused(Refused, "name-missing")
    space.given().when(replace(OPEN, name="x" * 101)).refused(Refused, "text-too-long")
    space.given().when(replace(OPEN, purpose="x" * 1001)).refused(Refused, "text-too-long")


@pytest.mark.parametrize(
    "name", ["Tra\u200bvel", "Travel\u202elevarT", "\u3164", "Travel\ufeff", "\u2066Travel\u2069"]
)
def test_a_space_is_called_what_everybody_sees(name: str) -> None:
    space.given().when(replace(OPEN, name=name)).refused(Refused, "text-invisible-character")
    space.given(opened).when(RenameSpace("s1", name, "")).refused(Refused, "text-invisible-character")


def test_a_space_takes_the_purpose_of_a_group_on_one_line() -> None:
    """A group's purpose has lines and what its writing needs; overrides of the direction are no writing."""
    purpose = "How we\n travel \u2067\u05d0\u2069\u200f"
    told = opened.model_copy(update={"purpose": "How we travel \u2067\u05d0\u2069\u200f"})
    space.given().when(replace(OPEN, purpose=purpose)).then(told)
    space.given().when(replace(OPEN, purpose="pay \u202e100")).refused(Refused, "text-turned-around")


def test_a_space_is_renamed_shown_to_others_and_handed_over() -> None:
    space.given(opened).when(RenameSpace("s1", "Trips", "")).then(
        SpaceRenamed(space_id="s1", name="Trips", purpose="")
    )
    space.given(opened).when(ChangeSpaceAudience("s1", ("everyone",), "open")).then(
        SpaceAudienceChanged(
            space_id="s1",
            audience=("everyone",),
            classification=Classification.OPEN,
            audience_before=("staff",),
            classification_before=Classification.INTERNAL,
        )
    )
    space.given(opened).when(ChangeSpaceOwner("s1", "bob")).then(
        SpaceOwnerChanged(space_id="s1", owner_id="bob", owner_before="ann")
    )


def test_what_changes_nothing_about_a_space_is_no_event() -> None:
    space.given(opened).when(RenameSpace("s1", " Travel ", "How we travel")).then()
    space.given(opened).when(ChangeSpaceAudience("s1", ("staff",), "internal")).then()
    space.given(opened).when(ChangeSpaceOwner("s1", "ann")).then()


def test_nothing_happens_to_a_space_that_is_not_there() -> None:
    space.given().when(RenameSpace("s1", "x", "")).refused(NotFound, "no-such-space")


of_group = opened.model_copy(update={"space_id": "g1", "audience": ("group:g1",)})


@pytest.mark.parametrize(
    "command",
    [
        RenameSpace("g1", "Mine", ""),
        ChangeSpaceAudience("g1", ("staff",), "internal"),
        ChangeSpaceOwner("g1", "bob"),
    ],
)
def test_the_space_of_a_group_is_changed_by_the_group_alone(command: SpaceCommand) -> None:
    space.given(of_group).when(command).refused(Refused, "space-of-group")


def test_what_was_done_to_the_space_of_a_group_before_is_passed_over() -> None:
    widened = SpaceAudienceChanged(
        space_id="g1",
        audience=("staff",),
        classification=Classification.INTERNAL,
        audience_before=("group:g1",),
        classification_before=Classification.OPEN,
    )
    now = spaces.evolve(spaces.evolve(spaces.initial, of_group), widened)
    assert (now.audience, now.classification) == (("group:g1",), of_group.classification)


def test_the_space_of_a_group_is_called_as_the_group_was_last() -> None:
    called = SpaceRenamed(space_id="g1", name="Trips", purpose="", group_version=3)
    space.given(of_group).when(FollowGroup("g1", "Trips", "", 3)).then(called)
    space.given(of_group, called).when(FollowGroup("g1", "Trips", "", 4)).then()
    for late in (2, 3):
        space.given(of_group, called).when(FollowGroup("g1", "Travel", "", late)).then()
    space.given().when(FollowGroup("g1", "Trips", "", 2)).refused(NotFound, "no-such-space")
    space.given(opened).when(FollowGroup("s1", "Trips", "", 2)).then()


def test_an_owner_of_the_group_decides_about_pages_in_its_space() -> None:
    leads = replace(STAFF, owns_group=True)
    for permission in ("wiki:delete", "wiki:audience", "wiki:owner"):
        assert may(permission, leads, "ann")
    assert not may("wiki:delete", replace(GUEST, owns_group=True), "ann")
    assert not may("wiki:import", leads, "ann")


GUEST = Asker("gil", frozenset(), staff=False)
STAFF = Asker("bob", frozenset(), staff=True)
OWNER = Asker("ann", frozenset(), staff=True)
EDITOR = Asker("edi", frozenset({"editor"}), staff=True)
OPERATOR = Asker("oda", frozenset({"operator"}), staff=True)
ADMIN = Asker("ada", frozenset({"admin"}), staff=True)

WHO = {
    "wiki:write": {"bob", "ann", "edi", "oda", "ada"},
    "wiki:open-space": {"bob", "ann", "edi", "oda", "ada"},
    "wiki:delete": {"ann", "edi", "oda", "ada"},
    "wiki:audience": {"ann", "edi", "oda", "ada"},
    "wiki:owner": {"ann", "edi", "oda", "ada"},
    "wiki:rename-space": {"ann", "edi", "oda", "ada"},
    "wiki:import": {"oda", "ada"},
}


@pytest.mark.parametrize("permission", sorted(RULES))
def test_each_permission_belongs_to_exactly_these(permission: str) -> None:
    askers = (GUEST, STAFF, OWNER, EDITOR, OPERATOR, ADMIN)
    assert {asker.member_id for asker in askers if may(permission, asker, "ann")} == WHO[permission]


def test_a_guest_who_owns_a_page_still_only_reads_it() -> None:
    assert not may("wiki:write", GUEST, "gil")
    assert not may("wiki:delete", GUEST, "gil")


def test_who_may_not_is_told_what_to_do_instead() -> None:
    with pytest.raises(Forbidden) as refused:
        demand("wiki:delete", STAFF, "ann")
    assert refused.value.code == "may-not-delete"
    assert "owner" in str(refused.value)
