"""A coach's list over HTTP on real engines: who is told names, where, for what; that it is written down
first; and what those who are named see of it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from contracts.engagement import ConsentChanged, Naming
from contracts.identity import MemberDeactivated, MemberPlaced, Place
from services.engagement.domain.coaching import MOST_LISTED
from services.engagement.domain.consents import consent_stream
from services.engagement.domain.policies import ChangePolicy
from services.engagement.domain.policies import policies as decide_policies
from services.engagement.domain.visibility import ChangeVisibility, visibilities
from services.engagement.tests.coached import MANY, NOW, WHO, Coached, coached
from services.engagement.tests.history import History, appended
from shared.kernel.events import Occasion
from shared.runtime.ids import new_id
from shared.tests.company import refused
from shared.tests.eventually import eventually
from shared.tests.rooms import drop_all, settings_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]
NOBODY_COMES = "Nobody of us has heard of them since spring."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    mongo_uri: str, kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Coached]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        settings = settings_for(mongo_uri, kafka_bootstrap, tmp_path_factory.mktemp("coached"), monkeypatch)
        async with coached(settings) as world:
            yield world
        drop_all(settings)


async def decided(world: Coached, country: str, naming: str, who: str = "bea") -> httpx.Response:
    new = {"naming": naming, "reason": "Agreed with the works council."}
    answer = await world.ask(who, "PUT", f"/coaching/policies/{country}", json=new)
    assert answer.status_code == 200, answer.text
    return answer


async def opened(world: Coached, *countries: str) -> None:
    for country in countries:
        await decided(world, country, "names-to-coaches")


def wish(country: str, **more: Any) -> Json:
    return {"country": country, "purpose": "help-to-start", "note": NOBODY_COMES, **more}


async def shown(world: Coached, country: str, who: str = "cia", **more: Any) -> tuple[str, Json]:
    """The list's id, and the list as it is read."""
    made = await world.ask(who, "POST", "/coaching/lists", json=wish(country, **more))
    assert made.status_code == 201, made.text
    list_id = made.json()["id"]
    return list_id, await read(world, list_id, who)


async def read(world: Coached, list_id: str, who: str = "cia") -> Json:
    answer = await world.ask(who, "GET", f"/coaching/lists/{list_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def mine(world: Coached, who: str) -> Json:
    return dict((await world.ask(who, "GET", "/coaching/mine")).json())


async def look_at(world: Coached, who: str, list_id: str) -> Json:
    looks = {each["list_id"]: each for each in (await mine(world, who))["items"]}
    assert list_id in looks
    return dict(looks[list_id])


async def written_down(world: Coached) -> int:
    where = {"_id": {"$gte": "coachlist-", "$lt": "coachlist."}}
    return await world.house.service.store.commits.count_documents(where)


async def test_nobody_is_named_where_nobody_decided_it(world: Coached) -> None:
    before = await written_down(world)
    for country in ("FI", "ZZ"):
        answer = await world.ask("cia", "POST", "/coaching/lists", json=wish(country))
        refused(answer, 403, "names-not-allowed-here")
    assert await written_down(world) == before
    policies = (await world.ask("pia", "GET", "/coaching/policies")).json()["items"]
    found = {each["country"]: each for each in policies}
    assert {"SE", "FI", "DK", "NO", "PL", "IE", "NL"} <= set(found)
    assert found["FI"]["naming"] == "aggregates-only" and found["FI"]["decided_by"] is None


@pytest.mark.parametrize("who", sorted(WHO))
async def test_a_country_of_aggregates_only_never_yields_a_name(world: Coached, who: str) -> None:
    """By every way there is: the list, a list of a unit, offers, figures as JSON and as a file."""
    asked = [
        ("POST", "/coaching/lists", {"json": wish("FI")}),
        ("POST", "/coaching/lists", {"json": wish("FI", unit_id="sales")}),
        ("POST", "/coaching/lists", {"json": wish("FI"), "headers": {"Accept": "text/csv"}}),
        ("GET", "/coaching/offers", {}),
        ("GET", "/coaching/policies", {}),
        ("GET", "/figures/passive-share", {"params": {"by": "country"}}),
        ("GET", "/figures/passive-share", {"params": {"by": "country", "format": "csv"}}),
        ("GET", "/figures/ladder", {"params": {"by": "unit", "format": "csv"}}),
    ]
    for method, path, how in asked:
        answer = await world.ask(who, method, path, **how)
        assert "fia" not in answer.text, (who, path)
        assert answer.status_code != 201


async def test_only_coaches_are_told_and_others_hear_nothing_of_what_there_is(world: Coached) -> None:
    await opened(world, "SE")
    list_id, _ = await shown(world, "SE")
    for who in sorted(set(WHO) - {"cia", "cy", "cas"}):
        for body in (wish("SE"), wish("FI"), {"country": "SE"}):
            refused(await world.ask(who, "POST", "/coaching/lists", json=body), 403, "may-not-see-names")
        for path in (f"/coaching/lists/{list_id}", "/coaching/lists/nothing", "/coaching/offers"):
            refused(await world.ask(who, "GET", path), 403, "may-not-see-names")
        offer = {"member_id": "pia", "offer": "talk"}
        refused(
            await world.ask(who, "POST", f"/coaching/lists/{list_id}/offers", json=offer),
            403,
            "may-not-see-names",
        )
    other = await world.ask("cas", "GET", f"/coaching/lists/{list_id}")
    none = await world.ask("cas", "GET", f"/coaching/lists/{new_id()}")
    assert refused(other, 404, "no-such-list")["detail"] == refused(none, 404, "no-such-list")["detail"]


async def test_the_list_says_who_is_new_and_who_is_passive_since_when_and_who_could_invite(
    world: Coached,
) -> None:
    await opened(world, "SE")
    _, told = await shown(world, "SE")
    found = {each["member_id"]: each for each in told["items"]}
    assert told["items"][0]["member_id"] == "nils" and found["nils"]["new"]
    assert not {"amy", "bo", "gus", "guest-coach", "cia"} & set(found), "active, guests, and the coach"
    pia, per = found["pia"], found["per"]
    assert (pia["rung"], pia["longer"], pia["new"]) == ("not_signed_in", True, False)
    spoke = (NOW - timedelta(days=200)).date()
    assert per["silent_since"] == (spoke.replace(day=1) + timedelta(days=32)).replace(day=1).isoformat()
    assert pia["inviters"] == ["amy", "bo"], "the ambassador first"
    assert pia["likes"] is None
    order = [each["member_id"] for each in told["items"] if not each["new"]]
    assert order.index("pia") < order.index("per"), "the longest silent first"


async def test_a_purpose_and_a_note_are_asked_for(world: Coached) -> None:
    await opened(world, "SE")
    before = await written_down(world)
    cases: list[tuple[Json, str, str]] = [
        ({"purpose": None}, "purpose-needed", "purpose"),
        ({"purpose": "curiosity"}, "purpose-needed", "purpose"),
        ({"note": "  "}, "purpose-note-needed", "note"),
        ({"note": "x" * 301}, "text-too-long", "note"),
        ({"note": "turned \u202e around"}, "text-invisible-character", "note"),
        ({"note": "un\u200bseen"}, "text-invisible-character", "note"),
    ]
    for change, code, field in cases:
        answer = await world.ask("cia", "POST", "/coaching/lists", json=wish("SE") | change)
        assert refused(answer, 422, code)["field"] == field
    assert await written_down(world) == before


async def test_without_a_record_there_are_no_names(world: Coached) -> None:
    """Whose note cannot be sealed, of whom nothing can be written down."""
    await opened(world, "SE")
    before = await written_down(world)
    answer = await world.ask("cy", "POST", "/coaching/lists", json=wish("SE"))
    refused(answer, 503, "key-not-here-yet")
    assert not [who for who in WHO if f'"{who}"' in answer.text]
    assert await written_down(world) == before


async def test_the_same_request_again_is_the_same_look(world: Coached) -> None:
    await opened(world, "SE")
    key = {"Idempotency-Key": new_id()}
    first, again = [
        await world.ask("cia", "POST", "/coaching/lists", json=wish("SE"), headers=key) for _ in range(2)
    ]
    assert first.json()["id"] == again.json()["id"]


async def test_those_who_are_named_see_by_whom_when_and_for_what(world: Coached) -> None:
    await opened(world, "SE")
    list_id, _ = await shown(world, "SE", note="For the Monday group")
    made = await world.ask(
        "cia", "POST", f"/coaching/lists/{list_id}/offers", json={"member_id": "per", "offer": "talk"}
    )
    assert made.status_code == 201, made.text
    for who, could_invite, offers in (("per", False, ["talk"]), ("amy", True, []), ("nils", False, [])):

        async def told(who: str = who, could_invite: bool = could_invite, offers: list[str] = offers) -> None:
            look = await look_at(world, who, list_id)
            assert (look["coach_id"], look["purpose"], look["note"]) == (
                "cia",
                "help-to-start",
                "For the Monday group",
            )
            assert look["could_invite"] is could_invite
            assert [each["offer"] for each in look["offers"]] == offers
            assert datetime.fromisoformat(look["at"]) <= datetime.now(UTC)

        await eventually(told)
    assert (await mine(world, "fia"))["items"] == []


async def test_what_was_seen_is_told_whatever_is_decided_later(world: Coached) -> None:
    await opened(world, "NO")
    list_id, told = await shown(world, "NO")
    assert [each["member_id"] for each in told["items"]] == ["nora"]
    await decided(world, "NO", "aggregates-only")

    async def still() -> None:
        said = await mine(world, "nora")
        assert [each["list_id"] for each in said["items"]] == [list_id]
        assert (said["country"], said["naming"]) == ("NO", "aggregates-only")

    await eventually(still)


async def test_a_policy_that_is_withdrawn_counts_at_the_next_request(world: Coached) -> None:
    await opened(world, "DK")
    list_id, told = await shown(world, "DK")
    assert {each["member_id"] for each in told["items"]} == {"dora", "dan"}
    offer = {"member_id": "dora", "offer": "talk"}
    assert (await world.ask("cia", "POST", f"/coaching/lists/{list_id}/offers", json=offer)).is_success
    await decided(world, "DK", "aggregates-only", who="alf")
    for method, path, how in (
        ("POST", "/coaching/lists", {"json": wish("DK")}),
        ("GET", f"/coaching/lists/{list_id}", {}),
        ("POST", f"/coaching/lists/{list_id}/offers", {"json": offer}),
    ):
        answer = await world.ask("cia", method, path, **how)
        refused(answer, 403, "names-not-allowed-here")
        assert "dora" not in answer.text

    async def hidden() -> None:
        answer = await world.ask("cia", "GET", "/coaching/offers")
        made = next(iter(each for each in answer.json()["items"] if each["list_id"] == list_id), None)
        assert made is not None
        assert (made["member_id"], made["came_back"], made["week"]) == (None, None, None)
        assert "dora" not in answer.text

    await eventually(hidden)


async def test_an_objection_counts_at_the_next_request(world: Coached) -> None:
    await opened(world, "SE")
    list_id, told = await shown(world, "SE")
    assert "pia" in {each["member_id"] for each in told["items"]}
    for who in ("pia", "amy"):
        answer = await world.ask(who, "PUT", "/coaching/mine", json={"listed": False, "likes": False})
        assert answer.status_code == 200, answer.text
    for again in (await read(world, list_id), (await shown(world, "SE"))[1]):
        assert "pia" not in {each["member_id"] for each in again["items"]}
        assert "amy" not in {name for each in again["items"] for name in each["inviters"]}
    offer = {"member_id": "pia", "offer": "talk"}
    refused(
        await world.ask("cia", "POST", f"/coaching/lists/{list_id}/offers", json=offer),
        404,
        "not-on-this-list",
    )
    assert (await mine(world, "pia"))["listed"] is False
    for who in ("pia", "amy"):
        await world.ask(who, "PUT", "/coaching/mine", json={"listed": True, "likes": False})
    assert "pia" in {each["member_id"] for each in (await read(world, list_id))["items"]}


async def test_reading_a_list_again_names_nobody_of_whom_it_was_not_written_down(world: Coached) -> None:
    """Who takes an objection back after it was shown is on the next one."""
    await opened(world, "SE")
    for who in ("pia", "amy"):
        await world.ask(who, "PUT", "/coaching/mine", json={"listed": False, "likes": False})
    list_id, _ = await shown(world, "SE")
    for who in ("pia", "amy"):
        await world.ask(who, "PUT", "/coaching/mine", json={"listed": True, "likes": False})
    for told, expected in ((await read(world, list_id), False), ((await shown(world, "SE"))[1], True)):
        assert ("pia" in {each["member_id"] for each in told["items"]}) is expected
        assert ("amy" in {name for each in told["items"] for name in each["inviters"]}) is expected


async def test_what_somebody_likes_is_seen_only_where_they_said_yes_twice(world: Coached) -> None:
    await opened(world, "SE")
    history = History()
    post_id = history.post("bo", NOW - timedelta(hours=2), post_id="liked", language="fi")
    await world.told(history)

    async def likes() -> Any:
        _, told = await shown(world, "SE")
        return next(each["likes"] for each in told["items"] if each["member_id"] == "per")

    at = datetime.now(UTC).isoformat()
    items = [{"kind": "post", "id": post_id, "signal": "view", "at": at}]
    items.append({"kind": "page", "id": "p1", "signal": "read", "at": at})
    await world.ask("per", "PUT", "/consent", json={"counted": True})
    assert (await world.ask("per", "POST", "/signals", json={"items": items})).json() == {"counted": True}
    assert await likes() is None, "they said that it may be counted, not that coaches may see it"
    await world.ask("per", "PUT", "/coaching/mine", json={"listed": True, "likes": True})

    async def seen() -> None:
        assert await likes() == [
            {"kind": "page", "language": None, "things": 1},
            {"kind": "post", "language": "fi", "things": 1},
        ]

    await eventually(seen)
    await world.ask("per", "PUT", "/consent", json={"counted": False})
    assert await likes() is None


async def test_that_somebody_opens_things_is_no_rung_unless_they_said_yes_twice(world: Coached) -> None:
    """Neither before the second yes nor after a no, which is no step up either."""
    await opened(world, "EE")
    history = History()
    said = ConsentChanged(member_id="vera", counted=True)
    history.tell(consent_stream("vera"), said, NOW - timedelta(days=150), by="vera")
    await appended(world.house.service.store, history, "engagement.events")

    async def rung() -> str:
        _, told = await shown(world, "EE")
        return str(next(each["rung"] for each in told["items"] if each["member_id"] == "vera"))

    async def counted(kind: str) -> None:
        answer = await world.ask("vera", "GET", "/figures/mine")
        assert kind in answer.json()["periods"][-1]["acts"]

    at = datetime.now(UTC).isoformat()
    items = [{"kind": "page", "id": "p1", "signal": "read", "at": at}]
    assert (await world.ask("vera", "POST", "/signals", json={"items": items})).json() == {"counted": True}
    await eventually(lambda: counted("read"))
    assert await rung() == "not_signed_in"
    await world.ask("vera", "PUT", "/coaching/mine", json={"listed": True, "likes": True})
    assert await rung() == "reader"
    await world.ask("vera", "PUT", "/consent", json={"counted": False})
    await eventually(lambda: counted("here"))
    assert await rung() == "not_signed_in"


async def test_a_list_holds_fifty_and_says_that_there_are_more(world: Coached) -> None:
    await opened(world, "PL")
    made = await world.ask("cia", "POST", "/coaching/lists", json=wish("PL"))
    assert made.json() | {"id": ""} == {"id": "", "people": MOST_LISTED, "more": True}
    told = await read(world, made.json()["id"])
    assert [each["member_id"] for each in told["items"]] == [f"many{at:02}" for at in range(MOST_LISTED)]
    for at in range(MANY - MOST_LISTED):
        command = {"listed": False, "likes": False}
        answer = await objected(world, f"many{at:02}", command)
        assert answer
    made = await world.ask("cia", "POST", "/coaching/lists", json=wish("PL"))
    assert made.json() | {"id": ""} == {"id": "", "people": MOST_LISTED, "more": False}
    none = await world.ask("cia", "POST", "/coaching/lists", json=wish("PL", unit_id="lund"))
    assert none.json() | {"id": ""} == {"id": "", "people": 0, "more": False}


async def test_a_list_of_a_unit_that_there_is_not_is_refused(world: Coached) -> None:
    """Nobody is on it, which would be good news. The mill was never founded here; people are there."""
    await opened(world, "PL")
    before = await written_down(world)
    answer = await world.ask("cia", "POST", "/coaching/lists", json=wish("PL", unit_id="elsewhere"))
    assert refused(answer, 422, "unit-unknown")["field"] == "unit_id"
    assert await written_down(world) == before
    list_id, told = await shown(world, "PL", unit_id="mill")
    assert list_id and told["items"]


async def objected(world: Coached, who: str, command: Json) -> bool:
    """By somebody who does not sign in here."""
    done = await world.house.service.store.handle(
        visibilities, ChangeVisibility(who, **command), Occasion(who, new_id())
    )
    return done.version == 1


async def test_where_somebody_is_now_decides(world: Coached) -> None:
    """Who moved to the Netherlands is on no list of Poland."""
    await opened(world, "PL")
    _, told = await shown(world, "PL", unit_id="mill")
    assert "dutch" not in {each["member_id"] for each in told["items"]}
    refused(await world.ask("cia", "POST", "/coaching/lists", json=wish("NL")), 403, "names-not-allowed-here")


async def test_a_colleague_elsewhere_is_named_only_where_their_own_country_lets_them(world: Coached) -> None:
    await opened(world, "IE", "SE")
    place = MemberPlaced(
        member_id="ike", place=Place(units=("sales", "lund"), country="IE"), place_before=Place(country="IE")
    )
    tail = len(await world.house.identity.load("member-ike"))
    await world.house.identity.append("member-ike", tail + 1, [place], Occasion("alf", new_id()))

    async def named(expected: bool) -> None:
        _, told = await shown(world, "SE")
        pia = next(each for each in told["items"] if each["member_id"] == "pia")
        assert ("ike" in pia["inviters"]) is expected

    await eventually(lambda: named(True))
    await decided(world, "IE", "aggregates-only")
    await named(False)


async def test_the_coach_hears_whether_they_came_back_and_in_which_week(world: Coached) -> None:
    await opened(world, "SE")
    list_id, _ = await shown(world, "SE")
    for offer in ("help-to-start", "help-to-start"):
        answer = await world.ask(
            "cia", "POST", f"/coaching/lists/{list_id}/offers", json={"member_id": "nils", "offer": offer}
        )
        assert answer.status_code == 201

    async def made() -> Json:
        items = (await world.ask("cia", "GET", "/coaching/offers")).json()["items"]
        found = [each for each in items if each["list_id"] == list_id]
        assert [each["member_id"] for each in found] == ["nils"], "once, however often it is noted"
        return dict(found[0])

    found = await eventually(made)
    assert (found["came_back"], found["week"]) == (False, None)
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    history = History()
    history.positions["reaction-p0-nils"] = 0
    history.react("nils", "p0", later)
    await world.told(history)

    async def back() -> None:
        found = await made()
        year, week, _ = later.isocalendar()
        assert (found["came_back"], found["week"]) == (True, f"{year:04d}-W{week:02d}")
        assert set(found) == {"list_id", "offer", "at", "member_id", "came_back", "week"}, "and not with what"

    await eventually(back)
    page = await world.ask("cia", "GET", "/coaching/offers", params={"limit": 1})
    assert len(page.json()["items"]) == 1 and page.json()["next"]
    assert (await world.ask("cas", "GET", "/coaching/offers")).json() == {"items": [], "next": None}


async def test_offers_are_made_to_those_on_the_list_alone(world: Coached) -> None:
    await opened(world, "SE")
    list_id, _ = await shown(world, "SE")
    path = f"/coaching/lists/{list_id}/offers"
    for member_id in ("amy", "fia", "nobody"):
        body = {"member_id": member_id, "offer": "talk"}
        refused(await world.ask("cia", "POST", path, json=body), 404, "not-on-this-list")
    wrong = await world.ask("cia", "POST", path, json={"member_id": "pia", "offer": "money"})
    assert refused(wrong, 422, "no-such-offer")["field"] == "offer"
    body = {"member_id": "pia", "offer": "talk"}
    refused(await world.ask("cas", "POST", path, json=body), 404, "no-such-list")


async def test_the_board_and_administrators_decide_with_a_reason_that_staff_can_read(world: Coached) -> None:
    for who in ("cia", "pia", "lea", "opal", "gus"):
        new = {"naming": "names-to-coaches", "reason": "I would like to"}
        refused(
            await world.ask(who, "PUT", "/coaching/policies/FI", json=new), 403, "may-not-change-policies"
        )
    new = {"naming": "names-to-coaches", "reason": " "}
    answer = await world.ask("alf", "PUT", "/coaching/policies/FI", json=new)
    assert refused(answer, 422, "reason-needed")["field"] == "reason"
    assert (await world.ask("alf", "PUT", "/coaching/policies/fi", json=new)).status_code == 422
    done = await decided(world, "IS", "names-to-coaches", who="alf")
    answer = await world.house.get("pia", "/coaching/policies", after=done)
    found = {each["country"]: each for each in answer.json()["items"]}
    assert found["IS"]["decided_by"] == "alf" and found["IS"]["naming"] == "names-to-coaches"
    assert found["IS"]["reason"] == "Agreed with the works council." and found["IS"]["decided_at"]
    refused(await world.ask("gus", "GET", "/coaching/policies"), 403, "may-not-read-policies")


async def test_a_policy_is_for_a_country_that_there_is(world: Coached) -> None:
    new = {"naming": "names-to-coaches", "reason": "Agreed with the works council."}
    for country in ("XX", "ZZ", "EU"):
        for naming in ("names-to-coaches", "aggregates-only"):
            body = new | {"naming": naming}
            answer = await world.ask("bea", "PUT", f"/coaching/policies/{country}", json=body)
            assert refused(answer, 422, "country-unknown")["field"] == "country"
    policies = (await world.ask("pia", "GET", "/coaching/policies")).json()["items"]
    assert {each["country"] for each in policies}.isdisjoint({"XX", "ZZ", "EU"})


async def test_what_was_decided_for_a_code_before_codes_were_looked_at_can_be_taken_back(
    world: Coached,
) -> None:
    before = ChangePolicy("QQ", Naming.NAMES_TO_COACHES, "Nobody looked.", "bea")
    await world.house.service.store.handle(decide_policies, before, Occasion("bea", new_id()))
    await decided(world, "QQ", "aggregates-only")
    again = {"naming": "names-to-coaches", "reason": "Once more."}
    answer = await world.ask("bea", "PUT", "/coaching/policies/QQ", json=again)
    refused(answer, 422, "country-unknown")


async def test_what_a_coach_wrote_goes_with_them_and_who_left_is_listed_no_more(world: Coached) -> None:
    await opened(world, "SE")
    list_id, _ = await shown(world, "SE", who="cas")

    async def look() -> Json:
        return await look_at(world, "bo", list_id)

    assert (await eventually(look))["note"] == NOBODY_COMES
    await world.vault.erase("cas")

    async def forgotten() -> None:
        assert (await look())["note"] == ""

    await eventually(forgotten)
    tail = len(await world.house.identity.load("member-per"))
    gone = MemberDeactivated(member_id="per")
    await world.house.identity.append("member-per", tail + 1, [gone], Occasion("alf", new_id()))

    async def left() -> None:
        _, told = await shown(world, "SE")
        assert "per" not in {each["member_id"] for each in told["items"]}

    await eventually(left)
