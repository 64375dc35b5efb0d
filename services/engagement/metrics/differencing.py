"""Whether sums and differences of told figures, of several dimensions at once, are about five people or more.

A speaker of English who lives in neither country where all others speak it is told by one language less two
countries. `privacy.told` looks at one dimension; this looks at all of them together, and hides more where it
must (secondary suppression by linear disclosure audit; see Willenborg and de Waal, Elements of Statistical
Disclosure Control, 2001, chapter 6).

Everybody is counted in one block of each dimension: the deepest told group that they are in. Whoever adds and
subtracts figures gives each block a factor, and each person gets the sum of the factors of their blocks; the
result is about those whose sum is not zero. It must be nobody, or five people and more. That is proven thus:

- A cell (people who share all their blocks) of five and more is zero in any result about fewer. So are sums
  of cells that are zero: their span. Cells that differ by something of the span are one cell.
- Five sets of cells with no person in common, each spanning all cells that the sets before left: what is not
  zero on a cell of the fifth is not zero on a person of each. So the fifth is zero in a result about fewer.

Where neither leads further and cells are left that are not in the span, a group is hidden that joins them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from services.engagement.metrics.privacy import COMPANY, FLOOR, Path, everybody, told

#: Where somebody is, in each dimension.
Cell = tuple[Path, ...]
#: A dimension by its place among the dimensions, and a told group of it.
Block = tuple[int, Path]
#: Factors of blocks, none of them zero, modulo `_PRIME`: whole numbers that do not grow.
Vector = dict[Block, int]
_PRIME = 2**61 - 1
#: Groups beside each other, of which two are chosen to be hidden: the smallest so many are looked at.
LOOKED_AT = 40


def told_together(cells: Mapping[Cell, Collection[str]], floor: int = FLOOR) -> list[frozenset[Path]]:
    """The groups of each dimension of which figures are told; `cells` names those in each. Who is in several
    cells counts as one person."""
    if not cells:
        return []
    dimensions = [directly_in(cells, number) for number in range(len(next(iter(cells))))]
    sizes = [{path: len(people) for path, people in everybody(own).items()} for own in dimensions]
    shown = [set(told(own, floor)) for own in dimensions]
    while any(len(groups) > 1 for groups in shown):
        audit = _Audit.of(_blocks(cells, shown), floor)
        if not audit.loose:
            break
        for number, path in _least(audit, shown, sizes):
            shown[number].discard(path)
    return [frozenset(groups) for groups in shown]


def directly_in(cells: Mapping[Cell, Collection[str]], number: int) -> dict[Path, set[str]]:
    """Those in each group of one dimension, without those in groups within it."""
    own: dict[Path, set[str]] = {}
    for cell, people in cells.items():
        own.setdefault(cell[number], set()).update(people)
    return own


def _blocks(
    cells: Mapping[Cell, Collection[str]], shown: Sequence[Collection[Path]]
) -> dict[tuple[Block, ...], set[str]]:
    """Cells by what can be told of them."""
    found: dict[tuple[Block, ...], set[str]] = {}
    for cell, people in cells.items():
        blocks = tuple((number, _deepest(path, shown[number])) for number, path in enumerate(cell))
        found.setdefault(blocks, set()).update(people)
    return found


def _deepest(path: Path, shown: Collection[Path]) -> Path:
    while path not in shown:
        path = path[:-1]
    return path


class _Span:
    """Vectors that others are reduced by: what is left of them is not of the span."""

    def __init__(self) -> None:
        self._rows: dict[Block, Vector] = {}

    def rest(self, vector: Vector) -> Vector:
        """What is left, its first factor made one; empty: it is of the span."""
        left, again = dict(vector), True
        while again:
            again = False
            for block in [block for block in left if block in self._rows]:
                if factor := left.get(block, 0):
                    _subtract(left, self._rows[block], factor)
                    again = True
        return _scaled(left)

    def add(self, vector: Vector) -> bool:
        """False: it was of the span."""
        left = self.rest(vector)
        if left:
            self._rows[min(left)] = left
        return bool(left)


def _subtract(left: Vector, row: Vector, factor: int) -> None:
    for block, value in row.items():
        if now := (left.get(block, 0) - factor * value) % _PRIME:
            left[block] = now
        else:
            left.pop(block, None)


def _scaled(vector: Vector) -> Vector:
    if not vector:
        return vector
    inverse = pow(vector[min(vector)], -1, _PRIME)
    return {block: value * inverse % _PRIME for block, value in vector.items()}


@dataclass(slots=True)
class _Audit:
    """`span`: what is zero in any result about too few. `loose`: cells of which that is not proven."""

    span: _Span
    loose: list[tuple[Vector, set[str]]]
    blocks: frozenset[Block]

    @classmethod
    def of(cls, cells: Mapping[tuple[Block, ...], set[str]], floor: int) -> "_Audit":
        audit = cls(_Span(), [], frozenset(block for cell in cells for block in cell))
        audit.loose = [(dict.fromkeys(cell, 1), people) for cell, people in sorted(cells.items())]
        while audit.loose:
            sure = [vector for vector, people in audit.loose if len(people) >= floor]
            sure = sure or audit._of_every_round(floor)
            if not sure:
                break
            for vector in sure:
                audit.span.add(vector)
            audit._reduce()
        return audit

    def _reduce(self) -> None:
        """Cells that only the span tells apart become one."""
        found: dict[tuple[tuple[Block, int], ...], set[str]] = {}
        for vector, people in self.loose:
            if left := self.span.rest(vector):
                found.setdefault(tuple(sorted(left.items())), set()).update(people)
        self.loose = [(dict(left), people) for left, people in found.items()]

    def _of_every_round(self, floor: int) -> list[Vector]:
        """The last of so many sets of cells, each spanning what those before left, no person in two."""
        used: set[str] = set()
        taken: list[Vector] = []
        order = sorted(self.loose, key=lambda each: -len(each[1]))
        for _ in range(floor):
            span, now, taken = _Span(), set[str](), []
            for vector, people in order:
                free = people - used
                if free and span.add(vector):
                    now.add(min(free & now or free))
                    taken.append(vector)
            used |= now
        return taken


def _least(
    audit: _Audit, shown: Sequence[Collection[Path]], sizes: Sequence[Mapping[Path, int]]
) -> Sequence[Block]:
    """The groups to hide: those of the fewest people whose hiding joins loose cells to others, or, where
    there are none such, the smallest."""
    whole = _Span()
    for vector, _ in audit.loose:
        whole.add(vector)
    joining, others = list[tuple[int, Sequence[Block]]](), list[tuple[int, Sequence[Block]]]()
    for number, groups in enumerate(shown):
        for hidden, joined in _steps(number, groups, sizes[number], audit):
            difference = audit.span.rest({joined[0]: 1, joined[1]: _PRIME - 1})
            cost = sum(sizes[number][path] for _, path in hidden)
            if difference:
                (others if whole.rest(difference) else joining).append((cost, hidden))
    if joining or others:
        return min(joining or others)[1]
    leaves = [
        (sizes[number][path], [(number, path)])
        for number, groups in enumerate(shown)
        for path in _leaves(groups)
        if path != COMPANY
    ]
    return min(leaves)[1]


def _steps(
    number: int, groups: Collection[Path], sizes: Mapping[Path, int], audit: _Audit
) -> Iterator[tuple[Sequence[Block], tuple[Block, Block]]]:
    """What can be hidden in a dimension, and which two blocks become one by it: a group and what of its
    parent is not told, or two beside each other."""
    by_parent: dict[Path, list[Block]] = {}
    for path in sorted(_leaves(groups) - {COMPANY}, key=lambda path: (sizes[path], path)):
        by_parent.setdefault(path[:-1], []).append((number, path))
    for parent, children in by_parent.items():
        if (number, parent) in audit.blocks:
            yield from (([child], (child, (number, parent))) for child in children)
            continue
        pairs = combinations(children[:LOOKED_AT], 2)
        yield from (([first, second], (first, second)) for first, second in pairs)


def _leaves(groups: Iterable[Path]) -> set[Path]:
    """Told groups within which none is told."""
    every = set(groups)
    return every - {path[:-1] for path in every if path}
