"""Kafka in KRaft mode: one process is controller and broker."""

import base64
import socket
import struct
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

from infra.engines.faults import NotReady
from infra.engines.jvm import Program
from infra.engines.ports import HOST
from infra.engines.settings import EngineName, EngineSettings, megabytes

_OVERHEAD_MB = 200
_PROBE_SECONDS = 1.0
_CORRELATION = 7
_API_VERSIONS, _METADATA = 18, 3
_FOREVER = -1
_TEN_YEARS_IN_MINUTES = 10 * 365 * 24 * 60
_LARGEST_MESSAGE = 4 * 2**20

_LOGGING = """\
shutdownHook = disable
status = warn
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
logger.server.name = kafka.server
logger.server.level = info
"""


def bootstrap(port: int, host: str = HOST) -> str:
    return f"{host}:{port}"


class Kafka:
    name: EngineName = "kafka"

    def __init__(
        self,
        folder: Path,
        ports: dict[str, int],
        settings: EngineSettings,
        program: Callable[[], Program],
        *,
        train: bool = False,
    ) -> None:
        self.folder, self._settings, self._program, self._train = folder, settings, program, train
        self.ports = {name: ports[name] for name in ("kafka", "kafka_controller")}

    @property
    def needed_mb(self) -> int:
        return megabytes(self._settings.kafka_heap) + _OVERHEAD_MB

    def prepare(self) -> list[str]:
        configuration = self.folder / "server.properties"
        configuration.write_text("".join(f"{key}={value}\n" for key, value in self._properties().items()))
        (self.folder / "log4j2.properties").write_text(_LOGGING)
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(configuration)
        return self._command("kafka.Kafka", str(configuration), train=self._train)

    @property
    def _address(self) -> tuple[str, int]:
        return self._settings.engine_host, self.ports["kafka"]

    def answers(self) -> bool:
        """True once the broker handles requests and counts itself among the brokers that take topics."""
        try:
            with socket.create_connection(self._address, _PROBE_SECONDS) as connection:
                versions = _ask(connection, _API_VERSIONS, 0, b"")
                (error,) = struct.unpack_from(">h", versions)
                if error:
                    return False
                (brokers,) = struct.unpack_from(">i", _ask(connection, _METADATA, 1, struct.pack(">i", 0)))
                return bool(brokers)
        except (OSError, struct.error):
            return False

    def _command(self, main: str, *arguments: str, train: bool = False) -> list[str]:
        options = [
            "-Xms64m",
            f"-Xmx{self._settings.kafka_heap}",
            f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}",
            *self._settings.kafka_jvm_options.split(),
        ]
        return self._program().command(options, main, *arguments, train=train)

    def _format(self, configuration: Path) -> None:
        command = self._command(
            "kafka.tools.StorageTool",
            "format",
            "--ignore-formatted",
            "-t",
            _cluster_id(),
            "-c",
            str(configuration),
        )
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["it wrote nothing"]
            raise NotReady(f"kafka: the data folder cannot be formatted: {lines[-1][:300]}")

    def _properties(self) -> dict[str, object]:
        host, port = self._address
        controller = f"{HOST}:{self.ports['kafka_controller']}"
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{self._settings.listen}:{port},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{bootstrap(port, host)}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": self.folder / "data",
            **ONE_NODE,
            **KEPT,
            **QUICK,
            **_SMALL,
        }


ONE_NODE = {
    "default.replication.factor": 1,
    "min.insync.replicas": 1,
    "num.partitions": 4,
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 8,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
}

# No log.flush.*: an acknowledged record is in the page cache, which outlives a killed process but not a power
# cut; what the log loses then is refilled from the event stores.
KEPT = {
    "log.retention.ms": _FOREVER,
    "log.retention.bytes": _FOREVER,
    # a reader that was away for a week must not start over
    "offsets.retention.minutes": _TEN_YEARS_IN_MINUTES,
    "message.max.bytes": _LARGEST_MESSAGE,
    "replica.fetch.max.bytes": _LARGEST_MESSAGE,
}

QUICK = {
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 500,
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 500,
    # after kill -9 the old registration of this very broker must lapse before the new one counts
    "broker.heartbeat.interval.ms": 200,
    "broker.session.timeout.ms": 1000,
    # how soon what was erased leaves the log; Kafka's own 15 s mean to spare it a look at idle logs
    "log.cleaner.backoff.ms": 2000,
}

_SMALL = {
    "num.network.threads": 2,
    "num.io.threads": 4,
    "background.threads": 2,
    "log.cleaner.threads": 1,
    "log.cleaner.dedupe.buffer.size": 16 * 2**20,
    "log.index.size.max.bytes": 2**20,
    "log.segment.bytes": 64 * 2**20,
}


def _cluster_id() -> str:
    """A random id that the tool cannot take for an option, as one that starts with a dash would be."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        if not text.startswith("-"):
            return text


def _ask(connection: socket.socket, api: int, version: int, body: bytes) -> bytes:
    """One request with the oldest header (no client id); the answer behind the correlation id."""
    request = struct.pack(">hhih", api, version, _CORRELATION, -1) + body
    connection.sendall(struct.pack(">i", len(request)) + request)
    (size,) = struct.unpack(">i", _read(connection, 4))
    return _read(connection, size)[4:]


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError("the broker closed the connection")
        data += part
    return data
