"""What lasts beyond one run of identity: counted failures, stronger hashes, erasures, the demonstration."""

import asyncio

from services.identity.assembly import assemble
from services.identity.domain import accounts
from services.identity.settings import Argon2, IdentitySettings, SignIns
from services.identity.tests.conftest import PASSWORD, Running, code, register, user_name, written
from shared.runtime.vault import reapply_erasures
from shared.tests.eventually import eventually


async def test_too_many_failures_close_an_account_for_a_while_and_no_restart_opens_it(
    identity_settings: IdentitySettings,
) -> None:
    name = user_name()
    async with Running(assemble(identity_settings)) as house:
        await register(house, user_name=name, password=PASSWORD)
        for _ in range(3):
            assert code(await house.try_sign_in(name, "wrong horse battery"))[0] == 401
        assert code(await house.try_sign_in(name)) == (429, "too-many-sign-ins")
    async with Running(assemble(identity_settings)) as house:
        refused = await house.try_sign_in(name)
        assert code(refused) == (429, "too-many-sign-ins") and int(refused.headers["Retry-After"]) > 1


async def test_a_password_is_rehashed_when_the_parameters_change(
    identity_settings: IdentitySettings,
) -> None:
    name = user_name()
    async with Running(assemble(identity_settings)) as house:
        made = await register(house, user_name=name, password=PASSWORD)
    stronger = identity_settings.model_copy(update={"argon2": Argon2(passes=2, memory_kib=128, lanes=1)})
    async with Running(assemble(stronger)) as house:
        for _ in range(2):
            assert (await house.try_sign_in(name)).status_code == 201
        stored = await house.identity.service.store.load(accounts.stream(made.json()["member_id"]))
        hashes = [
            await house.identity.service.keys.open(getattr(event, "password_hash"))  # noqa: B009
            for event in (recorded.event() for recorded in stored)
            if "password_hash" in event.personal
        ]
        assert [str(text).split("$")[3] for text in hashes] == ["m=64,t=1,p=1", "m=128,t=2,p=1"]


async def test_an_erasure_cut_short_or_applied_after_a_restore_is_finished(
    identity_settings: IdentitySettings,
) -> None:
    name = user_name()
    async with Running(assemble(identity_settings)) as house:
        made = await register(house, user_name=name, password=PASSWORD)
        member_id = made.json()["member_id"]
        kept = [*await house.identity.vault.erasures()]
        await house.identity.vault.erase(member_id)
        kept = [one for one in await house.identity.vault.erasures() if one not in kept]
    async with Running(assemble(identity_settings)) as house:

        async def finished() -> bool:
            (item,) = (await house.get("ada", f"/members?ids={member_id}"))["items"]
            return bool(item["state"] == "erased")

        await eventually(finished)
        assert await house.identity.vault.unannounced() == []
        assert await reapply_erasures(house.identity.vault, kept) == 0
        await register(house, user_name=name, password=PASSWORD)


async def test_a_view_rebuilt_after_an_erasure_shows_the_stand_in(
    identity_settings: IdentitySettings,
) -> None:
    async with Running(assemble(identity_settings)) as house:
        bo, cy = [(await register(house)).json()["member_id"] for _ in range(2)]
        erased = await house.ask("ada", "DELETE", f"/members/{bo}")
        before = await house.get("ada", f"/members?ids={bo},{cy}", after=erased)
        viewing = house.identity.service.viewings["identity.members"]
        built = await viewing.rebuild()

        async def serves() -> bool:
            return viewing.views.generation is not None and viewing.views.generation.number == built.number

        await eventually(serves)
        assert await house.get("ada", f"/members?ids={bo},{cy}") == before
        assert [item["name"] for item in before["items"]] == ["Former member", "Bo Berg"]


async def test_a_full_queue_of_sign_ins_answers_at_once(identity_settings: IdentitySettings) -> None:
    slow = Argon2(passes=4, memory_kib=65_536, lanes=1, at_once=1, most_waiting=1)
    changed = {"argon2": slow, "sign_ins": SignIns(failures_per_pair=100)}
    async with Running(assemble(identity_settings.model_copy(update=changed))) as house:
        tries = await asyncio.gather(*(house.try_sign_in(user_name()) for _ in range(6)))
        assert sorted(answer.status_code for answer in tries)[-1] == 503
        assert {answer.json()["code"] for answer in tries} == {"sign-in-failed", "sign-in-busy"}


async def test_the_demonstration_is_seeded_once_and_its_sign_ins_work(
    identity_settings: IdentitySettings,
) -> None:
    settings = identity_settings.model_copy(update={"demo": True})
    path = settings.folder / "secrets" / "demo.json"
    async with Running(assemble(settings)) as house:
        seeded = written(path)
        assert path.stat().st_mode & 0o777 == 0o600 and "synthetic" in seeded["note"]
        people = {one["user_name"]: one for one in seeded["members"]}
        assert {one["country"] for one in people.values()} >= {"SE", "DE"}
        assert people["alva"]["roles"] == ["admin", "operator"] and people["gemma"]["kind"] == "guest"
        for one in seeded["members"]:
            assert (await house.try_sign_in(one["user_name"], one["password"])).status_code == 201
            exchanged = (await house.exchange(one["token"])).json()
            assert (exchanged["member_id"], exchanged["roles"]) == (one["member_id"], one["roles"])
        commits = await house.identity.service.database["commits"].count_documents({"by": "identity"})
    async with Running(assemble(settings)) as house:
        assert written(path) == seeded
        again = await house.identity.service.database["commits"].count_documents({"by": "identity"})
        assert again == commits
    path.unlink()
    async with Running(assemble(settings)):
        assert not path.exists(), "who exists gets no new password"
