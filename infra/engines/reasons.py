"""Why an engine ended, read from its log and said in one line."""

import re
import shutil
from pathlib import Path

from infra.engines.faults import DiskFull, EngineFault, MemoryShort, NotReady, PortTaken

_TAIL_BYTES = 64 * 1024
_LONGEST = 300
_LITTLE_BYTES = 4 * 2**20

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

# how Java, its loggers and MongoDB mark the line that matters
_TELLING = re.compile(r'Unrecognized|Exception|\b(ERROR|FATAL|Error)\b|"s":"[EF]"')


def of_end(engine: str, log: Path) -> EngineFault:
    tail = _tail(log)
    if shutil.disk_usage(log.parent).free < _LITTLE_BYTES:
        # the log itself may be what found no room
        return DiskFull(f"{engine}: the disk is full at {log.parent}")
    for pattern, fault, reason in _KNOWN:
        if pattern.search(tail):
            return fault(f"{engine}: {reason}; see {log}")
    lines = [line.strip() for line in tail.splitlines() if line.strip()] or ["it wrote nothing"]
    telling = next((line for line in lines if _TELLING.search(line)), lines[-1])
    return NotReady(f"{engine}: ended while starting: {telling[:_LONGEST]}; see {log}")


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        return file.read().decode(errors="replace")
