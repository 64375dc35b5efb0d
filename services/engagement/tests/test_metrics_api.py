"""Figures over HTTP on real engines: what is told to whom, what is refused, and that a replay "
"changes nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from contracts.identity import Kind, MemberPlaced, Place, Role
from services.engagement import projections
from services.engagement.assembly import assemble
from services.engagement.factbook import Factbook
from services.engagement.figures import Figures
from services.engagement.metrics import DEFINITIONS
from services.engagement.metrics.periods import named
from services.engagement.tests.history import History, appended, at
from shared.kernel.events import Occasion
from shared.runtime.codec import PARTITIONS
from shared.runtime.ids import new_id
from shared.runtime.keys import MasterKey
from shared.runtime.relay import Lane, Relay
from shared.runtime.service import mongo_client
from shared.runtime.settings import Settings
from shared.runtime.store import EventStore
from shared.runtime.topics import Topics
from shared.runtime.viewing import Viewing
from shared.tests.company import Company, Doorkeeper, House, Sealer, identity, refused
from shared.tests.eventually import eventually
from shared.tests.rooms import drop_all, serving, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]

#: Those who ask; the others of the company do not sign in here.
ASKERS: Company = {
    "ann": (Kind.STAFF, ()),
    "lea": (Kind.STAFF, (Role.LEADER,)),
    "bea": (Kind.STAFF, (Role.BOARD,)),
    "gil": (Kind.GUEST, ()),
}
#: By service: what is told of.
TOPICS = {
    "feed": "feed.events",
    "wiki": "wiki.events",
    "groups": "groups.events",
    "identity": "identity.events",
}


def planted() -> History:
    """A year: ten in sales of whom five in Lund, three in shops and two in the yard; sales posts "
    "each month."""
    history = History()
    begin = at("2025-01-10")
    history.founded("sales", "Sales", when=begin)
    history.founded("lund", "Lund", "sales", "lund", when=begin)
    history.founded("shops", "Shops", when=begin)
    history.staff(5, "sales", prefix="s", when=begin)
    history.staff(5, "sales", "lund", prefix="l", when=begin)
    history.staff(3, "shops", prefix="f", country="FI", language="fi", when=begin)
    history.staff(2, "yard", prefix="y", country="FI", language="fi", when=begin)
    history.renamed("lund", "Lund and Malmö", at("2025-09-01"))
    for month in range(1, 13):
        for n in range(5):
            post = history.post(f"s{n}", at(f"2025-{month:02d}-{15 + n}"))
            history.comment(f"l{n % (1 + month % 5)}", post, at(f"2025-{month:02d}-2{n}"))
    history.page("l4", at("2025-03-10"), known=at("2025-08-01"))
    hidden = ("group:hidden",)
    history.started("s0", "hidden", at("2025-06-02"), audience=hidden)
    history.post("s0", at("2025-06-03"), post_id="shut", audience=hidden, group="hidden")
    history.comment("s1", "shut", at("2025-06-04"), comment_id="answer", audience=hidden)
    history.react("s1", "shut", at("2025-06-05"))
    history.page("s1", at("2025-06-06"), page_id="closed", audience=hidden)
    return history


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    mongo_uri: str, kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """Up, with the year in its log, each event recorded when it happened."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        home = tmp_path_factory.mktemp("figures")
        settings = settings_for(mongo_uri, kafka_bootstrap, home, monkeypatch)
        MasterKey.create(settings.master_key_path)
        async with identity(settings, ASKERS) as members:
            await _told(settings, planted(), members)
            placed = MemberPlaced(member_id="lea", place=Place(units=("sales", "lund")), place_before=Place())
            await members.append("member-lea", 2, [placed], Occasion("bea", new_id()))
            service = assemble(settings, Doorkeeper(ASKERS))
            async with serving(service):
                transport = httpx.ASGITransport(service.http)
                async with httpx.AsyncClient(transport=transport, base_url="http://e", timeout=60) as client:
                    house = House(service, client, members)
                    await eventually(lambda: _complete(house))
                    yield house
        drop_all(settings)


async def _complete(house: House) -> bool:
    asked = await asyncio.gather(*(house.ask(who, "GET", "/figures/mine") for who in ASKERS))
    told = [answer.json().get("complete_up_to", {}) for answer in asked]
    return all(each.get("recorded_at") and not each["behind"] for each in told)


async def _covered(house: House) -> bool:
    """Whether every view has saved all that the log holds: then no look finds it behind any more."""
    ends = await house.service.ends()
    for viewing in _facts(house):
        assert viewing.views.generation is not None
        saved = await house.service.registry.offsets(viewing.views.generation.name)
        mine = {key: end for key, end in ends.items() if key.rpartition("/")[0] in viewing.topic_ids}
        if any(saved.get(key, 0) < end for key, end in mine.items()):
            return False
    return await _complete(house)


def _facts(house: House) -> list[Viewing[Any]]:
    views = house.service.viewings
    return [views[name] for name in views if name.startswith("engagement.") and name != "engagement.tokens"]


async def _told(settings: Settings, history: History, members: EventStore) -> None:
    """Through stores and relays, as in life; only the clock that records is set."""
    client, topics = mongo_client(settings), Topics(settings.kafka, settings.namespace)
    try:
        await topics.ensure([f"{service}.{kind}" for service in TOPICS for kind in ("events", "private")])
        for service in ("feed", "wiki", "groups"):
            database = client[settings.named(service)]
            store = EventStore(service, database, Sealer())
            await store.prepare()
            await appended(store, history, TOPICS[service])
            names = [f"{service}.events", f"{service}.private"]
            relay = Relay(service, database, topics, settings.kafka, names, Lane(0, tuple(range(PARTITIONS))))
            running = asyncio.create_task(relay.run())
            await relay.drained()
            await relay.stop()
            await running
            await store.queue.close()
        await appended(members, history, TOPICS["identity"])
    finally:
        await topics.close()
        await client.close()


async def get(house: House, who: str, path: str, **params: Any) -> Any:
    answer = await house.ask(who, "GET", path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_definitions_are_listed_with_when_it_all_began(house: House) -> None:
    told = await get(house, "ann", "/figures")
    assert told["begins"] == "2025-01-10" and told["floor"] == 5 and told["time_zone"] == "UTC"
    names = {(each["name"], each["version"], each["in_force"]) for each in told["items"]}
    assert {("monthly-active-members", 1, True), ("monthly-active-members", 2, False)} <= names


async def test_a_series_tells_the_company_and_its_groups_as_far_as_they_may_be_told(house: House) -> None:
    told = await get(
        house, "ann", "/figures/monthly-contributors", **{"from": "2025-02", "to": "2025-12", "by": "unit"}
    )
    assert told["metric"]["version"] == 1 and told["complete_up_to"]["recorded_at"]
    assert [each["period"] for each in told["periods"]] == [f"2025-{month:02d}" for month in range(2, 13)]
    march = told["periods"][1]
    assert march["values"]["contributors"] == 10 and march["complete"] is True
    groups = {each["group"]: each for each in march["groups"]}
    assert groups["unit:sales"]["values"]["contributors"] == 10
    assert groups["unit:shops"] == {"group": "unit:shops", "hidden": True, "people": None, "values": None}
    assert groups["unit:lund"]["values"]["contributors"] == 5
    names = {each["group"]: each["name"] for each in told["groups"]}
    assert names["unit:lund"] == "Lund and Malmö"


async def test_a_unit_is_called_as_it_was_on_the_day_that_is_asked_for(house: House) -> None:
    told = await get(house, "ann", "/figures/posts-and-comments", by="unit", as_of="2025-06-30")
    assert {each["group"]: each["name"] for each in told["groups"]}["unit:lund"] == "Lund"
    assert [each["period"] for each in told["periods"]] == [f"2025-{month:02d}" for month in range(1, 7)]


async def test_what_a_figure_counts_is_listed_under_the_name_that_the_figure_has(house: House) -> None:
    """Renamed in September."""
    path = "/figures/posts-and-comments"
    for days, name in (
        ({}, "Lund and Malmö"),
        ({"as_of": "2025-09-01"}, "Lund and Malmö"),
        ({"as_of": "2025-08-31"}, "Lund"),
        ({"known_on": "2025-08-31"}, "Lund"),
    ):
        told = await get(house, "bea", path, group="unit:lund", **days)
        listed = await get(house, "bea", f"{path}/events", group="unit:lund", period="2025-03", **days)
        assert (told["groups"][0]["name"], listed["group_name"]) == (name, name), days


async def test_fewer_groups_can_be_asked_for_and_are_told_as_all_are(house: House) -> None:
    path, days = "/figures/posts-and-comments", {"from": "2025-02", "to": "2025-12"}
    whole = await get(house, "ann", path, by="unit", **days)
    assert all(len(each["groups"]) == 4 for each in whole["periods"])
    for name in ("unit:lund", "unit:shops"):
        one = await get(house, "ann", path, group=name, **days)
        assert one == await get(house, "ann", path, group=name, by="unit", **days)
        expected = [
            [each for each in period["groups"] if each["group"] == name] for period in whole["periods"]
        ]
        assert [period["groups"] for period in one["periods"]] == expected, "hidden where it is hidden"
        assert {len(groups) for groups in expected} == {1}
        assert one["groups"] == [each for each in whole["groups"] if each["group"] == name]
        assert [each["values"] for each in one["periods"]] == [each["values"] for each in whole["periods"]]
    last = await get(house, "ann", path, by="unit", groups="last", as_of="2025-12-15", **days)
    told = {each["period"]: each["groups"] for each in last["periods"]}
    assert told.pop("2025-11") == whole["periods"][9]["groups"], "December is not over then"
    assert set(map(len, told.values())) == {0}
    refused(await house.ask("ann", "GET", path, params={"group": "lund"}), 422, "no-such-group-name")


async def test_a_group_that_there_is_not_is_refused_and_one_without_anybody_is_not(house: House) -> None:
    """The yard was never founded here: people are in it."""
    path = "/figures/posts-and-comments"
    for name in ("unit:nowhere", "country:XX", "country:se", "language:zz"):
        answer = await house.ask("ann", "GET", path, params={"group": name})
        assert refused(answer, 404, "no-such-group")["field"] == "group", name
    for name in ("unit:yard", "unit:unknown", "country:BR", "language:pt-BR"):
        told = await get(house, "ann", path, group=name)
        assert {each["group"] for each in told["groups"]} <= {name}
    assert (await get(house, "ann", path, group="country:BR"))["groups"] == []


async def test_as_of_cuts_the_period_that_holds_the_day(house: House) -> None:
    told = await get(house, "ann", "/figures/posts-and-comments", as_of="2025-06-16", **{"from": "2025-06"})
    (june,) = told["periods"]
    assert (june["last"], june["complete"], june["values"]["posts"]) == ("2025-06-16", False, 3)


async def test_figures_are_told_as_they_were_known_on_a_day(house: House) -> None:
    """One page of March was recorded in August."""
    counts = {}
    for known_on in ("2025-03-31", "2025-07-31", "2025-08-01"):
        told = await get(
            house,
            "ann",
            "/figures/monthly-contributors",
            **{"from": "2025-03", "to": "2025-03"},
            known_on=known_on,
        )
        (march,) = told["periods"]
        counts[known_on] = march["values"]["contributors"]
        assert (told["known_on"], told["as_of"], march["complete"]) == (known_on, known_on, True)
    assert counts == {"2025-03-31": 9, "2025-07-31": 9, "2025-08-01": 10}


async def test_what_was_known_on_a_day_does_not_tell_of_later_ones(house: House) -> None:
    path = "/figures/monthly-contributors"
    told = await get(house, "ann", path, known_on="2025-06-16", as_of="2025-12-31", **{"from": "2025-05"})
    assert [(each["period"], each["last"], each["complete"]) for each in told["periods"]] == [
        ("2025-05", "2025-05-31", True),
        ("2025-06", "2025-06-16", False),
    ]
    assert (told["to"], told["as_of"]) == ("2025-06-16", "2025-06-16")
    both = await get(house, "ann", "/figures/monthly-active-members/versions", known_on="2025-06-16")
    assert [each["complete"] for each in both["periods"]] == [True] * 5 + [False]
    late = await house.ask("ann", "GET", path, params={"known_on": "2025-06-16", "from": "2025-07"})
    assert refused(late, 422, "after-known-on")["field"] == "from"
    behind = {"known_on": "2025-06-16", "period": "2025-07"}
    listed = await house.ask("bea", "GET", f"{path}/events", params=behind)
    assert refused(listed, 422, "after-known-on")["field"] == "period"


async def test_days_and_weeks_add_up_to_the_month(house: House) -> None:
    days = await get(
        house, "ann", "/figures/posts-and-comments", every="day", **{"from": "2025-05", "to": "2025-05"}
    )
    assert len(days["periods"]) == 31
    assert sum(each["values"]["posts"] for each in days["periods"]) == 5
    weeks = await get(
        house,
        "ann",
        "/figures/posts-and-comments",
        every="week",
        **{"from": "2025-05-12", "to": "2025-05-25"},
    )
    assert [each["period"] for each in weeks["periods"]] == ["2025-W20", "2025-W21"]


async def test_days_name_periods_which_are_told_whole_as_the_answer_says(house: House) -> None:
    path, days = "/figures/posts-and-comments", {"from": "2025-03-17", "to": "2025-05-03"}
    told = await get(house, "ann", path, **days)
    assert (told["from"], told["to"]) == ("2025-03-01", "2025-05-31")
    assert [each["values"]["posts"] for each in told["periods"]] == [5, 5, 5], "none is cut"
    assert {each["complete"] for each in told["periods"]} == {True}
    assert told == await get(house, "ann", path, **{"from": "2025-03", "to": "2025-05"})
    both = await get(house, "ann", "/figures/monthly-active-members/versions", **days)
    assert (both["from"], both["to"]) == ("2025-03-01", "2025-05-31")
    cut = await get(house, "ann", path, **days, as_of="2025-05-16")
    assert (cut["to"], cut["periods"][-1]["last"]) == ("2025-05-16", "2025-05-16")


async def test_csv_by_name_or_by_accept(house: House) -> None:
    by_name = await house.ask(
        "ann", "GET", "/figures/posts-and-comments", params={"format": "csv", "by": "unit", "to": "2025-12"}
    )
    by_accept = await house.ask(
        "ann",
        "GET",
        "/figures/posts-and-comments",
        params={"by": "unit", "to": "2025-12"},
        headers={"Accept": "text/csv"},
    )
    assert by_name.text == by_accept.text and by_name.headers["content-type"].startswith("text/csv")
    lines = by_name.text.splitlines()
    assert lines[0].startswith("period,first,last,complete,group,hidden,people,posts,announcements,comments")
    assert "2025-12,2025-12-01,2025-12-31,true,unit:shops,true,,,,,,," in lines


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ({"version": 1, "as_of": "2025-11-30"}, "v1-as-of-2025-11-30"),
        ({"version": 2, "as_of": "2025-11-30"}, "v2-as-of-2025-11-30"),
        ({"as_of": "2025-10", "known_on": "2025-11"}, "v1-as-of-2025-10-31-known-on-2025-11-30"),
    ],
)
async def test_a_file_is_called_after_what_its_lines_do_not_say(house: House, asked: Json, name: str) -> None:
    path = "/figures/monthly-active-members"
    answer = await house.ask("ann", "GET", path, params={"format": "csv", **asked})
    expected = f'attachment; filename="monthly-active-members-{name}.csv"'
    assert answer.headers["content-disposition"] == expected


async def test_two_versions_stand_beside_each_other_and_the_difference_is_explained(house: House) -> None:
    told = await get(
        house, "ann", "/figures/monthly-active-members/versions", **{"from": "2025-01", "to": "2025-12"}
    )
    assert (told["older"]["version"], told["newer"]["version"]) == (1, 2) and told["changed"]
    for each in told["periods"]:
        assert each["difference"]["active"] == -each["explained"]
        assert each["older"]["active"] - each["newer"]["active"] == each["explained"] > 0
    refused(await house.ask("ann", "GET", "/figures/ladder/versions"), 422, "nothing-to-compare")


async def test_what_a_figure_counts_is_listed_for_the_board_page_by_page(house: House) -> None:
    seen: list[Any] = []
    cursor = None
    while True:
        params = {"period": "2025-03", "limit": 4} | ({"cursor": cursor} if cursor else {})
        page = await get(house, "bea", "/figures/posts-and-comments/events", **params)
        seen += page["items"]
        if (cursor := page["next"]) is None:
            break
    assert len(seen) == 11 and seen == sorted(seen, key=lambda each: each["at"])
    assert (seen[0]["member_id"], seen[0]["kind"]) == ("l4", "page-started")
    assert seen[0]["event"]["version"] == 1 and seen[0]["recorded_at"].startswith("2025-08-01")
    sales = await get(house, "bea", "/figures/posts-and-comments/events", period="2025-03", group="unit:lund")
    assert {each["member_id"] for each in sales["items"]} == {"l0", "l1", "l2", "l3", "l4"}


@pytest.mark.parametrize(
    ("metric", "first", "before"),
    [
        ("posts-and-comments", "2025-01", "2024-12"),
        ("weekly-active-members", "2025-W02", "2025-W01"),
        ("posts-and-comments", "2025-01-10", "2025-01-09"),
    ],
)
async def test_the_first_period_is_listed_though_all_began_within_it(
    house: House, metric: str, first: str, before: str
) -> None:
    listed = await get(house, "bea", f"/figures/{metric}/events", period=first, limit=100)
    assert (listed["period"], bool(listed["items"])) == (first, first == "2025-01")
    answer = await house.ask("bea", "GET", f"/figures/{metric}/events", params={"period": before})
    refused(answer, 422, "before-the-beginning")


async def test_nobody_is_listed_what_was_done_where_they_may_not_be(house: House) -> None:
    """Not even that it was done: neither in a closed group nor on a page for others."""
    listed = await get(house, "bea", "/figures/posts-and-comments/events", period="2025-06", limit=100)
    streams = {each["event"]["stream"] for each in listed["items"]}
    assert streams.isdisjoint({"post-shut", "comment-answer", "page-closed"})
    assert len(streams) == 10, "five posts and five answers to all"
    whole = await get(house, "bea", "/figures/posts-and-comments", **{"from": "2025-06", "to": "2025-06"})
    assert whole["periods"][0]["values"]["posts"] == 6, "and counted it is"
    started = await get(house, "bea", "/figures/ladder/events", period="2025-06", limit=100)
    assert {each["event"]["stream"] for each in started["items"]}.isdisjoint({"group-hidden", "space-hidden"})
    # Who confirmed an announcement, and so who did not: its sender and editors are told, by the feed.
    assert "reaction" in started["kinds"] and "acknowledgement" not in started["kinds"]


async def test_where_nothing_may_be_listed_the_answer_says_so_in_words(house: House) -> None:
    """As of a unit that talks among itself: what it does counts, and is listed to nobody else."""
    day, unit = "2025-06-03", "unit:sales"
    figure = await get(house, "bea", "/figures/posts-and-comments", every="day", **{"from": day, "to": day})
    assert figure["periods"][0]["values"]["posts"] == 1
    path = "/figures/posts-and-comments/events"
    listed = await get(house, "bea", path, period=day, group=unit)
    assert (listed["items"], listed["next"], listed["never_listed"]) == ([], None, [])
    assert listed["words"].startswith("Nothing that you may see was counted here.")
    assert "closed groups" in listed["words"] and "nobody" not in listed["words"]
    never = await get(house, "bea", path, period="2025-01-12")
    assert never["words"] == listed["words"], "nor does it tell whether something was done that is left out"
    some = await get(house, "bea", "/figures/ladder/events", period="2025-06", limit=2)
    more = await get(house, "bea", "/figures/ladder/events", period="2025-06", cursor=some["next"])
    for each in (some, more):
        assert each["words"].startswith("Listed is what you may see.")
        assert "opened, read" in each["words"] and "acknowledgement" in each["never_listed"]


async def test_leaders_see_what_counts_in_their_own_unit_and_nobody_else_does(house: House) -> None:
    path = "/figures/posts-and-comments/events"
    mine = await house.ask("lea", "GET", path, params={"period": "2025-03", "group": "unit:lund"})
    assert mine.status_code == 200, mine.text
    for who, group in (
        ("lea", "unit:sales"),
        ("lea", None),
        ("lea", "country:SE"),
        ("ann", "unit:lund"),
        ("ann", None),
    ):
        params = {"period": "2025-03"} | ({"group": group} if group else {})
        refused(await house.ask(who, "GET", path, params=params), 403, "may-not-list-counted-events")
    refused(
        await house.ask("bea", "GET", path, params={"period": "2025-03", "group": "unit:shops"}),
        404,
        "no-such-group",
    )


@pytest.mark.parametrize(
    ("who", "company", "units"),
    [("bea", True, {"unit:sales", "unit:lund"}), ("lea", False, {"unit:lund"}), ("ann", False, set())],
)
async def test_a_series_says_whose_counted_events_the_asker_may_list(
    house: House, who: str, company: bool, units: set[str]
) -> None:
    told = await get(house, who, "/figures/posts-and-comments", by="unit")
    listed = {each["group"] for each in told["groups"] if each["may_list"]}
    assert (told["may_list"], listed & {"unit:sales", "unit:lund"}) == (company, units)
    countries = await get(house, who, "/figures/posts-and-comments", by="country")
    assert {each["may_list"] for each in countries["groups"]} == {company}


async def test_my_own_figures_are_mine(house: House) -> None:
    told = await get(house, "gil", "/figures/mine")
    assert told["member_id"] == "gil" and all(each["acts"] == {} for each in told["periods"])
    assert told["periods"][-1]["rung"] == "not_signed_in"


async def test_my_own_figures_begin_with_me_and_end_today(house: House) -> None:
    """Who asks was registered with this test's company, those of the year before are told of ten years on."""
    today = datetime.now(UTC).date()
    for first in (f"{today.year - 3}-01", "0001-01-01"):
        told = await get(house, "ann", "/figures/mine", **{"from": first, "to": "9999-12-31"})
        assert told["from"] == f"{today:%Y-%m}-01" and told["begins"][:7] == f"{today:%Y-%m}"
        (month,) = told["periods"]
        assert (month["period"], month["last"]) == (f"{today:%Y-%m}", today.isoformat()) and told[
            "to"
        ] == month["last"]
    for before in ("2016-01", "0001-01-01"):
        answer = await house.ask("ann", "GET", "/figures/mine", params={"to": before})
        assert refused(answer, 422, "before-the-beginning")["params"] == {"first": told["begins"]}


async def test_what_i_did_before_i_was_registered_is_mine_too(house: House) -> None:
    """As authors of a handbook that was brought in did."""
    page = History()
    page.page("lea", at("2025-12-28"), page_id="older", known=datetime.now(UTC).replace(microsecond=0))
    await _told(house.service.settings, page, house.identity)

    async def begins() -> bool:
        told = await get(house, "lea", "/figures/mine", **{"from": "0001-01-01"})
        return bool(told["begins"] == "2025-12-28" and told["from"] == "2025-12-01")

    await eventually(begins)


async def test_guests_are_told_no_figures(house: House) -> None:
    for path in ("/figures", "/figures/ladder", "/figures/monthly-active-members/versions"):
        refused(await house.ask("gil", "GET", path), 403, "may-not-read-metrics")


async def test_what_cannot_be_answered_is_refused_in_words(house: House) -> None:
    tomorrow = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()
    path = "/figures/monthly-contributors"
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"to": "1999-12"}, 422, "before-the-beginning"),
        ({"as_of": "2025-01-09"}, 422, "before-the-beginning"),
        ({"as_of": tomorrow}, 422, "in-the-future"),
        ({"known_on": tomorrow}, 422, "in-the-future"),
        ({"known_on": "2015-01-01"}, 422, "before-the-beginning"),
        ({"from": "2100-01"}, 422, "in-the-future"),
        ({"from": "2025-06", "to": "2025-05"}, 422, "from-after-to"),
        ({"by": "shoe-size"}, 422, "no-such-dimension"),
        ({"by": "role", "group": "unit:sales"}, 422, "no-such-dimension"),
        ({"by": "country", "group": "unit:sales"}, 422, "by-not-of-group"),
        ({"every": "fortnight"}, 422, "no-such-period-length"),
        ({"from": "yesterday"}, 422, "no-such-day"),
        ({"from": "2025-02-30"}, 422, "no-such-day"),
        ({"as_of": "0001-01-01"}, 422, "before-the-beginning"),
        ({"as_of": "9999-12-31"}, 422, "in-the-future"),
        ({"from": "2025-06-11", "as_of": "2025-06-10"}, 422, "after-as-of"),
        ({"form": "2025-06"}, 422, "no-such-parameter"),
        ({"by": ["unit", "country"]}, 422, "parameter-twice"),
        ({"version": 9}, 404, "no-such-metric-version"),
    ]
    for params, status, code in cases:
        answer = await house.ask("ann", "GET", path, params=params)
        problem = refused(answer, status, code)
        assert problem["detail"] and (status == 404 or problem["field"]), problem
    refused(await house.ask("ann", "GET", "/figures/happiness"), 404, "no-such-metric")
    many = {"from": "2025-01", "every": "day", "to": "2026-10"}
    refused(await house.ask("ann", "GET", path, params=many), 422, "too-many-periods")
    begin = refused(
        await house.ask("ann", "GET", path, params={"to": "1999-12"}), 422, "before-the-beginning"
    )
    assert begin["params"] == {"first": "2025-01-10"}
    for period, code in (
        ("2025-13", "no-such-period"),
        ("soon", "no-such-period"),
        ("20250301xx", "no-such-period"),
        ("2025-W1", "no-such-period"),
        ("2999-01", "in-the-future"),
        ("0001-01", "before-the-beginning"),
    ):
        answer = await house.ask("bea", "GET", f"{path}/events", params={"period": period})
        assert refused(answer, 422, code)["field"] == "period"
    later = await house.ask("bea", "GET", f"{path}/events", params={"period": "2025-07", "as_of": "2025-06"})
    assert refused(later, 422, "after-as-of")["field"] == "period"
    bad = await house.ask("bea", "GET", f"{path}/events", params={"period": "2025-03", "group": "sales"})
    refused(bad, 422, "no-such-group-name")


async def test_a_first_day_before_the_beginning_begins_there_and_a_last_day_ahead_is_today(
    house: House,
) -> None:
    told = await get(house, "ann", "/figures/ladder", **{"from": "1990-01", "to": "2990-01"})
    assert told["from"] == "2025-01-01" and told["begins"] == "2025-01-10"
    assert told["to"] == told["as_of"] == datetime.now(UTC).date().isoformat()
    assert told["periods"][-1]["complete"] is False


async def test_what_comes_late_corrects_the_figure_of_its_month_that_was_told_already(house: House) -> None:
    async def contributors() -> int:
        told = await get(
            house, "ann", "/figures/monthly-contributors", **{"from": "2025-04", "to": "2025-04"}, by="unit"
        )
        return int(told["periods"][0]["values"]["contributors"])

    before = await contributors()
    assert await contributors() == before, "from what was kept"
    late = History()
    late.page("f0", at("2025-04-10"), page_id="late", known=datetime.now(UTC).replace(microsecond=0))
    await _told(house.service.settings, late, house.identity)

    async def corrected() -> bool:
        return await contributors() == before + 1

    await eventually(corrected)


async def test_a_figure_is_not_kept_while_something_that_was_answered_is_not_there_yet(house: House) -> None:
    """A post of another month, on another partition: nothing that the month itself has seen tells of it."""
    views = house.service.views(projections.items)
    await eventually(lambda: _covered(house))

    async def ties() -> int:
        days = {"from": "2025-05", "to": "2025-05"}
        told = await get(house, "ann", "/figures/cross-unit-talk", **days)
        return int(told["periods"][0]["values"]["ties"])

    whole = await ties()
    comment = await house.service.views(projections.activity).get("l0:2025-05")
    assert comment is not None
    answered = comment.facts[0][4]
    waiting = await views.collection.find_one_and_delete({"_id": answered})
    assert waiting is not None
    await house.service.database["figures"].drop()
    try:
        assert await ties() == whole - 1
    finally:
        await views.collection.insert_one(waiting)
    assert await ties() == whole


async def _answers(house: House) -> list[bytes]:
    """Every version of every metric by unit, as of twelve month-ends; to the byte."""
    told = []
    names = [(each["name"], each["version"]) for each in (await get(house, "ann", "/figures"))["items"]]
    for month in range(1, 13):
        end = (date(2025, month, 28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        for name, version in names:
            params: Json = {"as_of": end.isoformat(), "version": version, "by": "unit"}
            answer = await house.ask("ann", "GET", f"/figures/{name}", params=params)
            assert answer.status_code == 200, answer.text
            told.append(answer.content)
    return told


@pytest.mark.timeout(300)
async def test_figures_ahead_give_way_to_what_waits_to_be_counted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One at a time, so that there is an end of them also where something waits at every look."""
    await eventually(lambda: _covered(house))
    figures, month = figures_of(house), named("2025-04")
    await house.service.database["figures"].delete_many({"_id": {"$regex": "[|]2025-04[|]"}})
    ledger, today = await figures.book.ledger(), datetime.now(UTC).date()
    with monkeypatch.context() as busy:
        busy.setattr(figures.book, "caught_up", lambda: False)
        assert await figures.keep(DEFINITIONS, month, today, ledger) == (1, False)
    assert (await figures.keep(DEFINITIONS, month, today, ledger)).whole
    assert await figures.keep(DEFINITIONS, month, today, ledger) == (0, True)


async def test_a_month_stays_in_hand_until_something_changes_in_it(house: House) -> None:
    await eventually(lambda: _covered(house))
    book = figures_of(house).book
    ledger = await book.ledger()
    facts = await book.acts(ledger, "2025-04")
    assert facts and await book.acts(ledger, "2025-04") is facts
    month = ledger.activity["2025-04"]
    changes = month.changes._replace(times=month.changes.times + 1)
    changed = replace(ledger, activity={**ledger.activity, "2025-04": replace(month, changes=changes)})
    again = await book.acts(changed, "2025-04")
    assert again is not facts and again == facts
    assert await book.acts(ledger, "2031-01") == {}


def figures_of(house: House) -> Figures:
    """Of the same views, with nothing in hand yet."""
    names = ("activity", "people", "items", "units")
    viewings = [house.service.viewings[f"engagement.{name}"] for name in names]
    return Figures(Factbook(house.service.registry, *viewings), house.service.database)


async def test_every_view_dropped_and_replayed_gives_the_same_answers_to_the_byte(house: House) -> None:
    await eventually(lambda: _covered(house))
    before = await _answers(house)
    assert len(set(before)) > 100, "they tell of something"
    facts = _facts(house)
    old = {viewing.name: viewing.views.generation for viewing in facts}
    for viewing in facts:
        await viewing.rebuild()

    async def replayed() -> bool:
        return all(v.views.generation != old[v.name] for v in facts)

    await eventually(replayed, within=200)
    for generation in old.values():
        assert generation is not None
        await house.service.registry.drop(generation.name)
    await house.service.database["figures"].drop()
    await eventually(lambda: _covered(house))
    after = await _answers(house)
    for one, other in zip(before, after, strict=True):
        then, now = json.loads(one), json.loads(other)
        assert {name: now[name] for name in now if now[name] != then[name]} == {}
    assert after == before
