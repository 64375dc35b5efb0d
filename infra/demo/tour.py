"""Where a newcomer is led: the places that carry what was planted, by the names that the page knows."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from infra.demo.belonging import FRIDAY, ISLAND_GROUP, LESSONS, LIST, SUPPLIERS
from infra.demo.organisation import ISLAND
from infra.demo.shapes import Group, Ledger
from infra.demo.stories import Planted


def stops(ledger: Ledger, planted: Planted, groups: Mapping[str, Group]) -> dict[str, Any]:
    """Ids, by what is to be seen there."""
    found: dict[str, Any] = {
        "film": planted.film_id,
        "friday": groups[FRIDAY].id,
        "list": groups[LIST].id,
        "suppliers": groups[SUPPLIERS].id,
        "island_group": groups[ISLAND_GROUP].id,
        "island_unit": ISLAND,
        "lessons": groups[LESSONS].id,
    }
    to_all = [one for one in planted.announcements if one.audience == "staff"]
    if to_all:
        found["announcement"] = to_all[-1].post_id
    changes = Counter(one["page_id"] for one in ledger.rooms["wiki"])
    if changes:
        found["page"] = max(sorted(changes), key=lambda page_id: changes[page_id])
    return found
