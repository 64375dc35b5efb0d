"""What is forked is what `python -m` would have begun, but for what it need not import."""

import signal
from pathlib import Path

from shared.runtime.forking import forked

SAYS = """
import os, sys, threading
print(sorted(os.environ), 'shared.runtime.service' in sys.modules, os.getsid(0) == os.getpid())
print(sys.argv[0], threading.active_count(), file=sys.stderr)
"""


def run(log: Path, code: str, *options: str, **environment: str) -> int | None:
    """`timeit` runs what it is given."""
    process = forked("timeit", *options, "-n1", "-r1", "-s", code, environment=environment, log=log)
    process.join(60)
    return process.exitcode


def test_it_has_imported_what_services_share_and_nothing_of_this_process(tmp_path: Path) -> None:
    log = tmp_path / "said"
    log.write_text("before\n")
    assert run(log, SAYS, LANG="C") == 0
    said = log.read_text().splitlines()
    assert said[0] == "before", "a log is gone on with"
    assert "['LANG'] True True" in said
    (name,) = [line for line in said if line.endswith(" 1")]
    assert Path(name.split()[0]).name == "timeit.py", "and no thread was taken along"


def test_its_end_is_told_as_it_was(tmp_path: Path) -> None:
    assert run(tmp_path / "one", "", "--no-such-option") == 2
    assert run(tmp_path / "two", "import os; os.kill(os.getpid(), 9)") == -signal.SIGKILL
    assert run(tmp_path / "three", "1 / 0") == 1
    assert "ZeroDivisionError" in (tmp_path / "three").read_text()


def test_points_to_die_at_are_those_of_its_own_environment(tmp_path: Path) -> None:
    code = "from shared.runtime.points import passing; passing('here')"
    assert run(tmp_path / "one", code, FIKARUM_POINTS="here=kill") == -signal.SIGKILL
    assert run(tmp_path / "two", code) == 0


def test_two_do_not_draw_the_same_numbers(tmp_path: Path) -> None:
    """What draws them was not begun before the fork, or begins anew behind it."""
    code = "import random, uuid; from shared.runtime.ids import new_id; "
    code += "print('drew', new_id()[-12:], uuid.uuid4().hex, random.random())"
    drawn = []
    for name in ("one", "two"):
        run(tmp_path / name, code)
        (line,) = [text for text in (tmp_path / name).read_text().splitlines() if text.startswith("drew")]
        drawn += line.split()[1:]
    assert len(set(drawn)) == len(drawn) == 6
