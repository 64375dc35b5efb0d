"""To whom may somebody write? What was chosen stays, or is to be chosen again: never wider by itself."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from services.gateway.clients import Malformed
from services.gateway.locale import Locale, in_order
from services.gateway.pages.group_answers import GroupList, group_of
from services.gateway.pages.visit import Visit
from services.gateway.view_models import GroupRef
from services.gateway.view_models.talk import Reach
from shared.kernel.audience import EVERYONE, GROUP, LONGEST_CLAUSE, MOST_CLAUSES, STAFF, audience
from shared.kernel.errors import NotFound, Refused, Unavailable

#: The groups that may be chosen on the page with every choice, besides the one that is chosen.
MOST_GROUPS = 100
_NARROWER = ("country:", "language:")


@dataclass(frozen=True, slots=True)
class Offered:
    """Clauses of an audience, and groups, to choose from."""

    clauses: Sequence[str]
    groups: Sequence[GroupRef]

    def __contains__(self, to: object) -> bool:
        return to in self.clauses or to in [GROUP + group.id for group in self.groups]

    def __bool__(self) -> bool:
        return bool(self.clauses or self.groups)


async def offered(visit: Visit, everybody: Reach | None, chosen: str) -> Offered:
    """`everybody`: the reach of all staff, as far as it is known. `chosen` is among what is offered, unless
    it is known that it cannot be."""
    clauses = [STAFF, EVERYONE, *_narrower(everybody, visit.locale)] if visit.is_staff else []
    if everybody is None and visit.is_staff and chosen.startswith(_NARROWER):
        clauses.append(chosen)
    groups = await my_groups(visit)
    missing = chosen.startswith(GROUP) and chosen not in [GROUP + group.id for group in groups]
    kept = await _kept(visit, chosen.removeprefix(GROUP)) if missing else None
    return Offered(clauses, [*groups, *([kept] if kept else [])])


def together(chosen: Sequence[str], *, every: bool) -> tuple[str, ...]:
    """The audience of whoever fits any of what is chosen, or (`every`) one of each kind. Raises Refused."""
    kinds: dict[str, set[str]] = {}
    for clause in chosen:
        kinds.setdefault(clause.partition(":")[0], set()).add(clause)
    if not every or len(kinds) < 2:
        return audience(chosen)
    ways = math.prod(len(kind) for kind in kinds.values())
    if ways > MOST_CLAUSES:
        raise Refused(
            "audience-too-many-ways",
            "One of each kind can be met in {ways} ways, and an audience has at most {most}. "
            "Choose fewer of one kind.",
            field="audience",
            params={"ways": ways, "most": MOST_CLAUSES},
        )
    joined = ["&".join(sorted(each)) for each in itertools.product(*kinds.values())]
    if any(len(clause) > LONGEST_CLAUSE for clause in joined):
        raise Refused(
            "audience-too-joined",
            "These are too many conditions to be met at once. Leave out one kind.",
            field="audience",
        )
    return audience(joined)


async def my_groups(visit: Visit) -> list[GroupRef]:
    """The groups that somebody may write to; none while the groups are away."""
    found = await visit.ask_if_there(GroupList, "groups", "/groups", {"mine": "true", "limit": MOST_GROUPS})
    return [group.ref for group in found.items] if found else []


async def _kept(visit: Visit, group_id: str) -> GroupRef | None:
    """A group that was chosen and is not listed; None where they are not in it. While nobody can say, it
    stays: whoever publishes is asked by the feed."""
    try:
        group = await group_of(visit, group_id) if group_id else None
    except Unavailable:
        return GroupRef(group_id, visit.locale.gettext("The group that you chose"))
    except (NotFound, Malformed):
        return None
    return group.ref if group and group.mine.standing in ("owner", "member") else None


def _narrower(everybody: Reach | None, here: Locale) -> Sequence[str]:
    """Countries and languages that somebody is in, to write to, each in the order of their names."""
    if everybody is None:
        return []
    countries = in_order(everybody.countries, here.country_name)
    languages = in_order(everybody.languages, here.language_name)
    return [*(f"country:{code}" for code in countries), *(f"language:{tag}" for tag in languages)]
