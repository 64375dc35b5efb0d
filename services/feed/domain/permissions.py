"""Who may do what in the feed, in one table. Who may not even see a thing hears that there is none."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.kernel.errors import Forbidden

#: Who may speak for the organisation, who keeps order, and who keeps languages right.
ANNOUNCERS = frozenset({"editor", "leader", "board", "admin"})
KEEPERS = frozenset({"editor", "admin"})
LANGUAGE_KEEPERS = KEEPERS | {"translator"}


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who wants to do something with a thing that they can see; `staff` is what guests lack.

    `belongs` says that it is in a group of theirs, `owns` that they own that group.
    """

    member_id: str
    roles: frozenset[str]
    staff: bool
    belongs: bool = False
    owns: bool = False


Rule = Callable[[Asker, str | None], bool]


def _staff(asker: Asker, author_id: str | None) -> bool:
    return asker.staff


def _takes_part(asker: Asker, author_id: str | None) -> bool:
    return asker.staff or asker.belongs


def _belongs(asker: Asker, author_id: str | None) -> bool:
    return asker.belongs


def _announcer(asker: Asker, author_id: str | None) -> bool:
    return asker.staff and bool(asker.roles & ANNOUNCERS)


def _operator(asker: Asker, author_id: str | None) -> bool:
    return bool(asker.roles & {"operator", "admin"})


def _author(asker: Asker, author_id: str | None) -> bool:
    return asker.member_id == author_id


def _author_or_keeper_of_order(asker: Asker, author_id: str | None) -> bool:
    """Owners answer for what is in their group, also for what somebody wrote who is not there any more."""
    return _author_or_keeper(asker, author_id) or asker.owns


def _author_or_keeper(asker: Asker, author_id: str | None) -> bool:
    return asker.member_id == author_id or bool(asker.roles & KEEPERS)


def _author_or_language_keeper(asker: Asker, author_id: str | None) -> bool:
    return asker.member_id == author_id or bool(asker.roles & LANGUAGE_KEEPERS)


#: Permission, who has it, and what somebody without it is told.
RULES: dict[str, tuple[Rule, Callable[[], Forbidden]]] = {
    "feed:post": (
        _staff,
        lambda: Forbidden("may-not-post", "Guests write in their groups. Choose one of yours."),
    ),
    "feed:post-in-group": (
        _belongs,
        lambda: Forbidden("may-not-post-in-group", "Only members of the group write there. Join it first."),
    ),
    "feed:announce": (
        _announcer,
        lambda: Forbidden(
            "may-not-announce", "Editors, leaders and the board publish announcements. Ask one of them."
        ),
    ),
    "feed:comment": (
        _takes_part,
        lambda: Forbidden("may-not-comment", "Guests comment in their groups only."),
    ),
    "feed:react": (_takes_part, lambda: Forbidden("may-not-react", "Guests react in their groups only.")),
    "feed:edit": (_author, lambda: Forbidden("may-not-edit", "Only its author changes this.")),
    "feed:delete": (
        _author_or_keeper_of_order,
        lambda: Forbidden(
            "may-not-delete", "Only its author, an owner of its group or an editor deletes this."
        ),
    ),
    "feed:correct-language": (
        _author_or_language_keeper,
        lambda: Forbidden(
            "may-not-correct-language",
            "Only its author, a translator or an editor says which language this is in.",
        ),
    ),
    "feed:report": (
        _author_or_keeper,
        lambda: Forbidden("may-not-report", "Only its sender or an editor sees who has read this."),
    ),
    "feed:import": (_operator, lambda: Forbidden("may-not-import", "Only an operator imports posts.")),
    "feed:reach": (
        _staff,
        lambda: Forbidden("may-not-reach", "Guests write in their groups. Choose one of yours."),
    ),
}


def may(permission: str, asker: Asker, author_id: str | None = None) -> bool:
    """Whether the asker has the permission for a thing that `author_id` wrote."""
    rule, _ = RULES[permission]
    return rule(asker, author_id)


def demand(permission: str, asker: Asker, author_id: str | None = None) -> None:
    """Raises Forbidden, with what to do instead."""
    if not may(permission, asker, author_id):
        _, refusal = RULES[permission]
        raise refusal()
