"""Who owns a group: a fold that every service shares where owners decide about what is in their group."""

from collections.abc import Collection

from pydantic import BaseModel

from contracts.groups import MemberJoinedGroup, MemberLeftGroup, Standing, StandingChanged
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Projection


class GroupOwners(BaseModel):
    """Its owners now."""

    group_id: str
    owners: list[str]


def owners_projection(service: str) -> Projection[GroupOwners]:
    return Projection(
        f"{service}.owners",
        1,
        GroupOwners,
        (MemberJoinedGroup, MemberLeftGroup, StandingChanged),
        _keys,
        _evolve,
    )


def _keys(event: Event) -> Collection[str]:
    """Nothing for those who join as members only: a group's document is not written for each of them."""
    match event:
        case MemberJoinedGroup(group_id=group_id, standing=standing):
            return (group_id,) if standing is Standing.OWNER else ()
        case MemberLeftGroup(group_id=group_id) | StandingChanged(group_id=group_id):
            return (group_id,)
    return ()


def _evolve(view: GroupOwners | None, event: Event, recorded: Recorded, key: str) -> GroupOwners:
    owners = set(view.owners) if view else set()
    match event:
        case (
            MemberJoinedGroup(member_id=member_id, standing=standing)
            | StandingChanged(member_id=member_id, new=standing)
        ):
            owners = owners | {member_id} if standing is Standing.OWNER else owners - {member_id}
        case MemberLeftGroup(member_id=member_id):
            owners = owners - {member_id}
    return GroupOwners(group_id=key, owners=sorted(owners))
