"""Which ports a home uses: chosen once, kept in its ports.json, never shared with another home by choice."""

import hashlib
import json
import os
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil

from infra.engines.faults import PortTaken
from infra.engines.locks import exclusive

HOST = "127.0.0.1"
# below the range from which Linux hands out client ports: a probe there could connect to itself
FIRST, LAST = 20_000, 32_000
ENGINE_PORTS = ("mongo", "kafka", "kafka_controller", "opensearch", "opensearch_transport")


def ports_of(home: Path, names: Iterable[str], chosen: Mapping[str, int]) -> dict[str, int]:
    """A port for each name: the chosen one, else the home's kept one, else a free one, kept from now on."""
    file = home / "ports.json"
    with exclusive(home / "ports.lock"):
        kept: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        missing = [name for name in names if name not in kept and name not in chosen]
        for name in missing:
            kept[name] = _free(home, {*kept.values(), *chosen.values()})
        if missing:
            _write(file, json.dumps(kept, indent=2) + "\n")
    return {name: chosen.get(name, kept.get(name, 0)) for name in names}


def _free(home: Path, reserved: set[int]) -> int:
    start = int.from_bytes(hashlib.sha256(str(home.resolve()).encode()).digest()[:4], "big")
    for step in range(LAST - FIRST):
        port = FIRST + (start + step) % (LAST - FIRST)
        if port not in reserved and _bindable(port):
            return port
    raise PortTaken(f"no free port between {FIRST} and {LAST}")


def _bindable(port: int, host: str = HOST) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def require_free(engine: str, ports: Mapping[str, int], host: str = HOST) -> None:
    """Raise `PortTaken` that names the port, who listens there and the setting to change."""
    for name, port in ports.items():
        if not _bindable(port, host):
            setting = f"FIKARUM_{name.upper()}_PORT"
            raise PortTaken(f"{engine}: port {port} is taken by {_listener(port)}; end it or set {setting}")


def _listener(port: int) -> str:
    for connection in psutil.net_connections("tcp"):
        listens_here = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
        if listens_here and connection.pid:
            return f"pid {connection.pid} ({psutil.Process(connection.pid).name()})"
    return "another process"


def _write(file: Path, text: str) -> None:
    fresh = file.with_suffix(f".{os.getpid()}")
    fresh.write_text(text)
    fresh.replace(file)
