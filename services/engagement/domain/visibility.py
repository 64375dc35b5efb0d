"""What coaches may see of a member, as the member says: whether they are on a list at all (a no is an
objection), and what kinds of things they open (only after a yes, and only while reading is counted)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from shared.kernel.decider import Decider
from shared.kernel.events import Event


class CoachVisibilityChanged(Event):
    """A member decided what coaches may see of them, where their country lets coaches see names at all."""

    topic: ClassVar[str | None] = "engagement.private"

    member_id: str
    listed: bool
    likes: bool


@dataclass(frozen=True, slots=True)
class Visibility:
    listed: bool = True
    likes: bool = False


@dataclass(frozen=True, slots=True)
class ChangeVisibility:
    member_id: str
    listed: bool
    likes: bool


def visibility_stream(member_id: str) -> str:
    return f"visibility-{member_id}"


def decide(command: ChangeVisibility, visibility: Visibility) -> Sequence[Event]:
    if visibility == Visibility(command.listed, command.likes):
        return []
    return [CoachVisibilityChanged(member_id=command.member_id, listed=command.listed, likes=command.likes)]


def evolve(visibility: Visibility, event: Event) -> Visibility:
    match event:
        case CoachVisibilityChanged(listed=listed, likes=likes):
            return Visibility(listed, likes)
    return visibility


visibilities: Decider[ChangeVisibility, Visibility] = Decider(
    lambda c: visibility_stream(c.member_id), Visibility(), decide, evolve
)
