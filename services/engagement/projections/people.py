"""Where members were and what they were, step by step: so that a figure can ask for any moment.

Steps are kept as they were told, with both times; what holds at a moment is for the reader to work out.
"""

from bisect import bisect_left
from collections.abc import Collection

from pydantic import BaseModel, Field

from contracts.groups import MemberJoinedGroup, MemberLeftGroup
from contracts.identity import (
    ClearanceChanged,
    LanguageChanged,
    MemberDeactivated,
    MemberErased,
    MemberPlaced,
    MemberReactivated,
    MemberRegistered,
    ProfileChanged,
    RolesChanged,
)
from services.engagement.projections.facts import MONTH, Counted, changed, happened, month_of, seconds
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Projection

#: Event time, stream, version, recorded time, what, and its values.
Step = tuple[int, str, int, int, str, tuple[str, ...]]


class PersonView(BaseModel):
    """A member's steps in the order of event time. Or a month of all: what changed in it."""

    member_id: str | None = None
    steps: list[Step] = Field(default_factory=list)
    changes: Counted | None = None


def _step(event: Event) -> tuple[str, tuple[str, ...]]:
    match event:
        case MemberRegistered():
            roles = [role.value for role in event.roles]
            signs_in = "signs-in" if event.signs_in else ""
            named = (event.kind.value, event.country or "", event.language, event.clearance.value, signs_in)
            return "registered", (*named, *roles)
        case MemberPlaced(place=place):
            return "placed", (place.country or "", place.office or "", *place.units)
        case RolesChanged():
            return "roles", tuple(role.value for role in event.new)
        case LanguageChanged():
            return "language", (event.new,)
        case ProfileChanged():
            return "reads", event.languages
        case ClearanceChanged():
            return "cleared", (event.new.value,)
        case MemberJoinedGroup():
            return "joined", (event.group_id,)
        case MemberLeftGroup():
            return "left", (event.group_id,)
        case MemberReactivated():
            return "back", ()
    return "gone", ()


_EVENTS: tuple[type[Event], ...] = (
    MemberRegistered,
    MemberPlaced,
    RolesChanged,
    LanguageChanged,
    ProfileChanged,
    ClearanceChanged,
    MemberDeactivated,
    MemberReactivated,
    MemberErased,
    MemberJoinedGroup,
    MemberLeftGroup,
)


def _keys(event: Event, recorded: Recorded) -> Collection[str]:
    return (str(event.__dict__["member_id"]), MONTH + month_of(happened(recorded)))


def _evolve(view: PersonView | None, event: Event, recorded: Recorded, key: str) -> PersonView:
    if key.startswith(MONTH):
        return PersonView(changes=changed(view.changes if view is not None else None, [recorded]))
    at, known = seconds(happened(recorded)), seconds(recorded.recorded_utc)
    now = view or PersonView(member_id=key)
    what, values = _step(event)
    step: Step = (at, recorded.stream, recorded.version, known, what, values)
    place = bisect_left(now.steps, step)
    if place < len(now.steps) and now.steps[place] == step:
        return now
    return now.model_copy(update={"steps": [*now.steps[:place], step, *now.steps[place:]]})


def _nothing(event: Event) -> Collection[str]:
    return ()


people: Projection[PersonView] = Projection(
    "engagement.people", 2, PersonView, _EVENTS, _nothing, _evolve, keys_at=_keys
)
