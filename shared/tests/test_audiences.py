"""Which audiences there are, as services fold it: tokens that anybody may write to, conjunctions in use."""

import itertools
from datetime import timedelta

import pytest

from contracts.groups import MemberJoinedGroup, Standing
from contracts.identity import Kind, MemberDeactivated, MemberReactivated, MemberRegistered, Role
from contracts.tokens import CHANGES_TOKENS
from contracts.wiki import PageAudienceChanged, SpaceOpened, SpaceRenamed
from shared.kernel.audience import (
    Classification,
    Conjunction,
    MemberTokens,
    conjunctions_projection,
    tokens_projection,
)
from shared.kernel.events import Event
from shared.kernel.personal import Personal, Sealed
from shared.kernel.testing import NOON, recorded

ANN = MemberRegistered(
    member_id="ann",
    kind=Kind.STAFF,
    name=Personal(sealed=Sealed("ann", "e1", "name", b"x" * 40)),
    country="SE",
    language="sv",
    time_zone="Europe/Stockholm",
    roles=(Role.LEADER,),
    clearance=Classification.INTERNAL,
    signs_in=True,
)


def tokens_after(*events: Event) -> MemberTokens:
    tokens, view = tokens_projection("wiki", CHANGES_TOKENS), None
    for version, event in enumerate(events, 1):
        view = tokens.evolve(view, event, recorded(event, stream="member-ann", position=version), "ann")
    assert view is not None
    return view


def test_what_somebody_holds_with_others_may_be_written_to() -> None:
    joined = MemberJoinedGroup(group_id="g1", member_id="ann", standing=Standing.MEMBER)
    assert tokens_after(ANN, joined).named == ["country:SE", "group:g1", "language:sv", "role:leader"]


def test_only_who_asks_by_name_has_an_index_of_all_tokens_of_all_members() -> None:
    assert tokens_projection("search", CHANGES_TOKENS).indexes == ()
    assert len(tokens_projection("wiki", CHANGES_TOKENS, by_name=True).indexes) == 1


def test_nobody_writes_to_who_has_left_until_they_are_back() -> None:
    left, back = MemberDeactivated(member_id="ann"), MemberReactivated(member_id="ann")
    assert tokens_after(ANN, left).named == []
    assert tokens_after(ANN, left, back).named == ["country:SE", "language:sv", "role:leader"]


def test_a_conjunction_is_known_from_its_first_use_on() -> None:
    joined = conjunctions_projection("wiki", (SpaceOpened, PageAudienceChanged))
    changed = PageAudienceChanged(
        page_id="p1",
        space_id="s1",
        audience=("country:SE&role:leader", "staff"),
        classification=Classification.OPEN,
        audience_before=("language:sv&role:board",),
        classification_before=Classification.OPEN,
    )
    clause = "country:SE&role:leader"
    assert set(joined.keys(changed)) == {clause}
    known = joined.evolve(None, changed, recorded(changed, stream="page-p1", position=2), clause)
    assert known == Conjunction(clause=clause, by="ann", since=NOON)
    assert joined.evolve(known, changed, recorded(changed, stream="page-p1", position=3), clause) == known


def test_who_was_the_first_to_join_an_audience_is_known_in_whatever_order_it_is_told() -> None:
    joined = conjunctions_projection("wiki", (SpaceOpened,))
    clause = "country:SE&role:leader"
    opened = SpaceOpened(
        space_id="s1",
        name="n",
        purpose="",
        audience=(clause,),
        classification=Classification.OPEN,
        language="sv",
        owner_id="ann",
    )
    told = [
        recorded(opened, stream=f"space-{who}", by=who, recorded_at=NOON + timedelta(seconds=late))
        for who, late in (("bob", 2), ("cat", 0), ("ann", 1), ("dan", 0))
    ]
    for order in itertools.permutations(told):
        view: Conjunction | None = None
        for each in order:
            view = joined.evolve(view, opened, each, clause)
        assert view == Conjunction(clause=clause, by="cat", since=NOON)


def test_what_says_no_audience_tells_of_no_conjunction() -> None:
    with pytest.raises(TypeError, match="SpaceRenamed"):
        conjunctions_projection("wiki", (SpaceRenamed,))
