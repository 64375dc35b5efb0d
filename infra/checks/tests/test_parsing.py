"""Tests parse source while others' remains are being collected: Python 3.11.2 gives up there by itself."""

import ast
import contextlib

_SOURCE = "\n".join(
    f"def f{n}(a, b=[1, (2, {{3: [4]}})]): return [x for x in a if x + b[0]]" for n in range(500)
)


class _ParsesWhenCollected:
    def __init__(self) -> None:
        self.kept_for_the_collector = self

    def __del__(self) -> None:
        with contextlib.suppress(SystemError):
            ast.parse("[1, (2, {3: [4]})]")


def test_what_is_collected_does_not_disturb_who_parses() -> None:
    for _ in range(20):
        for _ in range(1_000):
            _ParsesWhenCollected()
        ast.parse(_SOURCE)
