"""Who may do what: every permission is a name, and the roles that hold it are data."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from contracts.identity import Role
from shared.kernel.errors import Forbidden


class Permission(StrEnum):
    REGISTER_MEMBERS = "register-members"
    IMPORT_MEMBERS = "import-members"
    CHANGE_ROLES = "change-roles"
    DEACTIVATE_MEMBERS = "deactivate-members"
    ERASE_MEMBERS = "erase-members"
    REVOKE_SESSIONS = "revoke-sessions"
    SHAPE_UNITS = "shape-units"
    PLACE_MEMBERS = "place-members"


HOLDERS: Mapping[Permission, frozenset[Role]] = {
    Permission.REGISTER_MEMBERS: frozenset({Role.ADMIN, Role.OPERATOR}),
    Permission.IMPORT_MEMBERS: frozenset({Role.ADMIN, Role.OPERATOR}),
    Permission.CHANGE_ROLES: frozenset({Role.ADMIN}),
    Permission.DEACTIVATE_MEMBERS: frozenset({Role.ADMIN, Role.OPERATOR}),
    Permission.ERASE_MEMBERS: frozenset({Role.ADMIN}),
    Permission.REVOKE_SESSIONS: frozenset({Role.ADMIN, Role.OPERATOR}),
    Permission.SHAPE_UNITS: frozenset({Role.ADMIN, Role.OPERATOR}),
    Permission.PLACE_MEMBERS: frozenset({Role.ADMIN, Role.OPERATOR}),
}

#: Roles that let somebody administer; only an admin hands them out, or acts upon those who hold them.
ADMINISTERING = frozenset({Role.ADMIN, Role.OPERATOR})


@dataclass(frozen=True, slots=True)
class Acting:
    """Who gives a command, and what they are trusted with. `brought_by` is what those are trusted with who
    bring it in from elsewhere in the name of others: nobody may do so what they may not do themselves."""

    member_id: str
    roles: frozenset[str] = frozenset()
    brought_by: frozenset[str] | None = None

    @property
    def trusted(self) -> Sequence[frozenset[str]]:
        """The roles of everybody who must be trusted with it."""
        return (self.roles,) if self.brought_by is None else (self.roles, self.brought_by)


def may(acting: Acting, permission: Permission) -> bool:
    return all(not HOLDERS[permission].isdisjoint(roles) for roles in acting.trusted)


def permit(acting: Acting, permission: Permission) -> None:
    """Raises Forbidden."""
    if not may(acting, permission):
        raise Forbidden("not-permitted", "You may not do this. Ask an administrator.")


def permit_touching(acting: Acting, roles: Iterable[Role]) -> None:
    """Only an admin hands out administering roles, or acts upon those who hold them. Raises Forbidden."""
    administers = all(Role.ADMIN in held for held in acting.trusted)
    if not administers and not ADMINISTERING.isdisjoint(roles):
        raise Forbidden(
            "for-admins-only", "Only an administrator may do this to administrators and operators."
        )
