"""What changed between two texts: lines matched first, then words within what changed, long equal stretches
folded.

Longest common subsequences by rapidfuzz (bit-parallel), within a bound on the product of both lengths; beyond
it, lines that occur once in both are the anchors and what lies between is compared or, where still too large,
shown as replaced.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz.distance import LCSseq

#: Most cells of the comparison's matrix: an eighth of this in bytes.
MOST_CELLS = 200_000_000
#: Equal lines shown before and after a change; a stretch of equal lines that hides fewer than this is not
#: folded.
CONTEXT = 3
FEWEST_FOLDED = 3
#: Share of equal characters under which a changed passage is shown as replaced, not word by word.
LEAST_ALIKE = 0.25

#: A word; where scripts do not part words, a character; spaces; anything else on its own.
_WORDS = re.compile(
    r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]"
    r"|[^\W\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+"
    r"|\n|[^\S\n]+|[^\w\s]"
)

_COUNTED = re.compile(r"\w+")

Kind = Literal["same", "del", "ins"]
BlockKind = Literal["same", "folded", "changed", "added", "removed"]


@dataclass(frozen=True, slots=True)
class Run:
    """Words that stayed, went or came."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive lines of one kind. `before` holds same and del, `after` same and ins; a folded block holds
    no lines.

    The numbers are those of the block's first line in either text, counted from 1.
    """

    kind: BlockKind
    before_line: int
    after_line: int
    before: tuple[Line, ...] = ()
    after: tuple[Line, ...] = ()
    folded: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """`coarse`: the texts were too large and too different to be compared word by word everywhere."""

    blocks: tuple[Block, ...]
    words_added: int
    words_removed: int
    coarse: bool = False

    @property
    def equal(self) -> bool:
        return all(block.kind in ("same", "folded") for block in self.blocks)


@dataclass(frozen=True, slots=True)
class _Span:
    """a[a0:a1] became b[b0:b1]; equal if `same`."""

    same: bool
    a0: int
    a1: int
    b0: int
    b1: int


def compare(before: str, after: str) -> Comparison:
    """Total and bounded: at the longest pages four seconds and 200 MB, whatever they hold."""
    a, b = _lines(before), _lines(after)
    spans, coarse = _spans(a, b)
    blocks: list[Block] = []
    for span in _without_islands(spans, a):
        if span.same:
            blocks += _folded(span, a)
        else:
            block, rough = _changed(span, a, b)
            blocks.append(block)
            coarse = coarse or rough
    return _comparison(blocks, coarse)


def _comparison(blocks: Sequence[Block], coarse: bool) -> Comparison:
    return Comparison(
        tuple(blocks),
        sum(_count(block.after, "ins") for block in blocks),
        sum(_count(block.before, "del") for block in blocks),
        coarse,
    )


def replaced(before: str, after: str) -> Comparison:
    """The whole text as replaced by the other, for texts whose comparison was given up."""
    a, b = _lines(before), _lines(after)
    block = _whole(_Span(False, 0, len(a), 0, len(b)), a, b)
    return _comparison([block], coarse=True)


def _lines(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _spans(a: Sequence[str], b: Sequence[str]) -> tuple[list[_Span], bool]:
    """Both sequences from end to end, and whether some stretch was too large to be compared."""
    head = _shared(a, b)
    tail = _shared(a[head:][::-1], b[head:][::-1])
    end_a, end_b = len(a) - tail, len(b) - tail
    spans, coarse = [_Span(True, 0, head, 0, head)], False
    at_a, at_b = head, head
    for to_a, to_b in (*_anchors(a, b, head, end_a, end_b), (end_a, end_b)):
        if (to_a - at_a) * (to_b - at_b) > MOST_CELLS:
            spans.append(_Span(False, at_a, to_a, at_b, to_b))
            coarse = True
        else:
            for code in LCSseq.opcodes(a[at_a:to_a], b[at_b:to_b]):
                spans.append(
                    _Span(
                        code.tag == "equal",
                        at_a + code.src_start,
                        at_a + code.src_end,
                        at_b + code.dest_start,
                        at_b + code.dest_end,
                    )
                )
        at_a, at_b = to_a, to_b
    spans.append(_Span(True, end_a, len(a), end_b, len(b)))
    return list(_joined(spans)), coarse


def _shared(a: Sequence[str], b: Sequence[str]) -> int:
    """How many items both begin with."""
    for at, (one, other) in enumerate(zip(a, b, strict=False)):
        if one != other:
            return at
    return min(len(a), len(b))


def _anchors(a: Sequence[str], b: Sequence[str], begin: int, end_a: int, end_b: int) -> list[tuple[int, int]]:
    """Places where both surely agree, in order; needed only where the whole is too large."""
    if (end_a - begin) * (end_b - begin) <= MOST_CELLS:
        return []
    once_a = {item for item, n in Counter(a[begin:end_a]).items() if n == 1}
    once_b = {item for item, n in Counter(b[begin:end_b]).items() if n == 1}
    where_b = {item: begin + at for at, item in enumerate(b[begin:end_b]) if item in once_a}
    pairs = [(at, where_b[a[at]]) for at in range(begin, end_a) if a[at] in once_b and a[at] in where_b]
    return _rising(pairs)


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest selection whose second numbers rise (patience sorting)."""
    tops: list[int] = []
    last: list[int] = []
    back: list[int] = []
    for index, (_, at) in enumerate(pairs):
        pile = bisect_left(tops, at)
        back.append(last[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [at]
        last[pile : pile + 1] = [index]
    chosen, index = [], last[-1] if last else -1
    while index >= 0:
        chosen.append(pairs[index])
        index = back[index]
    return chosen[::-1]


def _joined(spans: Sequence[_Span]) -> Iterator[_Span]:
    """Neighbours of the same kind as one, empty ones left out."""
    held: _Span | None = None
    for span in spans:
        if span.a0 == span.a1 and span.b0 == span.b1:
            continue
        if held is not None and held.same == span.same:
            held = _Span(held.same, held.a0, span.a1, held.b0, span.b1)
        else:
            if held is not None:
                yield held
            held = span
    if held is not None:
        yield held


def _without_islands(spans: Sequence[_Span], a: Sequence[str]) -> list[_Span]:
    """Equal blank items between two changes belong to the change: they match by accident."""
    last = len(spans) - 1
    return list(
        _joined(
            [
                _Span(False, span.a0, span.a1, span.b0, span.b1)
                if span.same and 0 < at < last and not "".join(a[span.a0 : span.a1]).strip()
                else span
                for at, span in enumerate(spans)
            ]
        )
    )


def _folded(span: _Span, a: Sequence[str]) -> Iterator[Block]:
    length = span.a1 - span.a0
    head = CONTEXT if span.a0 > 0 else 0
    tail = CONTEXT if span.a1 < len(a) else 0
    hidden = length - head - tail
    if hidden < FEWEST_FOLDED and (head or tail):
        yield _same(span, a, 0, length)
        return
    if head:
        yield _same(span, a, 0, head)
    yield Block("folded", span.a0 + head + 1, span.b0 + head + 1, folded=hidden)
    if tail:
        yield _same(span, a, length - tail, length)


def _same(span: _Span, a: Sequence[str], begin: int, end: int) -> Block:
    lines = tuple(Line((Run("same", text),)) for text in a[span.a0 + begin : span.a0 + end])
    return Block("same", span.a0 + begin + 1, span.b0 + begin + 1, lines, lines)


def _changed(span: _Span, a: Sequence[str], b: Sequence[str]) -> tuple[Block, bool]:
    before, after = a[span.a0 : span.a1], b[span.b0 : span.b1]
    if not before or not after:
        return _whole(span, a, b), False
    old, new = _WORDS.findall("\n".join(before)), _WORDS.findall("\n".join(after))
    spans, coarse = _spans(old, new)
    alike = sum(len("".join(old[s.a0 : s.a1]).strip()) for s in spans if s.same)
    if coarse or alike < LEAST_ALIKE * max(len("".join(before)), len("".join(after))):
        spans = [_Span(False, 0, len(old), 0, len(new))]
    spans = _without_islands(spans, old)
    removed = [Run("same" if s.same else "del", "".join(old[s.a0 : s.a1])) for s in spans]
    added = [Run("same" if s.same else "ins", "".join(new[s.b0 : s.b1])) for s in spans]
    return _block("changed", span, removed, added), coarse


def _whole(span: _Span, a: Sequence[str], b: Sequence[str]) -> Block:
    kind: BlockKind = "changed" if span.a1 > span.a0 and span.b1 > span.b0 else "added"
    if span.b0 == span.b1:
        kind = "removed"
    removed, added = "\n".join(a[span.a0 : span.a1]), "\n".join(b[span.b0 : span.b1])
    return _block(kind, span, [Run("del", removed)], [Run("ins", added)])


def _block(kind: BlockKind, span: _Span, removed: Sequence[Run], added: Sequence[Run]) -> Block:
    return Block(
        kind,
        span.a0 + 1,
        span.b0 + 1,
        _by_line(removed) if span.a1 > span.a0 else (),
        _by_line(added) if span.b1 > span.b0 else (),
    )


def _by_line(runs: Sequence[Run]) -> tuple[Line, ...]:
    lines: list[list[Run]] = [[]]
    for run in runs:
        for at, text in enumerate(run.text.split("\n")):
            if at:
                lines.append([])
            if text:
                lines[-1].append(Run(run.kind, text))
    return tuple(Line(tuple(line)) for line in lines)


def _count(lines: Sequence[Line], kind: Kind) -> int:
    return len(
        _COUNTED.findall("\n".join(run.text for line in lines for run in line.runs if run.kind == kind))
    )
