"""`python -m infra.checks` runs every check at once and says which failed: `make check`."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 100
_BIN = Path(sys.executable).parent

CHECKS: dict[str, list[str]] = {
    "lint": [str(_BIN / "ruff"), "check", "--quiet", "."],
    "format": [str(_BIN / "ruff"), "format", "--check", "--quiet", "."],
    "types": [str(_BIN / "mypy"), "--no-error-summary", "."],
    "imports": [str(_BIN / "lint-imports"), "--no-logo"],
    "contracts": [sys.executable, "-m", "infra.contracts", "check"],
    "translations": [sys.executable, "-m", "services.gateway.locale", "check"],
    "metrics": [sys.executable, "-m", "services.engagement.metrics", "check"],
}


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    passed: bool
    said: str
    seconds: float


def run(name: str, command: list[str], root: Path) -> Result:
    """Runs one check, its output kept for when it fails."""
    started = time.monotonic()
    done = subprocess.run(
        command,
        cwd=root,
        env=os.environ | {"COLUMNS": "120"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Result(name, done.returncode == 0, done.stdout.strip(), time.monotonic() - started)


def _shortened(said: str) -> str:
    """What fits on a few screens; the check itself shows the rest."""
    lines = said.splitlines()
    left = len(lines) - MOST_LINES
    return "\n".join([*lines[:MOST_LINES], *([f"... and {left} more lines"] if left > 0 else [])])


def main(checks: dict[str, list[str]] | None = None, root: Path = ROOT) -> int:
    chosen = CHECKS if checks is None else checks
    failed: list[Result] = []
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as workers:
        for future in as_completed([workers.submit(run, *each, root) for each in chosen.items()]):
            result = future.result()
            print(
                f"{'passed' if result.passed else 'FAILED'}  {result.name} ({result.seconds:.1f} s)",
                flush=True,
            )
            if not result.passed:
                failed.append(result)
    for result in failed:
        print(f"\n--- {result.name}\n{_shortened(result.said)}")
    if failed:
        print(f"\nFailed: {', '.join(sorted(result.name for result in failed))}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
