"""A platform of an operator: a home of its own, and the command for it."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.cli import shown, state
from infra.cli.home import Home, HomeSettings
from infra.cli.platform import Platform, operator_token
from infra.engines.tests.eventually import eventually

ROOT = Path(__file__).parents[3]
#: Seconds: a busy machine begins seven services slowly.
PATIENCE = 180.0


class Installation:
    """A home of its own, and the command for it."""

    def __init__(self, path: Path, settings: Mapping[str, str] | None = None) -> None:
        self.home = Home.of(HomeSettings(home=path))
        # what other tests set for their services is not for this platform
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FIKARUM_")}
        self._environment = environment | {"FIKARUM_HOME": str(path), **(settings or {})}

    def run(self, *arguments: str) -> str:
        """What the command says. Fails the test where it fails."""
        done = self.begin(*arguments)
        said, complaint = done.communicate(timeout=400)
        assert done.returncode == 0, complaint
        return said + complaint

    def answer(self, *arguments: str) -> Any:
        """What the command answers programs: one document, whatever it says meanwhile. Fails the test where
        it fails."""
        done = self.begin(*arguments, "--json")
        said, complaint = done.communicate(timeout=400)
        assert done.returncode == 0, complaint
        return json.loads(said)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(ROOT / "fikarum"), *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def status(self) -> dict[str, Any]:
        """What the command says, without the second that each command needs to begin."""
        return shown.status_of(self.home, state.read(self.home.state)).to_json()

    def pid(self, part: str) -> int:
        return int(self.status()["parts"][part]["pid"])

    def pids(self) -> set[int]:
        return {part["pid"] for part in self.status()["parts"].values()}

    def platform(self) -> Platform:
        return Platform(self.status()["addresses"]["gateway"], operator_token(self.home))

    def again_after_killing(self, part: str) -> None:
        before = self.pid(part)
        os.kill(before, signal.SIGKILL)

        def begun_again() -> bool:
            now = self.status()["parts"][part]
            return bool(now["state"] == "running" and now["restarts"] and now["pid"] != before)

        eventually(begun_again, f"{part} beginning again", PATIENCE)
