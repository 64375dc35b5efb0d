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

    `belongs` says that it is in a group of theirs.
    """

    member_id: str
    roles: frozenset[str]
    staff: bool
    belongs: bool = False


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


def _author_or_keeper(asker: Asker, author_id: str | None) -> bool:
    return asker.member_id == author_id or bool(asker.roles & KEEPERS)


def _author_or_language_keeper(asker: Asker, author_id: str | None) -> bool:
    return asker.member_id == author_id or bool(asker.roles & LANGUAGE_KEEPERS)


#: Permission, who has it, and what somebody without it is told.
RULES: dict[str, tuple[Rule, str]] = {
    "feed:post": (_staff, "Guests write in their groups. Choose one of yours."),
    "feed:post-in-group": (_belongs, "Only members of the group write there. Join it first."),
    "feed:announce": (_announcer, "Editors, leaders and the board publish announcements. Ask one of them."),
    "feed:comment": (_takes_part, "Guests comment in their groups only."),
    "feed:react": (_takes_part, "Guests react in their groups only."),
    "feed:edit": (_author, "Only its author changes this."),
    "feed:delete": (_author_or_keeper, "Only its author or an editor deletes this."),
    "feed:correct-language": (
        _author_or_language_keeper,
        "Only its author, a translator or an editor says which language this is in.",
    ),
    "feed:report": (_author_or_keeper, "Only its sender or an editor sees who has read this."),
    "feed:import": (_operator, "Only an operator imports posts."),
    "feed:reach": (_staff, "Guests write in their groups. Choose one of yours."),
}


def may(permission: str, asker: Asker, author_id: str | None = None) -> bool:
    """Whether the asker has the permission for a thing that `author_id` wrote."""
    rule, _ = RULES[permission]
    return rule(asker, author_id)


def demand(permission: str, asker: Asker, author_id: str | None = None) -> None:
    """Raises Forbidden, with what to do instead."""
    if not may(permission, asker, author_id):
        raise Forbidden(f"may-not-{permission.removeprefix('feed:')}", RULES[permission][1])
