"""The demonstration: seeded once, said to be synthetic, and its sign-ins work."""

from services.identity.assembly import assemble
from services.identity.settings import IdentitySettings
from services.identity.tests.conftest import Running, written


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
