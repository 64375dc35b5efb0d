"""Which clause of an audience lets this reader in?"""

from collections.abc import Sequence

from services.gateway.pages.visit import Visit
from shared.kernel.audience import EVERYONE, STAFF


def let_in_by(visit: Visit, audience: Sequence[str]) -> str:
    """The clause that lets this reader in: one that surely does, else one that nothing speaks against."""
    held = visit.signed_in.held
    mine = {EVERYONE, f"member:{held.member_id}", f"language:{held.language}"}
    mine |= {f"role:{role}" for role in held.roles} | ({STAFF} if visit.is_staff else set())
    mine |= {f"group:{group.id}" for group in visit.groups}
    sure = [clause for clause in audience if set(clause.split("&")) <= mine]
    known = (EVERYONE, STAFF, "member:", "language:", "role:")
    open_ = [c for c in audience if all(t in mine or not t.startswith(known) for t in c.split("&"))]
    return [*sure, *open_, *audience][0]
