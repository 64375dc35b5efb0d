"""The running platform, spoken to as any client does: through the gateway, with a personal access token."""

import json
import os
from typing import Any, Self

import httpx

from infra.cli import state
from infra.cli.faults import Fault
from infra.cli.home import Home

TOKEN_VARIABLE = "FIKARUM_TOKEN"  # noqa: S105 - the variable's name, not a token
OPERATOR_ROLES = frozenset({"admin", "operator"})
_SECONDS = 60.0


class Platform:
    """Answers are JSON. Everything raises Fault, in the platform's own words where it says any."""

    def __init__(self, gateway: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
        self._http = httpx.Client(
            base_url=f"{gateway}/api/v1", headers=headers, timeout=_SECONDS, trust_env=False
        )

    @classmethod
    def of(cls, home: Home) -> Self:
        """The platform that runs in `home`, with the token of FIKARUM_TOKEN or its seeded operator's."""
        now = state.read(home.state)
        if now is None or not now.alive:
            raise Fault(f"Nothing runs in {home.path}. Start it: fikarum up")
        return cls(now.parts["gateway"].address, os.environ.get(TOKEN_VARIABLE) or operator_token(home))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(self, method: str, path: str, content: object = None, **query: str | int) -> Any:
        try:
            answer = self._http.request(method, path, json=content, params=query)
        except httpx.TransportError as error:
            raise Fault(f"The gateway does not answer ({error}). See: fikarum status") from error
        if answer.is_success:
            return answer.json() if answer.content else None
        raise Refusal(answer)


class Refusal(Fault):
    """What the platform said no with; `code` is its refusal's."""

    def __init__(self, answer: httpx.Response) -> None:
        try:
            problem = answer.json()
            faults = "; ".join(f"{each['field']}: {each['message']}" for each in problem.get("errors") or ())
            self.code, said = str(problem["code"]), str(problem["detail"])
        except (ValueError, LookupError, TypeError, AttributeError):
            faults, self.code, said = "", "", f"The gateway answered {answer.status_code}."
        self.status = answer.status_code
        super().__init__(f"{said} ({faults})" if faults else said)


def demo(home: Home) -> dict[str, Any]:
    """The seeded sign-ins. Raises Fault where there are none."""
    try:
        found: dict[str, Any] = json.loads((home.secrets / "demo.json").read_text())
        return found
    except FileNotFoundError:
        raise Fault(f"No sign-ins were seeded in {home.path} yet. Start it: fikarum up") from None


def operator_token(home: Home) -> str:
    """The token of the seeded member who may operate. Raises Fault."""
    for member in demo(home)["members"]:
        if OPERATOR_ROLES & set(member["roles"]):
            return str(member["token"])
    raise Fault(f"No seeded sign-in of {home.path} may operate. Set {TOKEN_VARIABLE} to a token that may.")
