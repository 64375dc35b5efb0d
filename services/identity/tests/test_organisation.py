"""Units, places, profiles, passwords: the rules, and over HTTP on real engines."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.identity import (
    Kind,
    MemberDeactivated,
    MemberErased,
    MemberPlaced,
    MemberReactivated,
    MemberRegistered,
    MemberRenamed,
    Place,
    ProfileChanged,
    Role,
    UnitFounded,
    UnitRenamed,
)
from services.identity.accounts.passwords import Passwords, Verdict
from services.identity.domain.accounts import Account, AccountOpened, ChangePassword, PasswordSet, accounts
from services.identity.domain.members import ReactivateMember, members
from services.identity.domain.permissions import Acting
from services.identity.domain.profiles import (
    MOST_INTERESTS,
    ChangeProfile,
    PlaceMember,
    RenameMember,
)
from services.identity.domain.units import DEEPEST, FoundUnit, RenameUnit, units
from services.identity.tests.conftest import NEW_MEMBER, PASSWORD, House, code, register, user_name
from shared.kernel.audience import Classification, TokenChange
from shared.kernel.errors import Conflict, Forbidden, NotFound, Refused
from shared.kernel.personal import Personal
from shared.kernel.testing import NOON, Specification
from shared.runtime.ids import new_id
from shared.tests.eventually import eventually

ADMIN = Acting("ada", frozenset({"admin"}))
ANN = Acting("ann")
nordics = UnitFounded(unit_id="nordics", name="Nordics", parent_id=None, path=("nordics",))
registered = MemberRegistered(
    member_id="ann",
    kind=Kind.STAFF,
    name=Personal("Ann"),
    country="SE",
    language="sv",
    time_zone="Europe/Stockholm",
    clearance=Classification.INTERNAL,
    signs_in=True,
)
tree = Specification(units)
spec = Specification(members)


def test_a_unit_knows_the_way_to_itself() -> None:
    tree.given().when(FoundUnit(ADMIN, "nordics", " Nordics ")).then(nordics)
    below = FoundUnit(ADMIN, "sales", "Sales", above=("nordics",))
    sales = UnitFounded(unit_id="sales", name="Sales", parent_id="nordics", path=("nordics", "sales"))
    tree.given().when(below).then(sales)
    tree.given(nordics).when(FoundUnit(ADMIN, "nordics", "Again")).refused(Conflict, "unit-exists")
    deep = FoundUnit(ADMIN, "deep", "Deep", above=tuple(f"u{n}" for n in range(DEEPEST)))
    tree.given().when(deep).refused(Refused, "unit-too-deep")


@pytest.mark.parametrize("unit_id", ["", "Nordics", "a b", "-x", "é", "a/b", "x" * 61])
def test_a_units_id_is_plain(unit_id: str) -> None:
    tree.given().when(FoundUnit(ADMIN, unit_id, "Name")).refused(Refused, "unit-id")


def test_a_unit_is_renamed_and_only_if_it_is_there() -> None:
    tree.given(nordics).when(RenameUnit(ADMIN, "nordics", "North")).then(
        UnitRenamed(unit_id="nordics", name="North")
    )
    tree.given(nordics).when(RenameUnit(ADMIN, "nordics", "Nordics")).then()
    tree.given().when(RenameUnit(ADMIN, "nordics", "North")).refused(NotFound, "no-such-unit")


def test_a_place_gives_its_tokens_and_takes_those_of_the_one_before() -> None:
    command = PlaceMember(ADMIN, "ann", ("nordics", "sales"), "Seller", office="lund", country="NO")
    now = Place(units=("nordics", "sales"), title="Seller", office="lund", country="NO")
    placed = MemberPlaced(member_id="ann", place=now, place_before=Place(country="SE"))
    spec.given(registered).when(command).then(placed)
    spec.given(registered, placed).when(command).then()
    grant = frozenset({"unit:nordics", "unit:sales", "office:lund", "country:NO"})
    assert placed.token_changes() == [
        TokenChange("ann", grant=grant, revoke=frozenset({"country:SE"})),
    ]
    moved = (
        spec.given(registered, placed).when(replace(command, units=("nordics", "it"), office=None)).outcome
    )
    assert isinstance(moved, list) and isinstance(moved[0], MemberPlaced)
    (change,) = moved[0].token_changes()
    assert change == TokenChange(
        "ann", grant=frozenset({"unit:it"}), revoke=frozenset({"unit:sales", "office:lund"})
    )


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"manager_id": "ann"}, "own-manager"),
        ({"office": "a b"}, "office-form"),
        ({"country": "Norway"}, "country-unknown"),
        ({"country": "XX"}, "country-unknown"),
        ({"title": "Boss\u202e"}, "text-invisible-character"),
    ],
)
def test_what_is_no_place_is_refused(change: dict[str, Any], refusal: str) -> None:
    spec.given(registered).when(replace(PlaceMember(ADMIN, "ann"), **change)).refused(Refused, refusal)


def test_a_member_says_what_they_like_of_themselves_and_nobody_else_does() -> None:
    command = ChangeProfile(
        ANN, "ann", "Europe/Oslo", " +46 8 123 ", "Hello", ["Kafka", "kafka", "  "], ["en", "de", "en"]
    )
    spec.given(registered).when(command).then(
        ProfileChanged(
            member_id="ann",
            phone=Personal("+46 8 123"),
            about=Personal("Hello"),
            ask_me_about=Personal("kafka"),
            languages=("en", "de"),
            time_zone="Europe/Oslo",
        )
    )
    spec.given(registered).when(replace(command, acting=ADMIN)).refused(Forbidden, "not-permitted")


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"phone": "call me"}, "phone-form"),
        ({"about": "x" * 2_001}, "text-too-long"),
        ({"ask_me_about": [f"thing {n}" for n in range(MOST_INTERESTS + 1)]}, "too-many-interests"),
        ({"languages": ["Swedish!"]}, "language-unknown"),
        ({"languages": ["sv", "zz"]}, "language-unknown"),
        ({"languages": ["sv"] * 11}, "too-many-languages"),
        ({"time_zone": "Mars"}, "time-zone-unknown"),
    ],
)
def test_what_is_no_profile_is_refused(change: dict[str, Any], refusal: str) -> None:
    command = replace(ChangeProfile(ANN, "ann", "Europe/Oslo"), **change)
    spec.given(registered).when(command).refused(Refused, refusal)


def test_somebody_who_left_can_come_back_unless_they_were_forgotten() -> None:
    left, back = MemberDeactivated(member_id="ann"), MemberReactivated(member_id="ann")
    spec.given(registered, left).when(ReactivateMember(ADMIN, "ann")).then(back)
    spec.given(registered).when(ReactivateMember(ADMIN, "ann")).then()
    erased = MemberErased(member_id="ann")
    spec.given(registered, erased).when(ReactivateMember(ADMIN, "ann")).refused(NotFound, "no-such-member")
    assert back.token_changes() == [TokenChange("ann", gone=False)]
    renamed = MemberRenamed(member_id="ann", name=Personal("Anna"))
    spec.given(registered).when(RenameMember(ADMIN, "ann", "Anna")).then(renamed)


def test_a_session_ends_with_the_password_that_opened_it() -> None:
    set_anew = Account(passwords=2, password_set_at=NOON, kept_session="kept")
    later, earlier = NOON + timedelta(seconds=1), NOON - timedelta(seconds=1)
    assert set_anew.ended("s1", later, 1) and not set_anew.ended("s1", earlier, 2)
    assert not set_anew.ended("kept", earlier, 1)
    assert set_anew.ended("s1", earlier, None) and not set_anew.ended("s1", later, None)
    assert not Account(passwords=1).ended("s1", earlier, None)


def test_a_password_is_changed_only_against_the_one_that_was_checked() -> None:
    account = Specification(accounts)
    first = PasswordSet(member_id="ann", password_hash=Personal("h1"))
    opened = AccountOpened(member_id="ann", user_name_id="n1")
    command = ChangePassword("ann", "h2", 1, NOON, "s1")
    account.given(opened, first).when(command).then(
        PasswordSet(member_id="ann", password_hash=Personal("h2"), set_at=NOON, kept_session="s1")
    )
    stale = replace(command, replaces=0)
    account.given(opened, first).when(stale).refused(Conflict, "edited-meanwhile")
    account.given().when(command).refused(Refused, "no-account")


over_http = pytest.mark.asyncio(loop_scope="module")


async def _unit(house: House, name: str, parent: str | None = None) -> str:
    unit_id = f"{name}-{new_id()[-8:]}"
    new = {"unit_id": unit_id, "name": name.title(), "parent_id": parent}
    answer = await house.ask("ada", "POST", "/units", json=new)
    assert answer.status_code == 201, answer.text
    return unit_id


@over_http
async def test_a_member_is_placed_and_shows_their_profile(house: House) -> None:
    top = await _unit(house, "nordics")
    sales = await _unit(house, "sales", top)
    boss, ann = await house.member("boss"), await house.member("placed")
    place = {"unit_id": sales, "title": "Seller", "manager_id": boss, "office": "lund", "country": "NO"}
    done = await house.ask("ada", "PUT", f"/members/{ann}/place", json=place)
    assert done.status_code == 204, done.text
    profile = {
        "time_zone": "Europe/Oslo",
        "phone": "+46 8 1",
        "about": "Hi",
        "ask_me_about": ["Kafka"],
        "languages": ["de"],
    }
    done = await house.ask("placed", "PUT", "/me/profile", json=profile)
    assert done.status_code == 204, done.text
    seen = await house.get("boss", f"/members/{ann}", after=done)
    assert {name: seen[name] for name in profile} == profile
    assert (seen["units"], seen["title"], seen["manager_id"]) == ([top, sales], "Seller", boss)
    assert (seen["office"], seen["country"]) == ("lund", "NO")
    nothing = {**profile, "phone": None, "about": None}
    done = await house.ask("placed", "PUT", "/me/profile", json=nothing)
    assert done.status_code == 204, "what is answered may be given back"
    seen = await house.get("boss", f"/members/{ann}", after=done)
    assert {name: seen[name] for name in profile} == nothing
    listed = await house.get("boss", f"/units?parent={top}")
    assert listed["items"] == [{"id": sales, "name": "Sales", "parent_id": top, "path": [top, sales]}]
    named = await house.get("boss", f"/units?ids={sales},nowhere&ids={sales}")
    assert named["items"] == listed["items"]
    assert (await house.get("boss", f"/units?ids={sales}&parent=nowhere"))["items"] == []
    many = ",".join(f"u{n}" for n in range(101))
    refused = await house.ask("boss", "GET", f"/units?ids={many}")
    assert (refused.status_code, refused.json()["code"]) == (422, "too-many-ids")


@over_http
async def test_nobody_reports_to_somebody_below_them(house: House) -> None:
    boss, ann = await house.member("boss2"), await house.member("below")
    done = await house.ask("ada", "PUT", f"/members/{ann}/place", json={"manager_id": boss})
    assert done.status_code == 204
    answer = await house.ask("ada", "PUT", f"/members/{boss}/place", json={"manager_id": ann})
    assert code(answer) == (422, "manager-below")
    unknown = await house.ask("ada", "PUT", f"/members/{ann}/place", json={"manager_id": new_id()})
    assert code(unknown) == (422, "manager-unknown")
    nowhere = await house.ask("ada", "PUT", f"/members/{ann}/place", json={"unit_id": "nowhere"})
    assert code(nowhere) == (422, "unit-unknown")


@over_http
async def test_a_new_password_ends_every_other_session(house: House) -> None:
    name = user_name()
    await register(house, **NEW_MEMBER, user_name=name, password=PASSWORD)
    here, there = await house.sign_in(name), await house.sign_in(name)
    house.secrets["changing"] = here
    wrong = {"current": "not this one at all", "new": "another horse battery"}
    assert code(await house.ask("changing", "PUT", "/me/password", json=wrong)) == (422, "password-wrong")
    short = {"current": PASSWORD, "new": "short"}
    assert code(await house.ask("changing", "PUT", "/me/password", json=short)) == (422, "password-length")
    done = await house.ask(
        "changing", "PUT", "/me/password", json={"current": PASSWORD, "new": "another horse battery"}
    )
    assert done.status_code == 204, done.text
    assert (await house.exchange(here)).status_code == 200
    assert (await house.exchange(there)).status_code == 401
    assert (await house.try_sign_in(name)).status_code == 401
    assert (await house.try_sign_in(name, "another horse battery")).status_code == 201


@over_http
async def test_who_signs_in_by_the_old_password_while_it_is_changed_is_signed_out(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They came after the change was asked for, and the old password was found right before it was stored."""
    name = user_name()
    await register(house, **NEW_MEMBER, user_name=name, password=PASSWORD)
    house.secrets["hurried"] = here = await house.sign_in(name)
    await house.token_of("hurried")
    verify, asked, looked = Passwords.verify, [asyncio.Event(), asyncio.Event()], 0
    found_right, changed = asyncio.Event(), asyncio.Event()

    async def held(passwords: Passwords, encoded: str | None, password: str) -> Verdict:
        nonlocal looked
        looked += 1
        verdict = await verify(passwords, encoded, password)
        if looked <= len(asked):
            mine, goes_on = asked[looked - 1], (found_right, changed)[looked - 1]
            mine.set()
            await goes_on.wait()
        return verdict

    monkeypatch.setattr(Passwords, "verify", held)
    new = {"current": PASSWORD, "new": "another horse battery"}
    changing = asyncio.create_task(house.ask("hurried", "PUT", "/me/password", json=new))
    await asked[0].wait()
    slow = asyncio.create_task(house.try_sign_in(name))
    await asked[1].wait()
    found_right.set()
    assert (await changing).status_code == 204
    changed.set()
    opened = (await slow).json()["secret"]
    assert (await house.exchange(opened)).status_code == 401
    assert (await house.exchange(here)).status_code == 200
    after = await house.try_sign_in(name, "another horse battery")
    assert (await house.exchange(after.json()["secret"])).status_code == 200

    async def listed() -> None:
        items = (await house.get("hurried", "/sessions"))["items"]
        assert {item["session_id"] for item in items} == {
            (await house.exchange(secret)).json()["session_id"] for secret in (here, after.json()["secret"])
        }

    await eventually(listed)


@over_http
async def test_guessing_the_present_password_is_counted(house: House) -> None:
    name = user_name()
    await register(house, **NEW_MEMBER, user_name=name, password=PASSWORD)
    house.secrets["guessed"] = await house.sign_in(name)
    wrong = {"current": "not this one at all", "new": "another horse battery"}
    for _ in range(3):
        assert code(await house.ask("guessed", "PUT", "/me/password", json=wrong))[0] == 422
    assert code(await house.ask("guessed", "PUT", "/me/password", json=wrong)) == (429, "too-many-sign-ins")


@over_http
async def test_who_left_and_came_back_signs_in_again(house: House) -> None:
    name = user_name()
    made = await register(house, **NEW_MEMBER, user_name=name, password=PASSWORD)
    member_id = made.json()["member_id"]
    assert (await house.ask("ada", "POST", f"/members/{member_id}/deactivate")).status_code == 204
    assert (await house.try_sign_in(name)).status_code == 401
    assert (await house.ask("ada", "POST", f"/members/{member_id}/reactivate")).status_code == 204
    assert (await house.try_sign_in(name)).status_code == 201


@over_http
async def test_the_list_of_erasures_is_kept_and_applied_by_those_who_may_erase(house: House) -> None:
    made = await register(house, **NEW_MEMBER)
    member_id = made.json()["member_id"]
    await house.member("oskar", roles=frozenset({Role.OPERATOR}))
    await house.member("plain")
    assert (await house.ask("ada", "DELETE", f"/members/{member_id}")).status_code == 204
    listed = (await house.ask("oskar", "GET", "/operate/erasures")).json()
    (mine,) = [each for each in listed["items"] if each["member_id"] == member_id]
    assert listed["next"] is None
    assert code(await house.ask("plain", "GET", "/operate/erasures")) == (403, "operators-only")
    given = {"items": [mine]}
    assert code(await house.ask("oskar", "POST", "/operate/erasures", json=given)) == (403, "not-permitted")
    # As after a restore: the key is there again.
    keys = house.identity.vault.ring.collection
    await keys.delete_one({"_id": member_id})
    await house.identity.vault.ensure([member_id])
    applied = await house.ask("ada", "POST", "/operate/erasures", json=given)
    assert applied.json() == {"given": 1, "erased": 1}
    again = await house.ask("ada", "POST", "/operate/erasures", json=given)
    assert again.json() == {"given": 1, "erased": 0}
    late = {"items": [{**mine, "erased_at": "2999-01-01T00:00:00Z"}]}
    assert code(await house.ask("ada", "POST", "/operate/erasures", json=late)) == (422, "erasure-to-come")


@over_http
async def test_who_may_not_change_members_learns_nothing_of_them_by_asking(house: House) -> None:
    there = (await register(house, **NEW_MEMBER)).json()["member_id"]
    admin = (await house.ask("ada", "GET", "/me")).json()["member_id"]
    await house.member("curious")
    for path, body in (("roles", {"roles": []}), ("place", {}), ("name", {"name": "Other"})):
        for member_id in (there, admin, new_id()):
            for version in (0, 1, 7):
                tried = await house.ask(
                    "curious",
                    "PUT",
                    f"/members/{member_id}/{path}",
                    json=body,
                    headers={"If-Match": f'"{version}"'},
                )
                assert code(tried) == (403, "not-permitted"), (path, member_id, version)
