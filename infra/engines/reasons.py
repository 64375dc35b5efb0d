"""Why an engine ended, read from its log and said in one line."""

import re
from pathlib import Path

from infra.engines.faults import DiskFull, EngineFault, MemoryShort, NotReady, PortTaken

_TAIL_BYTES = 64 * 1024

_KNOWN: tuple[tuple[re.Pattern[str], type[EngineFault], str], ...] = (
    (re.compile(r"No space left on device|usable space"), DiskFull, "the disk is full"),
    (re.compile(r"Address already in use|BindException"), PortTaken, "its port is taken"),
    (
        re.compile(
            r"insufficient memory|Could not reserve enough space|OutOfMemoryError|Cannot allocate memory"
        ),
        MemoryShort,
        "the machine has too little memory",
    ),
)


def of_end(engine: str, log: Path) -> EngineFault:
    tail = _tail(log)
    for pattern, fault, reason in _KNOWN:
        if pattern.search(tail):
            return fault(f"{engine}: {reason}; see {log}")
    last = next((line.strip() for line in reversed(tail.splitlines()) if line.strip()), "it wrote nothing")
    return NotReady(f"{engine}: ended while starting: {last[:300]}; see {log}")


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        return file.read().decode(errors="replace")
