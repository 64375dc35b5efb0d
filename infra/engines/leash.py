"""Ends a home's engines when the process that started them is gone, even by kill -9."""

import subprocess
import sys
from pathlib import Path

from infra.engines.settings import REPOSITORY


class Leash:
    """A shell that waits on a pipe only this process holds open; when the pipe ends, it orders the stop."""

    def __init__(self, home: Path) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", 'read -r _; exec "$0" -m infra.engines stop "$1"', sys.executable, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=REPOSITORY,
            start_new_session=True,
        )

    def drop(self) -> None:
        """Let go without ordering anything: the engines were ended already."""
        self._shell.kill()
        self._shell.communicate()
