"""Identity over HTTP: signing in, sessions, access tokens, members, erasing; on real MongoDB and Kafka."""

import asyncio
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import jwt
import pytest

from contracts.identity import Kind, Role
from services.identity.accounts import administering
from services.identity.accounts.passwords import Passwords
from services.identity.accounts.user_names import UserNames
from services.identity.domain.members import members
from services.identity.domain.members import stream as member_stream
from services.identity.domain.permissions import Acting
from services.identity.tests.conftest import (
    NEW_MEMBER,
    PASSWORD,
    QUICK,
    House,
    code,
    register,
    user_name,
)
from shared.kernel.errors import Unavailable
from shared.runtime.auth import Actor, TokenVerifier
from shared.runtime.ids import derived_id, new_id
from shared.runtime.store import EventStore
from shared.tests.eventually import eventually

#: One service for all of them: each makes its own members.
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_member_signs_in_and_gets_a_token_that_every_service_can_verify(house: House) -> None:
    name = user_name()
    made = await register(house, user_name=name, password=PASSWORD, roles=["editor"])
    answer = await house.try_sign_in(f" {name.upper()} ")
    assert answer.status_code == 201 and answer.headers["Cache-Control"] == "no-store"
    exchanged = (await house.exchange(answer.json()["secret"])).json()

    async def published() -> Any:
        return (await house.client.get("/keys")).json()

    actor = await TokenVerifier(published).verify(exchanged["token"])
    assert (actor.member_id, actor.roles) == (made.json()["member_id"], frozenset({"editor"}))
    assert actor.session_id == answer.json()["session_id"] == exchanged["session_id"]
    claims = jwt.decode(exchanged["token"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == exchanged["expires_in"] == 60


async def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(house: House) -> None:
    name = user_name()
    await register(house, user_name=name, password=PASSWORD)
    wrong = await house.try_sign_in(name, "wrong horse battery")
    unknown = await house.try_sign_in(user_name())
    impossible = await house.try_sign_in("no user name at all!")
    bodies = [{**a.json(), "correlation_id": ""} for a in (wrong, unknown, impossible)]
    assert bodies[0] == bodies[1] == bodies[2] and code(wrong) == (401, "sign-in-failed")


async def test_for_an_unknown_name_the_same_hash_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: a busy machine tells nothing by the clock."""
    passwords = Passwords(QUICK)
    await passwords.prepare()
    encoded = await passwords.hash(PASSWORD)
    compared: list[str] = []
    verify = type(passwords._hasher).verify

    def noting(hasher: Any, kept: str, password: str) -> bool:
        compared.append(kept.rsplit("$", 2)[0])
        return verify(hasher, kept, password)

    monkeypatch.setattr(type(passwords._hasher), "verify", noting)
    assert not (await passwords.verify(None, PASSWORD)).right
    assert (await passwords.verify(encoded, PASSWORD)).right
    assert len(compared) == 2 and compared[0] == compared[1]
    passwords.close()


async def test_what_is_kept_of_a_registration_lets_nobody_guess_its_password(house: House) -> None:
    body = json.dumps({**NEW_MEMBER, "user_name": user_name(), "password": PASSWORD})
    key = new_id()

    async def sent() -> Any:
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        answer = await house.ask("ada", "POST", "/members", content=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    made = await sent()
    commits, where = house.identity.service.database["commits"], {"idempotency": {"$regex": f" {key}$"}}
    unkeyed = hashlib.sha256(b"POST\n/members\n\n" + body.encode()).hexdigest()
    kept = await commits.find_one(where)
    assert kept is not None and kept["request_hash"] != unkeyed
    assert await sent() == made
    await commits.update_one(where, {"$set": {"request_hash": unkeyed}})
    assert await sent() == made, "as it was kept before there was a key"


async def test_before_its_keys_are_there_signing_in_waits(house: House) -> None:
    """With an empty key a digest would be anybody's to make, and attempts be counted for another name."""
    service = house.identity.service
    names = UserNames(service.database, service.keys.master)
    with pytest.raises(Unavailable):
        names.id_of_shown("anybody")
    await names.prepare()
    assert len(names.id_of_shown("anybody")) == 40
    passwords = Passwords(QUICK)
    encoded = await passwords.hash(PASSWORD)
    for kept in (None, encoded):
        with pytest.raises(Unavailable):
            await passwords.verify(kept, PASSWORD)
    passwords.close()


async def test_who_guesses_locks_out_neither_colleagues_behind_the_same_proxy_nor_the_owner_elsewhere(
    house: House,
) -> None:
    proxy, name, colleague = f"192.0.2.{new_id()}", user_name(), user_name()
    for each in (name, colleague):
        await register(house, user_name=each, password=PASSWORD)
    for _ in range(3):
        assert (await house.try_sign_in(name, "wrong horse battery", address=proxy)).status_code == 401
    for _ in range(20):
        guessed = await house.try_sign_in(name, PASSWORD, address=proxy)
        assert code(guessed) == (429, "too-many-sign-ins"), "refused tries count nowhere else"
    assert (await house.try_sign_in(colleague, address=proxy)).status_code == 201
    assert (await house.try_sign_in(name, address=f"{proxy}9")).status_code == 201


async def test_guesses_from_everywhere_close_the_account(house: House) -> None:
    name, address = user_name(), f"192.0.2.{new_id()}"
    await register(house, user_name=name, password=PASSWORD)
    for n in range(5):
        tried = await house.try_sign_in(name, "wrong horse battery", address=f"{address}{n}")
        assert tried.status_code == 401
    assert code(await house.try_sign_in(name, address=f"{address}9")) == (429, "too-many-sign-ins")


async def test_a_flood_from_one_address_closes_it_for_other_accounts_too(house: House) -> None:
    address = f"192.0.2.{new_id()}"
    name = user_name()
    await register(house, user_name=name, password=PASSWORD)
    for _ in range(7):
        assert (await house.try_sign_in(user_name(), address=address)).status_code == 401
    assert code(await house.try_sign_in(name, address=address)) == (429, "too-many-sign-ins")
    assert (await house.try_sign_in(name, address=f"{address}9")).status_code == 201
    kept = [bson.encode(d) async for d in house.identity.service.database["attempts"].find({})]
    assert kept and not any(address.encode() in document for document in kept)


async def test_signing_in_well_is_no_failure(house: House) -> None:
    name, address = user_name(), f"192.0.2.{new_id()}"
    await register(house, user_name=name, password=PASSWORD)
    for _ in range(9):
        assert (await house.try_sign_in(name, address=address)).status_code == 201


async def test_counted_failures_lapse_by_themselves(house: House) -> None:
    indexes = await house.identity.service.database["attempts"].index_information()
    assert indexes["ends_at"]["expireAfterSeconds"] == 0


async def test_no_password_secret_or_name_lies_readable_in_the_store(house: House) -> None:
    name = user_name()
    made = await register(house, user_name=name, password=PASSWORD, name="Unmistakable Personson")
    secret = await house.sign_in(name)
    stored = [bson.encode(d) async for d in house.identity.service.database["commits"].find({})]
    everything = b"\n".join(stored)
    assert made.json()["member_id"].encode() in everything
    for text in (name, PASSWORD, secret, secret[26:], "Unmistakable", "$argon2id$"):
        assert text.encode() not in everything


async def test_sessions_are_listed_with_their_device_and_end_at_once_when_revoked(house: House) -> None:
    name = user_name()
    made = await register(house, user_name=name, password=PASSWORD)
    first, second = await house.sign_in(name), await house.sign_in(name)
    house.secrets["bo"] = first

    async def both() -> bool:
        items = (await house.get("bo", "/sessions"))["items"]
        return len(items) == 2 and {item["device"] for item in items} == {"Firefox, Linux"}

    await eventually(both)
    items = (await house.get("bo", "/sessions"))["items"]
    other = next(item for item in items if not item["current"])
    assert [item["current"] for item in items].count(True) == 1
    gone = await house.ask("bo", "DELETE", f"/sessions/{other['session_id']}")
    assert gone.status_code == 204
    assert code(await house.exchange(second)) == (401, "signed-out")
    assert (await house.exchange(first)).status_code == 200
    left = (await house.get("bo", "/sessions", after=gone))["items"]
    assert [item["session_id"] for item in left] == [items[0 if items[0]["current"] else 1]["session_id"]]
    assert made.json()["member_id"] not in str(left)


async def test_nobody_ends_or_sees_the_session_of_another(house: House) -> None:
    await house.member("bo")
    await house.member("cy")
    bos = jwt.decode(await house.token_of("bo"), options={"verify_signature": False})["sid"]
    assert code(await house.ask("cy", "DELETE", f"/sessions/{bos}")) == (404, "no-such-session")
    assert code(await house.ask("cy", "DELETE", f"/sessions/{new_id()}")) == (404, "no-such-session")
    assert bos not in str(await house.get("cy", "/sessions"))
    assert (await house.ask("ada", "DELETE", f"/sessions/{bos}")).status_code == 204


@pytest.mark.parametrize("secret", ["", "fis_", "fik_" + "A" * 64, "fis_" + "é" * 64, "Bearer x"])
async def test_what_was_never_handed_out_is_exchanged_for_nothing(house: House, secret: str) -> None:
    assert code(await house.exchange(secret)) == (401, "signed-out")


async def test_an_access_token_acts_within_its_scopes_until_it_is_revoked(house: House) -> None:
    issued = await house.ask("ada", "POST", "/me/tokens", json=_token("report", ["read", "write"]))
    assert issued.status_code == 201 and issued.json()["secret"].startswith("fik_")
    exchanged = (await house.exchange(issued.json()["secret"])).json()
    assert exchanged["roles"] == [] and exchanged["scopes"] == ["read", "write"]
    listed = (await house.get("ada", "/me/tokens", after=issued))["items"]
    assert [(item["name"], item["scopes"]) for item in listed] == [("report", ["read", "write"])]
    assert issued.json()["secret"] not in str(listed)
    full = await house.ask("ada", "POST", "/me/tokens", json=_token("ops", ["read", "write", "administer"]))
    assert (await house.exchange(full.json()["secret"])).json()["roles"] == ["admin"]
    once = {"json": _token("once", ["read"]), "headers": {"Idempotency-Key": new_id()}}
    assert (await house.ask("ada", "POST", "/me/tokens", **once)).status_code == 201
    again = await house.ask("ada", "POST", "/me/tokens", **once)
    assert code(again) == (409, "token-made-before"), "what is shown once cannot be shown again"
    token_id = issued.json()["token_id"]
    revoked = await house.ask("ada", "DELETE", f"/me/tokens/{token_id}")
    assert revoked.status_code == 204
    assert code(await house.exchange(issued.json()["secret"])) == (401, "signed-out")
    assert token_id not in str(await house.get("ada", "/me/tokens", after=revoked))


def _token(name: str, scopes: list[str]) -> dict[str, Any]:
    end = datetime.now(UTC) + timedelta(days=30)
    return {"name": name, "scopes": scopes, "expires_at": end.isoformat()}


async def test_an_access_token_for_reading_changes_nothing_in_any_service(house: House) -> None:
    issued = await house.ask("ada", "POST", "/me/tokens", json=_token("report", ["read", "administer"]))
    house.secrets["reader"] = issued.json()["secret"]
    assert (await house.ask("reader", "GET", "/me")).status_code == 200
    for method, path, body in [("PUT", "/me/language", {"language": "fi"}), ("POST", "/members", NEW_MEMBER)]:
        assert code(await house.ask("reader", method, path, json=body)) == (403, "token-reads-only")


async def test_an_access_token_cannot_make_another(house: House) -> None:
    issued = await house.ask("ada", "POST", "/me/tokens", json=_token("all", ["read", "write", "administer"]))
    house.secrets["script"] = issued.json()["secret"]
    again = await house.ask("script", "POST", "/me/tokens", json=_token("more", ["read"]))
    assert code(again) == (403, "session-needed")


async def test_access_tokens_of_others_are_neither_seen_nor_ended(house: House) -> None:
    await house.member("bo")
    issued = await house.ask("ada", "POST", "/me/tokens", json=_token("mine", ["read"]))
    token_id = issued.json()["token_id"]
    assert code(await house.ask("bo", "DELETE", f"/me/tokens/{token_id}")) == (404, "no-such-access-token")
    assert token_id not in str(await house.get("bo", "/me/tokens"))


ROUTES: list[tuple[str, str, Any]] = [
    ("GET", "/sessions", None),
    ("DELETE", "/sessions/s1", None),
    ("POST", "/me/tokens", _token("x", ["read"])),
    ("GET", "/me/tokens", None),
    ("DELETE", "/me/tokens/t1", None),
    ("GET", "/me", None),
    ("PUT", "/me/language", {"language": "fi"}),
    ("GET", "/members?ids=a", None),
    ("GET", "/members/cards?ids=a", None),
    ("GET", "/members/a", None),
    ("POST", "/members", NEW_MEMBER),
    ("POST", "/members/import", {"members": []}),
    ("PUT", "/members/a/roles", {"roles": []}),
    ("POST", "/members/a/deactivate", None),
    ("DELETE", "/members/a", None),
]


async def test_a_stranger_may_sign_in_and_nothing_else(house: House) -> None:
    for method, path, body in ROUTES:
        answer = await house.ask(None, method, path, json=body)
        assert code(answer) == (401, "sign-in-needed"), (method, path)
        shown = {"Authorization": "Bearer a.b.c"}
        forged = await house.client.request(method, path, json=body, headers=shown)
        assert code(forged) == (401, "token-invalid"), (method, path)


async def test_a_member_without_a_role_administers_nothing(house: House) -> None:
    bo = await house.member("bo")
    cy = await house.member("cy")
    new = new_id()
    someone = {"member_id": new_id(), "imported_as": "author-001", "name": "author-001"}
    for method, path, body in [
        ("POST", "/members", {**NEW_MEMBER, "member_id": new}),
        ("POST", "/members/import", {"members": [someone]}),
        ("PUT", f"/members/{cy}/roles", {"roles": ["admin"]}),
        ("PUT", f"/members/{bo}/roles", {"roles": ["admin"]}),
        ("POST", f"/members/{cy}/deactivate", None),
        ("DELETE", f"/members/{cy}", None),
    ]:
        answer = await house.ask("bo", method, path, json=body)
        assert code(answer) == (403, "not-permitted"), (method, path)
    keys = house.identity.service.keys.collection
    refused = {"_id": {"$in": [new, someone["member_id"]]}}
    assert await keys.find_one(refused) is None, "no key for who was refused"


async def test_an_operator_makes_no_administrator(house: House) -> None:
    await house.member("ola", roles=frozenset({Role.OPERATOR}))
    answer = await house.ask("ola", "POST", "/members", json={**NEW_MEMBER, "roles": ["admin"]})
    assert code(answer) == (403, "for-admins-only")


async def test_who_administers_no_more_does_nothing_with_a_token_from_before(house: House) -> None:
    former = await house.member("fay", roles=frozenset({Role.ADMIN}))
    bo = await house.member("bob")
    await house.token_of("fay")
    tried: list[tuple[str, str, Any]] = [
        ("PUT", f"/members/{former}/roles", {"roles": ["admin"]}),
        ("POST", f"/members/{bo}/deactivate", None),
        ("DELETE", f"/members/{bo}", None),
        ("POST", "/members", NEW_MEMBER),
        ("PUT", f"/members/{bo}/name", {"name": "Somebody Else"}),
        ("POST", "/units", {"unit_id": f"u-{new_id()[:8]}", "name": "Unit"}),
        ("POST", "/operate/erasures", {"items": []}),
    ]
    taken = await house.ask("ada", "PUT", f"/members/{former}/roles", json={"roles": []})
    assert taken.status_code == 204
    for method, path, body in tried:
        answer = await house.ask("fay", method, path, json=body)
        assert code(answer) == (403, "not-permitted"), (method, path)


@pytest.mark.parametrize("way", ["roles", "deactivate", "erase"])
async def test_two_administrators_do_not_let_each_other_go(
    house: House, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However both are looked up before either is written: one of them stays."""
    one, other = f"one{way}", f"other{way}"
    ids = {name: await house.member(name, roles=frozenset({Role.ADMIN})) for name in (one, other)}
    for name in ids:
        await house.token_of(name)
    look, looked, both_know = administering.acting_now, 0, asyncio.Event()

    async def at_once(store: EventStore, actor: Actor) -> Acting:
        nonlocal looked
        found = await look(store, actor)
        looked += 1
        if looked >= 2:
            both_know.set()
        await both_know.wait()
        return found

    monkeypatch.setattr(administering, "acting_now", at_once)

    async def lets_go(who: str, whom: str) -> int:
        path = f"/members/{ids[whom]}"
        match way:
            case "roles":
                answer = await house.ask(who, "PUT", f"{path}/roles", json={"roles": []})
            case "deactivate":
                answer = await house.ask(who, "POST", f"{path}/deactivate")
            case _:
                answer = await house.ask(who, "DELETE", path)
        return answer.status_code

    done = sorted(await asyncio.gather(lets_go(one, other), lets_go(other, one)))
    assert done[0] == 204 and done[1] in (403, 409)
    store = house.identity.service.store
    left = [(await store.state(members, member_stream(member_id)))[0] for member_id in ids.values()]
    assert [m.may_sign_in and Role.ADMIN in m.roles for m in left].count(True) == 1


async def test_names_are_asked_for_by_the_hundred_and_unknown_ids_are_left_out(house: House) -> None:
    made = await register(house)
    member_id = made.json()["member_id"]
    found = await house.get("ada", f"/members?ids={member_id},{new_id()}&ids={member_id}", after=made)
    assert found == {
        "items": [
            {
                "member_id": member_id,
                "name": "Bo Berg",
                "kind": "staff",
                "state": "active",
                "erased": False,
                "pending": False,
                "synthetic": False,
            }
        ]
    }
    many = ",".join(new_id() for _ in range(101))
    assert code(await house.ask("ada", "GET", f"/members?ids={many}")) == (422, "too-many-ids")


async def test_several_members_are_read_in_one_question_as_each_would_be(house: House) -> None:
    made = [await register(house, email=f"{name}@example.org") for name in ("bo", "kim")]
    bo, kim = [answer.json()["member_id"] for answer in made]
    await house.get("ada", f"/members/{bo}", after=made[0])
    found = await house.get("ada", f"/members/cards?ids={kim},{new_id()}&ids={bo},{kim}", after=made[1])
    assert [item["member_id"] for item in found["items"]] == [kim, bo], "in the order of the ids, each once"
    assert found["items"] == [await house.get("ada", f"/members/{each}") for each in (kim, bo)]
    assert found["items"][1]["email"] == "bo@example.org"
    many = ",".join(new_id() for _ in range(101))
    assert code(await house.ask("ada", "GET", f"/members/cards?ids={many}")) == (422, "too-many-ids")
    gil = await house.member("gic", kind=Kind.GUEST)

    async def themselves() -> bool:
        return (await house.ask("gic", "GET", f"/members/{gil}")).status_code == 200

    await eventually(themselves)
    mine = await house.get("gic", f"/members/cards?ids={bo},{gil},{kim}")
    assert [item["member_id"] for item in mine["items"]] == [gil]


async def test_a_guest_reads_themselves_and_no_profile_of_others(house: House) -> None:
    made = await register(house, email="bo@example.org")
    bo = made.json()["member_id"]
    await house.get("ada", f"/members/{bo}", after=made)
    gil = await house.member("gil", kind=Kind.GUEST)

    async def themselves() -> bool:
        return (await house.ask("gil", "GET", f"/members/{gil}")).status_code == 200

    await eventually(themselves)
    assert code(await house.ask("gil", "GET", f"/members/{bo}")) == (404, "no-such-member")
    assert (await house.get("gil", f"/members?ids={bo},{gil}"))["items"][0]["member_id"] == gil
    assert (await house.get("ada", f"/members/{bo}"))["email"] == "bo@example.org"


async def test_the_same_registration_under_one_key_is_done_once(house: House) -> None:
    name, headers = user_name(), {"Idempotency-Key": new_id()}
    body = {**NEW_MEMBER, "user_name": name, "password": PASSWORD}
    first = await house.ask("ada", "POST", "/members", json=body, headers=headers)
    again = await house.ask("ada", "POST", "/members", json=body, headers=headers)
    assert first.status_code == again.status_code == 201 and first.json() == again.json()
    other = await house.ask("ada", "POST", "/members", json=body)
    assert code(other) == (409, "user-name-taken")


async def test_a_taken_user_name_leaves_no_half_a_member(house: House) -> None:
    name, member_id = user_name(), new_id()
    await register(house, user_name=name, password=PASSWORD)
    body = {**NEW_MEMBER, "member_id": member_id, "user_name": name, "password": PASSWORD}
    assert code(await house.ask("ada", "POST", "/members", json=body)) == (409, "user-name-taken")
    assert await house.identity.service.store.load(f"member-{member_id}") == []


@pytest.mark.parametrize(
    "body",
    [
        {**NEW_MEMBER, "surprise": 1},
        {**NEW_MEMBER, "roles": ["emperor"]},
        {**NEW_MEMBER, "member_id": "../../x"},
        {**NEW_MEMBER, "name": "x" * 201},
        {**NEW_MEMBER, "signs_in": "yes"},
        {**NEW_MEMBER, "user_name": "only-half"},
        {**NEW_MEMBER, "user_name": "u", "password": "short"},
        {"name": "nobody"},
        [],
        "text",
    ],
)
async def test_bad_registrations_are_refused_and_leave_nothing(house: House, body: Any) -> None:
    before = await house.identity.service.database["commits"].count_documents({})
    answer = await house.ask("ada", "POST", "/members", json=body)
    assert answer.status_code == 422 and answer.headers["Content-Type"] == "application/problem+json"
    assert await house.identity.service.database["commits"].count_documents({}) == before


async def test_five_hundred_authors_are_imported_and_again_without_a_change(house: House) -> None:
    batch = new_id()
    authors = [
        {
            "member_id": derived_id(batch, str(at)),
            "imported_as": f"author-{at:03}",
            "name": f"author-{at:03}",
            "occurred_at": "2016-09-30T14:46:06-04:00",
        }
        for at in range(500)
    ]
    first = await house.ask("ada", "POST", "/members/import", json={"members": authors})
    assert (first.status_code, first.json()) == (200, {"registered": 500, "already_there": 0})
    commits = house.identity.service.database["commits"]
    before = await commits.count_documents({})
    again = await house.ask("ada", "POST", "/members/import", json={"members": authors})
    assert again.json() == {"registered": 0, "already_there": 500}
    assert await commits.count_documents({}) == before
    stored = await house.identity.service.store.load(f"member-{authors[0]['member_id']}")
    assert stored[0].imported and stored[0].occurred_at == datetime(2016, 9, 30, 18, 46, 6, tzinfo=UTC)
    too_many = await house.ask("ada", "POST", "/members/import", json={"members": [*authors, authors[0]]})
    assert too_many.status_code == 422


async def test_nothing_says_how_a_source_called_an_author_who_is_erased(house: House) -> None:
    name, member_id = "Unmistakable Name", new_id()
    author = {"member_id": member_id, "imported_as": name, "name": name}
    made = await house.ask("ada", "POST", "/members/import", json={"members": [author]})
    assert made.json() == {"registered": 1, "already_there": 0}

    async def shown() -> bool:
        return (await house.ask("ada", "GET", f"/members/{member_id}")).status_code == 200

    await eventually(shown)
    erased = await house.ask("ada", "DELETE", f"/members/{member_id}")
    answer = await house.get("ada", f"/members/{member_id}", after=erased)
    assert name not in str(answer)
    again = await house.ask("ada", "POST", "/members/import", json={"members": [author]})
    assert again.json() == {"registered": 0, "already_there": 1}
    database = house.identity.service.database

    async def said_nowhere() -> None:
        for collection in await database.list_collection_names():
            async for document in database[collection].find():
                assert name not in str(document), collection

    await eventually(said_nowhere)


async def test_who_is_deactivated_is_signed_out_and_keeps_their_name(house: House) -> None:
    name = user_name()
    made = await register(house, user_name=name, password=PASSWORD)
    secret, member_id = await house.sign_in(name), made.json()["member_id"]
    left = await house.ask("ada", "POST", f"/members/{member_id}/deactivate")
    assert left.status_code == 204
    assert code(await house.exchange(secret)) == (401, "signed-out")
    assert code(await house.try_sign_in(name)) == (401, "sign-in-failed")
    (item,) = (await house.get("ada", f"/members?ids={member_id}", after=left))["items"]
    assert (item["name"], item["state"], item["erased"]) == ("Bo Berg", "deactivated", False)


async def test_who_is_erased_is_a_former_member_everywhere_and_their_user_name_is_free(house: House) -> None:
    name = user_name()
    made = await register(house, user_name=name, password=PASSWORD, email="bo@example.org")
    secret, member_id = await house.sign_in(name), made.json()["member_id"]
    assert (await house.get("ada", f"/members/{member_id}", after=made))["email"] == "bo@example.org"
    erased = await house.ask("ada", "DELETE", f"/members/{member_id}")
    assert erased.status_code == 204
    shown = await house.get("ada", f"/members/{member_id}", after=erased)
    assert (shown["name"], shown["erased"], shown["email"]) == ("Former member", True, None)
    (item,) = (await house.get("ada", f"/members?ids={member_id}"))["items"]
    assert (item["name"], item["state"], item["erased"]) == ("Former member", "erased", True)
    assert code(await house.exchange(secret)) == (401, "signed-out")
    assert code(await house.try_sign_in(name)) == (401, "sign-in-failed")
    assert (await house.ask("ada", "DELETE", f"/members/{member_id}")).status_code == 204
    again = await register(house, user_name=name, password=PASSWORD, name="Somebody Else")
    assert (await house.try_sign_in(name)).status_code == 201
    assert again.json()["member_id"] != member_id


async def test_a_member_chooses_their_language(house: House) -> None:
    await house.member("bo")
    changed = await house.ask("bo", "PUT", "/me/language", json={"language": "fi"})
    assert changed.status_code == 204
    assert (await house.get("bo", "/me", after=changed))["language"] == "fi"
    assert code(await house.ask("bo", "PUT", "/me/language", json={"language": "?"}))[0] == 422


async def test_roles_given_are_in_the_next_token(house: House) -> None:
    name = user_name()
    made = await register(house, user_name=name, password=PASSWORD)
    secret = await house.sign_in(name)
    path = f"/members/{made.json()['member_id']}/roles"
    assert (await house.ask("ada", "PUT", path, json={"roles": ["editor", "coach"]})).status_code == 204
    assert (await house.exchange(secret)).json()["roles"] == ["coach", "editor"]
    stale = await house.ask("ada", "PUT", path, json={"roles": []}, headers={"If-Match": '"1"'})
    assert code(stale) == (409, "edited-meanwhile")
