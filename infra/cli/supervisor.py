"""The one process that starts a home's parts in order, begins again what died, writes what it sees into
state.json, and ends everything in order when it is asked to.

`python -m infra.cli.supervisor HOME` runs in the foreground; `fikarum up` starts it detached. Where it is
killed itself, the parts live on: the next one ends the services that it finds and takes over the engines.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from infra.cli import state
from infra.cli.home import SERVICES, Home, HomeSettings
from infra.cli.parts import EnginePart, Part, ServicePart
from infra.cli.state import PartReport, PartState, Phase, ProcessId, State
from infra.engines.engines import Engines
from infra.engines.faults import EngineFault
from infra.engines.settings import ENGINES, EngineSettings
from infra.engines.supervisor import supervising

_TICK_SECONDS = {"starting": 0.05, "up": 0.5}
#: A running part is asked again this often.
_LOOK_AGAIN_SECONDS = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
#: Who ran this long before dying begins anew without a longer pause.
_STEADY_SECONDS = 60.0

log = logging.getLogger("supervisor")


class Watched:
    """One part and what is known about it."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.state: PartState = "waiting"
        self.reasons: list[str] = list(part.needs)
        self.restarts, self.was_ready = 0, False
        self.last_end: str | None = None
        self._pause, self._since, self._look_at = _FIRST_PAUSE, 0.0, 0.0
        self._process: ProcessId | None = None

    @property
    def given_up(self) -> bool:
        return not self.was_ready and self.restarts >= self.part.tries

    def look(self, now: float, running: Callable[[str], bool]) -> None:
        """One step: begin, notice readiness or death, begin again."""
        if self.state in ("waiting", "restarting"):
            self.reasons = [need for need in self.part.needs if not running(need)]
            if not self.reasons and now >= self._look_at:
                self._begin(now)
        elif self.state in ("starting", "running", "silent"):
            if end := self.part.ended():
                self._died(end, now)
            elif now >= self._look_at:
                self._ask(now)

    def _begin(self, now: float) -> None:
        log.info("%s begins", self.part.name)
        self.part.begin()
        self.state, self._since, self._look_at = "starting", now, now

    def _ask(self, now: float) -> None:
        self.reasons = self.part.waiting_for()
        if not self.reasons:
            if self.state != "running":
                log.info("%s is ready after %.1f s", self.part.name, now - self._since)
            self.state, self.was_ready = "running", True
            self._look_at = now + _LOOK_AGAIN_SECONDS
        elif self.state == "running":
            log.warning("%s is not ready: %s", self.part.name, ", ".join(self.reasons))
            self.state = "silent"

    def _died(self, end: str, now: float) -> None:
        log.error("%s", end)
        if now - self._since > _STEADY_SECONDS:
            self._pause = _FIRST_PAUSE
        self.restarts, self.last_end = self.restarts + 1, end
        self.state, self.reasons, self._look_at = "restarting", [], now + self._pause
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    def end(self) -> None:
        self.part.end()
        self.state, self.reasons = "stopped", []

    def report(self) -> PartReport:
        pid = self.part.pid
        if pid is None or self._process is None or self._process.pid != pid:
            self._process = ProcessId.of(pid) if pid else None
        return PartReport(
            kind=self.part.kind,
            state=self.state,
            address=self.part.address,
            log=str(self.part.log),
            process=self._process,
            waiting_for=self.reasons,
            restarts=self.restarts,
            last_end=self.last_end,
        )


class Supervisor:
    """`run` returns when everything has ended: 0 as asked, 1 where a part could not be started."""

    def __init__(self, state_file: Path, parts: Sequence[Part]) -> None:
        self._file = state_file
        self._watched = {part.name: Watched(part) for part in parts}
        self._asked_to_end = threading.Event()
        self._phase: Phase = "starting"
        self._fault: str | None = None
        #: What a part's start still prepares.
        self.doing: str | None = None
        self._written: State | None = None
        self._me = _me()

    def ask_to_end(self) -> None:
        self._asked_to_end.set()

    def run(self) -> int:
        while not self._asked_to_end.wait(_TICK_SECONDS[self._phase]):
            for watched in self._watched.values():
                watched.look(time.monotonic(), self._running)
            if failed := [watched for watched in self._watched.values() if watched.given_up]:
                self._fault = failed[0].last_end
                break
            if all(watched.state == "running" for watched in self._watched.values()):
                self._phase = "up"
            self._write()
        self._end()
        return 1 if self._fault else 0

    def _running(self, name: str) -> bool:
        return self._watched[name].state == "running"

    def _end(self) -> None:
        """Services before engines, the last begun first."""
        self._phase = "stopping"
        for watched in reversed(self._watched.values()):
            watched.state, watched.reasons = "stopping", []
            self._write()
            try:
                watched.end()
            except EngineFault as fault:
                log.error("%s", fault)
        self._phase = "failed" if self._fault else "stopped"
        self._write()
        log.info("everything has ended")

    def _write(self) -> None:
        parts = {name: watched.report() for name, watched in self._watched.items()}
        now = State(
            self._me, self._phase, parts, self._fault, self.doing if self._phase == "starting" else None
        )
        if now != self._written:
            state.write(self._file, now)
            self._written = now


def end_leftovers(home: Home) -> None:
    """The services of a supervisor that was killed: they end now; engines are taken over instead."""
    left = state.read(home.state)
    for name, part in left.parts.items() if left else ():
        process = part.process.process() if part.process and part.kind == "service" else None
        if process is None:
            continue
        log.warning("%s of an earlier supervisor still runs: ending it", name)
        process.terminate()
        try:
            process.wait(20)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait()


def platform(home: Home, engines: Engines, workers: ThreadPoolExecutor) -> list[Part]:
    """All parts, in the order of their start."""
    addresses, urls = engines.addresses, home.urls()
    environment = (
        {"FIKARUM_DEMO": "true"}
        | os.environ
        | {
            "FIKARUM_HOME": str(home.path),
            "FIKARUM_MONGO_URI": addresses.mongo_uri,
            "FIKARUM_KAFKA": addresses.kafka_bootstrap,
            "FIKARUM_OPENSEARCH_URL": addresses.opensearch_url,
            **{f"FIKARUM_{name.upper()}_URL": url for name, url in urls.items()},
        }
    )
    services = [
        ServicePart(
            name,
            ("shared.runtime.serve", name),
            urls[name],
            home.log(name),
            environment=environment | {"FIKARUM_PORT": urls[name].rpartition(":")[2]},
            needs=("mongo", "kafka"),
            leash=home.settings.leash,
        )
        for name in SERVICES
    ]
    return [*(EnginePart(engines, name, workers) for name in ENGINES), *services]


def main(path: Path) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    home = Home.of(HomeSettings(home=path))
    home.make()
    with supervising(home.path), ThreadPoolExecutor(max_workers=len(ENGINES)) as workers:
        told = Told(home)
        try:
            supervisor = Supervisor(home.state, platform(home, prepared(home, told), workers))
            told.supervisor = supervisor
        except EngineFault as fault:
            told.gives_up(fault)
            raise
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: supervisor.ask_to_end())
        return supervisor.run()


class Told:
    """Says in state.json what is done before parts can run: the first time that takes minutes."""

    def __init__(self, home: Home) -> None:
        self._file = home.state
        self.supervisor: Supervisor | None = None

    def __call__(self, doing: str) -> None:
        log.info("%s", doing)
        if self.supervisor is not None:
            self.supervisor.doing = doing
        else:
            state.write(self._file, State(_me(), "starting", {}, doing=doing))

    def gives_up(self, fault: EngineFault) -> None:
        state.write(self._file, State(_me(), "failed", {}, fault=str(fault)))


def prepared(home: Home, told: Told) -> Engines:
    """Secrets made, leftovers ended or taken over, engines installed. Raises EngineFault."""
    home.make_secrets()
    end_leftovers(home)
    told("looking for the engines")
    engines = Engines(home.path, EngineSettings(leash=home.settings.leash), report=told)
    for name in engines.adopt():
        log.warning("%s of an earlier supervisor still runs: taking it over", name)
    return engines


def _me() -> ProcessId:
    me = ProcessId.of(os.getpid())
    assert me is not None
    return me


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1])))
    except EngineFault as fault:
        sys.exit(str(fault))
