"""Hands that make marks on walls: the smallest domain in which everything that the proofs need can happen.

A hand is a stream; a wall is a view document that many hands mark, so that several partitions and both
topics feed it. Each mark carries the number that its decider gave it, and a wall keeps the numbers of each
hand in the order in which they came: a lost, doubled or swapped event shows as such.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from shared.kernel.audience import Classification, TokenChange
from shared.kernel.decider import Decider
from shared.kernel.errors import Conflict, Refused
from shared.kernel.events import Event, Recorded
from shared.kernel.projection import Index, Projection
from shared.runtime.ids import derived_id
from shared.runtime.reactions import Reaction

SERVICE = "proofs"
PUBLIC, PRIVATE = f"{SERVICE}.events", f"{SERVICE}.private"

#: A mark with this text makes the fold of its wall fail; one with the other has no readable walls.
POISON, NO_WALLS = "poison", "no walls"
#: A mark with this text makes the reaction answer it.
CALL = "call"


class MarkMade(Event):
    topic: ClassVar[str | None] = PUBLIC

    walls: list[str]
    text: str
    number: int


class MarkWhispered(Event):
    topic: ClassVar[str | None] = PRIVATE

    walls: list[str]
    text: str
    number: int


class MarkKept(Event):
    """Stays in its stream."""

    text: str
    number: int


#: Every topic of a mark, and none.
KINDS: tuple[type[Event], ...] = (MarkMade, MarkWhispered, MarkKept)


class WallPainted(Event):
    """The wall's document is gone."""

    topic: ClassVar[str | None] = PUBLIC

    wall: str
    number: int


class KeysHanded(Event):
    topic: ClassVar[str | None] = PUBLIC

    member_id: str
    tokens: list[str]
    number: int

    def token_changes(self) -> Sequence[TokenChange]:
        return [TokenChange(self.member_id, frozenset(self.tokens), clearance=Classification.INTERNAL)]


class KeysTaken(Event):
    topic: ClassVar[str | None] = PUBLIC

    member_id: str
    tokens: list[str]
    number: int

    def token_changes(self) -> Sequence[TokenChange]:
        return [TokenChange(self.member_id, revoke=frozenset(self.tokens))]


@dataclass(frozen=True, slots=True)
class Hand:
    marks: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """`times` events of one `kind` in one commit; refused when the hand would have more than `most` marks."""

    hand: str
    walls: tuple[str, ...] = ("north",)
    text: str = "a line"
    times: int = 1
    kind: type[Event] = MarkMade
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Paint:
    hand: str
    wall: str


@dataclass(frozen=True, slots=True)
class ChangeKeys:
    hand: str
    member_id: str
    tokens: tuple[str, ...]
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the reaction commands: once per hand."""

    hand: str
    walls: tuple[str, ...]


Command = Mark | Paint | ChangeKeys | Answer


def decide(command: Command, hand: Hand) -> Sequence[Event]:
    number = hand.marks + 1
    match command:
        case Mark():
            if command.most is not None and hand.marks + command.times > command.most:
                raise Refused("hand-tired", "This hand makes no more marks.")
            said: dict[str, Any] = {"text": command.text}
            if command.kind is not MarkKept:
                said["walls"] = list(command.walls)
            return [command.kind(**said | {"number": number + at}) for at in range(command.times)]
        case Paint():
            return [WallPainted(wall=command.wall, number=number)]
        case ChangeKeys():
            kind = KeysTaken if command.taken else KeysHanded
            return [kind(member_id=command.member_id, tokens=list(command.tokens), number=number)]
        case Answer():
            if hand.marks:
                raise Conflict("answered", "This call was answered.")
            return [MarkMade(walls=list(command.walls), text="an answer", number=number)]


def evolve(hand: Hand, event: Event) -> Hand:
    return Hand(hand.marks + 1)


HANDS: Decider[Command, Hand] = Decider(lambda command: f"hand-{command.hand}", Hand(), decide, evolve)


class Wall(BaseModel):
    """The marks on a wall: their numbers by hand, in the order in which they were folded."""

    marks: dict[str, list[int]] = Field(default_factory=dict)
    texts: dict[str, str] = Field(default_factory=dict)
    total: int = 0


def keys(event: Event) -> Collection[str]:
    if isinstance(event, WallPainted):
        return {event.wall}
    if isinstance(event, MarkMade | MarkWhispered):
        if event.text == NO_WALLS:
            raise ValueError("nobody can tell on which walls")
        return set(event.walls)
    return ()


def fold(view: Wall | None, event: Event, recorded: Recorded, key: str) -> Wall | None:
    if isinstance(event, WallPainted):
        return None
    assert isinstance(event, MarkMade | MarkWhispered), "nothing else has walls as keys"
    if event.text == POISON:
        raise ValueError("this mark cannot be read")
    now = view or Wall()
    marks = {**now.marks, recorded.stream: [*now.marks.get(recorded.stream, ()), event.number]}
    texts = {**now.texts, recorded.stream: event.text}
    return Wall(marks=_sorted(marks), texts=_sorted(texts), total=now.total + 1)


def fold_upper_case(view: Wall | None, event: Event, recorded: Recorded, key: str) -> Wall | None:
    """The next version of the fold: texts in capitals."""
    folded = fold(view, event, recorded, key)
    if folded is None:
        return None
    return folded.model_copy(update={"texts": {hand: text.upper() for hand, text in folded.texts.items()}})


def _sorted(values: Mapping[str, Any]) -> dict[str, Any]:
    """By name: which hand came first is not for a view to say."""
    return {name: values[name] for name in sorted(values)}


_MARKS: tuple[type[Event], ...] = (MarkMade, MarkWhispered, WallPainted)
WALLS = Projection("proofs.walls", 1, Wall, _MARKS, keys, fold, (Index((("total", -1), ("_id", 1))),))
WALLS_IN_CAPITALS = Projection("proofs.walls", 2, Wall, _MARKS, keys, fold_upper_case, WALLS.indexes)

TOKENS_FROM: tuple[type[Event], ...] = (KeysHanded, KeysTaken)


def when_called(event: Event, recorded: Recorded) -> Answer | None:
    """A mark that calls is answered by a hand of its own, on the same walls."""
    if isinstance(event, MarkMade) and event.text == CALL:
        return Answer(derived_id("answer", recorded.id), tuple(event.walls))
    return None


ANSWERS = Reaction("proofs.answers", (MarkMade,), when_called, HANDS)


@dataclass(frozen=True, slots=True)
class Told:
    """What a wall must show: every hand's numbers from 1 on, and how many marks in all."""

    marks: Mapping[str, int] = field(default_factory=dict)

    def check(self, wall: Wall | None) -> None:
        """Raises AssertionError where a mark is missing, doubled or out of order."""
        shown = {} if wall is None else wall.marks
        wanted = {f"hand-{hand}": list(range(1, count + 1)) for hand, count in self.marks.items()}
        assert shown == wanted, f"the wall shows {shown}, it should {wanted}"
        assert wall is None or wall.total == sum(self.marks.values()), wall
