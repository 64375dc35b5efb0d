"""Who may see which figures, and whose names, in one table: figures are for all staff, what they count for
few, names of who is passive for coaches alone."""

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


def _coach(asker: Asker, units: Sequence[str]) -> bool:
    """Nobody else, whatever they decide or administer."""
    return asker.staff and Role.COACH.value in asker.roles


def _board_or_admin(asker: Asker, units: Sequence[str]) -> bool:
    return asker.staff and bool(asker.roles & {Role.BOARD.value, Role.ADMIN.value})


def _no_figures() -> Forbidden:
    return Forbidden("may-not-read-metrics", "Figures are for staff. You can see your own.")


def _no_events() -> Forbidden:
    return Forbidden(
        "may-not-list-counted-events",
        "Only the board sees what a figure counts, and leaders for their own unit.",
    )


def _no_names() -> Forbidden:
    return Forbidden("may-not-see-names", "Only coaches are told who is passive or new.")


def _no_policies() -> Forbidden:
    return Forbidden("may-not-read-policies", "What is decided for each country is for staff.")


def _no_deciding() -> Forbidden:
    return Forbidden(
        "may-not-change-policies", "Only the board and administrators decide whether coaches see names."
    )


#: Permission, who has it, and what somebody without it is told.
RULES: dict[str, tuple[Rule, Callable[[], Forbidden]]] = {
    "metrics:read": (_staff, _no_figures),
    "metrics:events": (_board_or_its_leader, _no_events),
    "names:read": (_coach, _no_names),
    "policies:read": (_staff, _no_policies),
    "policies:change": (_board_or_admin, _no_deciding),
}


def may(permission: str, asker: Asker, units: Sequence[str] = ()) -> bool:
    rule, _ = RULES[permission]
    return rule(asker, units)


def demand(permission: str, asker: Asker, units: Sequence[str] = ()) -> None:
    """Raises Forbidden."""
    if not may(permission, asker, units):
        raise RULES[permission][1]()
