"""Who may see which figures, in one table: figures are for all staff, what they count for few."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contracts.identity import Role
from shared.kernel.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who asks; `staff` is what guests lack, `unit` their own unit now."""

    member_id: str
    roles: frozenset[str]
    staff: bool
    unit: str | None = None


#: The way from the top to the unit that is asked about; empty: the whole company, or another kind of group.
Rule = Callable[[Asker, Sequence[str]], bool]


def _staff(asker: Asker, units: Sequence[str]) -> bool:
    return asker.staff


def _board_or_its_leader(asker: Asker, units: Sequence[str]) -> bool:
    if asker.roles & {Role.BOARD.value, Role.ADMIN.value}:
        return True
    return Role.LEADER.value in asker.roles and asker.unit is not None and asker.unit in units


def _no_figures() -> Forbidden:
    return Forbidden("may-not-read-metrics", "Figures are for staff. You can see your own.")


def _no_events() -> Forbidden:
    return Forbidden(
        "may-not-list-counted-events",
        "Only the board sees what a figure counts, and leaders for their own unit.",
    )


#: Permission, who has it, and what somebody without it is told.
RULES: dict[str, tuple[Rule, Callable[[], Forbidden]]] = {
    "metrics:read": (_staff, _no_figures),
    "metrics:events": (_board_or_its_leader, _no_events),
}


def may(permission: str, asker: Asker, units: Sequence[str] = ()) -> bool:
    rule, _ = RULES[permission]
    return rule(asker, units)


def demand(permission: str, asker: Asker, units: Sequence[str] = ()) -> None:
    """Raises Forbidden."""
    if not may(permission, asker, units):
        raise RULES[permission][1]()
