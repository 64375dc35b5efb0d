"""How much memory this process and its children may still take, on the machine and in its control group."""

from pathlib import Path

import psutil

_GROUP = Path("/sys/fs/cgroup")


def available_mb(group: Path = _GROUP) -> int:
    machine = psutil.virtual_memory().available
    return min(machine, _left_in(group, machine)) // 2**20


def _left_in(group: Path, machine: int) -> int:
    """What a container's limit leaves; its file cache counts as left, since the kernel gives it back."""
    limit, used = group / "memory.max", group / "memory.current"
    if not (limit.exists() and used.exists()) or limit.read_text().strip() == "max":
        return machine
    statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    return int(limit.read_text()) - int(used.read_text()) + int(statistics["inactive_file"])
