"""Which groups' figures of one dimension may be told: never of fewer than five people, nor so that fewer can
be told by subtracting. What several dimensions tell together is looked at in `differencing`.

What is told is a tree: the company, its groups, groups within them. Below each group that is told lies what
is not told: those directly in it, and its hidden groups. Whoever subtracts gets unions of these remainders
and nothing finer. So each remainder must hold nobody, or five and more; where it does not, the smallest group
beside it is hidden too. Within what is hidden nothing is told.

The company itself is told always.
"""

from collections.abc import Collection, Mapping

#: People in a group, at least, before anything is told of it.
FLOOR = 5

#: The way from the top; empty: the company.
Path = tuple[str, ...]
COMPANY: Path = ()


def told(own: Mapping[Path, Collection[str]], floor: int = FLOOR) -> frozenset[Path]:
    """The groups of which figures are told; `own` names those directly in each group."""
    people = everybody(own)
    children: dict[Path, list[Path]] = {}
    for path in people:
        if path:
            children.setdefault(path[:-1], []).append(path)
    found: set[Path] = set()
    todo = [COMPANY]
    while todo:
        path = todo.pop()
        found.add(path)
        sizes = sorted((len(people[group]), group) for group in children.get(path, ()))
        shown = [group for size, group in sizes if size >= floor]
        left = set(own.get(path, ())).union(*(people[group] for size, group in sizes if size < floor))
        while left and len(left) < floor and shown:
            left |= people[shown.pop(0)]
        todo += shown
    return frozenset(found)


def everybody(own: Mapping[Path, Collection[str]]) -> dict[Path, set[str]]:
    """Who is in each group, those in the groups within it included."""
    found: dict[Path, set[str]] = {COMPANY: set()}
    for path, members in own.items():
        for length in range(len(path) + 1):
            found.setdefault(path[:length], set()).update(members)
    return found
