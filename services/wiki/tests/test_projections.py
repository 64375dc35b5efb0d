"""What the wiki shows, folded from events; the laws of folding; where links lead."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from contracts.groups import MemberJoinedGroup, MemberLeftGroup, Standing, StandingChanged
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
from services.wiki import links, projections
from services.wiki.domain.paths import PathFreed, PathTaken, path_id
from services.wiki.projections import PageView, RevisionView
from shared.kernel.audience import Classification
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Projection
from shared.kernel.testing import NOON, recorded

ALL: tuple[Projection[Any], ...] = (
    projections.pages,
    projections.revisions,
    projections.paths,
    projections.spaces,
    projections.owners,
)


def fold(projection: Projection[Any], events: Sequence[Recorded]) -> dict[str, BaseModel]:
    views: dict[str, BaseModel] = {}
    for each in events:
        event = each.event()
        if type(event) not in projection.events:
            continue
        for key in projection.keys(event):
            view = projection.evolve(views.get(key), event, each, key)
            if view is None:
                views.pop(key, None)
            else:
                views[key] = view
    return views


def history(stream: str, *events: Event, by: str = "ann", start: datetime = NOON) -> list[Recorded]:
    return [
        recorded(
            event,
            stream=stream,
            position=at + 1,
            by=by,
            at=start + timedelta(hours=at),
            recorded_at=NOON + timedelta(days=30, seconds=at),
        )
        for at, event in enumerate(events)
    ]


def started(
    page_id: str = "p1", path: str = "_pages/travel/booking.md", body: str = "# Booking"
) -> PageStarted:
    return PageStarted(
        page_id=page_id,
        space_id="s1",
        path=path,
        title="Booking",
        body=body,
        note="",
        language="en",
        owner_id="ann",
        audience=("staff",),
        classification=Classification.INTERNAL,
    )


def revised(revision: int, body: str, title: str = "Booking") -> PageRevised:
    return PageRevised(page_id="p1", space_id="s1", revision=revision, title=title, body=body, note="why")


def moved(revision: int, from_path: str, to_path: str) -> PageMoved:
    return PageMoved(
        page_id="p1",
        space_id="s1",
        revision=revision,
        body_revision=1,
        from_path=from_path,
        to_path=to_path,
        title="Booking",
        note="",
    )


def deleted(revision: int, path: str) -> PageDeleted:
    return PageDeleted(page_id="p1", space_id="s1", revision=revision, body_revision=1, path=path, note="Old")


def restored(revision: int, path: str) -> PageRestored:
    return PageRestored(
        page_id="p1", space_id="s1", revision=revision, body_revision=1, path=path, title="Booking", note=""
    )


def page_after(*events: Event, **how: Any) -> PageView:
    view = fold(projections.pages, history("page-p1", *events, **how))["p1"]
    assert isinstance(view, PageView)
    return view


def test_a_page_shows_its_last_text_its_last_author_and_both_times() -> None:
    long_ago = datetime(2016, 9, 30, 14, 46, tzinfo=UTC)
    view = page_after(started(), revised(2, "# Other", "Other"), start=long_ago, by="author-1")
    assert (view.title, view.body, view.revision, view.body_revision) == ("Other", "# Other", 2, 2)
    assert (view.author_id, view.started_by, view.note) == ("author-1", "author-1", "why")
    assert view.started_at == long_ago
    assert view.occurred_at == long_ago + timedelta(hours=1)
    assert view.recorded_at == NOON + timedelta(days=30, seconds=1)


def test_a_page_knows_the_version_that_if_match_is_compared_with() -> None:
    handed = PageOwnerChanged(page_id="p1", space_id="s1", owner_id="bob", owner_before="ann")
    view = page_after(started(), handed)
    assert (view.version, view.revision, view.owner_id) == (2, 1, "bob")


def test_a_moved_page_remembers_where_it_was_and_its_relative_links_are_read_anew() -> None:
    body = "[tips](tips.md)"
    view = page_after(started(body=body), moved(2, "_pages/travel/booking.md", "trips/booking.md"))
    assert view.paths == ["_pages/travel/booking.md", "trips/booking.md"]
    assert view.links == ["trips/tips"]
    assert view.addresses == ["travel/booking", "trips/booking"]


def test_a_page_that_moves_to_and_fro_has_each_path_once() -> None:
    view = page_after(started(path="a"), moved(2, "a", "b"), moved(3, "b", "a"))
    assert (view.path, view.paths) == ("a", ["a", "b"])


def test_a_deleted_page_keeps_its_place_and_text_and_comes_back() -> None:
    gone = page_after(started(path="a"), deleted(2, "a"))
    assert (gone.deleted, gone.path, gone.body, gone.note) == (True, "a", "# Booking", "Old")
    back = page_after(started(path="a"), deleted(2, "a"), restored(3, "b"))
    assert (back.deleted, back.path, back.paths, back.revision) == (False, "b", ["a", "b"], 3)


def test_a_changed_audience_rewrites_the_page_and_none_of_its_revisions() -> None:
    change = PageAudienceChanged(
        page_id="p1",
        space_id="s1",
        audience=("everyone",),
        classification=Classification.OPEN,
        audience_before=("staff",),
        classification_before=Classification.INTERNAL,
    )
    view = page_after(started(), change)
    assert (view.audience, view.classification, view.revision) == (["everyone"], "open", 1)
    assert not projections.revisions.keys(change)
    assert "audience" not in RevisionView.model_fields


def test_every_step_of_a_history_is_kept_with_its_kind_and_the_step_that_holds_its_text() -> None:
    steps = fold(
        projections.revisions,
        history(
            "page-p1",
            started(path="a"),
            revised(2, "new"),
            moved(3, "a", "b"),
            deleted(4, "b"),
            restored(5, "c"),
        ),
    )
    shown = [(s.kind, s.body_revision, s.path) for s in steps.values() if isinstance(s, RevisionView)]
    assert list(steps) == [f"p1:{n}" for n in range(1, 6)]
    assert shown == [
        ("started", 1, "a"),
        ("revised", 2, None),
        ("moved", 1, "b"),
        ("deleted", 1, "b"),
        ("restored", 1, "c"),
    ]


def test_a_path_leads_to_who_lives_there_or_did_last() -> None:
    taken = PathTaken(space_id="s1", path="a", page_id="p1")
    freed = PathFreed(space_id="s1", path="a", page_id="p1")
    again = PathTaken(space_id="s1", path="a", page_id="p2")
    key = path_id("s1", "a")
    beside = PathTaken(space_id="s1", path="a", page_id="p3")

    def residents(*events: Event) -> list[tuple[str, bool]]:
        view = fold(projections.paths, history("path-1", *events))[key].model_dump()
        assert (view["space_id"], view["path"]) == ("s1", "a")
        return [(each["page_id"], each["taken"]) for each in view["residents"]]

    assert residents(taken, freed) == [("p1", False)]
    assert residents(taken, freed, again) == [("p2", True), ("p1", False)]
    assert residents(taken, freed, again, beside, taken) == [("p2", True), ("p3", True), ("p1", True)]
    assert residents(taken, beside, freed) == [("p3", True), ("p1", False)]


def test_a_space_shows_what_it_is_now() -> None:
    opened = SpaceOpened(
        space_id="s1",
        name="Travel",
        purpose="",
        audience=("staff",),
        classification=Classification.INTERNAL,
        language="en",
        owner_id="ann",
    )
    shown = SpaceAudienceChanged(
        space_id="s1",
        audience=("everyone",),
        classification=Classification.OPEN,
        audience_before=("staff",),
        classification_before=Classification.INTERNAL,
    )
    view = fold(
        projections.spaces,
        history(
            "space-s1",
            opened,
            SpaceRenamed(space_id="s1", name="Trips", purpose="How"),
            shown,
            SpaceOwnerChanged(space_id="s1", owner_id="bob", owner_before="ann"),
        ),
    )["s1"].model_dump()
    assert (view["name"], view["purpose"], view["audience"], view["owner_id"], view["version"]) == (
        "Trips",
        "How",
        ["everyone"],
        "bob",
        4,
    )


def test_the_space_of_a_group_is_the_group_s_whatever_was_done_to_it() -> None:
    """Also before nobody could."""
    mine = SpaceOpened(
        space_id="g1",
        name="Choir",
        purpose="",
        audience=("group:g1",),
        classification=Classification.OPEN,
        language="en",
        owner_id="ann",
    )
    widened = SpaceAudienceChanged(
        space_id="g1",
        audience=("staff",),
        classification=Classification.INTERNAL,
        audience_before=("group:g1",),
        classification_before=Classification.OPEN,
    )
    handed = SpaceOwnerChanged(space_id="g1", owner_id="bob", owner_before="ann")
    view = fold(projections.spaces, history("space-g1", mine, widened, handed))["g1"].model_dump()
    assert (view["audience"], view["classification"], view["owner_id"]) == (["group:g1"], "open", None)
    assert (view["of_group"], view["version"]) == (True, 3)


@settings(deadline=None)
@given(st.randoms())
def test_who_owns_a_group_is_known_however_its_memberships_interleave(random: Any) -> None:
    def joined(member_id: str, standing: Standing) -> MemberJoinedGroup:
        return MemberJoinedGroup(group_id="g1", member_id=member_id, standing=standing)

    def stands(member_id: str, old: Standing, new: Standing) -> StandingChanged:
        return StandingChanged(group_id="g1", member_id=member_id, old=old, new=new)

    member, owner = Standing.MEMBER, Standing.OWNER
    left = MemberLeftGroup(group_id="g1", member_id="cat")
    told = [
        history("membership-g1-ann", joined("ann", owner), stands("ann", owner, member)),
        history("membership-g1-bob", joined("bob", member), stands("bob", member, owner)),
        history("membership-g1-cat", joined("cat", owner), left, joined("cat", member)),
        history("membership-g1-dan", joined("dan", owner)),
    ]
    order: list[Recorded] = []
    while any(told):
        order.append(random.choice([each for each in told if each]).pop(0))
    view = fold(projections.owners, order)["g1"].model_dump()
    assert view["owners"] == ["bob", "dan"]


SAMPLES: list[Event] = [
    started(),
    revised(2, "new [x](../y.md)"),
    moved(2, "a", "b"),
    deleted(2, "a"),
    restored(3, "a"),
    PageAudienceChanged(
        page_id="p1",
        space_id="s1",
        audience=("everyone",),
        classification=Classification.OPEN,
        audience_before=("staff",),
        classification_before=Classification.INTERNAL,
    ),
    PageOwnerChanged(page_id="p1", space_id="s1", owner_id="bob", owner_before="ann"),
    SpaceOpened(
        space_id="s1",
        name="n",
        purpose="",
        audience=("staff",),
        classification=Classification.OPEN,
        language="sv",
        owner_id="ann",
    ),
    SpaceRenamed(space_id="s1", name="m", purpose=""),
    SpaceAudienceChanged(
        space_id="s1",
        audience=("staff",),
        classification=Classification.OPEN,
        audience_before=("everyone",),
        classification_before=Classification.OPEN,
    ),
    SpaceOwnerChanged(space_id="s1", owner_id="bob", owner_before="ann"),
    PathTaken(space_id="s1", path="a", page_id="p1"),
    PathFreed(space_id="s1", path="a", page_id="p1"),
    MemberJoinedGroup(group_id="g1", member_id="ann", standing=Standing.OWNER),
    StandingChanged(group_id="g1", member_id="ann", old=Standing.OWNER, new=Standing.MEMBER),
    MemberLeftGroup(group_id="g1", member_id="ann"),
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(SAMPLES), max_size=12))
def test_folding_is_total_whatever_comes_first(events: list[Event]) -> None:
    for projection in ALL:
        fold(projection, history("any-1", *events))


def test_each_projection_says_a_key_for_each_of_its_events() -> None:
    for projection in ALL:
        assert {type(sample) for sample in SAMPLES if projection.keys(sample)} == set(projection.events)


def streams() -> list[list[Recorded]]:
    """Two pages that take turns at one path, in one space."""
    first = history("page-p1", started("p1", "a"), revised(2, "x"), moved(3, "a", "b"), deleted(4, "b"))
    second = history(
        "page-p2",
        started("p2", "a"),
        PageRevised(page_id="p2", space_id="s1", revision=2, title="t", body="y", note=""),
    )
    place_a = history(
        "path-a",
        PathTaken(space_id="s1", path="a", page_id="p1"),
        PathFreed(space_id="s1", path="a", page_id="p1"),
        PathTaken(space_id="s1", path="a", page_id="p2"),
    )
    place_b = history(
        "path-b",
        PathTaken(space_id="s1", path="b", page_id="p1"),
        PathFreed(space_id="s1", path="b", page_id="p1"),
    )
    return [first, second, place_a, place_b]


def woven(parts: Sequence[Sequence[Recorded]], choices: Iterator[int]) -> list[Recorded]:
    left = [list(part) for part in parts]
    result = []
    while left := [part for part in left if part]:
        result.append(left[next(choices) % len(left)].pop(0))
    return result


@settings(deadline=None)
@given(st.lists(st.integers(0, 99), min_size=11, max_size=11))
def test_any_interleaving_that_keeps_each_stream_in_order_gives_the_same_documents(
    choices: list[int],
) -> None:
    plain = [each for part in streams() for each in part]
    mixed = woven(streams(), iter(choices))
    for projection in ALL:
        assert fold(projection, mixed) == fold(projection, plain)


@pytest.mark.parametrize(
    ("href", "address"),
    [
        ("/software/", "software"),
        ("/Software", "software"),
        ("/pages/tools/slack.md", "tools/slack"),
        ("/_pages/tools/slack.md#top", "tools/slack"),
        ("/tools/index.html", "tools"),
        ("emoji.md", "tools/emoji"),
        ("../about.md", "about"),
        ("../../../about.md", "about"),
        ("records/", "tools/slack/records"),
        ("../records/", "tools/records"),
        ("/caf%C3%A9", "café"),
        ("/cafe\u0301?x=1", "café"),
        ("/", ""),
    ],
)
def test_a_link_is_read_from_the_page_it_stands_on(href: str, address: str) -> None:
    leads = links.target(href, "_pages/tools/slack.md")
    assert leads is not None and leads.address == address


@pytest.mark.parametrize(
    "href",
    [
        "https://example.org/a",
        "//example.org",
        "mailto:a@b",
        "javascript:alert(1)",
        "#here",
        "",
        "\\\\host\\x",
    ],
)
def test_a_link_that_leaves_the_space_is_left_alone(href: str) -> None:
    assert links.target(href, "a/b.md") is None


def test_links_of_all_kinds_are_found_and_code_and_files_are_not() -> None:
    body = (
        "---\ntitle: x\n---\n[a](/a) [b](<b c.md>) <a href='/d/'>d</a>\n[e]: /e\n"
        '[f]({% page "f/g" %}#x) {{site.baseurl}} [h]({{ site.baseurl }}/h)\n'
        "```\n[no](/no)\n```\n![pic](/pic.png) [file](/x.pdf) [out](https://example.org)\n"
    )
    assert links.references(body, "folder/page.md") == ["a", "d", "e", "f/g", "folder/b c", "h"]


def test_a_page_answers_to_its_paths_and_to_what_its_front_matter_says() -> None:
    body = "---\npermalink: /start/\nredirect_from:\n  - /old/\n  - https://elsewhere.org/\n---\n"
    assert links.addresses(body, ["pages/new/index.md", "was.md"]) == ["new", "old", "start", "was"]


def view_at(page_id: str, path: str, *, gone: bool = False, body: str = "") -> PageView:
    events: list[Event] = [started(page_id, path, body)]
    view = fold(projections.pages, history(f"page-{page_id}", *events))[page_id]
    assert isinstance(view, PageView)
    return view.model_copy(update={"deleted": gone})


def test_a_link_means_the_page_at_that_path_before_one_that_was_there_or_is_called_so() -> None:
    here, redirected, named = (
        view_at("p3", "software.md"),
        view_at("p2", "x.md", body="---\nredirect_from: /software/\n---\n"),
        view_at("p1", "tools/software.md"),
    )

    def meant(*places: PageView, near: str = "y.md") -> str | None:
        found = links.best("software", places, near)
        return found.page_id if found else None

    assert meant(named, redirected, here) == "p3"
    assert meant(named, redirected) == "p2"
    assert meant(named) == "p1"
    assert meant(here.model_copy(update={"deleted": True}), named) == "p1"
    assert meant() is None
    far, close = view_at("pa", "a/software.md"), view_at("pz", "z/software.md")
    assert meant(far, close, near="z/other.md") == "pz"


@settings(deadline=None)
@given(st.text(max_size=200), st.text(max_size=50))
def test_any_text_can_be_asked_for_its_links(body: str, path: str) -> None:
    assert links.references(body, path) == sorted(set(links.references(body, path)))
    links.target(body, path)
