"""The services as they run, each a process of its own, and gateways in front of them."""

import json
import os
import time
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import httpx

from infra.engines.ports import ports_of
from shared.runtime.forking import forked
from shared.runtime.keys import MasterKey
from shared.runtime.settings import Limits, Settings
from shared.tests.rooms import drop_all

SERVICES = ("identity", "feed", "groups", "wiki", "search", "engagement", "gateway")
#: What every one of them answers to whom it knows: nobody may read before.
_ASKED = {
    "feed": "/feed",
    "groups": "/groups",
    "wiki": "/wiki/spaces",
    "search": "/search",
    "engagement": "/consent",
}
LONG = 180.0
#: Passwords of tests need not be slow to guess.
QUICK = {"FIKARUM_ARGON2__MEMORY_KIB": "1024", "FIKARUM_ARGON2__PASSES": "1", "FIKARUM_ARGON2__LANES": "1"}
#: Everybody in a test sits at the same address.
LIMITS = Limits(requests_a_minute=60_000, requests_burst=10_000)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the demonstration company."""

    member_id: str
    name: str
    user_name: str
    password: str
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class House:
    """`settings` are those of a gateway; others differ from them by `model_copy`."""

    settings: Settings
    members: dict[str, Member]


@contextmanager
def opened(
    mongo_uri: str, kafka: str, opensearch_url: str, home: Path, services: Sequence[str] = SERVICES[:-1]
) -> Iterator[House]:
    """Waits until `services` are ready; ends them, and drops what they stored, afterwards."""
    ports = ports_of(home, SERVICES, {})
    settings = Settings.model_validate(
        {
            "namespace": f"g{uuid.uuid4().hex[:10]}_",
            "mongo_uri": mongo_uri,
            "kafka": kafka,
            "opensearch_url": opensearch_url,
            "home": home,
            "port": ports["gateway"],
            "limits": LIMITS,
            "log_level": "warning",
            **{f"{name}_url": f"http://127.0.0.1:{port}" for name, port in ports.items()},
        }
    )
    # Several services read it at their start, whichever is the first.
    MasterKey.create(settings.master_key_path)
    started: dict[str, ForkServerProcess] = {}
    try:
        for name in services:
            started[name] = _begun(name, settings, ports[name])
        for name, process in started.items():
            _ready(settings.url_of(name), home / f"{name}.log", process)
        house = House(settings, _members(home))
        _known(house, [name for name in services if name in _ASKED])
        yield house
    finally:
        _end(started.values())
        drop_all(settings)


def _begun(name: str, settings: Settings, port: int) -> ForkServerProcess:
    engines = {"mongo_uri", "kafka", "opensearch_url"}
    given = settings.model_dump(mode="json", include={"namespace", *engines, "home", "log_level"})
    urls = {f"{service}_url": settings.url_of(service) for service in SERVICES}
    limits = settings.limits.model_dump(include={"requests_a_minute", "requests_burst"})
    environment = {
        **os.environ,
        **QUICK,
        **{f"FIKARUM_{key.upper()}": str(value) for key, value in {**given, **urls, "port": port}.items()},
        **{f"FIKARUM_LIMITS__{key.upper()}": str(value) for key, value in limits.items()},
        "FIKARUM_DEMO": "true",
    }
    return forked(
        "shared.runtime.serve", name, environment=environment, log=settings.home / f"{name}.log", leash=True
    )


def _end(processes: Collection[ForkServerProcess]) -> None:
    """All at once."""
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(20)
        if process.exitcode is None:
            process.kill()
            process.join()


def _ready(url: str, log: Path, process: ForkServerProcess) -> None:
    deadline = time.monotonic() + LONG
    with httpx.Client(trust_env=False, timeout=5.0) as client:
        while True:
            try:
                if client.get(f"{url}/health/ready").is_success:
                    return
            except httpx.TransportError:
                pass
            if process.exitcode is not None or time.monotonic() > deadline:
                raise AssertionError(f"{url} is not ready: {log.read_text()[-2_000:]}")
            time.sleep(0.05)


def _known(house: House, services: Sequence[str]) -> None:
    """Waits until every service has heard of everybody: they let nobody read before."""
    deadline = time.monotonic() + LONG
    with httpx.Client(trust_env=False, timeout=5.0) as client:
        for member in house.members.values():
            token = client.post(f"{house.settings.identity_url}/tokens", json={"secret": member.token}).json()
            headers = {"Authorization": f"Bearer {token['token']}"}
            for name in _ASKED.keys() & set(services):
                url = house.settings.url_of(name) + _ASKED[name]
                while not client.get(url, headers=headers).is_success:
                    assert time.monotonic() < deadline, f"{name} does not know {member.name}"
                    time.sleep(0.05)


def _members(home: Path) -> dict[str, Member]:
    with (home / "secrets" / "demo.json").open() as file:
        return {each["user_name"]: _member(each) for each in json.load(file)["members"]}


def _member(said: dict[str, Any]) -> Member:
    return Member(**{name: said[name] for name in Member.__dataclass_fields__})
