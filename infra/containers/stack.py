"""The platform in containers: Compose with the files that fit this engine."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.containers import caller, native, reach
from infra.containers.faults import NoContainers
from infra.engines.install import Report
from infra.engines.settings import REPOSITORY

NATIVE_FILE = REPOSITORY / "infra/compose.native.yml"


@dataclass(frozen=True, slots=True)
class Stack:
    """`compose` as a command, with its files; `environment` is what it runs in."""

    compose: Sequence[str]
    files: Sequence[Path]
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def fitting(cls, report: Report, environment: Mapping[str, str] = os.environ) -> "Stack":
        """Official engines where their images can be had, else ones built here. Raises NoContainers."""
        reach.engine()
        files = [reach.COMPOSE_FILE]
        caller.fill(environment)
        if not reach.can_pull(reach.official_images()):
            report("the engines' official images cannot be pulled: building the native ones instead")
            native.prepare(report)
            files.append(NATIVE_FILE)
        return cls(reach.compose(), files, environment)

    @property
    def native(self) -> bool:
        return NATIVE_FILE in self.files

    def named(self, project: str, **settings: str) -> "Stack":
        """The same files as another platform."""
        environment = {**self.environment, **settings, "COMPOSE_PROJECT_NAME": project}
        return Stack(self.compose, self.files, environment)

    def command(self, *arguments: str) -> list[str]:
        return [*self.compose, *(part for file in self.files for part in ("-f", str(file))), *arguments]

    def run(self, *arguments: str) -> str:
        """What Compose wrote to its output. Raises NoContainers with its last words where it failed."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=REPOSITORY,
            env=dict(self.environment),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-15:]
            raise NoContainers(f"compose {' '.join(arguments)} failed: " + "\n".join(said))
        return done.stdout
