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
#: Labels that fit side by side, and how wide a year is in the largest letters. Where there are more columns
#: than that, so far apart are the labels at least: each has room for its year beneath.
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
    every = 1 if len(bars) <= _LABELS else math.ceil(_YEAR_WIDE / step)
    labelled = [at for at in range(len(bars)) if (len(bars) - 1 - at) % every == 0]
    middles = [_LEFT + (at + 0.5) * step for at in range(len(bars))]
    turns = _turns(bars, labelled, middles)
    drawn = []
    for at, (bar, middle) in enumerate(zip(bars, middles, strict=True)):
        path = ""
        if bar.value:
            tall = bar.value / (high - low) * (_BOTTOM - _TOP)
            path = f"M{middle - width / 2:.1f} {level:.1f}v{-tall:.1f}h{width:.1f}v{tall:.1f}z"
        label = bar.label if at in labelled else ""
        drawn.append(Column(path, round(middle, 1), label, _minor(at, len(bars), every, turns), bar.over))
    return Plot(drawn, grid, [(drawn[at].x, str(bars[at].year)) for at in turns])


def _minor(at: int, number: int, every: int, turns: Sequence[int]) -> bool:
    """A narrow page names every third that has a label, from the last; but where a year stands, what is above
    it rather than what is next to it, which would read as of that year."""
    left = number - 1 - at
    beside = [turn for turn in turns if abs(turn - at) <= 2 * every]
    if at in beside:
        return 0 < left <= 2 * every and number <= _LABELS
    return left > 0 and (bool(beside) or left % (3 * every) != 0)


def _turns(bars: Sequence[Bar], labelled: Sequence[int], middles: Sequence[float]) -> list[int]:
    """The columns under which a year stands: of those with a label the first of each year, so that no year
    stands beneath a month of another. Where the first year, which may begin in any month, has no room beside
    the next, it gives way."""
    before = [None, *(bars[at].year for at in labelled)]
    turns = [at for at, last in zip(labelled, before, strict=False) if bars[at].year != last]
    if len(turns) > 1 and middles[turns[1]] - middles[turns[0]] < _YEAR_WIDE:
        turns = turns[1:]
    return turns


def _round_above(value: float, whole: bool) -> float:
    """The least of 1, 2, 2.5, 5 times a power of ten that is not below `value`."""
    power = 10.0 ** math.floor(math.log10(value))
    steps = (step * power for step in (1, 2, 2.5, 5, 10, 20) if not whole or (step * power).is_integer())
    return next((step for step in steps if step >= value * (1 - 1e-9)), 1.0)
