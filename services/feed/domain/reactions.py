"""A member's reaction to one item: a stream of its own, so that nothing hot is one stream."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.feed import ReactionChanged, ReactionKind
from shared.kernel.decider import Decider
from shared.kernel.events import Event


@dataclass(frozen=True, slots=True)
class React:
    """`kind` None takes the reaction back."""

    item_id: str
    post_id: str
    member_id: str
    kind: ReactionKind | None


@dataclass(frozen=True, slots=True)
class Reaction:
    kind: ReactionKind | None = None


def decide(command: React, reaction: Reaction) -> Sequence[Event]:
    """Nothing follows from reacting as before."""
    if command.kind is reaction.kind:
        return []
    return [
        ReactionChanged(
            item_id=command.item_id,
            post_id=command.post_id,
            member_id=command.member_id,
            old=reaction.kind,
            new=command.kind,
        )
    ]


def evolve(reaction: Reaction, event: Event) -> Reaction:
    return Reaction(event.new) if isinstance(event, ReactionChanged) else reaction


reactions: Decider[React, Reaction] = Decider(
    lambda command: f"reaction-{command.item_id}-{command.member_id}", Reaction(), decide, evolve
)
