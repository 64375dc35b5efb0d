"""Identity on real engines: the service as it is run, with an administrator to begin with."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from contracts.identity import Kind, Role
from services.identity.accounts.membership import HOUSE, NewAccount
from services.identity.assembly import Identity, assemble
from services.identity.domain.members import RegisterMember
from services.identity.settings import Argon2, IdentitySettings, SignIns
from shared.kernel.events import Occasion
from shared.runtime.auth import LIFE_SECONDS
from shared.runtime.ids import new_id
from shared.tests.eventually import eventually
from shared.tests.rooms import drop_all, serving, settings_for

PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
NEW_MEMBER = {"name": "Bo Berg", "country": "SE", "language": "sv", "time_zone": "Europe/Stockholm"}
#: Quick to hash; what is proved does not depend on how slow it is.
QUICK = Argon2(passes=1, memory_kib=64, lanes=1)


@dataclass
class House:
    """The running service, and a way to ask it as anybody."""

    identity: Identity
    client: httpx.AsyncClient
    #: What each member here shows, and the token they got for it last, with its time.
    secrets: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, tuple[float, str]] = field(default_factory=dict)

    async def member(
        self, name: str, *, roles: frozenset[Role] = frozenset(), kind: Kind = Kind.STAFF
    ) -> str:
        """A member with an account, registered by the house itself. Answers the id."""
        member_id = new_id()
        command = RegisterMember(
            HOUSE, member_id, kind, f"{name.title()} Test", "sv", "Europe/Stockholm", "SE", roles=roles
        )
        account = NewAccount(f"{name}-{member_id[-6:]}", PASSWORD)
        await self.identity.membership.register(command, account, Occasion(None, new_id()))
        self.secrets[name] = await self.sign_in(account.user_name)
        return member_id

    async def try_sign_in(
        self, user_name: str, password: str = PASSWORD, address: str | None = None
    ) -> httpx.Response:
        headers = {} if address is None else {"Fikarum-Client-Address": address}
        body = {"user_name": user_name, "password": password, "device": "Firefox, Linux"}
        return await self.client.post("/sessions", json=body, headers=headers)

    async def sign_in(self, user_name: str) -> str:
        answer = await self.try_sign_in(user_name)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["secret"])

    async def exchange(self, secret: str) -> httpx.Response:
        return await self.client.post("/tokens", json={"secret": secret})

    async def token(self, secret: str) -> str:
        answer = await self.exchange(secret)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    async def token_of(self, who: str) -> str:
        """A token that is good for a while yet."""
        secret = self.secrets[who]
        at, token = self.tokens.get(secret, (0.0, ""))
        if time.monotonic() - at > LIFE_SECONDS / 2:
            at, token = time.monotonic(), await self.token(secret)
            self.tokens[secret] = (at, token)
        return token

    async def ask(self, who: str | None, method: str, path: str, **how: Any) -> httpx.Response:
        """`who` is a member's name here, or None for a stranger."""
        headers = {"Authorization": f"Bearer {await self.token_of(who)}"} if who is not None else {}
        return await self.client.request(method, path, headers={**headers, **how.pop("headers", {})}, **how)

    async def get(self, who: str, path: str, after: httpx.Response | None = None) -> Any:
        """The answer that holds the write that `after` made."""
        headers = {"Fikarum-After": after.headers["Fikarum-Commit"]} if after is not None else {}
        answer = await self.ask(who, "GET", path, headers=headers)
        assert answer.status_code == 200, answer.text
        assert "Fikarum-Behind" not in answer.headers
        return answer.json()


@pytest.fixture(scope="package")
def identity_settings(
    mongo_uri: str, kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[IdentitySettings]:
    home: Path = tmp_path_factory.mktemp("identity")
    with pytest.MonkeyPatch.context() as monkeypatch:
        base = settings_for(mongo_uri, kafka_bootstrap, home, monkeypatch)
        settings = IdentitySettings.from_env().model_copy(
            update={
                "argon2": QUICK,
                "sign_ins": SignIns(
                    failures_per_pair=3, failures_per_account=5, failures_per_address=7, window_minutes=600
                ),
            }
        )
        yield settings
        drop_all(base)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(identity_settings: IdentitySettings) -> AsyncIterator[House]:
    async with Running(assemble(identity_settings)) as house:
        yield house


class Running:
    """`async with Running(identity) as house`: up, with `ada` the administrator known to every view."""

    def __init__(self, identity: Identity) -> None:
        self._serving = serving(identity.service)
        self._identity = identity
        transport = httpx.ASGITransport(identity.service.http)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://identity", timeout=60)

    async def __aenter__(self) -> House:
        await self._serving.__aenter__()
        house = House(self._identity, self._client)
        await house.member("ada", roles=frozenset({Role.ADMIN}))

        async def known() -> bool:
            return (await house.ask("ada", "GET", "/me")).status_code == 200

        await eventually(known)
        return house

    async def __aexit__(self, *raised: Any) -> None:
        await self._client.aclose()
        await self._serving.__aexit__(*raised)


def written(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def code(answer: httpx.Response) -> tuple[int, str]:
    """How something was refused."""
    return answer.status_code, answer.json()["code"]


def user_name() -> str:
    return f"u{new_id()}"


async def register(house: House, **more: Any) -> httpx.Response:
    """A member, registered by the administrator over HTTP."""
    answer = await house.ask("ada", "POST", "/members", json={**NEW_MEMBER, **more})
    assert answer.status_code == 201, answer.text
    return answer
