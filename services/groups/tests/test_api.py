"""Groups over HTTP on real engines: started, joined, left, and what stays hidden."""

import asyncio
import time
from typing import Any

import httpx
import pytest

from contracts.identity import MemberDeactivated
from services.groups import projections
from services.groups.domain.memberships import AcceptInvitation, InviteMember, LeaveGroup, memberships
from shared.kernel.events import Occasion
from shared.runtime.ids import new_id
from shared.tests.company import House, refused
from shared.tests.eventually import eventually

#: One service for all of them: each test has groups of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]


async def group_of(house: House, who: str = "ann", **how: Any) -> str:
    asked = {"name": f"Group {new_id()}", "purpose": "Why", "openness": "closed", "language": "en"}
    answer = await house.ask(who, "POST", "/groups", json=asked | how)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def put_in(house: House, group: str, *members: str, owner: str = "ann") -> None:
    for member in members:
        asked = {"json": {"member_id": member}}
        invited = await house.ask(owner, "POST", f"/groups/{group}/invitations", **asked)
        assert invited.status_code == 201, invited.text
        accepted = await house.ask(member, "PUT", f"/invitations/{group}")
        assert accepted.status_code == 200, accepted.text


async def json_of(house: House, who: str, path: str, **how: Any) -> Json:
    answer = await house.ask(who, "GET", path, **how)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def test_a_group_is_started_and_its_starter_owns_it_at_the_next_request(house: House) -> None:
    asked = {"name": " Friday  fun", "purpose": "Cakes", "openness": "open", "language": "en"}
    begun = await house.ask("ann", "POST", "/groups", json=asked)
    assert (begun.status_code, begun.headers["ETag"]) == (201, '"1"')
    group = begun.json()["id"]
    assert begun.headers["Location"] == f"/groups/{group}"
    answer = await house.get("ann", f"/groups/{group}", after=begun)
    shown = answer.json()
    assert answer.headers["ETag"] == '"1"'
    assert (shown["name"], shown["purpose"], shown["openness"]) == ("Friday fun", "Cakes", "open")
    assert (shown["members"], shown["audience"]) == (1, [f"group:{group}", "staff"])
    assert shown["mine"]["standing"] == "owner"
    assert shown["may"] == {
        "join": False,
        "leave": True,
        "describe": True,
        "invite": True,
        "remove": True,
        "standing": True,
    }


async def test_staff_see_and_join_an_open_group_and_leave_it(house: House) -> None:
    group = await group_of(house, openness="open")
    shown = await json_of(house, "bob", f"/groups/{group}")
    assert (shown["mine"]["standing"], shown["may"]["join"], shown["may"]["describe"]) == (None, True, False)
    joined = await house.ask("bob", "PUT", f"/groups/{group}/members/me")
    assert joined.json() | {"version": 1} == {
        "id": group,
        "member_id": "bob",
        "standing": "member",
        "version": 1,
        "in_effect": True,
    }
    shown = (await house.get("bob", f"/groups/{group}", after=joined)).json()
    assert (shown["members"], shown["mine"]["standing"]) == (2, "member")
    again = await house.ask("bob", "PUT", f"/groups/{group}/members/me")
    assert (again.status_code, again.json()["version"]) == (200, 1)
    listed = await json_of(house, "bob", f"/groups/{group}/members")
    assert [(m["member_id"], m["standing"]) for m in listed["items"]] == [("ann", "owner"), ("bob", "member")]
    left = await house.ask("bob", "DELETE", f"/groups/{group}/members/me")
    assert (left.json()["standing"], left.json()["in_effect"]) == (None, True)
    assert (await house.get("bob", f"/groups/{group}", after=left)).json()["members"] == 1
    refused(await house.ask("bob", "DELETE", f"/groups/{group}/members/me"), 404, "not-in-group")


async def test_a_closed_group_does_not_exist_for_others(house: House) -> None:
    group, missing = await group_of(house, name=f"Hush {new_id()}"), new_id()
    before = (await json_of(house, "bob", "/groups"))["total"]
    asked: list[tuple[str, str, Json]] = [
        ("GET", "", {}),
        ("PUT", "", {"json": {"name": "x", "purpose": "", "language": "en"}}),
        ("GET", "/members", {}),
        ("PUT", "/members/me", {}),
        ("DELETE", "/members/me", {}),
        ("DELETE", "/members/ann", {}),
        ("PUT", "/members/ann", {"json": {"standing": "member"}}),
        ("GET", "/invitations", {}),
        ("POST", "/invitations", {"json": {"member_id": "bob"}}),
        ("DELETE", "/invitations/ann", {}),
    ]
    for who in ("bob", "ada", "gil"):
        for method, path, how in asked:
            hidden = await house.ask(who, method, f"/groups/{group}{path}", **how)
            absent = await house.ask(who, method, f"/groups/{missing}{path}", **how)
            problem, other = (refused(each, 404, "no-such-group") for each in (hidden, absent))
            assert problem | {"correlation_id": ""} == other | {"correlation_id": ""}, (who, method, path)
    for method in ("PUT", "DELETE"):
        for each in (group, missing):
            refused(await house.ask("bob", method, f"/invitations/{each}"), 404, "no-such-invitation")
    found = await json_of(house, "bob", "/groups", params={"q": "hush"})
    assert (found["items"], found["total"]) == ([], 0)
    theirs = await json_of(house, "bob", "/groups", params={"member_id": "ann", "limit": 100})
    assert group not in [item["id"] for item in theirs["items"]]
    assert (await json_of(house, "bob", "/groups"))["total"] == before


async def test_who_is_asked_into_a_closed_group_sees_its_name_and_purpose_only(house: House) -> None:
    group = await group_of(house, name="Merger", purpose="Whom we buy")
    asked = await house.ask("ann", "POST", f"/groups/{group}/invitations", json={"member_id": "bob"})
    assert (asked.status_code, asked.json()["standing"]) == (201, "invited")
    shown = (await house.get("bob", f"/groups/{group}", after=asked)).json()
    assert shown.pop("mine").items() >= {"standing": "invited", "invited_by": "ann"}.items()
    assert shown == {"id": group, "name": "Merger", "purpose": "Whom we buy"}
    refused(await house.ask("bob", "GET", f"/groups/{group}/members"), 404, "no-such-group")
    offers = await json_of(house, "bob", "/invitations")
    assert [offer["id"] for offer in offers["items"]] == [group] and offers["total"] == 1
    assert group not in [g["id"] for g in (await json_of(house, "bob", "/groups"))["items"]]
    accepted = await house.ask("bob", "PUT", f"/invitations/{group}")
    shown = (await house.get("bob", f"/groups/{group}", after=accepted)).json()
    assert (shown["members"], shown["mine"]["standing"], shown["mine"]["invited_by"]) == (2, "member", "ann")
    assert (await json_of(house, "bob", "/invitations"))["items"] == []


async def test_an_invitation_is_declined_or_taken_back_and_then_the_group_is_gone(house: House) -> None:
    group = await group_of(house)
    for who, path in (("cat", f"/invitations/{group}"), ("ann", f"/groups/{group}/invitations/cat")):
        await house.ask("ann", "POST", f"/groups/{group}/invitations", json={"member_id": "cat"})
        pending = await json_of(house, "ann", f"/groups/{group}/invitations")
        assert [each["member_id"] for each in pending["items"]] == ["cat"]
        ended = await house.ask(who, "DELETE", path)
        assert (ended.status_code, ended.json()["standing"]) == (200, None)
        refused(await house.get("cat", f"/groups/{group}", after=ended), 404, "no-such-group")
        refused(await house.ask("cat", "PUT", f"/invitations/{group}"), 404, "no-such-invitation")


async def test_inviting_who_is_in_or_gone_or_unknown_is_refused(house: House) -> None:
    group = await group_of(house)
    await put_in(house, group, "bob")
    leaves = MemberDeactivated(member_id="gone")
    if len(await house.identity.load("member-gone")) == 1:
        await house.identity.append("member-gone", 2, [leaves], Occasion(None, new_id()))

    async def is_gone() -> bool:
        person = await house.service.views(projections.people).get("gone")
        return person is not None and not person.there

    await eventually(is_gone)
    for member, status, code in (
        ("bob", 409, "in-group-already"),
        ("gone", 422, "nobody-to-invite"),
        ("nobody", 422, "nobody-to-invite"),
    ):
        answer = await house.ask("ann", "POST", f"/groups/{group}/invitations", json={"member_id": member})
        assert refused(answer, status, code)["field"] == "member_id"


async def test_a_guest_sees_exactly_their_group(house: House) -> None:
    mine = await group_of(house, openness="open", name="With gil")
    other = await group_of(house, openness="open", name="Without gil")
    refused(await house.ask("gil", "PUT", f"/groups/{mine}/members/me"), 404, "no-such-group")
    refused(
        await house.ask("gil", "POST", "/groups", json={"name": "x", "openness": "open", "language": "en"}),
        403,
        "may-not-start",
    )
    assert (await json_of(house, "gil", "/groups"))["total"] == 0
    await put_in(house, mine, "gil")
    listed = await json_of(house, "gil", "/groups")
    assert ([item["id"] for item in listed["items"]], listed["total"]) == ([mine], 1)
    assert (await json_of(house, "gil", f"/groups/{mine}"))["may"] == {
        "join": False,
        "leave": True,
        "describe": False,
        "invite": False,
        "remove": False,
        "standing": False,
    }
    refused(await house.ask("gil", "GET", f"/groups/{other}"), 404, "no-such-group")
    refused(await house.ask("gil", "GET", f"/groups/{other}/members"), 404, "no-such-group")
    assert (await json_of(house, "gil", "/groups", params={"q": "gil"}))["total"] == 1
    theirs = await json_of(house, "gil", "/groups", params={"member_id": "ann"})
    assert [item["id"] for item in theirs["items"]] == [mine]
    owner = await house.ask("ann", "PUT", f"/groups/{mine}/members/gil", json={"standing": "owner"})
    refused(owner, 422, "guest-owns-nothing")
    removed = await house.ask("ann", "DELETE", f"/groups/{mine}/members/gil")
    assert removed.json()["in_effect"]
    refused(await house.ask("gil", "GET", f"/groups/{mine}"), 404, "no-such-group")
    assert (await json_of(house, "gil", "/groups"))["total"] == 0


async def test_the_last_owner_neither_leaves_nor_becomes_a_member(house: House) -> None:
    group = await group_of(house)
    await put_in(house, group, "bob")
    me = f"/groups/{group}/members/ann"
    refused(await house.ask("ann", "DELETE", f"/groups/{group}/members/me"), 409, "last-owner-leaves")
    refused(await house.ask("ann", "PUT", me, json={"standing": "member"}), 409, "last-owner")
    promoted = await house.ask("ann", "PUT", f"/groups/{group}/members/bob", json={"standing": "owner"})
    assert promoted.json()["standing"] == "owner"
    assert (await house.ask("ann", "DELETE", f"/groups/{group}/members/me")).status_code == 200
    refused(await house.ask("bob", "DELETE", f"/groups/{group}/members/me"), 409, "last-owner-leaves")


async def test_of_two_owners_who_leave_at_once_one_stays(house: House) -> None:
    for _ in range(5):
        group = await group_of(house)
        await put_in(house, group, "bob")
        await house.ask("ann", "PUT", f"/groups/{group}/members/bob", json={"standing": "owner"})
        answers = await asyncio.gather(
            *(house.ask(who, "DELETE", f"/groups/{group}/members/me") for who in ("ann", "bob"))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        left = "bob" if answers[0].status_code == 409 else "ann"
        assert (await house.ask(left, "GET", f"/groups/{group}")).status_code == 404


async def test_who_is_removed_while_writing_writes_no_more(house: House) -> None:
    """Bob, an owner, has the form open when ann removes him; whichever comes first, nothing half happens."""
    for openness, status, code in (("closed", 404, "no-such-group"), ("open", 403, "may-not-describe")):
        group = await group_of(house, openness=openness)
        await put_in(house, group, "bob")
        await house.ask("ann", "PUT", f"/groups/{group}/members/bob", json={"standing": "owner"})
        written = {"json": {"name": "Bob's", "purpose": "", "language": "en"}}
        assert (await house.ask("bob", "PUT", f"/groups/{group}", **written)).status_code == 200
        removed = await house.ask("ann", "DELETE", f"/groups/{group}/members/bob")
        assert removed.json()["in_effect"]
        written["json"]["name"] = "Bob's again"
        refused(await house.ask("bob", "PUT", f"/groups/{group}", **written), status, code)
        shown = (await house.get("ann", f"/groups/{group}", after=removed)).json()
        assert (shown["name"], shown["members"]) == ("Bob's", 1)


async def test_removal_and_writing_at_once_end_in_one_order_or_the_other(house: House) -> None:
    for _ in range(5):
        group = await group_of(house)
        await put_in(house, group, "bob")
        await house.ask("ann", "PUT", f"/groups/{group}/members/bob", json={"standing": "owner"})
        new = {"name": "Bob's", "purpose": "", "language": "en"}
        written, asked, removed = await asyncio.gather(
            house.ask("bob", "PUT", f"/groups/{group}", json=new),
            house.ask("bob", "POST", f"/groups/{group}/invitations", json={"member_id": "cat"}),
            house.ask("ann", "DELETE", f"/groups/{group}/members/bob"),
        )
        assert removed.status_code == 200, removed.text
        assert written.status_code in (200, 404) and asked.status_code in (201, 404)
        shown = (await house.get("ann", f"/groups/{group}", after=removed)).json()
        assert shown["members"] == 1
        refused(await house.ask("bob", "GET", f"/groups/{group}"), 404, "no-such-group")


async def test_a_read_that_names_a_commit_waits_for_what_it_lets_the_reader_see(house: House) -> None:
    """Straight from the store: no command has waited before."""
    store = house.service.store
    for _ in range(5):
        group = await group_of(house)
        occasion = Occasion("bob", new_id())
        for command in (InviteMember(group, "bob", True, "ann"), AcceptInvitation(group, "bob")):
            committed = await store.handle(memberships, command, occasion)
        after = {"Fikarum-After": str(committed)}
        shown = await json_of(house, "bob", f"/groups/{group}", headers=after)
        assert (shown["mine"]["standing"], shown["members"]) == ("member", 2)
        committed = await store.handle(memberships, LeaveGroup(group, "bob"), occasion)
        after = {"Fikarum-After": str(committed)}
        gone = await house.ask("bob", "GET", f"/groups/{group}/members", headers=after)
        refused(gone, 404, "no-such-group")


async def test_a_removed_owner_invites_nobody_and_removes_nobody(house: House) -> None:
    group = await group_of(house)
    await put_in(house, group, "bob", "cat")
    await house.ask("ann", "PUT", f"/groups/{group}/members/bob", json={"standing": "owner"})
    await house.ask("ann", "PUT", f"/groups/{group}/members/bob", json={"standing": "member"})
    invited = await house.ask("bob", "POST", f"/groups/{group}/invitations", json={"member_id": "gus"})
    refused(invited, 403, "may-not-invite")
    refused(await house.ask("bob", "DELETE", f"/groups/{group}/members/cat"), 403, "may-not-remove")
    standing = await house.ask("bob", "PUT", f"/groups/{group}/members/cat", json={"standing": "owner"})
    refused(standing, 403, "may-not-standing")
    refused(await house.ask("bob", "GET", f"/groups/{group}/invitations"), 403, "may-not-invite")


async def test_an_admin_helps_an_open_group(house: House) -> None:
    group = await group_of(house, openness="open")
    await house.ask("bob", "PUT", f"/groups/{group}/members/me")
    promoted = await house.ask("ada", "PUT", f"/groups/{group}/members/bob", json={"standing": "owner"})
    assert promoted.status_code == 200


async def test_nobody_overwrites_a_description_that_they_have_not_read(house: House) -> None:
    group = await group_of(house)
    new = {"name": "Two", "purpose": "", "language": "en"}
    first = await house.ask("ann", "PUT", f"/groups/{group}", json=new, headers={"If-Match": '"1"'})
    assert (first.status_code, first.headers["ETag"]) == (200, '"2"')
    new["name"] = "Three"
    late = await house.ask("ann", "PUT", f"/groups/{group}", json=new, headers={"If-Match": '"1"'})
    refused(late, 409, "edited-meanwhile")
    await put_in(house, group, "bob")
    await house.ask("ann", "PUT", f"/groups/{group}/members/bob", json={"standing": "owner"})
    answer = await house.ask("ann", "GET", f"/groups/{group}")
    assert (answer.headers["ETag"], answer.json()["version"]) == ('"2"', 2)


async def test_one_key_starts_one_group_and_leaves_once(house: House) -> None:
    asked = {"name": "Once", "purpose": "", "openness": "closed", "language": "en"}
    key = {"Idempotency-Key": new_id()}
    first, again = [await house.ask("ann", "POST", "/groups", json=asked, headers=key) for _ in range(2)]
    assert first.status_code == again.status_code == 201
    assert (first.json()["id"], first.headers["Fikarum-Commit"]) == (
        again.json()["id"],
        again.headers["Fikarum-Commit"],
    )
    group, key = first.json()["id"], {"Idempotency-Key": new_id()}
    await put_in(house, group, "bob")
    path = f"/groups/{group}/members/me"
    answers = [await house.ask("bob", "DELETE", path, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]


async def test_groups_may_share_a_name_and_say_so_to_those_who_see_both(house: House) -> None:
    name = f"Readers {new_id()}"
    hidden = await group_of(house, name=name)
    shown = await group_of(house, name=name.upper(), openness="open")
    asked = {"name": name, "purpose": "", "openness": "open", "language": "en"}
    begun = await house.ask("bob", "POST", "/groups", json=asked)
    assert begun.json()["same_name"] == [shown]
    again = await house.ask("ann", "POST", "/groups", json=asked)
    assert set(again.json()["same_name"]) == {hidden, shown, begun.json()["id"]}


async def test_my_groups_are_listed_page_by_page_and_found_by_part_of_their_name(house: House) -> None:
    mark = new_id()
    mine = [await group_of(house, "cat", name=f"{letter} {mark}") for letter in "bDac"]
    await group_of(house, "bob", name=f"e {mark}", openness="open")
    names, cursor = [], None
    while True:
        params = {"mine": True, "q": mark.upper(), "limit": 3} | ({"cursor": cursor} if cursor else {})
        page = await json_of(house, "cat", "/groups", params=params)
        assert page["total"] == 4
        names += [item["name"][0] for item in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert names == ["a", "b", "c", "D"]
    everything = await json_of(house, "cat", "/groups", params={"q": mark})
    assert everything["total"] == 5 and {item["id"] for item in everything["items"]} > set(mine)
    theirs = await json_of(house, "cat", "/groups", params={"q": mark, "member_id": "bob"})
    assert [item["name"][0] for item in theirs["items"]] == ["e"]


async def test_members_are_listed_page_by_page_owners_first(house: House) -> None:
    group = await group_of(house, openness="open")
    for who in ("cat", "bob", "ada"):
        await house.ask(who, "PUT", f"/groups/{group}/members/me")
    await house.ask("ann", "PUT", f"/groups/{group}/members/ada", json={"standing": "owner"})
    first = await json_of(house, "bob", f"/groups/{group}/members", params={"limit": 3})
    following = {"limit": 3, "cursor": first["next"]}
    rest = await json_of(house, "bob", f"/groups/{group}/members", params=following)
    listed = [item["member_id"] for page in (first, rest) for item in page["items"]]
    assert listed == ["ann", "ada", "cat", "bob"]
    assert (first["total"], rest["next"]) == (4, None)


async def test_what_is_no_such_thing_is_refused_in_words(house: House) -> None:
    group = await group_of(house, openness="open")

    async def start(**change: Any) -> httpx.Response:
        asked = {"name": "x", "purpose": "", "openness": "open", "language": "en"} | change
        return await house.ask("ann", "POST", "/groups", json=asked)

    for change, code in (
        ({"name": ""}, "name-missing"),
        ({"name": "pay\u202eroll"}, "text-invisible-character"),
        ({"name": "pay\u200broll"}, "text-invisible-character"),
        ({"name": "x" * 101}, "text-too-long"),
        ({"purpose": "\u202e"}, "text-turned-around"),
        ({"language": "x"}, "language-unknown"),
    ):
        assert refused(await start(**change), 422, code)["field"] in change
    for broken in ({"openness": "secret"}, {"name": 7}, {"extra": 1}, {"name": "x\x00"}):
        answer = await start(**broken)
        assert answer.status_code == 422 and answer.json()["errors"][0]["field"] in broken, answer.text
    refused(await house.ask("ann", "GET", "/groups", params={"cursor": "W10"}), 422, "bad-cursor")
    refused(
        await house.ask("ann", "GET", "/groups", params={"q": "x\x00"}), 422, "text-with-control-character"
    )
    refused(await house.ask("ann", "GET", "/groups", params={"limit": 101}), 422, "page-too-large")
    for odd in ("a.b", "a-b", "x" * 200, "%00", "\u200b"):
        refused(await house.ask("ann", "GET", f"/groups/{odd}"), 404, "no-such-group")
        refused(await house.ask("ann", "PUT", f"/groups/{odd}/members/me"), 404, "no-such-group")
    for odd in ("a.b", "x" * 200, "%00"):
        refused(await house.ask("ann", "DELETE", f"/groups/{group}/members/{odd}"), 404, "not-in-group")
        path = f"/groups/{group}/invitations/{odd}"
        refused(await house.ask("ann", "DELETE", path), 404, "no-such-invitation")
    assert (await json_of(house, "ann", "/groups", params={"q": ".*[(", "mine": True}))["total"] == 0


async def test_a_steady_stream_of_joins_never_makes_tokens_seem_old(house: House) -> None:
    """Not a quiet second for the follower: what is known of members' tokens is still as new as it is."""
    group = await group_of(house, openness="open")
    lag, began = house.service.viewings["groups.tokens"].lag, time.monotonic()
    while time.monotonic() - began < 6 or lag.age() > 4:
        assert time.monotonic() - began < 25, f"{lag.events} events behind, and {lag.age():.0f} s old"
        for method in ("PUT", "DELETE"):
            done = await house.ask("bob", method, f"/groups/{group}/members/me")
            assert done.status_code == 200, done.text
