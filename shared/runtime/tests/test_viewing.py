"""The process that builds a view beside its service."""

import os
import subprocess
import sys

from shared.runtime.viewing import BUILDER_NICENESS, as_builder


def test_a_builder_lets_those_who_ask_go_first() -> None:
    command = [sys.executable, "-c", "import os; print(os.nice(0))"]
    done = subprocess.run(command, preexec_fn=as_builder(), capture_output=True, text=True, check=True)
    assert int(done.stdout) == min(19, os.nice(0) + BUILDER_NICENESS)
