"""Engines for tests as containers of a Docker-compatible engine on this machine, by way of testcontainers.

The official images where they are to be had, set as docker-compose.yml sets them; else the one that holds
the native engines (`python -m infra.containers compose build`). A port is the same inside and outside, so
that what an engine says about itself (Kafka's listeners, MongoDB's members) is true on both sides.
"""

import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import yaml
from docker.errors import APIError, DockerException, ImageNotFound
from testcontainers.core.container import DockerContainer

from infra.engines.engines import Engines
from infra.engines.faults import NotInstalled, NotReady
from infra.engines.ports import HOST
from infra.engines.seam import Addresses, EngineStatus
from infra.engines.settings import ENGINES, REPOSITORY, EngineName, EngineSettings

NATIVE = "fikarum/engines"
_HOMES = {"mongo": "/data/db", "kafka": "/var/lib/kafka/data", "opensearch": "/usr/share/opensearch/data"}
_OPENSEARCH_PORT = 9200
_POLL = 0.1


class Containers:
    """An engine is there until `stop`; its data goes with it. Raises NotReady where none can be had."""

    def __init__(self, home: Path) -> None:
        # Knows the ports and how to ask each engine; its processes are never started.
        self._native = Engines(home, EngineSettings(engine_host=HOST, engine_listen="0.0.0.0"))  # noqa: S104
        self._running: dict[EngineName, DockerContainer] = {}

    @property
    def addresses(self) -> Addresses:
        return self._native.addresses

    def start(self, names: Iterable[EngineName] = ENGINES) -> Addresses:
        missing = [name for name in names if name not in self._running]
        for name in missing:
            self._running[name] = self._container(name).start()
        for name in missing:
            self._wait(name)
        return self.addresses

    def stop(self) -> None:
        for container in self._running.values():
            container.stop()
        self._running.clear()

    def status(self) -> dict[EngineName, EngineStatus]:
        return {
            name: replace(status, state="running" if self._native.answers(name) else "silent")
            if name in self._running
            else status
            for name, status in self._native.status().items()
        }

    def _container(self, name: EngineName) -> DockerContainer:
        image = _image(name)
        return self._of_native(name) if image == NATIVE else self._of_official(name, image)

    def _of_native(self, name: EngineName) -> DockerContainer:
        port = self._native.port(name)
        container = DockerContainer(NATIVE).with_command(["start", _HOMES[name], name])
        for setting, value in {
            f"FIKARUM_{name.upper()}_PORT": str(port),
            "FIKARUM_ENGINE_LISTEN": "0.0.0.0",  # noqa: S104 - within its own network
            "FIKARUM_TEST_COMMANDS": "true",
            "FIKARUM_START_TIMEOUT": f"{self._native.settings.start_timeout:g}",
        }.items():
            container.with_env(setting, value)
        return _published(container, port, port)

    def _of_official(self, name: EngineName, image: str) -> DockerContainer:
        port, container = self._native.port(name), DockerContainer(image)
        for setting, value in _composed(name).get("environment", {}).items():
            container.with_env(setting, str(value))
        if name == "mongo":
            container.with_command(
                f"--replSet rs0 --bind_ip_all --port {port} --setParameter enableTestCommands=1"
            )
        elif name == "kafka":
            container.with_env("KAFKA_LISTENERS", f"PLAINTEXT://:{port},CONTROLLER://:9093")
            container.with_env("KAFKA_ADVERTISED_LISTENERS", f"PLAINTEXT://{HOST}:{port}")
            container.with_env("KAFKA_HEAP_OPTS", "-Xms128m -Xmx512m")
        else:
            container.with_env("OPENSEARCH_JAVA_OPTS", "-Xms256m -Xmx512m")
            return _published(container, _OPENSEARCH_PORT, port)
        return _published(container, port, port)

    def _wait(self, name: EngineName) -> None:
        settings = self._native.settings
        deadline = time.monotonic() + settings.start_timeout
        while not self._native.answers(name):
            if time.monotonic() > deadline:
                out, err = self._running[name].get_logs()
                last = (out + err).decode(errors="replace").strip().splitlines()[-1:]
                raise NotReady(f"{name}: no answer within {settings.start_timeout:g} s; it said last: {last}")
            time.sleep(_POLL)


def _published(container: DockerContainer, inside: int, outside: int) -> DockerContainer:
    """On the loopback only."""
    # the engine's client takes an address as well as a number
    container.ports[f"{inside}/tcp"] = (HOST, outside)  # type: ignore[assignment]
    return container


def _composed(name: EngineName) -> dict[str, Any]:
    services: dict[str, dict[str, Any]] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())[
        "services"
    ]
    return services[name]


def _image(name: EngineName) -> str:
    """The first of the two that is there, or can be pulled. Raises NotReady, NotInstalled."""
    official = str(_composed(name)["image"])
    try:
        client = docker.from_env()
        for image in (official, NATIVE):
            try:
                client.images.get(image)
                return image
            except ImageNotFound:
                continue
        client.images.pull(official)
        return official
    except (ImageNotFound, APIError):
        raise NotInstalled(
            f"{name}: no image {official} or {NATIVE}: python -m infra.containers compose build"
        ) from None
    except DockerException as error:
        raise NotReady(f"no Docker-compatible engine answers: {str(error).splitlines()[0][:200]}") from None
