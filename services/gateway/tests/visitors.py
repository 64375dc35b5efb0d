"""People at the door, as browsers make them appear: cookies, forms, and the pages that come back."""

import re
from html import unescape
from types import TracebackType
from typing import Self

import httpx
from fastapi import FastAPI

from services.gateway.app import assemble
from services.gateway.tests.house import Member
from shared.runtime.settings import Settings
from shared.tests.eventually import eventually

SITE = "http://gateway.test"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
#: What a form sends of itself: hidden fields, and the choices that are made in it.
_SET = re.compile(
    r'<input type="(?:hidden" name="([a-z_]+)" value="([^"]*)"'
    r'|(?:checkbox|radio)" name="([a-z_]+)" value="([^"]*)" checked)'
)


class Gateway:
    """One gateway of this process, and its visitors."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app: FastAPI = assemble(settings)
        self._running = self.app.router.lifespan_context(self.app)

    async def __aenter__(self) -> Self:
        await self._running.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._running.__aexit__(kind, error, trace)

    def client(self, site: str = SITE, address: str = "10.0.0.1", **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 50_000))
        return httpx.AsyncClient(transport=transport, base_url=site, headers=headers)

    async def visitor(self, member: Member | None = None, **headers: str) -> "Visitor":
        """A browser; with `member`, somebody who has signed in."""
        visitor = Visitor(self.client(**headers))
        if member is not None:
            await visitor.sign_in(member)
        return visitor


class Visitor:
    """Sees a page, fills in its form, sends it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def see(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers)

    async def see_soon(self, path: str, text: str = "", status: int = 200) -> httpx.Response:
        """What somebody else did shows a moment later."""

        async def look() -> httpx.Response:
            answer = await self.see(path)
            assert answer.status_code == status and text in answer.text, f"{path}: {answer.status_code}"
            return answer

        return await eventually(look)

    async def token(self, path: str = "/settings") -> str:
        """The form token that a page shows."""
        found = _TOKEN.search((await self.see(path)).text)
        assert found, f"{path} shows no form"
        return unescape(found[1])

    async def send(
        self,
        path: str,
        fields: dict[str, str | list[str]] | None = None,
        seen: str | None = None,
        **headers: str,
    ) -> httpx.Response:
        """The form at `seen` (else at `path`) with these fields, and the others as they are."""
        shown = await self.see(seen or path)
        assert shown.status_code < 500, shown.text
        form = shown.text[shown.text.find(f'action="{path}"') :]
        given: dict[str, str | list[str]] = {}
        for hidden, value, chosen, choice in _SET.findall(form.partition("</form>")[0]):
            if hidden:
                given[hidden] = unescape(value)
            else:
                given[chosen] = [*given.get(chosen, []), unescape(choice)]
        assert "csrf_token" in given, f"{seen or path} shows no form for {path}"
        return await self.client.post(
            path, data={**given, **(fields or {})}, headers={"Origin": str(self.client.base_url), **headers}
        )

    async def sign_in(self, member: Member, back: str = "/") -> httpx.Response:
        fields: dict[str, str | list[str]] = {"username": member.user_name, "password": member.password}
        answer = await self.send("/sign-in", {**fields, "back": back})
        assert answer.status_code == 303, answer.text
        return answer
