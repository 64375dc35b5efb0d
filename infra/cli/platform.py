"""The running platform, spoken to as any client does: through the gateway, with a personal access token."""

import json
import os
import time
from collections.abc import Mapping
from typing import Any, Self

import httpx

from infra.cli.faults import Fault
from infra.cli.home import Home
from infra.cli.places import places

#: As `shared.runtime.http` has them, which would load all of a service into this command.
AFTER_HEADER, BEHIND_HEADER, COMMIT_HEADER = "Fikarum-After", "Fikarum-Behind", "Fikarum-Commit"
TOKEN_VARIABLE = "FIKARUM_TOKEN"  # noqa: S105 - the variable's name, not a token
OPERATOR_ROLES = frozenset({"admin", "operator"})
_SECONDS = 60.0
#: What passes by itself: too much at once, a service that is away or still reading.
_PASSES = frozenset({429, 502, 503, 504})
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0


class Platform:
    """Answers are JSON. Everything raises Fault, in the platform's own words where it says any."""

    def __init__(self, gateway: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
        self._http = httpx.Client(
            base_url=f"{gateway}/api/v1", headers=headers, timeout=_SECONDS, trust_env=False
        )
        #: The last commit that was answered, as reads may be asked to be after it.
        self.commit: str | None = None

    @classmethod
    def of(cls, home: Home) -> Self:
        """The platform of `home`, with the token of FIKARUM_TOKEN or its seeded operator's."""
        gateway = places(home).gateway
        return cls(gateway, os.environ.get(TOKEN_VARIABLE) or operator_token(home))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(self, method: str, path: str, content: object = None, **query: str | int) -> Any:
        return _body(self._send(method, path, content, query, {}))

    def insist(
        self,
        method: str,
        path: str,
        content: object = None,
        *,
        key: str | None = None,
        patience: float = 120.0,
    ) -> Any:
        """Asks again, for `patience` seconds, while what is in the way will pass. Only what is repeatable"""
        headers = {"Idempotency-Key": key} if key else {}
        deadline, pause = time.monotonic() + patience, _FIRST_PAUSE
        while True:
            try:
                answer = self._send(method, path, content, {}, headers)
                self.commit = answer.headers.get(COMMIT_HEADER, self.commit)
                return _body(answer)
            except (Away, Refusal) as fault:
                passes = isinstance(fault, Away) or fault.status in _PASSES
                if not passes or time.monotonic() > deadline:
                    raise
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def shows(self, path: str, after: str, patience: float = 120.0, **query: str | int) -> Any:
        """What `path` answers once it covers the commit `after`. Raises Fault where it stays behind."""
        deadline = time.monotonic() + patience
        while True:
            answer = self._send("GET", path, None, query, {AFTER_HEADER: after})
            if BEHIND_HEADER not in answer.headers:
                return _body(answer)
            if time.monotonic() > deadline:
                raise Fault("What was written is not shown yet. Look at: fikarum generations")

    def _send(
        self, method: str, path: str, content: object, query: Mapping[str, Any], headers: Mapping[str, str]
    ) -> httpx.Response:
        try:
            return self._http.request(method, path, json=content, params=query, headers=headers)
        except httpx.TransportError as error:
            raise Away(f"The gateway does not answer ({error}). See: fikarum status") from error


def _body(answer: httpx.Response) -> Any:
    if answer.is_success:
        return answer.json() if answer.content else None
    raise Refusal(answer)


class Away(Fault):
    """Nobody answers."""


class Refusal(Fault):
    """What the platform said no with; `code` is its refusal's."""

    def __init__(self, answer: httpx.Response) -> None:
        try:
            problem = answer.json()
            self.code, said = str(problem["code"]), str(problem["detail"])
            errors = problem.get("errors") or ()
            # One fault alone is what is said of the whole.
            several = errors if len(errors) > 1 else ()
            faults = "; ".join(f"{each['field']}: {each['message']}" for each in several)
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
        raise Fault(f"No sign-ins were seeded in {home.path}. Start it with FIKARUM_DEMO=true.") from None


def operator(home: Home) -> dict[str, Any]:
    """The seeded member who may operate. Raises Fault."""
    for member in demo(home)["members"]:
        if OPERATOR_ROLES & set(member["roles"]):
            return dict(member)
    raise Fault(f"No seeded sign-in of {home.path} may operate. Set {TOKEN_VARIABLE} to a token that may.")


def operator_token(home: Home) -> str:
    return str(operator(home)["token"])
