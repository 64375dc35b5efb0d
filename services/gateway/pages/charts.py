"""Numbers as lines and columns. The server draws them, so that they show without a script and in print; the
numbers themselves stand beside them in a table."""

import math
from collections.abc import Sequence

from services.gateway.view_models.adoption import Column, Plot, Spark

_WIDE, _HIGH = 96.0, 34.0
_TOP, _BOTTOM, _LEFT, _RIGHT = 40.0, 280.0, 52.0, 640.0
#: Lines to read columns by, besides the one at nought.
_LINES = 3


def spark(values: Sequence[float | None]) -> Spark:
    """The shape of the past in a corner: scaled to its own least and most, so it tells no size."""
    known = [(at, value) for at, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return Spark()
    least, most = min(value for _, value in known), max(value for _, value in known)
    span = most - least or 1.0
    step = _WIDE / (len(values) - 1)
    points = [(at * step, _HIGH - 2 - (value - least) / span * (_HIGH - 4)) for at, value in known]
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    (first, _), (x, y) = points[0], points[-1]
    return Spark(f"M{line}", f"M{line}V{_HIGH:.0f}H{first:.1f}z", round(x, 1), round(y, 1))


def columns(values: Sequence[float | None], labels: Sequence[str], most: float | None = None) -> Plot | None:
    """A column for each value, none where nothing is known; an index may go below nought. `most`: what the
    highest line means, else a round number above all. None where there is nothing to draw."""
    known = [value for value in values if value is not None]
    if not known or not any(known):
        return None
    high = most if most is not None else _round_above(max(map(abs, known)) / _LINES) * _LINES
    low = -high if min(known) < 0 else 0.0
    level = _BOTTOM - (0 - low) / (high - low) * (_BOTTOM - _TOP)
    grid = [
        (round(_BOTTOM - at / _LINES * (_BOTTOM - _TOP), 1), low + (high - low) * at / _LINES)
        for at in range(_LINES + 1)
    ]
    step = (_RIGHT - _LEFT) / len(values)
    width = min(step * 0.62, 36.0)
    drawn = []
    for at, (value, label) in enumerate(zip(values, labels, strict=True)):
        middle = _LEFT + (at + 0.5) * step
        path = ""
        if value:
            tall = value / (high - low) * (_BOTTOM - _TOP)
            path = f"M{middle - width / 2:.1f} {level:.1f}v{-tall:.1f}h{width:.1f}v{tall:.1f}z"
        minor = (len(values) - 1 - at) % 3 != 0
        drawn.append(Column(path, round(middle, 1), label, minor))
    return Plot(drawn, grid)


def _round_above(value: float) -> float:
    """The least of 1, 2, 2.5, 5 times a power of ten that is not below `value`."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value * (1 - 1e-9))
