"""The three engines of one home: its data, logs and ports."""

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from types import TracebackType

import psutil

from infra.engines import kafka, mongo, opensearch
from infra.engines.faults import EngineFault, MemoryShort
from infra.engines.install import Installation, Report, installed
from infra.engines.leash import Leash
from infra.engines.memory import available_mb
from infra.engines.ports import ENGINE_PORTS, ports_of
from infra.engines.process import Engine, EngineProcess
from infra.engines.seam import Addresses, EngineStatus, State
from infra.engines.settings import ENGINES, EngineName, EngineSettings

_log = logging.getLogger(__name__)


class Engines:
    def __init__(
        self, home: Path, settings: EngineSettings | None = None, report: Report = _log.info
    ) -> None:
        self.home, self.settings, self._report = home.resolve(), settings or EngineSettings(), report
        self.home.mkdir(parents=True, exist_ok=True)
        self._ports = ports_of(self.home, ENGINE_PORTS, self.settings.set_ports)
        self._processes: dict[EngineName, EngineProcess] = {}
        self._leash: Leash | None = None

    def __enter__(self) -> "Engines":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def addresses(self) -> Addresses:
        host = self.settings.engine_host
        return Addresses(
            mongo_uri=mongo.uri(self._ports["mongo"], host),
            kafka_bootstrap=kafka.bootstrap(self._ports["kafka"], host),
            opensearch_url=opensearch.url(self._ports["opensearch"], host),
        )

    def start(self, names: Iterable[EngineName] = ENGINES) -> Addresses:
        """Start the named engines in parallel; if one cannot start, none of them stays."""
        starting = [self._process(name) for name in names]
        starting = [process for process in starting if not process.running]
        self._require_memory([process.engine for process in starting])
        if self.settings.leash and self._leash is None:
            self._leash = Leash(self.home)
        faults = _in_parallel(EngineProcess.start, starting)
        if faults:
            _in_parallel(EngineProcess.stop, starting)
            raise faults[0]
        return self.addresses

    def stop(self, names: Iterable[EngineName] = ENGINES) -> None:
        """End what this object started or adopted; the engines of another process stay."""
        faults = _in_parallel(
            EngineProcess.stop, [self._processes[name] for name in names if name in self._processes]
        )
        if self._leash and not any(process.running for process in self._processes.values()):
            self._leash.drop()
            self._leash = None
        if faults:
            raise faults[0]

    def kill(self, name: EngineName) -> None:
        """SIGKILL, as a power cut of one process."""
        self._process(name).kill()

    def restart(self, name: EngineName) -> None:
        self._process(name).stop()
        self.start((name,))

    def pause(self, name: EngineName) -> None:
        self._process(name).pause()

    def resume(self, name: EngineName) -> None:
        self._process(name).resume()

    def pid(self, name: EngineName) -> int | None:
        return self._process(name).pid

    def port(self, name: EngineName) -> int:
        return self._ports[name]

    def answers(self, name: EngineName) -> bool:
        """Whether clients are served at the engine's address, whoever runs it."""
        return self._process(name).engine.answers()

    def adopt(self) -> tuple[EngineName, ...]:
        """Take over the engines that already run in this home, whoever started them; says which."""
        return tuple(name for name in ENGINES if self._process(name).adopt())

    def died(self) -> tuple[EngineName, ...]:
        """Engines that ended though nobody ordered it."""
        return tuple(name for name, process in self._processes.items() if process.died)

    def status(self) -> dict[EngineName, EngineStatus]:
        return {name: self._status(name) for name in ENGINES}

    def _status(self, name: EngineName) -> EngineStatus:
        process, addresses = self._process(name), self.addresses
        pid = process.pid or process.holder() or None
        address = {
            "mongo": addresses.mongo_uri,
            "kafka": addresses.kafka_bootstrap,
            "opensearch": addresses.opensearch_url,
        }[name]
        return EngineStatus(
            state=_state(process, pid), address=address, pid=pid, rss_mb=_rss_mb(pid), log=process.log
        )

    def _process(self, name: EngineName) -> EngineProcess:
        if name not in self._processes:
            log = self.home / "logs" / f"{name}.log"
            self._processes[name] = EngineProcess(self._engine(name), log, self.settings)
        return self._processes[name]

    def _engine(self, name: EngineName) -> Engine:
        folder = self.home / name
        folder.mkdir(exist_ok=True)
        if name == "mongo":
            return mongo.Mongo(folder, self._ports, self.settings)
        if name == "kafka":
            return kafka.Kafka(folder, self._ports, self.settings, lambda: self._installation.kafka)
        return opensearch.OpenSearch(
            folder, self._ports, self.settings, lambda: self._installation.opensearch
        )

    @cached_property
    def _installation(self) -> Installation:
        installation = installed(self.settings.tools, self._report)
        if not installation.trained:
            # loads client libraries that nobody else here needs
            from infra.engines.training import train

            train(installation, self.settings, self._report)
        return installation

    def _require_memory(self, engines: list[Engine]) -> None:
        needed = sum(engine.needed_mb for engine in engines)
        available = available_mb()
        if needed > available:
            names = ", ".join(engine.name for engine in engines)
            raise MemoryShort(
                f"{names}: {available} MB of memory available, {needed} MB needed; lower FIKARUM_KAFKA_HEAP, "
                "FIKARUM_OPENSEARCH_HEAP or FIKARUM_MONGO_CACHE_GB"
            )


def _state(process: EngineProcess, pid: int | None) -> State:
    if pid is None:
        return "died" if process.died else "stopped"
    return "running" if process.engine.answers() else "silent"


def _rss_mb(pid: int | None) -> int:
    if pid is None:
        return 0
    try:
        return int(psutil.Process(pid).memory_info().rss // 2**20)
    except psutil.NoSuchProcess:
        return 0  # ended since it was looked up


def _in_parallel(order: Callable[[EngineProcess], None], processes: list[EngineProcess]) -> list[EngineFault]:
    """Give the order to all at once; what failed, in the order of the processes."""
    with ThreadPoolExecutor(max_workers=len(ENGINES)) as workers:
        errors = [future.exception() for future in [workers.submit(order, process) for process in processes]]
    for error in errors:
        if error is not None and not isinstance(error, EngineFault):
            raise error
    return [error for error in errors if isinstance(error, EngineFault)]
