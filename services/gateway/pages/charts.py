"""Numbers as lines and columns. The server draws them, so that they show without a script and in print; the
numbers themselves stand beside them in a table."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from services.gateway.view_models.adoption import Column, Plot, Spark

_WIDE, _HIGH = 96.0, 34.0
_TOP, _BOTTOM, _LEFT, _RIGHT = 40.0, 280.0, 52.0, 640.0
#: Lines to read columns by, besides the one at nought.
_LINES = 3
#: Labels that fit side by side, and how wide a year is in the largest letters.
_LABELS = 13
_YEAR_WIDE = 58.0


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


class Bar(NamedTuple):
    """What a column is drawn of. `over`: its period is."""

    value: float | None
    label: str
    year: int
    over: bool = True


def columns(bars: Sequence[Bar], most: float | None = None, *, whole: bool = False) -> Plot | None:
    """A column for each bar, none where nothing is known; an index may go below nought. `most`: what the
    highest line means, else a round number above all; the lines are `whole` numbers where there is nothing
    between. None where there is nothing to draw."""
    known = [bar.value for bar in bars if bar.value is not None]
    if not known or not any(known):
        return None
    high = most if most is not None else _round_above(max(map(abs, known)) / _LINES, whole) * _LINES
    low = -high if min(known) < 0 else 0.0
    level = _BOTTOM - (0 - low) / (high - low) * (_BOTTOM - _TOP)
    grid = [
        (round(_BOTTOM - at / _LINES * (_BOTTOM - _TOP), 1), low + (high - low) * at / _LINES)
        for at in range(_LINES + 1)
    ]
    step = (_RIGHT - _LEFT) / len(bars)
    width = min(step * 0.62, 36.0)
    every = math.ceil(len(bars) / _LABELS)
    drawn = []
    for at, bar in enumerate(bars):
        middle = _LEFT + (at + 0.5) * step
        path = ""
        if bar.value:
            tall = bar.value / (high - low) * (_BOTTOM - _TOP)
            path = f"M{middle - width / 2:.1f} {level:.1f}v{-tall:.1f}h{width:.1f}v{tall:.1f}z"
        left = len(bars) - 1 - at
        label = bar.label if left % every == 0 else ""
        drawn.append(Column(path, round(middle, 1), label, left % (3 * every) != 0, bar.over))
    return Plot(drawn, grid, _years(bars, [column.x for column in drawn]))


def _years(bars: Sequence[Bar], places: Sequence[float]) -> list[tuple[float, str]]:
    """Under the first column of each year, as far as one fits beside the next: of the first column, which
    may be any month, it gives way."""
    before = [None, *(bar.year for bar in bars)]
    turns = [
        (x, str(bar.year)) for bar, x, last in zip(bars, places, before, strict=False) if bar.year != last
    ]
    if len(turns) > 1 and turns[1][0] - turns[0][0] < _YEAR_WIDE:
        turns = turns[1:]
    found: list[tuple[float, str]] = []
    for x, year in turns:
        if not found or x - found[-1][0] >= _YEAR_WIDE:
            found.append((x, year))
    return found


def _round_above(value: float, whole: bool) -> float:
    """The least of 1, 2, 2.5, 5 times a power of ten that is not below `value`."""
    power = 10.0 ** math.floor(math.log10(value))
    steps = (step * power for step in (1, 2, 2.5, 5, 10, 20) if not whole or (step * power).is_integer())
    return next((step for step in steps if step >= value * (1 - 1e-9)), 1.0)
