"""Every metric against planted numbers."""

from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from contracts.identity import Kind, MemberPlaced, MemberRegistered, Place, Role
from services.engagement.metrics import DEFINITIONS
from services.engagement.metrics.definition import By
from services.engagement.metrics.people import People
from services.engagement.projections.facts import seconds
from services.engagement.tests.history import Facts, History, at


@pytest.fixture
def company() -> History:
    """Twelve in sales, of whom six in Lund; eight in shops, in Finland."""
    history = History()
    history.staff(6, "sales", prefix="s")
    history.staff(6, "sales", "lund", prefix="l")
    history.staff(8, "shops", prefix="f", country="FI", language="fi")
    return history


def test_who_did_anything_in_the_month_was_active(company: History) -> None:
    post = company.post("s0", at("2026-03-02"))
    company.react("s1", post, at("2026-03-03"))
    company.read("f0", post, at("2026-03-04"))
    company.comment("s0", post, at("2026-03-05"))
    company.react("s2", post, at("2026-04-01"))
    found = company.figure("monthly-active-members", "2026-03").company
    assert (found["members"], found["active"], found["active_share"]) == (20, 3, 0.15)
    by_unit = company.figure("monthly-active-members", "2026-03", by=By.UNIT)
    assert by_unit.of("active") == {"sales": 2, "lund": 0, "shops": 1}
    assert company.figure("weekly-active-members", "2026-W10").company["active"] == 3
    assert company.figure("weekly-active-members", "2026-W11").company["active"] == 0


def test_two_versions_of_a_definition_tell_both_series_and_what_makes_the_difference(
    company: History,
) -> None:
    post = company.post("s0", at("2026-03-02"))
    company.react("s0", post, at("2026-03-09"))
    company.react("s1", post, at("2026-03-03"))
    company.comment("s1", post, at("2026-03-03T23:59:59"))
    company.react("s2", post, at("2026-03-31T23:59:59"))
    company.react("s2", post, at("2026-04-01T00:00:00"))
    first = company.figure("monthly-active-members", "2026-03", version=1).company
    second = company.figure("monthly-active-members", "2026-03", version=2).company
    assert (first["active"], second["active"], second["fewer_days"]) == (3, 1, 2)
    assert company.figure("monthly-active-members", "2026-03").definition.version == 1


def test_contributors_are_authors_of_anything_each_once(company: History) -> None:
    post = company.post("s0", at("2026-03-02"))
    company.comment("s0", post, at("2026-03-03"))
    company.comment("f1", post, at("2026-03-03"))
    page = company.page("l0", at("2026-03-04"))
    company.revised("l1", page, at("2026-03-05"))
    company.react("s5", post, at("2026-03-05"))
    told = company.figure("monthly-contributors", "2026-03", by=By.COUNTRY)
    assert (told.company["contributors"], told.company["contributor_share"]) == (4, 0.2)
    assert told.of("contributors") == {"SE": 3, "FI": 1}


def test_authors_of_whom_nothing_is_known_count_for_the_company(company: History) -> None:
    company.page("author-7", at("2026-03-02"))
    told = company.figure("monthly-contributors", "2026-03", by=By.UNIT)
    assert (told.company["contributors"], told.company["contributing_members"]) == (1, 0)
    assert told.groups["unknown"] is None, "one person alone is never told"


def test_posts_and_comments_are_counted_as_they_were_written(company: History) -> None:
    post = company.post("s0", at("2026-03-02"))
    company.announce("l0", at("2026-03-02"))
    for n in range(3):
        company.comment(f"f{n}", post, at("2026-03-03"))
    company.react("s1", post, at("2026-03-03"))
    company.react("s1", post, at("2026-03-04"), taken_back=True)
    company.revised("s2", company.page("s2", at("2026-03-05")), at("2026-03-06"))
    told = company.figure("posts-and-comments", "2026-03", by=By.LANGUAGE)
    expected = {"posts": 1, "announcements": 1, "comments": 3, "reactions": 1, "pages_started": 1}
    assert told.company == {**expected, "page_changes": 1}
    assert told.of("comments") == {"sv": 0, "fi": 3}
    assert company.figure("posts-and-comments", "2026-03-03").company["comments"] == 3


def test_everybody_stands_on_the_highest_rung_that_they_reached(company: History) -> None:
    post = company.post("s0", at("2026-03-02"))
    company.comment("s1", post, at("2026-03-02"))
    company.react("s2", post, at("2026-03-02"))
    company.read("s3", post, at("2026-03-02"))
    company.comment("s0", post, at("2026-04-02"))
    company.post("s3", at("2026-04-02"))
    company.member("new", "sales", when=at("2026-04-10"))
    march, april = (company.figure("ladder", month).company for month in ("2026-03", "2026-04"))
    rungs = ("not_signed_in", "reader", "reactor", "commenter", "author", "starter")
    assert [march[rung] for rung in rungs] == [16, 1, 1, 1, 1, 0]
    assert [april[rung] for rung in rungs] == [19, 0, 0, 1, 1, 0]
    assert april["arrived"] == 1
    assert company.figure("passive-share", "2026-03").company == {
        "members": 20,
        "passive": 17,
        "passive_share": 0.85,
    }


def test_movements_add_up_and_are_told_of_five_and_more(company: History) -> None:
    """Who arrived is known, and who wrote last month: where fewer than five went is told of no one."""
    post = company.post("l5", at("2026-03-01"))
    for n in range(5):
        company.read(f"s{n}", post, at("2026-03-02"))
        company.comment(f"f{n}", post, at("2026-03-02"))
    for n in range(4):
        company.post(f"l{n}", at("2026-03-02"))
    company.post("s0", at("2026-04-02"))
    company.react("f0", post, at("2026-04-02"))
    for n in range(5):
        company.member(f"new{n}", "sales", when=at("2026-04-10"))
    april = company.figure("ladder", "2026-04", by=By.UNIT)
    told = april.company
    assert (told["reader_to_author"], told["commenter_to_reactor"], told["author_to_not_signed_in"]) == (
        1,
        1,
        5,
    )
    assert (told["new_to_not_signed_in"], told["arrived"]) == (5, 5)
    assert (told["rose"], told["fell"], told["stayed"]) == (1, 14, 5)
    assert sum(int(told[name] or 0) for name in told if "_to_" in name) == told["members"] == 25
    sales = april.groups["sales"]
    assert sales is not None and sales["author"] == 1 and sales["arrived"] == 5
    assert all(sales[name] is None for name in sales if "_to_" in name or name in ("rose", "stayed", "fell"))

    company.member("late", "sales", when=at("2026-05-10"))
    may = company.figure("ladder", "2026-05").company
    assert may["arrived"] == 1 and may["new_to_not_signed_in"] is None
    assert may["author_to_not_signed_in"] is None and may["reactor_to_not_signed_in"] is None
    assert may["rose"] is None and may["not_signed_in"] == 26
    assert may["not_signed_in_to_not_signed_in"] is None, "three are too few to be left over"
    assert may["reader_to_reader"] == 0


def test_movements_are_told_when_the_month_is_over_so_that_no_day_less_another_is_one_of_them(
    company: History,
) -> None:
    """Five arrive, the next day a sixth: the difference of the two days is where that one stands."""
    for n in range(5):
        company.member(f"new{n}", "sales", when=at("2026-04-10"))
    company.member("sixth", "sales", when=at("2026-04-11"))
    company.post("sixth", at("2026-04-11"))
    moves = [m.name for m in company.figure("ladder", "2026-04").definition.measures if "_to_" in m.name]
    for cut in (date(2026, 4, 10), date(2026, 4, 11)):
        told = company.figure("ladder", "2026-04", as_of=cut).company
        assert {told[name] for name in (*moves, "rose", "stayed", "fell")} == {None}
    week = company.figure("ladder", "2026-W15").company
    assert {week[name] for name in moves} == {None}, "nor of a week: a month less its weeks is a day"
    whole = company.figure("ladder", "2026-04").company
    assert (whole["arrived"], whole["new_to_author"], whole["new_to_not_signed_in"]) == (6, 1, 5)
    assert (whole["rose"], whole["stayed"]) == (0, 20)


def test_an_announcement_reaches_its_audience_at_that_moment(company: History) -> None:
    post = company.announce("s0", at("2026-03-02"), audience=("country:SE",))
    company.placed("f0", "shops", when=at("2026-03-03"), country="SE")
    for who in ("s1", "l0", "f0"):
        company.acknowledge(who, post, at("2026-03-10"))
    company.read("s2", post, at("2026-03-11"))
    company.acknowledge("s2", post, at("2026-04-02"))
    told = company.figure("announcement-reach", "2026-03", by=By.UNIT)
    assert told.company["asked"] == 11, "those in the country then, without the author"
    assert (told.company["reached"], told.company["acknowledged"]) == (3, 2)
    assert told.company["acknowledged_share"] == round(2 / 11, 4)
    assert told.of("asked") == {"sales": 11, "lund": 6}
    late = company.figure("announcement-reach", "2026-03", as_of=date(2026, 3, 10)).company
    assert (late["reached"], late["acknowledged"]) == (2, 2)


def test_leaders_take_part_or_not(company: History) -> None:
    for n in range(5):
        company.member(f"b{n}", "sales", roles=(Role.LEADER,))
    company.post("b0", at("2026-03-02"))
    company.react("b1", "p1", at("2026-03-02"))
    told = company.figure("leaders-participation", "2026-03")
    assert (told.company["leaders"], told.company["taking_part"]) == (5, 2)
    assert (told.company["posts"], told.company["reactions"], told.company["taking_part_share"]) == (
        1,
        1,
        0.4,
    )


def test_what_each_language_writes_and_can_read(company: History) -> None:
    company.post("s0", at("2026-03-02"), language="sv")
    company.post("s0", at("2026-03-02"), language="en")
    company.post("f0", at("2026-03-02"), language="fi")
    company.comment("f1", "p1", at("2026-03-02"), language="sv")
    told = company.figure("language-share", "2026-03", by=By.LANGUAGE)
    assert told.of("written") == {"sv": 2, "fi": 2}
    assert told.of("readable_share") == {"sv": 0.3333, "fi": 0.3333}
    assert told.of("own_language_share") == {"sv": 0.5, "fi": 0.5}


def test_what_was_published_counts_for_those_to_whom_it_was_when_it_was_published(company: History) -> None:
    """What is said in closed groups and to one country is not there to read for others, nor is anything for
    staff there for guests."""
    company.member("guest", "shops", kind=Kind.GUEST, country="FI", language="fi")
    for who in ("s0", "s1"):
        company.joined(who, "g1", at("2026-03-01"))
    company.announce("s0", at("2026-03-02"), audience=("country:SE",))
    company.post("s0", at("2026-03-02"), audience=("group:g1",), group="g1", language="en")
    company.post("s0", at("2026-03-02"), audience=("member:f0", "group:g1"), language="fi")
    company.post("f0", at("2026-03-02"), language="fi")
    company.page("f0", at("2026-03-02"))
    company.page("f0", at("2026-03-02"), audience=("unit:lund",))
    company.joined("s2", "g1", at("2026-03-03"))
    told = company.figure("language-share", "2026-03", by=By.LANGUAGE)
    assert told.definition.version == 2
    assert told.of("to_read") == {"sv": 12 + 2 + 2 + 12 + 12 + 6, "fi": 1 + 8 + 8}
    assert told.of("readable") == {"sv": 12 + 12 + 6, "fi": 1 + 8}
    assert told.company["readable_share"] == round(39 / 63, 4)
    before = company.figure("language-share", "2026-03", version=1).company
    assert (before["to_read"], before["readable"]) == (6 * 21, 12 * 3 + 9 * 2), "counted for everybody"


def test_who_moves_is_to_read_what_each_place_was_told_while_they_were_there(company: History) -> None:
    company.placed("s5", "shops", when=at("2026-03-10"))
    for day in ("2026-03-02", "2026-03-20"):
        company.announce("s0", at(day), audience=("unit:sales",))
        company.announce("f0", at(day), audience=("unit:shops",), language="fi")
    company.left("s4", at("2026-03-11"))
    told = company.figure("language-share", "2026-03", by=By.UNIT)
    assert told.of("to_read") == {"sales": 12 + 10 + 1, "lund": 6 + 6, "shops": 8 + 8}
    assert told.of("readable") == {"sales": 12 + 10, "lund": 6 + 6, "shops": 8 + 8}


def test_talk_across_borders_by_hand(company: History) -> None:
    post = company.post("s0", at("2026-03-02"))
    for who in ("s1", "s2", "f0", "l0"):
        company.comment(who, post, at("2026-03-03"))
        company.comment(who, post, at("2026-03-04"))
    company.comment("s3", "nothing-known", at("2026-03-04"), mentions=("f1",))
    company.comment("s0", post, at("2026-03-05"))
    told = company.figure("cross-unit-talk", "2026-03").company
    assert (told["ties"], told["across_units"], told["within_units"]) == (5, 3, 2)
    assert told["ei_units"] == 0.2
    assert (told["across_countries"], told["within_countries"], told["ei_countries"]) == (2, 3, -0.2)


def test_two_islands_are_near_the_extreme_and_nobody_talking_is_no_figure(company: History) -> None:
    assert company.figure("cross-unit-talk", "2026-03").company["ei_units"] is None
    for island in ("s", "f"):
        post = company.post(f"{island}0", at("2026-03-02"))
        for n in range(1, 5):
            company.comment(f"{island}{n}", post, at("2026-03-03"))
    assert company.figure("cross-unit-talk", "2026-03").company["ei_units"] == -1.0


def test_mails_that_were_not_sent(company: History) -> None:
    company.announce("s0", at("2026-03-02"), audience=("unit:sales",))
    for who in ("s0", "s1", "f0"):
        company.joined(who, "g1", at("2026-03-01"))
    company.joined("f1", "g1", at("2026-03-20"))
    company.post("s0", at("2026-03-10"), audience=("group:g1", "staff"), group="g1")
    company.post("s0", at("2026-03-10"))
    told = company.figure("mails-replaced", "2026-03").company
    assert (told["announcements"], told["group_posts"], told["deliveries"]) == (1, 1, 11 + 2)
    assert (told["announced"], told["in_groups"]) == (11, 2)
    assert told["hours"] == round(13 * 64 / 3600, 2)


def test_an_announcement_to_an_office_reaches_those_who_are_placed_there(company: History) -> None:
    for n in range(6):
        company.placed(f"s{n}", "sales", when=at("2026-03-01"), office="malmo-1")
    company.placed("l0", "sales", "lund", when=at("2026-03-01"), office="malmo-1")
    company.placed("l0", "sales", "lund", when=at("2026-03-02"), office="lund-1")
    post = company.announce("s0", at("2026-03-03"), audience=("office:malmo-1",))
    company.acknowledge("s1", post, at("2026-03-03"))
    reach = company.figure("announcement-reach", "2026-03").company
    assert (reach["asked"], reach["reached"], reach["acknowledged"]) == (5, 1, 1)
    assert company.figure("mails-replaced", "2026-03").company["deliveries"] == 5


def test_whom_an_audience_reaches_is_whoever_holds_its_token(company: History) -> None:
    """Identity leaves the country of the registration to those who are placed elsewhere, until they are moved
    on from it; figures of a country count them where they are placed."""
    places = [Place(), Place(country="NO", office="oslo"), Place(country="SE"), Place(country="FI"), Place()]
    for day, (before, place) in enumerate(pairwise(places), 2):
        how: dict[str, Any] = {"country": place.country, "office": place.office, "before": before}
        company.placed("s0", *place.units, when=at(f"2026-03-0{day}"), **how)
    facts, held = People(Facts(company.events).steps), set[str]()
    for told in (each for each in company.events if each.stream == "member-s0"):
        event = told.event()
        assert isinstance(event, MemberRegistered | MemberPlaced)
        for change in event.token_changes():
            held = (held | change.grant) - change.revoke
        state = facts.at("s0", seconds(told.recorded_utc))
        asked = {f"country:{code}" for code in ("SE", "NO", "FI")} | {"office:oslo", "language:sv", "staff"}
        assert {token for token in asked if state.holds(token)} == held & asked, event
        assert all(state.holds(token) for token in state.tokens) and held & asked <= set(state.tokens)


def test_who_moved_is_listed_where_the_figure_counts_them(company: History) -> None:
    """A figure of people has each in one place a period; of acts, each where it was done."""
    for day in ("2026-03-02", "2026-03-20"):
        company.post("s0", at(day))
    company.placed("s0", "shops", when=at("2026-03-10"))
    company.post("f0", at("2026-03-03"))
    facts = Facts(company.events)
    for name in ("monthly-contributors", "ladder", "monthly-active-members"):
        authors = {unit: facts.listed(name, "2026-03", By.UNIT, (unit,)) for unit in ("sales", "shops")}
        assert authors == {"sales": {"s0"}, "shops": {"f0"}}, name
    assert facts.told("monthly-contributors", "2026-03", by=By.UNIT).of("contributors") == {
        "sales": 1,
        "lund": 0,
        "shops": 1,
    }
    assert facts.listed("posts-and-comments", "2026-03", By.UNIT, ("shops",)) == {"s0", "f0"}
    assert facts.told("posts-and-comments", "2026-03", by=By.UNIT).of("posts")["shops"] == 2


def test_those_leaders_are_listed_who_are_counted_as_such(company: History) -> None:
    for n in range(5):
        company.member(f"b{n}", "sales", roles=(Role.LEADER,))
    company.trusted("s0", Role.LEADER, when=at("2026-03-10"))
    company.trusted("b0", when=at("2026-03-10"), before=(Role.LEADER,))
    for who in ("s0", "b0", "b1", "stranger"):
        company.post(who, at("2026-03-20"))
    company.react("passing", "p1", at("2026-03-20"))
    facts = Facts(company.events)
    told = facts.told("leaders-participation", "2026-03").company
    assert facts.listed("leaders-participation", "2026-03") == {"b0", "b1"} and told["taking_part"] == 2
    assert facts.listed("leaders-participation", "2026-04") == set()
    assert "stranger" not in facts.listed("ladder", "2026-03"), "who is no member stands on no rung"
    assert facts.listed("monthly-contributors", "2026-03") == {"s0", "b0", "b1", "stranger"}


def test_an_announcement_that_is_in_no_figure_is_not_listed_behind_one(company: History) -> None:
    for n in range(4):
        company.joined(f"s{n}", "few", at("2026-02-01"))
    company.announce("s0", at("2026-03-04"), audience=("group:few",))
    company.announce("f0", at("2026-03-04"), audience=("staff",))
    facts = Facts(company.events)
    assert facts.told("announcement-reach", "2026-03").company["announcements"] == 1
    assert facts.listed("announcement-reach", "2026-03") == {"f0"}
    assert facts.listed("mails-replaced", "2026-03") == {"s0", "f0"}


def test_nothing_is_found_where_nothing_was_planted(company: History) -> None:
    for definition in DEFINITIONS:
        told = company.figure(definition.name, "2026-05", version=definition.version)
        quiet = {
            "members",
            "passive",
            "passive_share",
            "not_signed_in",
            "stayed",
            "not_signed_in_to_not_signed_in",
        }
        found = {name: value for name, value in told.company.items() if value and name not in quiet}
        assert not found, (definition.name, found)


def test_every_definition_says_what_it_is() -> None:
    for each in DEFINITIONS:
        assert all((each.title, each.words, each.formula, each.source, each.measures, each.kinds)), each.name
        assert bool(each.changed) == (each.version > 1)
        names = [measure.name for measure in each.columns]
        assert len(names) == len(set(names))
