"""Who may do what in the wiki, in one table. Who may not even see a thing hears that there is none."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.kernel.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who wants to do something with a thing that they can see; `staff` is what guests lack.

    `owns_group`: the thing is in the space of a group, and they are one of its owners now.
    """

    member_id: str
    roles: frozenset[str]
    staff: bool
    owns_group: bool = False


Rule = Callable[[Asker, str | None], bool]


def _staff(asker: Asker, owner_id: str | None) -> bool:
    return asker.staff


def _owner_or_keeper(asker: Asker, owner_id: str | None) -> bool:
    mine = asker.member_id == owner_id or asker.owns_group
    return (asker.staff and mine) or bool(asker.roles & {"editor", "operator", "admin"})


def _operator(asker: Asker, owner_id: str | None) -> bool:
    return bool(asker.roles & {"operator", "admin"})


#: Permission, who has it, and what somebody without it is told.
RULES: dict[str, tuple[Rule, Callable[[], Forbidden]]] = {
    "wiki:write": (
        _staff,
        lambda: Forbidden(
            "may-not-write", "Guests can read pages but not change them. Ask the page's owner to do it."
        ),
    ),
    "wiki:open-space": (
        _staff,
        lambda: Forbidden("may-not-open-space", "Guests cannot open spaces. Ask a colleague to open one."),
    ),
    "wiki:delete": (
        _owner_or_keeper,
        lambda: Forbidden("may-not-delete", "Only the page's owner, an editor or an operator deletes it."),
    ),
    "wiki:audience": (
        _owner_or_keeper,
        lambda: Forbidden(
            "may-not-audience", "Only the owner, an editor or an operator decides who may see this."
        ),
    ),
    "wiki:owner": (
        _owner_or_keeper,
        lambda: Forbidden("may-not-owner", "Only the owner, an editor or an operator hands this over."),
    ),
    "wiki:rename-space": (
        _owner_or_keeper,
        lambda: Forbidden(
            "may-not-rename-space", "Only the space's owner, an editor or an operator renames it."
        ),
    ),
    "wiki:import": (_operator, lambda: Forbidden("may-not-import", "Only an operator imports pages.")),
}


def may(permission: str, asker: Asker, owner_id: str | None = None) -> bool:
    """Whether the asker has the permission for a thing that belongs to `owner_id`."""
    rule, _ = RULES[permission]
    return rule(asker, owner_id)


def demand(permission: str, asker: Asker, owner_id: str | None = None) -> None:
    """Raises Forbidden, with what to do instead."""
    if not may(permission, asker, owner_id):
        _, refusal = RULES[permission]
        raise refusal()
