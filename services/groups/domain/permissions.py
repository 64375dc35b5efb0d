"""Who may do what with groups, in one table. Who may not even see a group hears that there is none."""

from collections.abc import Callable
from dataclasses import dataclass

from contracts.groups import Openness, Standing
from services.groups.domain.memberships import Membership
from shared.kernel.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who wants to do something; `staff` is what guests lack."""

    member_id: str
    roles: frozenset[str]
    staff: bool


@dataclass(frozen=True, slots=True)
class Place:
    """The group that it is about, and what the asker is there."""

    openness: Openness
    mine: Membership


Rule = Callable[[Asker, Place | None], bool]


def sees(asker: Asker, place: Place) -> bool:
    """Whether the asker may see the whole group; the invited see its name and purpose before that."""
    return place.mine.standing is not None or (place.openness is Openness.OPEN and asker.staff)


def _operator(asker: Asker, place: Place | None) -> bool:
    return bool(asker.roles & {"operator", "admin"})


def _staff(asker: Asker, place: Place | None) -> bool:
    return asker.staff


def _joins(asker: Asker, place: Place | None) -> bool:
    if place is None or place.mine.standing is not None:
        return False
    return place.mine.invited or (asker.staff and place.openness is Openness.OPEN)


def _member(asker: Asker, place: Place | None) -> bool:
    return place is not None and place.mine.standing is not None


def _owner_or_admin(asker: Asker, place: Place | None) -> bool:
    """An admin helps where owners are gone: in open groups, and in those that they belong to."""
    if place is None or not asker.staff:
        return False
    return place.mine.standing is Standing.OWNER or ("admin" in asker.roles and sees(asker, place))


def _admin(asker: Asker, place: Place | None) -> bool:
    return asker.staff and "admin" in asker.roles


#: Permission, who has it, and what somebody without it is told.
RULES: dict[str, tuple[Rule, Callable[[], Forbidden]]] = {
    "groups:start": (
        _staff,
        lambda: Forbidden("may-not-start", "Guests cannot start groups. Ask a colleague to start one."),
    ),
    "groups:join": (
        _joins,
        lambda: Forbidden("may-not-join", "Ask an owner of the group to invite you."),
    ),
    "groups:leave": (
        _member,
        lambda: Forbidden("may-not-leave", "You are not in this group."),
    ),
    "groups:describe": (
        _owner_or_admin,
        lambda: Forbidden(
            "may-not-describe", "Only owners change a group's name and purpose. Ask one of them."
        ),
    ),
    "groups:invite": (
        _owner_or_admin,
        lambda: Forbidden("may-not-invite", "Only owners invite to a group. Ask one of them."),
    ),
    "groups:remove": (
        _owner_or_admin,
        lambda: Forbidden("may-not-remove", "Only owners remove somebody from a group. Ask one of them."),
    ),
    "groups:standing": (
        _owner_or_admin,
        lambda: Forbidden("may-not-standing", "Only owners decide who owns a group. Ask one of them."),
    ),
    "groups:appoint": (
        _admin,
        lambda: Forbidden("may-not-appoint", "Only administrators find an owner for a group that has none."),
    ),
    "groups:import": (
        _operator,
        lambda: Forbidden("may-not-import", "Only an operator imports groups."),
    ),
}


def may(permission: str, asker: Asker, place: Place | None = None) -> bool:
    rule, _ = RULES[permission]
    return rule(asker, place)


def demand(permission: str, asker: Asker, place: Place | None = None) -> None:
    """Raises Forbidden, with what to do instead."""
    rule, refusal = RULES[permission]
    if not rule(asker, place):
        raise refusal()
