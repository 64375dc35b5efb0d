"""The rules of coaching: policies, objections, lists and offers; who is passive, since when; who may what."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from contracts.engagement import CountryPolicyChanged, Naming
from contracts.identity import Role
from services.engagement.domain.coaching import (
    LIST_LASTS,
    MOST_LISTED,
    CoachListShown,
    MakeOffer,
    Offer,
    OfferMade,
    Purpose,
    ShowList,
    lists,
    note_of,
    purpose_of,
)
from services.engagement.domain.permissions import RULES, Asker, demand, may
from services.engagement.domain.policies import ChangePolicy, policies, policy_stream
from services.engagement.domain.visibility import (
    ChangeVisibility,
    CoachVisibilityChanged,
    Visibility,
    visibilities,
)
from services.engagement.metrics.ladder import rung
from services.engagement.metrics.passive_people import (
    LeftBehind,
    Survey,
    came_back,
    could_invite,
    likes,
    looked_at,
)
from services.engagement.metrics.people import People, State
from services.engagement.projections import ItemView
from services.engagement.projections.facts import Fact, seconds
from services.engagement.tests.history import Facts, History, at
from shared.kernel.errors import Conflict, Forbidden, NotFound, Refused
from shared.kernel.personal import Personal
from shared.kernel.testing import NOON, Specification

policy, visible, listing = Specification(policies), Specification(visibilities), Specification(lists)
WHY = "Agreed with the works council."
NOW = at("2026-11-20")


def to(naming: Naming, reason: str = WHY) -> ChangePolicy:
    return ChangePolicy("SE", naming, reason, "bea")


def became(old: Naming, new: Naming) -> CountryPolicyChanged:
    reason = Personal(plain=WHY)
    return CountryPolicyChanged(country="SE", old=old, new=new, decided_by="bea", reason=reason)


OPENED = became(Naming.AGGREGATES_ONLY, Naming.NAMES_TO_COACHES)


def test_a_country_tells_aggregates_only_until_somebody_decides() -> None:
    assert policies.initial is Naming.AGGREGATES_ONLY and policy_stream("SE") == "policy-SE"
    policy.given().when(to(Naming.NAMES_TO_COACHES)).then(OPENED)
    closed = became(Naming.NAMES_TO_COACHES, Naming.AGGREGATES_ONLY)
    policy.given(OPENED).when(to(Naming.AGGREGATES_ONLY)).then(closed)
    assert policies.fold([OPENED, closed]) is Naming.AGGREGATES_ONLY


def test_deciding_the_same_again_changes_nothing_and_a_reason_is_asked_for() -> None:
    policy.given(OPENED).when(to(Naming.NAMES_TO_COACHES)).then()
    policy.given().when(to(Naming.NAMES_TO_COACHES, " \n ")).refused(Refused, "reason-needed")
    policy.given().when(to(Naming.NAMES_TO_COACHES, "\u202ereason")).refused(Refused, "text-turned-around")


def test_a_member_objects_and_takes_it_back() -> None:
    no = CoachVisibilityChanged(member_id="ann", listed=False, likes=False)
    visible.given().when(ChangeVisibility("ann", True, False)).then()
    visible.given().when(ChangeVisibility("ann", False, False)).then(no)
    assert visibilities.fold([no]) == Visibility(listed=False, likes=False)


def show(*member_ids: str) -> ShowList:
    return ShowList("l1", "cia", Purpose.HELP, "why", "SE", None, member_ids, ("amy",), NOON)


def shown(*member_ids: str) -> CoachListShown:
    return CoachListShown(
        list_id="l1",
        coach_id="cia",
        purpose=Purpose.HELP,
        note=Personal(plain="why"),
        country="SE",
        member_ids=member_ids,
        inviter_ids=("amy",),
        until=NOON + LIST_LASTS,
    )


def offered(member_id: str = "pia", coach_id: str = "cia", when: datetime = NOON) -> MakeOffer:
    return MakeOffer("l1", coach_id, member_id, Offer.TALK, when)


def test_a_list_is_shown_once_and_never_of_more_than_fifty() -> None:
    listing.given().when(show("pia")).then(shown("pia"))
    listing.given(shown("pia")).when(show("per")).then()
    with pytest.raises(ValueError, match=str(MOST_LISTED)):
        lists.decide(show(*(f"m{n}" for n in range(MOST_LISTED + 1))), lists.initial)


def test_an_offer_is_to_somebody_on_ones_own_list_while_it_lasts() -> None:
    made = OfferMade(list_id="l1", coach_id="cia", member_id="pia", offer=Offer.TALK)
    listing.given(shown("pia")).when(offered()).then(made)
    listing.given(shown("pia"), made).when(offered()).then()
    listing.given(shown("pia")).when(offered("amy")).refused(NotFound, "not-on-this-list")
    listing.given(shown("pia")).when(offered(coach_id="cas")).refused(NotFound, "no-such-list")
    listing.given().when(offered()).refused(NotFound, "no-such-list")
    late = offered(when=NOON + LIST_LASTS)
    listing.given(shown("pia")).when(late).refused(Conflict, "list-is-over")


def test_a_purpose_is_one_of_the_named_ones_and_a_note_is_one_line_that_shows() -> None:
    assert purpose_of("hear-why") is Purpose.LISTEN and note_of("  for  Monday ") == "for Monday"
    for said in (None, "", "fun"):
        with pytest.raises(Refused, match="need the names"):
            purpose_of(said)
    for note in ("", "\u200b", "\u202eabc", "a\x07b", "x" * 301):
        with pytest.raises(Refused):
            note_of(note)


@pytest.mark.parametrize(
    ("permission", "who"),
    [
        ("names:read", {Role.COACH}),
        ("policies:change", {Role.BOARD, Role.ADMIN}),
        ("policies:read", set(Role)),
    ],
)
def test_who_may_be_told_names_and_who_decides_it(permission: str, who: set[Role]) -> None:
    for role in Role:
        staff = Asker("ann", frozenset({role.value}), staff=True)
        assert may(permission, staff) is (role in who), role
        assert not may(permission, Asker("gil", frozenset({role.value}), staff=False)), "guests never"
    with pytest.raises(Forbidden):
        demand(permission, Asker("gil", frozenset(), staff=False))
    assert set(RULES) >= {"names:read", "policies:read", "policies:change"}


def surveyed(history: History) -> dict[str, LeftBehind]:
    facts = Facts(history.events)
    now = seconds(NOW.replace(tzinfo=None))
    people = {person.member_id: person for person in People(facts.steps)}
    survey = Survey(people, now)
    for period in looked_at(now):
        survey.look(period, _of(facts.months.get(period.name, {}), survey.asked))
    return {each.member_id: each for each in survey.found()}


def _of(month: dict[str, list[Fact]], asked: set[str]) -> dict[str, Sequence[Fact]]:
    return {member_id: facts for member_id, facts in month.items() if member_id in asked}


def day(found: LeftBehind) -> str | None:
    since = found.silent_since
    return None if since is None else f"{datetime.fromtimestamp(since, UTC):%Y-%m-%d}"


def company(*names: str, when: str = "2024-01-10") -> History:
    history = History()
    for name in names:
        history.member(name, "sales", when=at(when))
    return history


def test_who_neither_reacts_nor_writes_for_three_whole_months_is_passive() -> None:
    history = company("old", "july", "august", "september", "reader", "again")
    history.post("july", at("2026-07-31T23:00"))
    history.post("august", at("2026-08-01"))
    history.post("september", at("2026-09-30"))
    for month in range(1, 12):
        history.read("reader", "p1", at(f"2026-{month:02}-10"))
    history.react("again", "p1", at("2026-11-19"))
    found = surveyed(history)
    assert set(found) == {"old", "july", "reader"}
    assert (day(found["july"]), found["july"].longer) == ("2026-08-01", False)
    assert found["old"].longer and found["reader"].longer
    assert (rung(found["old"].facts).value, rung(found["reader"].facts).value) == ("not_signed_in", "reader")


def test_the_new_are_listed_whatever_they_do_and_who_came_since_while_they_are_silent() -> None:
    history = company("since", "spoke", when="2026-09-20")
    history.member("new", "sales", when=NOW - timedelta(days=3))
    history.member("talks", "sales", when=NOW - timedelta(days=29))
    history.post("talks", NOW - timedelta(days=1))
    history.post("spoke", at("2026-09-21"))
    found = surveyed(history)
    assert list(found) == ["new", "talks", "since"], "the newest first, then those who are silent"
    assert found["talks"].new and found["talks"].silent_since is None
    assert rung(found["talks"].facts).value == "author"
    assert (day(found["since"]), found["since"].new) == ("2026-09-20", False)


def test_the_longest_silent_come_first() -> None:
    history = company("b", "a", "c")
    history.post("b", at("2026-02-10"))
    history.post("a", at("2026-06-10"))
    history.post("c", at("2026-04-10"))
    assert list(surveyed(history)) == ["b", "c", "a"]


def test_what_somebody_likes_is_told_by_kind_and_language_only() -> None:
    facts = [_opened("post:p1"), _opened("post:p2"), _opened("post:p2"), _opened("page:w1")]
    said = {name: ItemView(item_id=name, author_id="x", at=0, language="fi") for name in ("p1", "p2")}
    assert likes(facts, said) == [("post", "fi", 2), ("page", "", 1)]


def _opened(ref: str, kind: str = "opened", when: int = 1) -> Fact:
    return Fact(when, "s", 1, kind, ref, "", when, ())


def test_colleagues_who_take_part_could_invite_ambassadors_first() -> None:
    def state(unit: str, *roles: str, staff: bool = True) -> State:
        return State(present=True, staff=staff, units=("top", unit), roles=frozenset(roles))

    who = LeftBehind("pia", state("lund"), 0, False, 0, False, [])
    active = {
        "zoe": state("lund", "ambassador"),
        "bo": state("lund"),
        "far": state("oslo", "ambassador"),
        "gil": state("lund", staff=False),
        "pia": state("lund"),
    }
    assert could_invite(who, active) == ["zoe", "bo"]
    nowhere = LeftBehind("pia", State(present=True, staff=True), 0, False, 0, False, [])
    assert could_invite(nowhere, {"bo": State(present=True, staff=True)}) == []


def test_coming_back_is_taking_part_after_the_offer_and_soon_enough() -> None:
    week = 7 * 86_400
    before, read, wrote = (
        _opened("", "post", 5),
        _opened("p", "read", 20),
        _opened("", "comment", 10 + 3 * week),
    )
    assert came_back([before, read], 10) is None
    assert came_back([before, read, wrote], 10) == wrote
    assert came_back([_opened("", "post", 10 + 13 * week)], 10) is None
