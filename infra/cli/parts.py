"""What the platform consists of: three engines, and the services, each a process of its own."""

import http.client
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import urlsplit

from infra.engines.engines import Engines
from infra.engines.faults import EngineFault, PortTaken
from infra.engines.ports import require_free
from infra.engines.process import rotate
from infra.engines.settings import EngineName
from shared.runtime.forking import forked

_PROBE_SECONDS = 3.0
_LAST_BYTES = 8_192


class Part(Protocol):
    """What can be begun, watched and ended. Nothing here blocks but `end`."""

    @property
    def kind(self) -> Literal["engine", "service"]: ...
    @property
    def name(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def log(self) -> Path: ...
    @property
    def needs(self) -> Sequence[str]:
        """The parts that run before this one is begun."""
        ...

    @property
    def tries(self) -> int:
        """How often it may die before it was ever ready; then the whole start has failed."""
        ...

    @property
    def pid(self) -> int | None: ...

    def begin(self) -> None: ...

    def ended(self) -> str | None:
        """Why it does not live any more; None while it does."""
        ...

    def waiting_for(self) -> list[str]:
        """What keeps it from being ready; nothing when it is."""
        ...

    def end(self) -> None:
        """Asks it to finish what is under way and waits for its end; in the end by force."""
        ...


class EnginePart:
    """One engine, by way of infra.engines, whose start returns when the engine answers."""

    kind: Literal["engine", "service"] = "engine"
    needs: Sequence[str] = ()
    tries = 1

    def __init__(self, engines: Engines, name: EngineName, workers: ThreadPoolExecutor) -> None:
        self._engines, self._name, self._workers = engines, name, workers
        self._starting: Future[object] | None = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def address(self) -> str:
        addresses = self._engines.addresses
        return {
            "mongo": addresses.mongo_uri,
            "kafka": addresses.kafka_bootstrap,
            "opensearch": addresses.opensearch_url,
        }[self._name]

    @property
    def log(self) -> Path:
        return self._engines.home / "logs" / f"{self._name}.log"

    @property
    def pid(self) -> int | None:
        return self._engines.pid(self._name)

    def begin(self) -> None:
        self._starting = self._workers.submit(self._engines.start, (self._name,))

    def ended(self) -> str | None:
        if self._starting is None or not self._starting.done():
            return None
        if fault := self._starting.exception():
            return str(fault) if isinstance(fault, EngineFault) else f"{self._name}: {fault!r}"
        return None if self.pid else f"{self._name} ended by itself; see {self.log}"

    def waiting_for(self) -> list[str]:
        return [] if self._starting is not None and self._starting.done() else ["its start"]

    def end(self) -> None:
        if self._starting is not None and not self._starting.cancel():
            self._starting.exception()
        self._engines.stop((self._name,))


class ServicePart:
    """One service: a process that answers `/health/ready`. `command`: a module of this checkout and its
    arguments."""

    kind: Literal["engine", "service"] = "service"
    tries = 3

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        address: str,
        log: Path,
        *,
        environment: Mapping[str, str],
        needs: Sequence[str] = (),
        leash: bool = False,
        patience: float = 20.0,
    ) -> None:
        self.name, self.address, self.log, self.needs = name, address, log, needs
        self._command, self._environment = list(command), dict(environment)
        self._leash, self._patience = leash, patience
        self._process: ForkServerProcess | None = None
        self._refused: str | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._process.exitcode is None else None

    def begin(self) -> None:
        """Not where somebody else listens: that one's answers would pass for this service's."""
        self._process, self._refused = None, None
        try:
            require_free(self.name, {self.name: urlsplit(self.address).port or 0})
        except PortTaken as taken:
            self._refused = str(taken)
            return
        rotate(self.log)
        self._process = forked(*self._command, environment=self._environment, log=self.log, leash=self._leash)

    def ended(self) -> str | None:
        if self._refused:
            return self._refused
        code = self._process.exitcode if self._process is not None else None
        return None if code is None else f"{self.name} ended with {_said(code)}: {last_line(self.log)}"

    def waiting_for(self) -> list[str]:
        """Asked of the service itself."""
        at = urlsplit(self.address)
        connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=_PROBE_SECONDS)
        try:
            connection.request("GET", "/health/ready")
            answer = connection.getresponse()
            said = json.loads(answer.read())
            return [] if answer.status == http.client.OK else [str(each) for each in said["waiting_for"]]
        except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
            return ["its first answer"]
        finally:
            connection.close()

    def end(self) -> None:
        if self._process is None or self._process.exitcode is not None:
            return
        self._process.terminate()
        self._process.join(self._patience)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()


def _said(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"code {code}"


def last_line(log: Path) -> str:
    """What a process wrote last, which mostly says why it ended."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LAST_BYTES))
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    return f"{lines[-1][:300] if lines else 'it wrote nothing'} (see {log})"


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of this checkout."""
    return [sys.executable, "-m", module, *arguments]
