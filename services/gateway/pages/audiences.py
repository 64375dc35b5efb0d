"""Who are the readers of something: which clause lets this reader in, and what are the groups called?"""

import asyncio
from collections.abc import Collection, Iterable, Sequence

from services.gateway.pages.group_answers import group_of
from services.gateway.pages.member_answers import MOST_UNITS_NAMED, UNIT_ID, member_of, names_of_units
from services.gateway.pages.visit import Visit
from services.gateway.view_models import GroupRef
from shared.kernel.audience import EVERYONE, GROUP, STAFF, UNIT
from shared.kernel.errors import Refused

#: Groups of one audience that are asked for their names.
MOST_NAMED = 20


async def let_in_by(visit: Visit, audience: Sequence[str]) -> str:
    """The clause that lets this reader in: one that surely does, else one that nothing speaks against. Where
    several may, identity is asked where the reader is."""
    held = visit.signed_in.held
    mine = {EVERYONE, f"member:{held.member_id}", f"language:{held.language}"}
    mine |= {f"role:{role}" for role in held.roles} | ({STAFF} if visit.is_staff else set())
    mine |= {f"group:{group.id}" for group in visit.groups}
    known = (EVERYONE, STAFF, "member:", "language:", "role:")
    if (sure := _met(audience, mine)) is not None:
        return sure
    open_ = [c for c in audience if all(t in mine or not t.startswith(known) for t in c.split("&"))]
    placed = _met(open_, mine | await _places(visit)) if len(open_) > 1 else None
    return placed or [*open_, *audience][0]


def _met(audience: Iterable[str], tokens: Collection[str]) -> str | None:
    return next((clause for clause in audience if all(token in tokens for token in clause.split("&"))), None)


async def _places(visit: Visit) -> set[str]:
    """The tokens of where the reader is; none while nobody can say."""
    try:
        me = await member_of(visit, visit.signed_in.held.member_id)
    except Refused:
        return set()
    found = {f"unit:{unit}" for unit in me.units}
    found |= {f"country:{me.country}"} if me.country else set()
    return found | ({f"office:{me.office}"} if me.office else set())


async def know_units(visit: Visit, *audiences: Iterable[str]) -> None:
    """The units among these clauses are called by their names on the page, as far as this reader may know
    them."""
    tokens = {token for audience in audiences for clause in audience for token in clause.split("&")}
    units = {token.removeprefix(UNIT) for token in tokens if token.startswith(UNIT)}
    wanted = sorted(unit for unit in units - visit.units.keys() if UNIT_ID.fullmatch(unit))
    if wanted:
        visit.units |= await names_of_units(visit, wanted[:MOST_UNITS_NAMED])


async def groups_among(visit: Visit, audience: Iterable[str]) -> list[GroupRef]:
    """The groups of these clauses whose names this reader may know. Whoever may read something need not be in
    every group that may: so each that is not their own is asked for in their name, and no names are kept."""
    tokens = {token for clause in audience for token in clause.split("&") if token.startswith(GROUP)}
    wanted = {token.removeprefix(GROUP) for token in tokens}
    mine = [group for group in visit.groups if group.id in wanted]
    others = sorted(wanted - {group.id for group in mine})[:MOST_NAMED]
    found = await asyncio.gather(*(_if_known(visit, group_id) for group_id in others))
    return [*mine, *(group for group in found if group)]


async def _if_known(visit: Visit, group_id: str) -> GroupRef | None:
    try:
        return (await group_of(visit, group_id)).ref
    except Refused:
        return None
